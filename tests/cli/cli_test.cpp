#include "gateway/cli/cli.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/codes.h"

namespace lingate::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kGateway = R"(version: 1
listen: 127.0.0.1:0
upstreams:
  users: {targets: ["http://127.0.0.1:9001", "unix:/run/users.sock"]}
chains:
  base: [request-id, access-log]
routes:
  - name: user
    match: {host: api.example.com, path: "/users/{id}", methods: [GET]}
    chain: [use: base, script: {file: tenant.lua, config: {key: {env: CLI_TEST_KEY}}}]
    upstream: users
    timeout: 5s
  - {name: users, match: {path: /users}, upstream: users}
  - {name: beta, match: {path: /users, headers: {X-Beta: "1"}}, upstream: users}
  - {name: rest, match: {path: "/users/*"}, respond: {status: 404}}
  - {name: old, match: {path: "/old/*"}, redirect: "/users/{*}"}
)";

class FakeProgram final : public Program {
 public:
  int run(const config::Model& model, Watch) override {
    ran_routes = model.routes.size();
    return run_result;
  }
  std::vector<ScriptProblem> check_scripts(const config::Model& model) override {
    checked_routes = model.routes.size();
    return problems;
  }
  std::vector<Component> components() const override { return {{"LuaJIT", "2.1.0"}}; }
  Result<std::unique_ptr<store::Store>> open_store(const config::Model& model) override {
    return store::open_embedded_store({.folder = model.store.path});
  }

  int run_result = kOk;
  std::size_t ran_routes = 0;
  std::size_t checked_routes = 0;
  std::vector<ScriptProblem> problems;
};

// A folder with a good configuration and a bad one.
class CommandLine : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "lingate-cli-XXXXXX").string();
    folder = ::mkdtemp(name.data());
    ::setenv("CLI_TEST_KEY", "top-secret", 1);
    write("gw.yaml", kGateway);
    write("bad.yaml", "version: 1\nlisten: 127.0.0.1:0\nroute: []\n");
    write("tenant.lua", "local M = {}\n  return M.x.y\n");
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  void write(const std::string& name, std::string_view text) const { std::ofstream(folder / name) << text; }
  std::string file(const std::string& name) const { return (folder / name).string(); }

  int lingate(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "lingate");
    std::ostringstream out_stream;
    std::ostringstream error_stream;
    Console console{out_stream, error_stream};
    const int code = run_command_line(arguments, program, console);
    out = out_stream.str();
    error = error_stream.str();
    return code;
  }
  nlohmann::json json() const { return nlohmann::json::parse(out); }

  std::filesystem::path folder;
  FakeProgram program;
  std::string out;
  std::string error;
};

TEST_F(CommandLine, UsageErrorsExitWith2AndSayWhatToTry) {
  EXPECT_EQ(lingate({}), kUsage);
  EXPECT_THAT(error, HasSubstr("Try: lingate --help"));
  EXPECT_EQ(lingate({"check"}), kUsage);
  EXPECT_THAT(error, HasSubstr("Try: lingate check --help"));
  EXPECT_EQ(lingate({"run"}), kUsage);
  EXPECT_EQ(lingate({"run", "-c"}), kUsage);
  EXPECT_EQ(lingate({"check", "a.yaml", "--format", "xml"}), kUsage);
  EXPECT_EQ(lingate({"version", "--jsn"}), kUsage);
  EXPECT_EQ(lingate({"completion", "powershell"}), kUsage);
}

TEST_F(CommandLine, AMisspeltVerbIsRecognised) {
  EXPECT_EQ(lingate({"chekc", "a.yaml"}), kUsage);
  EXPECT_THAT(error, HasSubstr("there is no verb 'chekc'; did you mean 'check'?"));
}

TEST_F(CommandLine, HelpExitsWith0) {
  EXPECT_EQ(lingate({"--help"}), kOk);
  for (const char* verb :
       {"run", "check", "route", "schema", "explain", "keys", "config", "store", "doctor", "version", "completion"}) {
    EXPECT_THAT(out, HasSubstr(verb));
  }
  EXPECT_EQ(lingate({"route", "--help"}), kOk);
  EXPECT_THAT(out, HasSubstr("--expect"));
}

