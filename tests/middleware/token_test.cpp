// Signed tokens: the vectors of RFC 7515, appendix A, and RFC 8037, appendix A, and what must never verify.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "middleware/auth/claims.h"
#include "middleware/auth/jwks.h"
#include "middleware/auth/jwks_fetcher.h"
#include "middleware/auth/known_tokens.h"
#include "middleware/auth/token.h"
#include "tests/middleware/tokens.h"

namespace lingate::middleware::auth {
namespace {

constexpr std::string_view kClaims =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

struct Vector {
  std::string_view name;
  std::string key;
  std::string token;
};

const std::vector<Vector>& vectors() {
  static const std::vector<Vector> all = {
      {"HS256",
       R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"})",
       "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + std::string(kClaims) +
           ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"},
      {"RS256", std::string(test::kRsaKey),
       "eyJhbGciOiJSUzI1NiJ9." + std::string(kClaims) +
           ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9"
           "CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_"
           "eSN9383LcOLn6_"
           "dO--xi12jzDwusC-"
           "eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0ig"
           "cN_IoypGlUPQGe77Rw"},
      {"ES256",
       R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
       R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})",
       "eyJhbGciOiJFUzI1NiJ9." + std::string(kClaims) +
           ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"},
      {"EdDSA", R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})",
       "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
       "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"}};
  return all;
}

Algorithms only(std::string_view name) {
  Algorithms algorithms;
  algorithms.add(*find_algorithm(name));
  return algorithms;
}

KeySet keys_of(const std::string& key) {
  auto keys = parse_jwks(R"({"keys":[)" + key + "]}", Secrets::take);
  EXPECT_TRUE(keys) << (keys ? "" : keys.error().what);
  return keys ? std::move(*keys) : KeySet{};
}

bool verifies(const std::string& token, const KeySet& keys, Algorithms algorithms) {
  Arena arena;
  const auto read = read_token(token, algorithms, arena);
  return read && check_signature(*read, keys);
}

TEST(Token, OfTheStandardsExamplesVerify) {
  for (const Vector& each : vectors())
    EXPECT_TRUE(verifies(each.token, keys_of(each.key), only(each.name))) << each.name;
}

TEST(Token, WithAnyByteChangedDoesNot) {
  for (const Vector& each : vectors()) {
    const KeySet keys = keys_of(each.key);
    for (std::size_t at = 0; at < each.token.size(); at += 3) {
      std::string changed = each.token;
      changed[at] = changed[at] == 'A' ? 'B' : 'A';
      EXPECT_FALSE(verifies(changed, keys, only(each.name))) << each.name << " " << at;
    }
    for (const std::string& cut : {each.token.substr(0, each.token.size() - 4), each.token + "AAAA", each.token + "=",
                                   each.token + ".", each.token.substr(0, each.token.rfind('.') + 1),
                                   each.token.substr(0, each.token.rfind('.')), "." + each.token, each.token + " "})
      EXPECT_FALSE(verifies(cut, keys, only(each.name))) << cut;
  }
}

TEST(Token, DoesNotChooseItsAlgorithm) {
  for (const Vector& key : vectors())
    for (const Vector& token : vectors()) {
      Algorithms all;
      for (const Vector& each : vectors())
        all.add(*find_algorithm(each.name));
      EXPECT_EQ(verifies(token.token, keys_of(key.key), all), key.name == token.name);
      EXPECT_EQ(verifies(token.token, keys_of(token.key), only(key.name)), key.name == token.name);
    }
  const KeySet rsa = keys_of(std::string(test::kRsaKey));
  Algorithms both = only("RS256");
  both.add(Algorithm::hs256);
  for (const std::string& secret : {std::string(test::kRsaKey), test::pem_of_rsa_key(), std::string()})
    EXPECT_FALSE(verifies(test::signed_with_secret(R"({"alg":"HS256"})", "{}", secret), rsa, both));
  for (const std::string head : {R"({"alg":"none"})", R"({"alg":"None"})", R"({"alg":"hs256"})", R"({"alg":""})",
                                 R"({"alg":null})", R"({"alg":["HS256"]})", "{}", "[]", "HS256",
                                 R"({"alg":"none","alg":"HS256"})", R"({"alg":"HS256","crit":["b64"],"b64":false})",
                                 R"({"alg":"HS256","kid":7})", "{\"alg\":\"HS256\",\"x\":\"\xff\"}"})
    EXPECT_FALSE(verifies(test::signed_with_secret(head, "{}", test::kSecret),
                          {TokenKey::of_secret(std::string(test::kSecret))}, only("HS256")))
        << head;
}

