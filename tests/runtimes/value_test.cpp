#include "runtimes/value.h"

#include <cmath>
#include <limits>
#include <random>

#include <gmock/gmock.h>
#include <plugin.pb.h>

namespace lingate::runtimes {
namespace {

using plugin::Members;
using plugin::Value;

// Walks the official class into a sink: the oracle of the writer.
bool walk(const Value& value, ValueSink& sink) {
  switch (value.kind_case()) {
    case Value::kNull: return sink.null();
    case Value::kBoolean: return sink.boolean(value.boolean());
    case Value::kNumber: return sink.number(value.number());
    case Value::kText: return sink.text(value.text());
    case Value::kList:
      if (!sink.begin_list()) return false;
      for (const Value& entry : value.list().values())
        if (!walk(entry, sink)) return false;
      return sink.end_list();
    case Value::kMembers:
      if (!sink.begin_map()) return false;
      for (const auto& member : value.members().members())
        if (!sink.key(member.name()) || !walk(member.value(), sink)) return false;
      return sink.end_map();
    case Value::KIND_NOT_SET: return sink.null();
  }
  return false;
}

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t below(std::uint64_t bound) {
    return std::uniform_int_distribution<std::uint64_t>(0, bound - 1)(engine_);
  }
  std::string text() {
    static constexpr std::array<std::string_view, 6> kParts{"a",        "Z9",           "\"\\/\n\x01",
                                                            "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    std::string text;
    // Now and then longer than one length byte counts.
    const std::uint64_t parts = below(8) == 0 ? below(200) : below(6);
    for (std::uint64_t i = 0; i < parts; ++i)
      text += kParts[below(kParts.size())];
    return text;
  }
  double number() {
    switch (below(4)) {
      case 0: return static_cast<double>(below(1000)) - 500;
      case 1: return static_cast<double>(below(1ULL << 62U)) / 1024.0;
      case 2: return 0;
      default: return std::ldexp(static_cast<double>(below(1ULL << 52U)), static_cast<int>(below(2000)) - 1050);
    }
  }
  void fill(Value& value, int depth) {
    switch (below(depth > 0 ? 7 : 4)) {
      case 0: value.set_null(true); break;
      case 1: value.set_boolean(below(2) == 1); break;
      case 2: value.set_number(number()); break;
      case 3: value.set_text(text()); break;
      case 4:
      case 5: fill(*value.mutable_members(), depth); break;
      default:
        value.mutable_list();
        for (auto i = below(6); i > 0; --i)
          fill(*value.mutable_list()->add_values(), depth - 1);
    }
  }
  void fill(Members& members, int depth) {
    std::set<std::string> names;
    for (auto i = below(14); i > 0; --i)
      if (const std::string name = text(); names.insert(name).second) {
        auto* const member = members.add_members();
        member->set_name(name);
        fill(*member->mutable_value(), depth - 1);
      }
  }

 private:
  std::mt19937_64 engine_;
};

std::string parsed(std::string_view json) {
  WireWriter writer({.bytes = 1024 * 1024, .depth = 200});
  const auto done = parse_json(json, writer);
  if (!done) return done.error().message;
  JsonWriter text({.bytes = 1024 * 1024, .depth = 200});
  EXPECT_TRUE(read_value(writer.value(), text));
  return std::string(text.json());
}

TEST(WireWriter, WritesWhatTheOfficialClassesWrite) {
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    Random random(seed);
    Value value;
    random.fill(value, 6);
    WireWriter writer({.bytes = 10 * 1024 * 1024, .depth = 32});
    ASSERT_TRUE(walk(value, writer)) << writer.error().message;
    ASSERT_EQ(writer.value(), value.SerializeAsString()) << "seed " << seed;
    WireWriter again({.bytes = 10 * 1024 * 1024, .depth = 32});
    ASSERT_TRUE(read_value(writer.value(), again)) << "seed " << seed;
    ASSERT_EQ(again.value(), writer.value()) << "seed " << seed;
  }
}

TEST(WireWriter, GivesTheMembersInsideAMap) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    Random random(seed);
    Value value;
    random.fill(*value.mutable_members(), 4);
    WireWriter writer({.bytes = 10 * 1024 * 1024, .depth = 32});
    ASSERT_TRUE(walk(value, writer));
    ASSERT_EQ(writer.members(), value.members().SerializeAsString()) << "seed " << seed;
  }
}

TEST(WireWriter, HasNoMembersWhereTheValueIsNoMap) {
  WireWriter writer;
  ASSERT_TRUE(writer.text("\x32\x01"));
  EXPECT_EQ(writer.members(), "");
}

TEST(WireWriter, RefusesAKeyGivenTwice) {
  for (const int count : {2, 8, 9, 500}) {
    WireWriter writer;
    ASSERT_TRUE(writer.begin_map());
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE(writer.key(i == count - 1 ? "k0" : "k" + std::to_string(i)));
      ASSERT_TRUE(writer.null());
    }
    EXPECT_FALSE(writer.end_map());
    EXPECT_EQ(writer.error().message, "the key \"k0\" is given twice");
  }
}

