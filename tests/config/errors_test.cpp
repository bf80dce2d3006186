// Every kind of mistake, each alone in a configuration that is otherwise good: its place, its code, its cure, and
// nothing else. Two lines stand before what each test shows.
#include "tests/config/support.h"

namespace lingate::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Mistakes, ThereAreNoneInAGoodConfiguration) {
  EXPECT_THAT(mistakes_above(""), IsEmpty());
  EXPECT_THAT(mistakes_in_route("respond: {}"), IsEmpty());
}

TEST(Mistakes, UnknownKey) {
  EXPECT_THAT(mistakes_above("limit: {head: 64KiB}"),
              ElementsAre("3:1 LG2001 unknown key 'limit' | did you mean 'limits'?"));
  EXPECT_THAT(mistakes_in_route("respond: {}, chian: []"),
              ElementsAre("4:56 LG2001 unknown key 'chian' in route 'r' | did you mean 'chain'?"));
  EXPECT_THAT(mistakes_above("log: {colour: red}"),
              ElementsAre("3:7 LG2001 unknown key 'colour' in 'log' | known here: level, file"));
}

TEST(Mistakes, UnknownKeyThatBelongsElsewhere) {
  EXPECT_THAT(mistakes_in_route("respond: {}, methods: [GET]"),
              ElementsAre("4:56 LG2001 unknown key 'methods' in route 'r' | it belongs under 'match'"));
  EXPECT_THAT(mistakes_above("limits: {idle: 5s}"),
              ElementsAre("3:10 LG2001 unknown key 'idle' in 'limits' | it belongs under 'timeout'"));
}

TEST(Mistakes, MergeKey) {
  EXPECT_THAT(
      mistakes_above("log: {<<: x}"),
      ElementsAre("3:7 LG2001 unknown key '<<' in 'log' | merge keys are not YAML 1.2: give the alias to a key"));
}

TEST(Mistakes, UnknownStep) {
  EXPECT_THAT(mistakes_in_step("header: {}"),
              ElementsAre("4:64 LG2001 unknown step 'header' in route 'r' | did you mean 'headers'?",
                          "warning 4:72 LG2103 step 'headers' changes nothing | give it 'request' or 'response'"));
  EXPECT_THAT(
      mistakes_in_step("graphql"),
      ElementsAre(
          "4:64 LG2001 unknown step 'graphql' in route 'r' | this release has request-id, access-log, "
          "headers, rewrite, respond, cors, compress, body-limit, key-auth, jwt-auth, basic-auth, ip, rate-limit, "
          "concurrency-limit, quota, use, script, server-timing"));
}

TEST(Mistakes, DuplicateKey) {
  EXPECT_THAT(mistakes_above("log: {}\nlog: {}"),
              ElementsAre("4:1 LG2002 the key 'log' stands twice | remove one of the two"));
}

TEST(Mistakes, WrongType) {
  EXPECT_THAT(mistakes("routes: {}\n"),
              ElementsAre("3:9 LG2004 'routes': a list is needed, not a mapping | for example: routes: [{match: {path: "
                          "/*}, upstream: users}]"));
  EXPECT_THAT(
      mistakes_above("limits: 5"),
      ElementsAre("3:9 LG2004 'limits': a mapping is needed, not the number 5 | its keys are head, target, field, "
                  "fields, connections_per_address, streams, timeout"));
  EXPECT_THAT(
      mistakes_above("workers: fast"),
      ElementsAre(
          "3:10 LG2004 'workers': a number or 'auto' is needed, not the text 'fast' | for example: workers: 4"));
  EXPECT_THAT(
      mistakes_above("workers: \"4\""),
      ElementsAre("3:10 LG2004 'workers': a number or 'auto' is needed, not the text '4' | for example: workers: 4"));
  EXPECT_THAT(
      mistakes_above("workers: 1.5"),
      ElementsAre("3:10 LG2004 'workers': a number or 'auto' is needed, not the number 1.5 | for example: workers: 4"));
  EXPECT_THAT(mistakes_above("log: {level: [info]}"),
              ElementsAre("3:14 LG2004 'level' in 'log': one of debug, info, warn, error is needed, not a list | for "
                          "example: level: debug"));
  EXPECT_THAT(mistakes_above("log: {level: }"),
              ElementsAre("3:12 LG2004 'level' in 'log': one of debug, info, warn, error is needed, not nothing | for "
                          "example: level: debug"));
  EXPECT_THAT(
      mistakes_in_route("respond: {text: 5}"),
      ElementsAre(
          "4:59 LG2004 'text' in 'respond' of route 'r': a text is needed, not the number 5 | quote it: \"5\""));
  EXPECT_THAT(mistakes_in_route("respond: {text: [a]}"),
              ElementsAre("4:59 LG2004 'text' in 'respond' of route 'r': a text is needed, not a list | a secret is "
                          "written '{env: NAME}' or '{file: PATH}'"));
  EXPECT_THAT(mistakes_above("upstreams: [users]"),
              ElementsAre("3:12 LG2004 'upstreams': a mapping of names is needed, not a list | for example: upstreams: "
                          "{users: {targets: [\"http://127.0.0.1:9001\"]}}"));
}