TEST(Token, IsBoundedInSizeAndDepth) {
  const KeySet keys{TokenKey::of_secret(std::string(test::kSecret))};
  const auto of = [&](const std::string& head) { return test::signed_with_secret(head, "{}", test::kSecret); };
  EXPECT_TRUE(verifies(of(R"({"alg":"HS256","x":")" + std::string(4000, 'x') + "\"}"), keys, only("HS256")));
  EXPECT_FALSE(verifies(of(R"({"alg":"HS256","x":")" + std::string(14000, 'x') + "\"}"), keys, only("HS256")));
  EXPECT_FALSE(verifies(of(std::string(9000, '[')), keys, only("HS256")));
  verifies(of(R"({"alg":"HS256","x":)" + std::string(5000, '[') + std::string(5000, ']') + "}"), keys, only("HS256"));
}

TEST(Token, IsCheckedWithTheKeyThatItNames) {
  const auto key = [](std::string id) { return TokenKey::of_secret(std::string(test::kSecret), std::move(id)); };
  const std::string named = test::signed_with_secret(R"({"alg":"HS256","kid":"b"})", "{}", test::kSecret);
  const std::string unnamed = test::signed_with_secret(R"({"alg":"HS256"})", "{}", test::kSecret);
  const TokenKey other = TokenKey::of_secret(std::string(64, 'x'), "a");
  EXPECT_TRUE(verifies(named, {other, key("b")}, only("HS256")));
  EXPECT_FALSE(verifies(named, {other, key("c")}, only("HS256")));
  EXPECT_TRUE(verifies(named, {key("")}, only("HS256")));
  EXPECT_TRUE(verifies(unnamed, {other, key("b")}, only("HS256")));
}

TEST(Token, IsTriedWithSixtyFourKeysThatFitAtMost) {
  const auto key = [](std::string id) { return TokenKey::of_secret(std::string(test::kSecret), std::move(id)); };
  const auto after = [](std::size_t count, const std::string& id, const TokenKey& last) {
    KeySet keys(count, TokenKey::of_secret(std::string(64, 'x'), id));
    keys.push_back(last);
    return keys;
  };
  const std::string unnamed = test::signed_with_secret(R"({"alg":"HS256"})", "{}", test::kSecret);
  const std::string named = test::signed_with_secret(R"({"alg":"HS256","kid":"b"})", "{}", test::kSecret);
  EXPECT_TRUE(verifies(unnamed, after(63, "a", key("b")), only("HS256")));
  EXPECT_FALSE(verifies(unnamed, after(64, "a", key("b")), only("HS256")));
  EXPECT_TRUE(verifies(named, after(63, "b", key("b")), only("HS256")));
  EXPECT_TRUE(verifies(named, after(500, "a", key("b")), only("HS256")));  // which do not fit
  EXPECT_TRUE(verifies(named, after(500, "", key("b")), only("HS256")));   // which fit less
  EXPECT_FALSE(verifies(named, after(64, "b", key("")), only("HS256")));
}

TEST(Jwks, LeavesOutWhatCannotServe) {
  const std::string good = std::string(vectors()[2].key);
  const auto count = [](const std::string& keys, Secrets secrets = Secrets::refuse) {
    const auto parsed = parse_jwks(R"({"keys":[)" + keys + "]}", secrets);
    return parsed ? parsed->size() : 0;
  };
  EXPECT_EQ(count(good), 1U);
  EXPECT_EQ(count(vectors()[0].key), 0U);
  EXPECT_EQ(count(vectors()[0].key, Secrets::take), 1U);
  const auto with = [&good](const std::string& more) { return good.substr(0, good.size() - 1) + "," + more + "}"; };
  EXPECT_EQ(count(with(R"("use":"sig")")), 1U);
  EXPECT_EQ(count(with(R"("use":"enc")")), 0U);
  EXPECT_EQ(count(with(R"("key_ops":["sign"])")), 0U);
  EXPECT_EQ(count(with(R"("alg":"none")")), 0U);
  EXPECT_EQ(count(with(R"("alg":7)")), 0U);
  for (
      const char* bad :
      {R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"})",
       R"({"kty":"EC","crv":"P-256","x":"AA","y":"AA"})", R"({"kty":"RSA","n":"AQAB","e":"AQAB"})",
       R"({"kty":"RSA","n":"","e":"AQAB"})", R"({"kty":"RSA"})", R"({"kty":"OKP","crv":"X25519","x":"AA"})",
       R"({"kty":7})", "{}", "[]", "7", "null"})
    EXPECT_EQ(count(bad), 0U) << bad;
  EXPECT_EQ(count("7,{}," + good), 1U);
  for (const std::string_view bad : {"", "{}", "[]", R"({"keys":{}})", R"({"keys":[]})", "{\"keys\":["})
    EXPECT_FALSE(parse_jwks(bad, Secrets::take)) << bad;
}