TEST(WireWriter, TakesTheSameKeyInDifferentMaps) {
  WireWriter writer;
  ASSERT_TRUE(parse_json(R"({"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]})", writer));
  EXPECT_FALSE(writer.failed());
}

TEST(WireWriter, RefusesWhatIsNoNumber) {
  WireWriter writer;
  EXPECT_FALSE(writer.number(std::nan("")));
  EXPECT_EQ(writer.error().message, "NaN is no value");
  writer.reset({});
  EXPECT_FALSE(writer.number(-std::numeric_limits<double>::infinity()));
  EXPECT_EQ(writer.error().message, "infinity is no value");
  writer.reset({});
  EXPECT_TRUE(writer.number(std::numeric_limits<double>::max()));
}

TEST(WireWriter, RefusesWhatIsNotUtf8) {
  for (const std::string_view bad :
       {"\xff", "a\x80", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "abcdefgh\xe2\x82"}) {
    WireWriter writer;
    EXPECT_FALSE(writer.text(bad));
    EXPECT_EQ(writer.error().message, "text that is not UTF-8 is no value");
  }
}

TEST(WireWriter, HoldsTheDepthExactly) {
  WireWriter writer;
  for (int i = 0; i < 32; ++i)
    ASSERT_TRUE(writer.begin_list());
  ASSERT_TRUE(writer.null());
  EXPECT_FALSE(writer.begin_list());
  EXPECT_EQ(writer.error().message, "lists and maps nest deeper than 32");
}

TEST(WireWriter, HoldsTheSizeExactly) {
  WireWriter fits;
  EXPECT_TRUE(fits.text(std::string(64 * 1024 - 4, 'x')));
  EXPECT_EQ(fits.value().size(), 64 * 1024U);
  WireWriter over;
  EXPECT_FALSE(over.text(std::string(64 * 1024 - 3, 'x')));
  EXPECT_EQ(over.error().message, "the value takes more than 65536 bytes encoded");
}

TEST(WireWriter, StaysFailedAndKeepsTheFirstReason) {
  WireWriter writer;
  ASSERT_TRUE(writer.begin_map());
  EXPECT_FALSE(writer.refuse("ctx.user.fn: a function is no value"));
  EXPECT_FALSE(writer.key("a"));
  EXPECT_FALSE(writer.null());
  EXPECT_FALSE(writer.end_map());
  EXPECT_EQ(writer.error().message, "ctx.user.fn: a function is no value");
}

TEST(ReadValue, RefusesEveryTruncation) {
  WireWriter writer;
  ASSERT_TRUE(parse_json(R"({"a":[1,"two",null,true],"b":{"c":"d"}})", writer));
  const std::string whole(writer.value());
  for (std::size_t size = 1; size < whole.size(); ++size) {
    JsonWriter json;
    EXPECT_FALSE(read_value(whole.substr(0, size), json)) << size;
  }
  JsonWriter json;
  EXPECT_TRUE(read_value(whole, json));
}

TEST(ReadValue, SurvivesRandomBytes) {
  std::mt19937 engine(7);
  for (int round = 0; round < 20000; ++round) {
    std::string bytes(engine() % 40, '\0');
    for (char& c : bytes)
      c = static_cast<char>(engine() % 3 == 0 ? engine() : engine() % 0x40);
    JsonWriter json;
    if (read_value(bytes, json)) {
      EXPECT_TRUE(is_utf8(json.json()));
    }
  }
}

TEST(ReadValue, RefusesWhatNestsTooDeep) {
  const auto nested = [](int depth) {
    WireWriter writer({.bytes = 1 << 20, .depth = 1000});
    for (int i = 0; i < depth; ++i)
      writer.begin_list();
    for (int i = 0; i < depth; ++i)
      writer.end_list();
    return std::string(writer.value());
  };
  JsonWriter json({.bytes = 1 << 20, .depth = 1000});
  EXPECT_TRUE(read_value(nested(128), json));
  json.reset({.bytes = 1 << 20, .depth = 1000});
  EXPECT_FALSE(read_value(nested(129), json));
}

TEST(ParseJson, RoundTripsEveryKind) {
  EXPECT_EQ(parsed(R"( {"a" : [ 1 , -2.5, 1e3, true, false, null, "x" ], "b":{}, "c":[], "":"" } )"),
            R"({"a":[1,-2.5,1000,true,false,null,"x"],"b":{},"c":[],"":""})");
  EXPECT_EQ(parsed("[[],{},[[]]]"), "[[],{},[[]]]");
  EXPECT_EQ(parsed("\"\""), "\"\"");
  EXPECT_EQ(parsed(" 0 "), "0");
  EXPECT_EQ(parsed("[{\"a\":[{}]}]"), "[{\"a\":[{}]}]");
}