TEST(Mistakes, YesAndNoAreTextsInYaml12) {
  const std::string flag = "'via': true or false is needed, not the text ";
  EXPECT_THAT(mistakes_above("via: yes"), ElementsAre("3:6 LG2004 " + flag + "'yes' | write 'via: true'"));
  EXPECT_THAT(mistakes_above("via: off"), ElementsAre("3:6 LG2004 " + flag + "'off' | write 'via: false'"));
  EXPECT_THAT(mistakes_above("via: maybe"), ElementsAre("3:6 LG2004 " + flag + "'maybe' | write true or false"));
}

TEST(Mistakes, FalseWhereOffIsMeant) {
  EXPECT_THAT(
      mistakes_above("upstreams:\n  u: {targets: [\"http://h\"], eject: false}"),
      ElementsAre("4:37 LG2004 'eject' in upstream 'u': a mapping or 'off' is needed, not false | write 'eject: off'"));
}

TEST(Mistakes, MissingKey) {
  EXPECT_THAT(show(load("listen: :0\nroutes: []\n").diagnostics),
              ElementsAre("1:1 LG2005 the configuration has no 'version' | add 'version: 1'"));
  EXPECT_THAT(mistakes_above("admin: {}"),
              ElementsAre("3:8 LG2005 'admin' has no 'address' | add 'address: 127.0.0.1:9901'"));
  EXPECT_THAT(
      mistakes("routes:\n  - {name: r, respond: {}}\n"),
      ElementsAre("4:5 LG2005 route 'r' has no 'match' | add 'match: {path: \"/users/{id}\", methods: [GET]}'"));
  EXPECT_THAT(mistakes_in_step("body-limit"),
              ElementsAre("4:64 LG2005 step 'body-limit' of route 'r' has no 'size' | add 'size: 1MiB'"));
}

TEST(Mistakes, RouteWithoutDestination) {
  EXPECT_THAT(mistakes("routes:\n  - {name: r, match: {}}\n"),
              ElementsAre("4:5 LG2005 route 'r' goes nowhere | add 'upstream', 'respond' or 'redirect'"));
}

TEST(Mistakes, EmptyListsWhereSomethingIsNeeded) {
  EXPECT_THAT(show(load("version: 1\nlisten: []\nroutes: []\n").diagnostics),
              ElementsAre("2:9 LG2005 'listen' names no address | for example: [0.0.0.0:8080]"));
  EXPECT_THAT(mistakes_above("upstreams: {u: {targets: []}}"),
              ElementsAre("3:26 LG2005 upstream 'u' has no target | for example: [{url: \"http://127.0.0.1:9001\"}]"));
  EXPECT_THAT(mistakes_in_route("upstream: []"),
              ElementsAre("4:53 LG2005 'upstream' of route 'r' names none | for example: upstream: users"));
}

TEST(Mistakes, NoneOfTheChoices) {
  EXPECT_THAT(mistakes_above("log: {level: inof}"),
              ElementsAre("3:14 LG2006 'level' in 'log': 'inof' is none of the choices | did you mean 'info'?"));
  EXPECT_THAT(
      mistakes_above("log: {level: loud}"),
      ElementsAre("3:14 LG2006 'level' in 'log': 'loud' is none of the choices | one of debug, info, warn, error"));
}

