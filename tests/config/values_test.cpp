#include "gateway/config/values.h"

#include "tests/config/support.h"

namespace lingate::config {
namespace {

template <class T>
std::string fault(const Parsed<T>& parsed) {
  return parsed ? "good" : parsed.error().what + " | " + parsed.error().cure;
}

std::string bad_duration(std::string_view text) {
  return fault(parse_duration(text));
}
std::string bad_size(std::string_view text) {
  return fault(parse_size(text));
}

TEST(ParseDuration, IsAnIntegerAndAUnit) {
  EXPECT_EQ(parse_duration("250us")->count(), 250'000);
  EXPECT_EQ(parse_duration("2ms")->count(), 2'000'000);
  EXPECT_EQ(*parse_duration("10s"), std::chrono::seconds(10));
  EXPECT_EQ(*parse_duration("5m"), std::chrono::minutes(5));
  EXPECT_EQ(*parse_duration("24h"), std::chrono::hours(24));
}

TEST(ParseDuration, KnowsWhatPeopleMean) {
  EXPECT_EQ(bad_duration("2"), "'2' is no duration | a unit is missing: '2s' or '2ms'?");
  EXPECT_EQ(bad_duration("2 s"), "'2 s' is no duration | without a space: '2s'");
  EXPECT_EQ(bad_duration("2S"), "'2S' is no duration | write '2s'");
  EXPECT_EQ(bad_duration("2sec"), "'2sec' is no duration | write '2s'");
  EXPECT_EQ(bad_duration("5 minutes"), "'5 minutes' is no duration | write '5m'");
  EXPECT_EQ(bad_duration("1.5s"), "'1.5s' is no duration | integers only: use a smaller unit");
  EXPECT_EQ(bad_duration("1d"), "'1d' is no duration | the largest unit is h: write '24h' for a day");
  EXPECT_EQ(bad_duration("3x"), "'3x' is no duration | units are us, ms, s, m and h");
  EXPECT_EQ(bad_duration("-1s"), "'-1s' is no duration | an integer and a unit (us, ms, s, m and h), without a space");
  EXPECT_EQ(bad_duration(""), "'' is no duration | an integer and a unit (us, ms, s, m and h), without a space");
  EXPECT_EQ(bad_duration("99999999999h"), "'99999999999h' is too large | use a smaller number");
  EXPECT_EQ(bad_duration("99999999999999999999s"), "'99999999999999999999s' is too large | use a smaller number");
}

TEST(ParseSize, IsAnIntegerAndAUnit) {
  EXPECT_EQ(*parse_size("0B"), 0U);
  EXPECT_EQ(*parse_size("64KiB"), 65'536U);
  EXPECT_EQ(*parse_size("10MiB"), 10'485'760U);
  EXPECT_EQ(*parse_size("2GiB"), 2'147'483'648U);
}

TEST(ParseSize, KnowsWhatPeopleMean) {
  EXPECT_EQ(bad_size("64"), "'64' is no size | a unit is missing: '64KiB' or '64MiB'?");
  EXPECT_EQ(bad_size("10MB"), "'10MB' is no size | write '10MiB'");
  EXPECT_EQ(bad_size("10m"), "'10m' is no size | write '10MiB'");
  EXPECT_EQ(bad_size("10kib"), "'10kib' is no size | write '10KiB'");
  EXPECT_EQ(bad_size("1 GiB"), "'1 GiB' is no size | without a space: '1GiB'");
  EXPECT_EQ(bad_size("12TB"), "'12TB' is no size | units are B, KiB, MiB and GiB");
}

std::string show(const Parsed<Address>& address) {
  if (!address) return fault(address);
  return address->kind == Address::Kind::unix_socket ? "unix " + address->path
                                                     : fmt::format("{} {}", address->host, address->port);
}

std::string listen_on(std::string_view text) {
  return show(parse_listen_address(text, "/etc/gw"));
}

TEST(ParseListenAddress, TakesAddressesAndSockets) {
  EXPECT_EQ(listen_on("0.0.0.0:8080"), "0.0.0.0 8080");
  EXPECT_EQ(listen_on("[::1]:0"), "::1 0");
  EXPECT_EQ(listen_on(":80"), "0.0.0.0 80");
  EXPECT_EQ(listen_on("localhost:80"), "127.0.0.1 80");
  EXPECT_EQ(listen_on("unix:run/gw.sock"), "unix /etc/gw/run/gw.sock");
  EXPECT_EQ(listen_on("unix:/run/gw.sock"), "unix /run/gw.sock");
}

TEST(ParseListenAddress, KnowsWhatPeopleMean) {
  const auto bad = [](std::string_view text, std::string_view cure) {
    EXPECT_EQ(listen_on(text), fmt::format("'{}' is no address to listen on | {}", text, cure));
  };
  bad("8080", "write ':8080' for every interface");
  bad("127.0.0.1", "a port is missing: '127.0.0.1:8080'");
  bad("*:80", "write ':80' for every interface");
  bad("127.0.0.1:http", "a port is a number up to 65535");
  bad("127.0.0.1:65536", "a port is a number up to 65535");
  bad("http://127.0.0.1:80", "without scheme: '127.0.0.1:8080'");
  bad("example.com:80", "names are not looked up here: write the IP address");
  bad("::1", "brackets and a port: '[::1]:8080'");
  bad("fe80::1:2:80", "brackets and a port: '[fe80::1:2:80]:8080'");
  bad("[::1:80", "a ']' is missing");
  EXPECT_THAT(listen_on("unix:" + std::string(200, 'x')), testing::HasSubstr("too long"));
  EXPECT_EQ(listen_on("unix:"), "'unix:' names no socket | write 'unix:PATH'");
}

std::string target(std::string_view text) {
  const auto parsed = parse_target_url(text, "/etc/gw");
  if (!parsed) return fault(parsed);
  return show(Parsed<Address>(parsed->address)) + " " + parsed->authority;
}

TEST(ParseTargetUrl, TakesHttpAndSockets) {
  EXPECT_EQ(target("http://127.0.0.1:9001"), "127.0.0.1 9001 127.0.0.1:9001");
  EXPECT_EQ(target("http://users.internal"), "users.internal 80 users.internal");
  EXPECT_EQ(target("http://users.internal:80/"), "users.internal 80 users.internal");
  EXPECT_EQ(target("http://[::1]:9001"), "::1 9001 [::1]:9001");
  EXPECT_EQ(target("https://users.internal"), "users.internal 443 users.internal");
  EXPECT_EQ(target("https://users.internal:443"), "users.internal 443 users.internal");
  EXPECT_EQ(target("https://users.internal:80"), "users.internal 80 users.internal:80");
  EXPECT_EQ(target("unix:users.sock"), "unix /etc/gw/users.sock localhost");
}

TEST(ParseTargetUrl, KnowsWhatPeopleMean) {
  const auto bad = [](std::string_view text, std::string_view cure) {
    EXPECT_EQ(target(text), fmt::format("'{}' is no upstream URL | {}", text, cure));
  };
  bad("127.0.0.1:9001", "write 'http://127.0.0.1:9001'");
  bad("https://", "write 'https://HOST:PORT'");
  bad("ftp://x", "write 'http://HOST:PORT'");
  bad("http://", "write 'http://HOST:PORT'");
  bad("http://h/api", "without a path: change paths with 'strip' or the step 'rewrite'");
  bad("http://h?x", "without a path: change paths with 'strip' or the step 'rewrite'");
  bad("http://u:p@h", "without user and password: set 'Authorization' with the step 'headers'");
  bad("http://h:0", "a port is a number from 1 to 65535");
  bad("http://h:99999", "a port is a number from 1 to 65535");
  bad("http://::1", "write 'http://[::1]:9001'");
  bad("http://a b", "write 'http://HOST:PORT'");
}

TEST(ParseNetwork, TakesAddressesAndPrefixes) {
  const auto v4 = parse_network("10.0.0.0/8");
  ASSERT_TRUE(v4);
  EXPECT_EQ(v4->prefix, 104);
  EXPECT_THAT(v4->address, testing::ElementsAre(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 10, 0, 0, 0));
  EXPECT_EQ(parse_network("192.168.1.7")->prefix, 128);
  EXPECT_EQ(parse_network("fd00::/8")->prefix, 8);
  EXPECT_EQ(parse_network("::/0")->prefix, 0);
  EXPECT_EQ(parse_network("0.0.0.0/0")->prefix, 96);
}

TEST(ParseNetwork, KnowsWhatPeopleMean) {
  EXPECT_EQ(fault(parse_network("10.1.2.3/8")),
            "'10.1.2.3/8' is no network | write '10.0.0.0/8', or '10.1.2.3' for the one address");
  EXPECT_EQ(fault(parse_network("10.0.0.0/33")),
            "'10.0.0.0/33' is no network | the prefix length is a number from 0 to 32");
  EXPECT_EQ(fault(parse_network("lan")),
            "'lan' is no network | an IP address, or one with a prefix length: '10.0.0.0/8'");
}

TEST(ParseHashKey, TakesWhatARequestHas) {
  EXPECT_EQ(parse_hash_key("client")->source, HashBy::Source::client);
  EXPECT_EQ(parse_hash_key("header.X-Tenant")->name, "X-Tenant");
  EXPECT_EQ(parse_hash_key("cookie.sid")->source, HashBy::Source::cookie);
  EXPECT_EQ(fault(parse_hash_key("header.X Y")), "'X Y' is no header name | use letters, digits and hyphens");
  EXPECT_EQ(fault(parse_hash_key("header.")),
            "'header.' is nothing to hash by | one of client, host, path, header.NAME, cookie.NAME, query.NAME");
}

TEST(ParseRate, IsRequestsAndATime) {
  EXPECT_EQ(parse_rate("100/1s")->count, 100);
  EXPECT_EQ(parse_rate("100/1s")->per, std::chrono::seconds(1));
  EXPECT_EQ(parse_rate("5/1m")->per, std::chrono::minutes(1));
  EXPECT_EQ(parse_rate("1/24h")->per, std::chrono::hours(24));
}

TEST(ParseRate, KnowsWhatPeopleMean) {
  const auto bad = [](std::string_view text) { return fault(parse_rate(text)); };
  EXPECT_EQ(bad("100"), "'100' is no rate | in which time? '100/1s'");
  EXPECT_EQ(bad("100/"), "'100/' is no rate | in which time? '100/1s'");
  EXPECT_EQ(bad("0/1s"), "'0/1s' is no rate | at least one request: '1/1s'");
  EXPECT_EQ(bad("1/0s"), "'1/0s' is no rate | a time from 1ms to 8784h");
  EXPECT_EQ(bad("1/1"), "'1/1' is no rate | the time '1': a unit is missing: '1s' or '1ms'?");
  EXPECT_EQ(bad("5/m"), "'5/m' is no rate | the time 'm': an integer and a unit (us, ms, s, m and h), without a space");
  EXPECT_EQ(bad("1.5/1s"), "'1.5/1s' is no rate | the number of requests is an integer: '100/1s'");
  EXPECT_EQ(bad("/1s"), "'/1s' is no rate | the number of requests is an integer: '100/1s'");
  EXPECT_EQ(bad("fast"), "'fast' is no rate | requests and a time: '100/1s'");
  EXPECT_EQ(bad("99999999999999999999/1s"), "'99999999999999999999/1s' is no rate | at most 1000000000 requests");
}

TEST(CheckCountKey, TakesWhatARequestHas) {
  for (const char* good : {"session.id", "client.ip", "route", "header.X-Tenant", "ctx.tenant"})
    EXPECT_EQ(fault(check_count_key(good)), "good");
  EXPECT_EQ(fault(check_count_key("header.X Y")), "'X Y' is no header name | use letters, digits and hyphens");
  EXPECT_EQ(fault(check_count_key("ctx.")),
            "'ctx.' is nothing to count by | one of session.id, client.ip, route, header.NAME, ctx.NAME");
}

TEST(ParseTemplate, ListsItsPlaceholders) {
  EXPECT_THAT(*parse_template("/a/{id}/{*}", TemplateKind::path), testing::ElementsAre("id", "*"));
  EXPECT_THAT(*parse_template("a={id}&b", TemplateKind::query), testing::ElementsAre("id"));
  EXPECT_THAT(*parse_template("https://x/{id}", TemplateKind::location), testing::ElementsAre("id"));
}

TEST(ParseTemplate, RefusesWhatNoTargetHolds) {
  const auto bad = [](std::string_view text, TemplateKind kind) { return fault(parse_template(text, kind)); };
  EXPECT_EQ(bad("a", TemplateKind::path), "'a' does not begin with '/' | a path is absolute: '/new/{id}'");
  EXPECT_EQ(bad("/a?b", TemplateKind::path), "'/a?b' is more than a path | put what follows '?' into 'query'");
  EXPECT_EQ(bad("?a", TemplateKind::query), "'?a' begins with '?' | the query is written without it");
  EXPECT_EQ(bad("/a{", TemplateKind::path), "'/a{' has a brace without its partner | a parameter is written '{name}'");
  EXPECT_EQ(bad("/a}", TemplateKind::path), "'/a}' has a brace without its partner | a parameter is written '{name}'");
  EXPECT_EQ(bad("/{}", TemplateKind::path), "'/{}' has a brace without its partner | a parameter is written '{name}'");
  EXPECT_EQ(bad("x", TemplateKind::location),
            "'x' is no location | an absolute path, or a URL: 'https://example.com/{id}'");
  EXPECT_THAT(bad("/a b", TemplateKind::path), testing::HasSubstr("write '%20' for it"));
  EXPECT_THAT(bad("/a\r\nX: y", TemplateKind::location), testing::HasSubstr("write '%0D' for it"));
}

TEST(ShowDuration, UsesTheLargestUnitThatFits) {
  EXPECT_EQ(show_duration(std::chrono::seconds(90)), "90s");
  EXPECT_EQ(show_duration(std::chrono::minutes(60)), "1h");
  EXPECT_EQ(show_duration(std::chrono::microseconds(1500)), "1500us");
  EXPECT_EQ(show_size(65'536), "64KiB");
  EXPECT_EQ(show_size(1000), "1000B");
}

}  // namespace
}  // namespace lingate::config