TEST(Pem, IsAPublicKeyThatIsStrongEnough) {
  const auto key = TokenKey::of_pem(test::pem_of_rsa_key());
  ASSERT_TRUE(key) << key.error().what;
  EXPECT_TRUE(verifies(vectors()[1].token, {*key}, only("RS256")));
  EXPECT_FALSE(TokenKey::of_pem(""));
  EXPECT_FALSE(TokenKey::of_pem("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"));
  EXPECT_FALSE(TokenKey::of_pem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"));
}

// ---- claims ----

std::chrono::system_clock::time_point at(double seconds) {
  return std::chrono::system_clock::time_point(
      std::chrono::duration_cast<std::chrono::system_clock::duration>(std::chrono::duration<double>(seconds)));
}

bool holds(std::string_view claims, const Expectations& expected, double now = 1000) {
  return read_claims(claims, expected, {}, at(now)).has_value();
}

TEST(Claims, HoldForATime) {
  const Expectations skewed{.skew = std::chrono::seconds(60)};
  EXPECT_TRUE(holds(R"({"sub":"a","exp":1000})", skewed, 1059));
  EXPECT_FALSE(holds(R"({"sub":"a","exp":1000})", skewed, 1060));
  EXPECT_TRUE(holds(R"({"sub":"a","nbf":1000})", skewed, 940));
  EXPECT_FALSE(holds(R"({"sub":"a","nbf":1000})", skewed, 939));
  EXPECT_FALSE(holds(R"({"sub":"a","iat":1000})", skewed, 939));
  const Expectations exact{.skew = std::chrono::seconds(0)};
  EXPECT_TRUE(holds(R"({"sub":"a","exp":1000.5})", exact, 1000.25));
  EXPECT_FALSE(holds(R"({"sub":"a","exp":1000})", exact, 1000));
  for (const std::string_view bad : {R"({"sub":"a","exp":"1000"})", R"({"sub":"a","exp":null})",
                                     R"({"sub":"a","exp":-1})", R"({"sub":"a","nbf":true})", R"({"sub":"a","iat":[1]})",
                                     R"({"sub":"a","exp":1e999})", R"({"sub":"a","exp":9999,"exp":9999})"})
    EXPECT_FALSE(holds(bad, exact, 1000)) << bad;
}

TEST(Claims, AreOfTheIssuerAndForTheAudience) {
  const Expectations expected{.issuer = "joe", .audience = {"api", "web"}};
  EXPECT_TRUE(holds(R"({"sub":"a","iss":"joe","aud":"api"})", expected));
  EXPECT_TRUE(holds(R"({"sub":"a","iss":"joe","aud":["x",7,"web"]})", expected));
  for (const std::string_view bad :
       {R"({"sub":"a","iss":"joe"})", R"({"sub":"a","aud":"api"})", R"({"sub":"a","iss":"joe ","aud":"api"})",
        R"({"sub":"a","iss":["joe"],"aud":"api"})", R"({"sub":"a","iss":"joe","aud":"apix"})",
        R"({"sub":"a","iss":"joe","aud":[]})", R"({"sub":"a","iss":"joe","aud":{"api":1}})",
        R"({"sub":"a","iss":"joe","aud":[["api"]]})"})
    EXPECT_FALSE(holds(bad, expected)) << bad;
}

TEST(Claims, MakeASession) {
  const ClaimNames names{.id = "client_id", .alias = "email", .org = "https://x/org", .tags = "/realm/a~1b"};
  const auto caller = read_claims(
      R"({"client_id":"c1","email":"e@x","https://x/org":"acme","realm":{"a/b":["r1","r2"]},"exp":2000,"n":[1,{}]})",
      {}, names, at(1000));
  ASSERT_TRUE(caller) << caller.error();
  EXPECT_EQ(caller->expires, 2000);
  EXPECT_EQ(test::as_json(caller->session),
            R"({"id":"c1","alias":"e@x","org":"acme","tags":["r1","r2"],"metadata":{"client_id":"c1","email":"e@x",)"
            R"("https://x/org":"acme","realm":{"a/b":["r1","r2"]},"exp":2000,"n":[1,{}]},"expires":2000})");
  const auto scoped = read_claims(R"({"sub":"a","scope":" read  write "})", {}, {.tags = "scope"}, at(0));
  ASSERT_TRUE(scoped) << scoped.error();
  EXPECT_EQ(test::as_json(scoped->session),
            R"({"id":"a","tags":["read","write"],"metadata":{"sub":"a","scope":" read  write "}})");
}

TEST(Claims, ThatMakeNoSessionAreRefused) {
  const std::string deep = R"({"sub":"a","x":)" + std::string(40, '[') + std::string(40, ']') + "}";
  const std::string long_id = R"({"sub":")" + std::string(257, 'a') + "\"}";
  for (const std::string& bad :
       {std::string("{}"), std::string(R"({"sub":""})"), std::string(R"({"sub":7})"), std::string(R"({"sub":null})"),
        std::string("{\"sub\":\"a\\u0000b\"}"), std::string("[]"), std::string("{"), std::string("{\"sub\":\"\xff\"}"),
        deep, long_id, std::string(R"({"sub":"a","n":9007199254740993})"), std::string(R"({"sub":"a","sub":"b"})")})
    EXPECT_FALSE(holds(bad, {})) << bad;
}

// ---- what is known ----

Session session(std::string_view id) {
  return *read_claims(R"({"sub":")" + std::string(id) + "\"}", {}, {}, at(0)).map([](Caller c) { return c.session; });
}