TEST(Mistakes, OutOfRange) {
  EXPECT_THAT(mistakes_above("workers: 0"), ElementsAre("3:10 LG2007 'workers': '0' is out of range | from 1 to 1024"));
  EXPECT_THAT(mistakes_above("runtimes: {lua: {budget: 2h}}"),
              ElementsAre("3:26 LG2007 'budget' in 'lua' of 'runtimes': '2h' is out of range | from 100us to 1m"));
  EXPECT_THAT(mistakes_above("limits: {head: 2MiB}"),
              ElementsAre("3:16 LG2007 'head' in 'limits': '2MiB' is out of range | from 256B to 1MiB"));
  EXPECT_THAT(show(load("version: 2\nlisten: :0\nroutes: []\n").diagnostics),
              ElementsAre("1:10 LG2007 'version': '2' is out of range | write 1"));
  EXPECT_THAT(mistakes_in_route("respond: {status: 99}"),
              ElementsAre("4:61 LG2007 'status' in 'respond' of route 'r': '99' is out of range | from 200 to 599"));
}

TEST(Mistakes, APartLargerThanTheWhole) {
  EXPECT_THAT(
      mistakes_above("limits: {target: 64KiB}"),
      ElementsAre("3:18 LG2007 'target' of 'limits' is larger than 'head', which it is a part of | at most 32KiB, "
                  "or raise 'head'"));
}

TEST(Mistakes, ADefaultThatDoesNotFitGivesWay) {
  const Loaded loaded = load("version: 1\nlisten: :0\nlimits: {head: 4KiB}\nroutes: []\n");
  ASSERT_TRUE(loaded.model);
  EXPECT_EQ(loaded.model->limits.target, 4096U);
  EXPECT_EQ(loaded.model->limits.field, 4096U);
}

TEST(Mistakes, DurationsAndSizesWithoutUnit) {
  EXPECT_THAT(
      mistakes_above("limits: {timeout: {idle: 60}}"),
      ElementsAre("3:26 LG2008 'idle' in 'timeout' of 'limits': '60' is no duration | a unit is missing: '60s' or "
                  "'60ms'?"));
  EXPECT_THAT(
      mistakes_in_step("body-limit: 1024"),
      ElementsAre("4:76 LG2009 'size' in step 'body-limit' of route 'r': '1024' is no size | a unit is missing: "
                  "'1024KiB' or '1024MiB'?"));
}

TEST(Mistakes, DanglingNames) {
  EXPECT_THAT(mistakes_in_route("upstream: users"),
              ElementsAre("4:53 LG2010 there is no upstream 'users' | define it under 'upstreams'"));
  EXPECT_THAT(mistakes_in_step("use: bsae"),
              ElementsAre("4:69 LG2010 there is no chain 'bsae' | define it under 'chains'"));
}

TEST(Mistakes, ADanglingNameShowsWhereSuchThingsAreDefined) {
  const auto diagnostics = load(
                               "version: 1\nlisten: :0\nupstreams:\n  users: {targets: [\"http://h\"]}\n"
                               "routes:\n  - {match: {}, upstream: usres}\n")
                               .diagnostics;
  EXPECT_THAT(show(diagnostics), ElementsAre("6:27 LG2010 there is no upstream 'usres' | did you mean 'users'?"));
  ASSERT_EQ(diagnostics[0].notes.size(), 1U);
  EXPECT_EQ(diagnostics[0].notes[0].place.line, 3U);
  EXPECT_EQ(diagnostics[0].notes[0].text, "upstreams are defined here");
}

TEST(Mistakes, TwoRoutesOfOneName) {
  const auto diagnostics = load(
                               "version: 1\nlisten: :0\nroutes:\n  - {name: a, match: {path: /a}, respond: {}}\n"
                               "  - {name: a, match: {path: /b}, respond: {}}\n")
                               .diagnostics;
  EXPECT_THAT(show(diagnostics), ElementsAre("5:12 LG2011 two routes have the name 'a' | rename one of them"));
  EXPECT_EQ(diagnostics[0].notes.at(0).place.line, 4U);
  EXPECT_EQ(diagnostics[0].notes.at(0).text, "first defined here");
}