TEST_F(CommandLine, AStoreIsCarriedToAnother) {
  for (const char* name : {"one", "two"})
    write(std::string(name) + ".yaml", std::string(kGateway) + "store: {path: " + name + "}\n");
  {
    auto one = store::open_embedded_store({.folder = file("one")}).value();
    ASSERT_EQ(one->apply_and_wait({store::put(store::Space::kv, "a", {"1"})}), store::Applied::done);
  }
  EXPECT_EQ(lingate({"store", "export", "-c", file("one.yaml"), file("lines")}), kOk) << error;
  EXPECT_EQ(lingate({"store", "export", "-c", file("one.yaml")}), kOk) << error;
  EXPECT_THAT(out, HasSubstr("\"space\":\"kv\""));
  write("bad", out + "nonsense\n");
  EXPECT_EQ(lingate({"store", "import", "-c", file("two.yaml"), file("bad")}), kUsage);
  EXPECT_THAT(error, HasSubstr("bad: line 3: this is no JSON object; nothing was imported"));
  EXPECT_EQ(lingate({"store", "import", "-c", file("two.yaml"), file("lines")}), kOk) << error;
  EXPECT_EQ(error, "1 record(s)\n");
  auto two = store::open_embedded_store({.folder = file("two")}).value();
  EXPECT_EQ(two->read(store::Space::kv, "a").value()->value, "1");
}

TEST_F(CommandLine, DoctorShowsWhatTheMachineOffers) {
  EXPECT_EQ(lingate({"doctor"}), kOk);
  for (const char* each : {"engines", "open files", "seccomp", "Landlock"})
    EXPECT_THAT(out, HasSubstr(each));
}

TEST_F(CommandLine, DoctorExitsWith5IfTheGatewayDoesNotAnswer) {
  EXPECT_EQ(lingate({"doctor", "--admin", "127.0.0.1:1"}), kAdminUnreachable);
  EXPECT_THAT(error, HasSubstr("is the gateway running"));
  EXPECT_THAT(out, HasSubstr("engines")) << "what can be told is told";
  EXPECT_EQ(lingate({"doctor", "-c", file("gw.yaml")}), kAdminUnreachable);
  EXPECT_THAT(error, HasSubstr("has no `admin`"));
  EXPECT_EQ(lingate({"doctor", "-c", file("gw.yaml"), "--admin", "127.0.0.1:1"}), kUsage);
}

TEST_F(CommandLine, KeysSaysWhatIsMissingToReachAGateway) {
  ::unsetenv("LINGATE_ADMIN");
  ::unsetenv("LINGATE_TOKEN");
  EXPECT_EQ(lingate({"keys"}), kUsage);
  EXPECT_EQ(lingate({"keys", "show"}), kUsage);
  EXPECT_EQ(lingate({"keys", "list"}), kUsage);
  EXPECT_THAT(error, HasSubstr("which gateway?"));
  EXPECT_EQ(lingate({"keys", "list", "--admin", "127.0.0.1:1"}), kAdminUnreachable);
  EXPECT_THAT(error, HasSubstr("no token"));
  EXPECT_EQ(lingate({"keys", "list", "-c", file("gw.yaml")}), kAdminUnreachable);
  EXPECT_THAT(error, HasSubstr("has no `admin`"));
  EXPECT_EQ(lingate({"keys", "list", "-c", file("bad.yaml")}), kConfigurationInvalid);
  write("token", "0123456789abcdef\n");
  EXPECT_EQ(lingate({"keys", "list", "--admin", "127.0.0.1:1", "--token-file", file("token")}), kAdminUnreachable);
  EXPECT_THAT(error, HasSubstr("others than its owner can read it"));
  std::filesystem::permissions(folder / "token", std::filesystem::perms::owner_read);
  EXPECT_EQ(lingate({"keys", "list", "--admin", "127.0.0.1:1", "--token-file", file("token")}), kAdminUnreachable);
  EXPECT_THAT(error, HasSubstr("is the gateway running"));
  EXPECT_EQ(lingate({"config", "show", "--admin", "127.0.0.1:1", "--token-file", file("token")}), kAdminUnreachable);
}

