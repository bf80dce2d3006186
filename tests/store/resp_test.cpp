// RESP3, read in whatever pieces it comes.
#include "store/redis/resp.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace lingate::store::redis {
namespace {

using Kind = Value::Kind;

// A value as text: lists in brackets, errors after "!", pushes after ">".
std::string show(const Value& value) {
  switch (value.kind) {
    case Kind::null: return "null";
    case Kind::integer: return std::to_string(value.integer);
    case Kind::text: return "'" + value.text + "'";
    case Kind::error: return "!" + value.text;
    case Kind::list:
    case Kind::push: break;
  }
  std::string all = value.is(Kind::push) ? ">[" : "[";
  for (const Value& item : value.items)
    all += show(item) + ",";
  return all + "]";
}

// All values of the bytes, one behind the other; "bad" ends them.
std::string read(std::string_view bytes, std::size_t piece) {
  RespReader reader;
  std::string all;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    reader.feed(bytes.substr(0, piece));
    for (;;) {
      auto value = reader.next();
      if (!value) return all + "bad";
      if (!*value) break;
      all += show(**value) + ";";
    }
  }
  return all;
}

struct Case {
  std::string_view bytes, shows;
};
constexpr Case kCases[] = {
    {"+OK\r\n", "'OK';"},
    {"-ERR no\r\n:-7\r\n", "!ERR no;-7;"},
    {"$3\r\na\r\n\r\n$0\r\n\r\n", "'a\r\n';'';"},
    {"_\r\n$-1\r\n*-1\r\n", "null;null;null;"},
    {"#t\r\n#f\r\n,1.5\r\n(123456789012345678901\r\n", "1;0;'1.5';'123456789012345678901';"},
    {"*3\r\n:1\r\n*0\r\n$1\r\nx\r\n", "[1,[],'x',];"},
    {"%1\r\n+a\r\n:1\r\n~1\r\n:2\r\n", "['a',1,];[2,];"},
    {">3\r\n+message\r\n+c\r\n$2\r\nhi\r\n", ">['message','c','hi',];"},
    {"|1\r\n+ttl\r\n:3\r\n$1\r\nv\r\n", "'v';"},
    {"!5\r\nERR x\r\n=5\r\ntxt:a\r\n", "!ERR x;'txt:a';"},
    {"HTTP/1.1 400\r\n", "bad"},
    {"+a\n", "bad"},
    {":\r\n", "bad"},
    {":1x\r\n", "bad"},
    {"$2\r\nabcd", "bad"},
    {"$-2\r\n", "bad"},
    {"$99999999999\r\n", "bad"},
    {"*1000000000\r\n", "bad"},
    {"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n", "bad"},
    {"#x\r\n", "bad"},
};

TEST(Resp, ReadsWhatThereIsHoweverItComes) {
  for (const Case& each : kCases)
    for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{7}, each.bytes.size()})
      EXPECT_EQ(read(each.bytes, piece), each.shows) << each.bytes << " in pieces of " << piece;
}

TEST(Resp, WaitsForTheRest) {
  EXPECT_EQ(read("*2\r\n:1\r\n$5\r\nab", 3), "");
}

TEST(Resp, WritesCommandsAsListsOfBytes) {
  std::string out;
  append_command(out, std::array<std::string_view, 2>{"SET", std::string_view("\0\r\n", 3)});
  EXPECT_EQ(out, std::string("*2\r\n$3\r\nSET\r\n$3\r\n\0\r\n\r\n", 22));
}

}  // namespace
}  // namespace lingate::store::redis