TEST(Mistakes, TwoListenersOfOneAddress) {
  EXPECT_THAT(
      show(load("version: 1\nlisten: [\":80\", \":80\", \":0\", \":0\"]\nadmin: {address: \":80\"}\nroutes: []\n")
               .diagnostics),
      ElementsAre("2:17 LG2011 '0.0.0.0:80' is listened on twice | remove one of the two",
                  "3:18 LG2011 '0.0.0.0:80' is listened on twice | remove one of the two"));
}

TEST(Mistakes, RoutesThatCannotBeToldApart) {
  const auto diagnostics =
      load(
          "version: 1\nlisten: :0\nroutes:\n  - {name: a, match: {path: \"/u/{id}\"}, respond: {}}\n"
          "  - {name: b, match: {path: \"/u/{name}\"}, respond: {}}\n")
          .diagnostics;
  EXPECT_THAT(
      show(diagnostics),
      ElementsAre("5:22 LG2013 route 'b' matches the same requests as route 'a', with the same rank | tell them "
                  "apart by host, path, methods, or one more condition"));
  EXPECT_EQ(diagnostics[0].notes.at(0).place.line, 4U);
}

TEST(Mistakes, BadPatterns) {
  EXPECT_THAT(
      mistakes("routes:\n  - {match: {path: users}, respond: {}}\n"),
      ElementsAre("4:20 LG2014 'path' in 'match' of route 1: 'users' holds a path that does not begin with '/' | "
                  "write '/users'"));
  EXPECT_THAT(
      mistakes("routes:\n  - {match: {host: \"x:80\"}, respond: {}}\n"),
      ElementsAre("4:20 LG2014 'host' in 'match' of route 1: 'x:80' holds a port in a host | routes are matched "
                  "without port: leave it out"));
}

TEST(Mistakes, HeaderNamesAndValues) {
  EXPECT_THAT(
      mistakes_in_step("headers: {request: {set: {\"X Y\": a}}}"),
      ElementsAre("4:90 LG2015 'X Y' in 'set' of 'request' of step 'headers' of route 'r': 'X Y' is no header name "
                  "| use letters, digits and hyphens"));
  EXPECT_THAT(
      mistakes_in_step("headers: {request: {set: {X-Y: \"a\\r\\nb: c\"}}}"),
      ElementsAre("4:95 LG2015 'X-Y' in 'set' of 'request' of step 'headers' of route 'r': the value holds CR | a "
                  "header value is one line"));
  EXPECT_THAT(mistakes_in_step("headers: {request: {add: {X-Y: [a, \"b\\0\"]}}}"),
              ElementsAre(testing::HasSubstr("the value holds NUL")));
  EXPECT_THAT(mistakes_in_step("headers: {response: {set: {Transfer-Encoding: x}}}"),
              ElementsAre(testing::HasSubstr("'Transfer-Encoding' belongs to the connection | the gateway writes it by "
                                             "itself: remove it")));
  EXPECT_THAT(mistakes_in_step("headers: {response: {remove: [\"Server:\"]}}"),
              ElementsAre(testing::HasSubstr("'Server:' is no header name | write it without the colon")));
  EXPECT_THAT(mistakes_in_step("headers: {response: {set: {X-A: 1}}}"),
              ElementsAre(testing::HasSubstr("a text is needed, not the number 1 | quote it: \"1\"")));
  EXPECT_THAT(mistakes_in_step("headers: {response: {set: {X-A: a, x-a: b}}}"),
              ElementsAre("4:99 LG2002 the header 'x-a' in 'set' of 'response' of step 'headers' of route 'r' stands "
                          "twice; names compare without case | remove one of the two"));
}

TEST(Mistakes, AddressesUrlsAndNetworks) {
  EXPECT_THAT(
      show(load("version: 1\nlisten: 8080\nroutes: []\n").diagnostics),
      ElementsAre("2:9 LG2016 'address' in 'listen': '8080' is no address to listen on | write ':8080' for every "
                  "interface"));
  EXPECT_THAT(
      mistakes_above("upstreams: {u: {targets: \"h:1\"}}"),
      ElementsAre("3:26 LG2017 'url' in 'targets' of upstream 'u': 'h:1' is no upstream URL | write 'http://h:1'"));
  EXPECT_THAT(
      mistakes_above("trusted: [10.0.0.0/40]"),
      ElementsAre("3:11 LG2018 'trusted': '10.0.0.0/40' is no network | the prefix length is a number from 0 to 32"));
}