TEST_F(CommandLine, KeysHelpNamesItsVerbsAndTheirOptions) {
  EXPECT_EQ(lingate({"keys", "--help"}), kOk);
  for (const char* verb : {"create", "list", "show", "update", "rotate", "revoke"})
    EXPECT_THAT(out, HasSubstr(verb));
  EXPECT_EQ(lingate({"keys", "create", "--help"}), kOk);
  for (const char* option : {"--alias", "--org", "--tag", "--meta", "--rate", "--burst", "--quota", "--expires"})
    EXPECT_THAT(out, HasSubstr(option));
}

TEST_F(CommandLine, RunHandsOverTheLoadedConfiguration) {
  program.run_result = kCannotStart;
  EXPECT_EQ(lingate({"run", "-c", file("gw.yaml")}), kCannotStart);
  EXPECT_EQ(program.ran_routes, 5U);
  EXPECT_THAT(error, IsEmpty());
}

TEST_F(CommandLine, RunExitsWith3IfTheConfigurationIsInvalid) {
  EXPECT_EQ(lingate({"run", "-c", file("bad.yaml")}), kConfigurationInvalid);
  EXPECT_EQ(program.ran_routes, 0U);
  EXPECT_THAT(error, HasSubstr("bad.yaml:3:1: error[LG2001]: unknown key 'route'\n"));
  EXPECT_EQ(lingate({"run", "-c", file("missing.yaml")}), kConfigurationInvalid);
  EXPECT_THAT(error, HasSubstr("missing.yaml: error[LG2027]: there is no such file"));
}

TEST_F(CommandLine, RunNamesEveryScriptThatDoesNotLoad) {
  program.run_result = kScriptFailed;
  program.problems = {{{file("gw.yaml"), 10, 24}, code::kScriptLoad, "nil", file("tenant.lua"), 2, {"a frame"}},
                      {{file("gw.yaml"), 10, 24}, code::kScriptLoad, "no hook", file("other.lua"), 0, {}}};
  EXPECT_EQ(lingate({"run", "-c", file("gw.yaml")}), kScriptFailed);
  EXPECT_THAT(error, HasSubstr("tenant.lua:2:3: error[LG3006]: nil\n"));
  EXPECT_THAT(error, HasSubstr("        at a frame\n"));
  EXPECT_THAT(error, HasSubstr("other.lua: error[LG3006]: no hook\n"));
  EXPECT_THAT(out, IsEmpty());
}

TEST_F(CommandLine, CheckSaysThatAllIsWell) {
  EXPECT_EQ(lingate({"check", file("gw.yaml")}), kOk);
  EXPECT_EQ(out, file("gw.yaml") + ": ok (5 routes, 1 upstream)\n");
  EXPECT_EQ(program.checked_routes, 5U);
}

TEST_F(CommandLine, CheckExitsWith3IfAnyConfigurationIsInvalid) {
  EXPECT_EQ(lingate({"check", file("bad.yaml"), file("gw.yaml")}), kConfigurationInvalid);
  EXPECT_THAT(out, HasSubstr("3 | route: []\n      | ^~~~~ did you mean 'routes'?\n"));
  EXPECT_THAT(out, HasSubstr("bad.yaml: 1 error\n"));
  EXPECT_THAT(out, HasSubstr("gw.yaml: ok"));
}

TEST_F(CommandLine, CheckExitsWith7IfOnlyScriptsAreWrong) {
  program.problems = {{{file("gw.yaml"), 10, 24},
                       code::kScriptLoad,
                       "attempt to index field 'x' (a nil value)",
                       file("tenant.lua"),
                       2,
                       {"tenant.lua:2: in main chunk"}}};
  EXPECT_EQ(lingate({"check", file("gw.yaml")}), kScriptFailed);
  EXPECT_THAT(out, HasSubstr("tenant.lua:2:3: error[LG3006]: attempt to index field 'x' (a nil value)\n"
                             "    2 |   return M.x.y\n"
                             "      |   ^~~~~~~~~~~~\n"));
  EXPECT_THAT(out, HasSubstr("gw.yaml:10:24: note: the step is here\n"));
  EXPECT_THAT(out, HasSubstr("        at tenant.lua:2: in main chunk\n"));
  EXPECT_THAT(out, HasSubstr("gw.yaml: 1 script failed to load\n"));
  EXPECT_EQ(lingate({"check", file("gw.yaml"), file("bad.yaml")}), kConfigurationInvalid);
}