TEST(KnownTokens, AreKnownUntilTheyExpire) {
  KnownTokens known(limits::KeyedHash(1, 2));
  EXPECT_EQ(known.find("t", at(0)), nullptr);
  known.learn("t", session("ann"), at(10));
  ASSERT_NE(known.find("t", at(9)), nullptr);
  EXPECT_EQ(known.find("t", at(9))->id(), "ann");
  EXPECT_EQ(known.find("T", at(9)), nullptr);
  EXPECT_EQ(known.find("t", at(10)), nullptr);
  EXPECT_EQ(known.size(), 0U);
  known.learn("t", session("ann"), at(10));
  known.learn("t", session("bo"), at(10));
  EXPECT_EQ(known.size(), 1U);
  known.forget_all();
  EXPECT_EQ(known.find("t", at(0)), nullptr);
}

TEST(KnownTokens, AreBoundedInNumberAndBytes) {
  KnownTokens known(limits::KeyedHash(1, 2));
  known.learn("kept", session("kept"), at(10));
  for (int k = 0; k < 20'000; ++k) {
    known.learn(std::to_string(k), session("x"), at(10));
    EXPECT_NE(known.find("kept", at(0)), nullptr);
  }
  EXPECT_LE(known.size(), KnownTokens::kMost);
  const std::string large(16'000, 'x');
  for (int k = 0; k < 3'000; ++k)
    known.learn(large + std::to_string(k), session("x"), at(10));
  EXPECT_LE(known.bytes(), KnownTokens::kMostBytes);
  EXPECT_GT(known.size(), 100U);
}

TEST(JwksUrl, IsOfHttpOrHttps) {
  const auto url = parse_jwks_url("http://[::1]:8080/a?b");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->host + " " + url->port + " " + url->authority + " " + url->target, "::1 8080 [::1]:8080 /a?b");
  EXPECT_FALSE(url->secure);
  const auto secure = parse_jwks_url("https://login.example.com/keys");
  ASSERT_TRUE(secure);
  EXPECT_TRUE(secure->secure);
  EXPECT_EQ(secure->host + " " + secure->port + " " + secure->target, "login.example.com 443 /keys");
  EXPECT_EQ(parse_jwks_url("https://x:8443")->port, "8443");
  EXPECT_EQ(parse_jwks_url("http://x")->target, "/");
  EXPECT_EQ(parse_jwks_url("http://x?a")->target, "/?a");
  for (const std::string_view bad :
       {"https://", "HTTPS://x/", "https:/x/", "ftp://x", "http://", "http:///x", "http://a@x/", "http://x:/",
        "http://x:0/", "http://x:65536/", "http://x:8a/", "http://x/#a", "http://x/ a", "http://x/\r\nHost: y", "x", "",
        "http://[::1/", "http://[::1]x/"})
    EXPECT_FALSE(parse_jwks_url(bad)) << bad;
}

}  // namespace
}  // namespace lingate::middleware::auth
