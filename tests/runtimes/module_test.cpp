#include "runtimes/module.h"

#include <gtest/gtest.h>

#include <random>

namespace lingate::runtimes::module {
namespace {

TEST(Base64, AgreesWithTheTestVectors) {
  const std::vector<std::pair<std::string_view, std::string_view>> vectors{
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"}};  // RFC 4648, section 10
  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(base64_encode(bytes, Base64::standard), text);
    EXPECT_EQ(base64_decode(text, Base64::standard).value(), bytes);
  }
  EXPECT_EQ(base64_encode("\xfb\xff", Base64::url), "-_8");
  EXPECT_EQ(base64_decode("-_8", Base64::url).value(), "\xfb\xff");
  EXPECT_EQ(base64_decode("-_8=", Base64::url).value(), "\xfb\xff");
}

TEST(Base64, RoundTripsAllBytes) {
  std::mt19937 random(1);
  for (std::size_t size = 0; size < 300; ++size) {
    std::string bytes(size, '\0');
    for (char& c : bytes)
      c = static_cast<char>(random());
    for (const Base64 alphabet : {Base64::standard, Base64::url})
      EXPECT_EQ(base64_decode(base64_encode(bytes, alphabet), alphabet).value(), bytes);
  }
}

TEST(Base64, RefusesWhatIsNone) {
  for (const std::string_view bad : {"Zg", "Zg=", "Z===", "Zg==Zg==", "Z g=", "Zm9v\n", "-_8=", "Zh=="})
    EXPECT_FALSE(base64_decode(bad, Base64::standard)) << bad;
  for (const std::string_view bad : {"Z", "Zg+/", "Zh"})
    EXPECT_FALSE(base64_decode(bad, Base64::url)) << bad;
}

TEST(Crypto, AgreesWithTheTestVectors) {
  EXPECT_EQ(sha256("abc", Encoding::hex), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256("", Encoding::base64), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
  EXPECT_EQ(sha256("abc", Encoding::raw).size(), 32U);
  // RFC 4231, cases 1, 2 and 6
  EXPECT_EQ(hmac_sha256(std::string(20, '\x0b'), "Hi There", Encoding::hex),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hmac_sha256("Jefe", "what do ya want for nothing?", Encoding::hex),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(
      hmac_sha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First", Encoding::hex),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Crypto, ComparesAndDrawsAtRandom) {
  EXPECT_TRUE(equal("same", "same"));
  EXPECT_TRUE(equal("", ""));
  EXPECT_FALSE(equal("same", "samf"));
  EXPECT_FALSE(equal("same", "same "));
  EXPECT_EQ(random(32).value().size(), 32U);
  EXPECT_NE(random(32).value(), random(32).value());
  for (const double bad : {0.0, -1.0, 1.5, 65537.0, std::nan("")})
    EXPECT_FALSE(random(bad)) << bad;
}

TEST(Encodings, AreNamed) {
  EXPECT_EQ(parse_encoding("raw").value(), Encoding::raw);
  EXPECT_EQ(parse_encoding("hxe").error().message,
            "unknown encoding \"hxe\": it may be \"hex\", \"base64\" or \"raw\"; did you mean \"hex\"?");
  EXPECT_EQ(parse_alphabet("url").value(), Base64::url);
  EXPECT_FALSE(parse_alphabet("URL"));
}

std::string parsed(std::string_view query) {
  JsonWriter json;
  const auto done = parse_query(query, json);
  return done ? std::string(json.json()) : done.error().message;
}

TEST(Query, IsParsedIntoAMap) {
  EXPECT_EQ(parsed(""), "{}");
  EXPECT_EQ(parsed("a=1&b=2"), R"({"a":"1","b":"2"})");
  EXPECT_EQ(parsed("b=1&a=2&b=3&&b"), R"({"b":["1","3",""],"a":"2"})");
  EXPECT_EQ(parsed("a+b=%41%2B&%c3%a9=x=y"), "{\"a b\":\"A+\",\"\xc3\xa9\":\"x=y\"}");
  EXPECT_EQ(parsed("a=%zz&b=%4"), R"({"a":"%zz","b":"%4"})");
  EXPECT_EQ(parsed("=x"), R"({"":"x"})");
  EXPECT_EQ(parsed("ok=1&a=%ff"), "the query does not decode to UTF-8 at \"a=%ff\"");
}

TEST(Query, IsBounded) {
  const auto pairs = [](std::size_t count) {
    std::string query;
    for (std::size_t i = 0; i < count; ++i)
      query += "a&";
    return query;
  };
  EXPECT_EQ(parsed(pairs(16384)).substr(0, 8), R"({"a":["")");
  EXPECT_EQ(parsed(pairs(16385)), "the query has more than 16,384 pairs");
  EXPECT_EQ(parsed("a=" + std::string((1 << 20) - 2, 'x')).substr(0, 6), R"({"a":")");
  EXPECT_EQ(parsed("a=" + std::string((1 << 20) - 1, 'x')), "the query takes more than 1 MiB");
}

std::string built(std::string_view json) {
  QueryWriter query;
  const auto done = parse_json(json, query);
  return query.failed() ? query.error().message : done ? std::string(query.query()) : done.error().message;
}

TEST(Query, IsBuiltFromAMap) {
  EXPECT_EQ(built("{}"), "");
  EXPECT_EQ(built(R"({"a b":"1+1","c":[1,true,"x"],"d":[],"e":1.5})"), "a+b=1%2B1&c=1&c=true&c=x&e=1.5");
  EXPECT_EQ(built("{\"\xc3\xa9\":\"&=\"}"), "%C3%A9=%26%3D");
  EXPECT_EQ(built(R"({"a":null})"), "null is no query value");
  EXPECT_EQ(built(R"({"a":{"b":1}})"), "a map in a map is no query value");
  EXPECT_EQ(built(R"({"a":[[1]]})"), "a list in a list is no query value");
  EXPECT_EQ(built("[1]"), "query.build takes a map");
  EXPECT_EQ(built("1"), "query.build takes a map");
}

TEST(Query, RoundTrips) {
  const std::string query = "a=1&a=2&b=%26+x&c=";
  JsonWriter json;
  ASSERT_TRUE(parse_query(query, json));
  EXPECT_EQ(built(json.json()), query);
}

TEST(Now, IsUnixTime) {
  const double begin = now();
  EXPECT_GT(begin, 1.6e9);
  EXPECT_GE(now(), begin);
}

}  // namespace
}  // namespace lingate::runtimes::module