TEST_F(CommandLine, CheckReportsAScriptThatManyRoutesUseOnce) {
  const ScriptProblem problem{{file("gw.yaml"), 10, 24}, code::kScriptLoad, "no hook", file("tenant.lua"), 0, {}};
  program.problems = {problem, problem, problem};
  EXPECT_EQ(lingate({"check", file("gw.yaml")}), kScriptFailed);
  EXPECT_THAT(out, HasSubstr("1 script failed to load"));
}

TEST_F(CommandLine, CheckPrintsJson) {
  program.problems = {{{file("gw.yaml"), 10, 24}, code::kScriptLoad, "no hook", "", 0, {"frame"}}};
  EXPECT_EQ(lingate({"check", file("bad.yaml"), file("gw.yaml"), "--format", "json"}), kConfigurationInvalid);
  ASSERT_EQ(json().size(), 2U);
  EXPECT_EQ(json()[0]["ok"], false);
  EXPECT_EQ(json()[0]["diagnostics"][0]["code"], "LG2001");
  EXPECT_EQ(json()[0]["diagnostics"][0]["line"], 3);
  EXPECT_EQ(json()[1]["ok"], false);
  EXPECT_EQ(json()[1]["scripts"][0]["message"], "no hook");
  EXPECT_EQ(json()[1]["scripts"][0]["line"], 10);
  EXPECT_EQ(json()[1]["scripts"][0]["stack"][0], "frame");
}

TEST_F(CommandLine, RouteShowsTheRouteAndItsChainResolved) {
  EXPECT_EQ(lingate({"route", "GET", "http://API.example.com:8080/users/a%2Fb?x=1", "-c", file("gw.yaml")}), kOk);
  EXPECT_THAT(out, HasSubstr("user  " + file("gw.yaml") + ":8:5\n"));
  EXPECT_THAT(out, HasSubstr("  match     host api.example.com, path /users/{id}, method GET\n"));
  EXPECT_THAT(out, HasSubstr("  why       more specific than rest, which matches too\n"));
  EXPECT_THAT(out, HasSubstr("  param     id = a/b\n"));
  EXPECT_THAT(
      out, HasSubstr("  chain     1. request-id  (chain base)\n            2. access-log  (chain base)\n            3. "
                     "script {file: "));
  EXPECT_THAT(out, HasSubstr("runtime: lua"));
  EXPECT_THAT(out, HasSubstr("  then      upstream users (http://127.0.0.1:9001, unix:/run/users.sock)\n"));
  EXPECT_THAT(out, HasSubstr("  timeout   5s\n"));
}

TEST_F(CommandLine, RouteNeverShowsASecret) {
  EXPECT_EQ(lingate({"route", "GET", "http://api.example.com/users/7", "-c", file("gw.yaml")}), kOk);
  EXPECT_THAT(out, HasSubstr("config: {key: <secret>}"));
  EXPECT_THAT(out, testing::Not(HasSubstr("top-secret")));
  EXPECT_EQ(lingate({"route", "GET", "http://api.example.com/users/7", "-c", file("gw.yaml"), "--json"}), kOk);
  EXPECT_THAT(out, testing::Not(HasSubstr("top-secret")));
}

TEST_F(CommandLine, RouteTakesHeadersAndNormalisesThePath) {
  EXPECT_EQ(lingate({"route", "GET", "/x/../%75sers", "-c", file("gw.yaml"), "-H", "X-Beta: 1"}), kOk);
  EXPECT_THAT(out, HasSubstr("the path is read as /users\n"));
  EXPECT_THAT(out, HasSubstr("beta  "));
  EXPECT_EQ(
      lingate({"route", "GET", "/users/1", "-c", file("gw.yaml"), "-H", "Host: api.example.com", "--expect", "user"}),
      kOk);
}