TEST(Mistakes, SecretsThatAreNotThere) {
  EXPECT_THAT(
      mistakes_in_route("respond: {text: {env: NOPE}}"),
      ElementsAre("4:65 LG2019 'text' in 'respond' of route 'r': the environment variable 'NOPE' is not set | set "
                  "it: export NOPE=…"));
  EXPECT_THAT(
      mistakes_in_route("respond: {text: {file: nope.txt}}"),
      ElementsAre(testing::AllOf(testing::HasSubstr("4:66 LG2019"), testing::HasSubstr("nope.txt' cannot be read"))));
}

TEST(Mistakes, FilesThatAreNotThere) {
  EXPECT_THAT(
      mistakes_in_step("script: scripts/tenat.lua"),
      ElementsAre("4:72 LG2020 'file' in step 'script' of route 'r': there is no file 'scripts/tenat.lua' | did you "
                  "mean 'scripts/tenant.lua'?"));
  EXPECT_THAT(mistakes_above("log: {file: no/such.log}"),
              ElementsAre(testing::HasSubstr("| create it, or write 'stdout' or 'stderr'")));
}

TEST(Mistakes, AStoreInRedis) {
  EXPECT_THAT(mistakes_above("store: {kind: redis, url: \"redis://cache.internal\", password: {env: TENANT_KEY}}"),
              IsEmpty());
  EXPECT_THAT(
      mistakes_above("store: {kind: redis, url: [\"redis://[::1]:1\", \"rediss://10.0.0.1/\", unix:run/redis]}"),
      IsEmpty());
  EXPECT_THAT(mistakes_above("store: {kind: redis}"), ElementsAre("3:8 LG2005 a store of `kind: redis` has no 'url' | "
                                                                  "for example: url: \"redis://127.0.0.1:6379\""));
  const auto url = [](const std::string& text) {
    return mistakes_above("store: {kind: redis, url: \"" + text + "\"}");
  };
  EXPECT_THAT(url("redis.internal"), ElementsAre("3:27 LG2017 'redis.internal' is no URL of a Redis | "
                                                 "write 'redis://HOST:PORT', 'rediss://…' or 'unix:PATH'"));
  EXPECT_THAT(url("redis://me:secret@a"), ElementsAre("3:27 LG2017 '…@…' is no URL of a Redis | "
                                                      "give 'username' and 'password' as keys of their own"));
  EXPECT_THAT(url("redis://a:6379/3"), ElementsAre(testing::HasSubstr("give the database as 'db'")));
  EXPECT_THAT(url("redis://a:0"), ElementsAre(testing::HasSubstr("a port is a number from 1 to 65535")));
  EXPECT_THAT(url("redis://a, tls: {server_name: x"), ElementsAre(testing::HasSubstr("LG2017")));
}

TEST(Mistakes, KeysOfAnotherKindOfStore) {
  EXPECT_THAT(mistakes_above("store: {db: 3}"),
              ElementsAre("3:9 LG2022 'db' is of `kind: redis`, and this store is of another | "
                          "remove it, or write 'kind: redis'"));
  EXPECT_THAT(mistakes_above("store: {kind: redis, url: \"redis://a\", path: x}"),
              ElementsAre(testing::HasSubstr("'path' is of `kind: embedded`")));
  EXPECT_THAT(mistakes_above("store: {kind: redis, url: \"redis://a\", tls: {server_name: x}}"),
              ElementsAre(testing::HasSubstr("'tls' is given, and no URL is 'rediss://'")));
}

TEST(Mistakes, KeysThatExcludeEachOther) {
  EXPECT_THAT(mistakes_in_route("respond: {}, redirect: /b"),
              ElementsAre("4:56 LG2022 route 'r' has both 'respond' and 'redirect' | keep one of them"));
  EXPECT_THAT(mistakes_in_route("respond: {text: a, json: b}"),
              ElementsAre("4:62 LG2022 'text' and 'json' both give the body | keep one of them"));
  EXPECT_THAT(mistakes_in_step("respond: {body: a, text: b}"), ElementsAre(testing::HasSubstr("LG2022")));
}