TEST(ParseJson, ReadsEveryEscape) {
  EXPECT_EQ(parsed(R"("\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\ud83d\ude00")"),
            "\"\\\"\\\\/\\b\\f\\n\\r\\tA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"");
  EXPECT_EQ(parsed(R"("\u0000\u001f")"), R"("\u0000\u001f")");
}

TEST(ParseJson, ReadsNumbersExactly) {
  EXPECT_EQ(parsed("9007199254740992"), "9007199254740992");
  EXPECT_EQ(parsed("-9007199254740991"), "-9007199254740991");
  EXPECT_EQ(parsed("0.1"), "0.1");
  EXPECT_EQ(parsed("1.7976931348623157e308"), "1.7976931348623157e+308");
  EXPECT_EQ(parsed("5e-324"), "5e-324");
  EXPECT_EQ(parsed("1e-999"), "0");
  EXPECT_EQ(parsed("123456789012345678901234567890e0"), "1.2345678901234568e+29");
  EXPECT_EQ(parsed("-0"), "0");
}

TEST(ParseJson, RefusesIntegersThatWouldLoseDigits) {
  for (const char* text : {"9007199254740993", "-9007199254740994", "12345678901234567890"})
    EXPECT_THAT(parsed(text), testing::HasSubstr("an integer beyond 2^53 would lose digits")) << text;
}

struct BadJson {
  std::string_view text;
  std::string_view error;
};

TEST(ParseJson, RefusesAndNamesTheOffset) {
  const std::string p = "invalid JSON at offset ";
  const std::vector<BadJson> cases{
      {"", "0: expected a value, found the end"},
      {"  ", "2: expected a value, found the end"},
      {"{", "1: expected a key in quotes, found the end"},
      {"[", "1: expected a value, found the end"},
      {"[1,]", "3: expected a value, found ']'"},
      {"{\"a\":1,}", "7: expected a key in quotes, found '}'"},
      {"[1 2]", "3: expected ',' or ']', found '2'"},
      {"{\"a\" 1}", "5: expected ':' after a key, found '1'"},
      {"{\"a\":1]", "6: expected ',' or '}', found ']'"},
      {"{a:1}", "1: expected a key in quotes, found 'a'"},
      {"1 2", "2: expected the end, found '2'"},
      {"01", "0: a number must not begin with 0"},
      {"1.", "2: a digit must follow the decimal point, found the end"},
      {"1e+", "3: a digit must follow in the exponent, found the end"},
      {"-", "0: expected a value, found '-'"},
      {"+1", "0: expected a value, found '+'"},
      {".5", "0: expected a value, found '.'"},
      {"1e999", "0: a number is too large for a double"},
      {"[-1e999]", "1: a number is too large for a double"},
      {"nul", "0: expected a value, found 'n'"},
      {"NaN", "0: expected a value, found 'N'"},
      {"\"abc", "0: a string does not end"},
      {"\"a\nb\"", "2: a control character must be escaped in a string"},
      {"\"\\x\"", "1: an unknown escape in a string"},
      {"\"\\u12g4\"", "3: \\u needs four hexadecimal digits"},
      {"\"\\ud800\"", "1: half a surrogate pair in a string"},
      {"\"\\ud800\\u0041\"", "1: half a surrogate pair in a string"},
      {"\"\\udc00\"", "1: half a surrogate pair in a string"},
      {"\"a\xff\"", "2: a string is not UTF-8"},
      {"\xef\xbb\xbf{}", "0: expected a value, found byte 239"},
      {"'a'", "0: expected a value, found '''"},
      {"[1]//", "3: expected the end, found '/'"},
  };
  for (const BadJson& bad : cases)
    EXPECT_EQ(parsed(bad.text), p + std::string(bad.error)) << bad.text;
}

TEST(ParseJson, HoldsTheDepthWithoutRecursion) {
  EXPECT_EQ(parsed(std::string(128, '[') + std::string(128, ']')), std::string(128, '[') + std::string(128, ']'));
  EXPECT_EQ(parsed(std::string(129, '[')), "invalid JSON at offset 128: lists and maps nest deeper than 128");
  EXPECT_EQ(parsed(std::string(1 << 20, '[')), "invalid JSON at offset 128: lists and maps nest deeper than 128");
}

TEST(ParseJson, AgreesWithWhatJsonWriterWrites) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    Random random(seed);
    Value value;
    random.fill(value, 5);
    JsonWriter first;
    ASSERT_TRUE(walk(value, first));
    JsonWriter second;
    ASSERT_TRUE(parse_json(first.json(), second)) << first.json();
    ASSERT_EQ(first.json(), second.json()) << "seed " << seed;
  }
}

TEST(JsonWriter, RefusesWhatIsNoValue) {
  JsonWriter json;
  EXPECT_FALSE(json.number(std::numeric_limits<double>::infinity()));
  json.reset({});
  EXPECT_FALSE(json.text("\xff"));
  json.reset({.bytes = 100, .depth = 1});
  EXPECT_TRUE(json.begin_list());
  EXPECT_FALSE(json.begin_list());
  json.reset({.bytes = 100, .depth = 1});
  EXPECT_FALSE(json.text(std::string(101, 'x')));
}

}  // namespace
}  // namespace lingate::runtimes