TEST_F(CommandLine, RouteDropsHeadersWithUnderscoresAsTheGatewayDoes) {
  write("gone.yaml",
        "version: 1\nlisten: :0\nroutes:\n"
        "  - {name: without, match: {headers: {X-V: false}}, respond: {}}\n"
        "  - {name: with, match: {headers: {X-V: \"1\"}}, respond: {}}\n");
  const auto expect = [this](const std::string& line, const std::string& name) {
    return lingate({"route", "GET", "/", "-c", file("gone.yaml"), "-H", line, "--expect", name});
  };
  EXPECT_EQ(expect("X_V: 1", "without"), kOk);
  EXPECT_EQ(expect("X-V:\t1 ", "with"), kOk);
}

TEST_F(CommandLine, RouteShowsNearMisses) {
  EXPECT_EQ(lingate({"route", "POST", "http://other.test/users/7", "-c", file("gw.yaml")}), kOk);
  EXPECT_THAT(out, HasSubstr("rest  "));
  EXPECT_THAT(out, HasSubstr("near misses\n  user: the host is not 'api.example.com'\n"));
  EXPECT_EQ(lingate({"route", "GET", "/user/7", "-c", file("gw.yaml")}), kOk);
  EXPECT_THAT(out, HasSubstr("no route: 404\n"));
}

TEST_F(CommandLine, RouteSays405WithAllow) {
  write("get.yaml", "version: 1\nlisten: :0\nroutes:\n  - {match: {path: /a, methods: [GET]}, respond: {}}\n");
  EXPECT_EQ(lingate({"route", "PUT", "/a", "-c", file("get.yaml")}), kOk);
  EXPECT_THAT(out, HasSubstr("no route: 405, Allow: GET, HEAD\nnear misses\n  /a: the method is not GET\n"));
}

TEST_F(CommandLine, RouteExitsWith8IfAnotherRouteWasExpected) {
  const auto expect = [this](const std::string& url, const std::string& name) {
    return lingate({"route", "GET", url, "-c", file("gw.yaml"), "--expect", name});
  };
  EXPECT_EQ(expect("/users", "users"), kOk);
  EXPECT_EQ(expect("/users", "beta"), kTestsFailed);
  EXPECT_THAT(error, HasSubstr("expected 'beta', found 'users'"));
  EXPECT_EQ(expect("/nothing", "none"), kOk);
  EXPECT_EQ(expect("/users", "none"), kTestsFailed);
}

TEST_F(CommandLine, RouteRefusesWhatIsNoRequest) {
  const auto route = [this](std::vector<std::string> more) {
    more.insert(more.begin(), "route");
    more.insert(more.end(), {"-c", file("gw.yaml")});
    return lingate(std::move(more));
  };
  EXPECT_EQ(route({"GET", "/a%00"}), kUsage);
  EXPECT_THAT(error, HasSubstr("answers such a request with 400"));
  EXPECT_EQ(route({"G T", "/a"}), kUsage);
  EXPECT_EQ(route({"GET", "/a", "-H", "nonsense"}), kUsage);
  EXPECT_EQ(lingate({"route", "GET", "/a", "-c", file("bad.yaml")}), kConfigurationInvalid);
}

TEST_F(CommandLine, RoutePrintsJson) {
  EXPECT_EQ(lingate({"route", "GET", "http://api.example.com/users/7", "-c", file("gw.yaml"), "--json"}), kOk);
  EXPECT_EQ(json()["route"], "user");
  EXPECT_EQ(json()["params"]["id"], "7");
  EXPECT_EQ(json()["chain"].size(), 3U);
  EXPECT_EQ(json()["chain"][0]["via"][0], "base");
  EXPECT_EQ(json()["chain"][2]["options"]["budget"], "10ms");
  EXPECT_EQ(json()["destination"]["upstream"][0]["name"], "users");
  EXPECT_EQ(lingate({"route", "GET", "/old/x", "-c", file("gw.yaml"), "--json"}), kOk);
  EXPECT_EQ(json()["destination"]["redirect"]["status"], 302);
  EXPECT_EQ(lingate({"route", "GET", "/zzz", "-c", file("gw.yaml"), "--json"}), kOk);
  EXPECT_EQ(json()["status"], 404);
}