TEST(Mistakes, Methods) {
  EXPECT_THAT(mistakes("routes:\n  - {match: {methods: [get]}, respond: {}}\n"),
              ElementsAre("4:24 LG2024 'methods' in 'match' of route 1: 'get' is not the method GET | methods are "
                          "case-sensitive: write 'GET'"));
  EXPECT_THAT(mistakes("routes:\n  - {match: {methods: \"GET POST\"}, respond: {}}\n"),
              ElementsAre(testing::HasSubstr("'GET POST' is no method | a method is a word: GET, POST")));
  EXPECT_THAT(mistakes("routes:\n  - {match: {methods: CONNECT}, respond: {}}\n"),
              ElementsAre(testing::HasSubstr("LG2024")));
}

TEST(Mistakes, ScriptsInNoKnownLanguage) {
  EXPECT_THAT(
      mistakes_in_step("script: {file: scripts/other.rb}"),
      ElementsAre("4:79 LG2025 the extension of 'other.rb' names no language | one of .lua, .py and .js, or say "
                  "'runtime: lua'"));
  EXPECT_THAT(mistakes_in_step("script: {file: scripts/other.rb, runtime: lua}"), IsEmpty());
}

TEST(Mistakes, PlaceholdersWithoutParameter) {
  EXPECT_THAT(mistakes_in_route("redirect: \"/b/{id}/{nam}\""),
              ElementsAre("4:53 LG2026 '/b/{id}/{nam}': the path of route 'r' has no parameter 'nam' | it has id, *"));
  EXPECT_THAT(mistakes_in_step("rewrite: {path: \"/b/{x}\"}"), ElementsAre(testing::HasSubstr("4:80 LG2026")));
  EXPECT_THAT(mistakes_in_step("rewrite: {path: \"/b/{id}/{*}\", query: \"id={id}\"}"), IsEmpty());
}

TEST(Mistakes, APlaceholderIsCheckedForEveryRouteThatUsesTheChain) {
  EXPECT_THAT(mistakes("chains: {c: [rewrite: {path: \"/n/{id}\"}]}\nroutes:\n"
                       "  - {name: a, match: {path: \"/a/{id}\"}, chain: [use: c], respond: {}}\n"
                       "  - {name: b, match: {path: \"/b/{name}\"}, chain: [use: c], respond: {}}\n"),
              ElementsAre("3:30 LG2026 '/n/{id}': the path of route 'b' has no parameter 'id' | it has name"));
}

TEST(Mistakes, StripThatIsNoPrefixOfThePath) {
  EXPECT_THAT(mistakes_in_route("respond: {}, strip: /b"),
              ElementsAre("4:63 LG2029 '/b' is no prefix of the path '/a/{id}/*' of route 'r' | no path of this route "
                          "begins with it"));
  EXPECT_THAT(mistakes_in_route("respond: {}, strip: /a/7/x/y"), IsEmpty());
  EXPECT_THAT(mistakes_in_route("respond: {}, strip: /a/"),
              ElementsAre(testing::HasSubstr("without '/' or '/*' at the end")));
}

TEST(Mistakes, Names) {
  EXPECT_THAT(
      mistakes_above("upstreams: {\"a b\": {targets: \"http://h\"}}"),
      testing::Contains("3:13 LG2029 'a b' is no name | a name has letters, digits, '-', '_' and '.', at most 100 "
                        "of them"));
}

TEST(Mistakes, StepsThatAreNoSteps) {
  EXPECT_THAT(
      mistakes("routes:\n  - match: {}\n    respond: {}\n    chain:\n      - script:\n        file: scripts/mask.js\n"),
      ElementsAre("8:9 LG2004 a step with two names, 'script' and 'file' | indent the options of 'script' deeper"));
  EXPECT_THAT(mistakes_in_step("{request-id: , access-log: }"),
              ElementsAre(testing::HasSubstr("LG2004 a step with two names, 'request-id' and 'access-log'")));
  EXPECT_THAT(mistakes_in_step("[request-id]"),
              ElementsAre(testing::HasSubstr("LG2004 a step is a name, or a name and its options, not a list")));
  EXPECT_THAT(
      mistakes_in_route("respond: {}, chain: request-id"),
      ElementsAre("4:63 LG2004 the chain of route 'r': a list of steps is needed, not the text 'request-id' | for "
                  "example: [request-id, access-log]"));
}

TEST(Mistakes, NumbersThatNoScriptLanguageHolds) {
  for (const std::string number :
       {"9007199254740993", "-9007199254740993", "99999999999999999999", ".inf", ".nan", "1e999"})
    EXPECT_THAT(mistakes_in_step("script: {file: scripts/mask.js, config: {n: " + number + "}}"),
                ElementsAre(testing::AllOf(testing::HasSubstr("4:108 LG2007"), testing::HasSubstr("quote it"))))
        << number;
  EXPECT_THAT(mistakes_in_step("script: {file: scripts/mask.js, config: {n: 9007199254740992}}"), IsEmpty());
}

TEST(Mistakes, ConfigNestedTooDeep) {
  const std::string deep = std::string(40, '[') + std::string(40, ']');
  EXPECT_THAT(
      mistakes_in_step("script: {file: scripts/mask.js, config: " + deep + "}"),
      ElementsAre(testing::HasSubstr("LG2023 'config' in step 'script' of route 'r': nested deeper than 32 levels")));
}

TEST(Warnings, AreNoErrors) {
  const Loaded loaded = load(
      "version: 1\nlisten: :0\nroutes: []\nchains: {c: []}\n"
      "upstreams: {u: {targets: \"http://h\", hash_by: path}}\nruntimes: {python: {isolation: inline}}\n");
  EXPECT_TRUE(loaded.model);
  EXPECT_THAT(
      show(loaded.diagnostics),
      ElementsAre("warning 4:10 LG2101 chain 'c' is not used | use it with 'use: c', or remove it",
                  "warning 5:13 LG2101 upstream 'u' is not used | use it with 'upstream: u', or remove it",
                  "warning 5:38 LG2103 'hash_by' has no effect in upstream 'u' | it goes with 'balance: hash'"));
}

TEST(Warnings, InlinePython) {
  EXPECT_THAT(
      mistakes_in_step("script: {file: scripts/sign.py, isolation: inline}"),
      ElementsAre("warning 4:96 LG2102 Python runs on the I/O thread: C code in it that holds on cannot be stopped "
                  "| use 'isolation: process', or 'thread', unless the scripts are trusted and quick"));
}

TEST(Mistakes, AGrantWantsAWorkerProcess) {
  EXPECT_THAT(mistakes_in_step("script: {file: scripts/sign.py, grant: {read: [scripts]}}"),
              ElementsAre(testing::HasSubstr("add 'isolation: process', or remove it")));
  EXPECT_THAT(mistakes_in_step("script: {file: scripts/sign.py, isolation: process, grant: {read: [nowhere.db]}}"),
              ElementsAre(testing::HasSubstr("there is no file or folder 'nowhere.db'")));
  EXPECT_THAT(mistakes_in_step("script: {file: scripts/sign.py, isolation: process, grant: {read: scripts}}"),
              IsEmpty());
}

TEST(Warnings, OptionsWithoutEffect) {
  EXPECT_THAT(mistakes_in_step("script: {file: scripts/mask.js, max_body: 1MiB}"),
              ElementsAre(testing::HasSubstr("LG2103 'max_body' has no effect without 'body'")));
  EXPECT_THAT(mistakes_in_step("rewrite: {}"),
              ElementsAre(testing::HasSubstr("LG2103 step 'rewrite' changes nothing")));
}

TEST(Warnings, CredentialsForEveryOrigin) {
  EXPECT_THAT(mistakes_in_step("cors: {origins: \"*\", credentials: true}"), ElementsAre(testing::HasSubstr("LG2103")));
  EXPECT_THAT(mistakes_in_step("cors: {origins: [\"https://a.b\"], credentials: true}"), IsEmpty());
}

}  // namespace
}  // namespace lingate::config