TEST_F(CommandLine, SchemaPrintsJsonOrAPage) {
  EXPECT_EQ(lingate({"schema"}), kOk);
  EXPECT_EQ(json()["$schema"], "http://json-schema.org/draft-07/schema#");
  EXPECT_EQ(lingate({"schema", "--markdown"}), kOk);
  EXPECT_THAT(out, HasSubstr("# Configuration reference\n"));
}

TEST_F(CommandLine, ExplainKnowsCodes) {
  for (const char* name : {"LG2001", "lg2001", "2001"}) {
    EXPECT_EQ(lingate({"explain", name}), kOk);
    EXPECT_THAT(out, HasSubstr("LG2001: unknown key\n"));
  }
  EXPECT_EQ(lingate({"explain", "LG4002"}), kOk);
  EXPECT_THAT(out, HasSubstr("answered with status 502"));
  EXPECT_EQ(lingate({"explain", "LG1011", "--json"}), kOk);
  EXPECT_EQ(json()["status"], 404);
}

TEST_F(CommandLine, ExplainKnowsKeysAndSteps) {
  EXPECT_EQ(lingate({"explain", "upstreams.health.every"}), kOk);
  EXPECT_THAT(out, HasSubstr("upstreams.NAME.health.every\n"));
  EXPECT_THAT(out, HasSubstr("  default  5s\n"));
  EXPECT_EQ(lingate({"explain", "cors"}), kOk);
  EXPECT_THAT(out, HasSubstr("    origins "));
  EXPECT_EQ(lingate({"explain", "script.budget", "--json"}), kOk);
  EXPECT_EQ(json()[0]["key"], "script.budget");
}

TEST_F(CommandLine, ExplainKnowsStepsInJson) {
  EXPECT_EQ(lingate({"explain", "cors", "--json"}), kOk);
  EXPECT_EQ(json()[0]["step"], "cors");
  EXPECT_EQ(json()[0]["options"][0]["key"], "cors.origins");
}

TEST_F(CommandLine, ExplainSuggestsWhatMayBeMeant) {
  EXPECT_EQ(lingate({"explain", "buget"}), kUsage);
  EXPECT_THAT(error, HasSubstr("did you mean 'budget'?"));
  EXPECT_EQ(lingate({"explain", "LG9999"}), kUsage);
  EXPECT_EQ(lingate({"explain", "LG"}), kUsage);
}

TEST_F(CommandLine, VersionNamesTheEngines) {
  EXPECT_EQ(lingate({"version"}), kOk);
  EXPECT_THAT(out, testing::StartsWith("lingate "));
  EXPECT_THAT(out, HasSubstr("LuaJIT    2.1.0\n"));
  EXPECT_EQ(lingate({"version", "--json"}), kOk);
  EXPECT_EQ(json()["components"]["LuaJIT"], "2.1.0");
}

TEST_F(CommandLine, CompletionNamesVerbsAndOptionsInEveryShell) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    EXPECT_EQ(lingate({"completion", shell}), kOk);
    for (const char* word : {"run", "check", "route", "explain", "expect", "markdown"}) {
      EXPECT_THAT(out, HasSubstr(word)) << shell;
    }
  }
}

TEST_F(CommandLine, TheBashCompletionCompletes) {
  EXPECT_EQ(lingate({"completion", "bash"}), kOk);
  write("complete.sh", out +
                           "COMP_WORDS=(lingate ro); COMP_CWORD=1; _lingate; echo \"${COMPREPLY[*]}\"\n"
                           "COMP_WORDS=(lingate route --ex); COMP_CWORD=2; _lingate; echo \"${COMPREPLY[*]}\"\n");
  ASSERT_EQ(std::system(("bash " + file("complete.sh") + " > " + file("completed")).c_str()), 0);
  std::ifstream completed(file("completed"));
  std::vector<std::string> lines;
  for (std::string line; std::getline(completed, line);)
    lines.push_back(line);
  EXPECT_THAT(lines, ElementsAre("route", "--expect"));
}

}  // namespace
}  // namespace lingate::cli
