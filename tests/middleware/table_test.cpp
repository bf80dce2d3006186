// The field table and the list of built-in steps must name the same steps and the same options: every option of every
// step is written once here, loaded, and made.
#include <set>

#include "gateway/config/fields.h"
#include "gateway/config/loader.h"
#include "middleware/log_writer.h"
#include "tests/middleware/script_stage.h"

namespace lingate::middleware {
namespace {

constexpr std::string_view kEveryOption = R"(version: 1
listen: [{address: 127.0.0.1:0}]
routes:
  - name: all
    match: {path: "/a/{id}/*"}
    chain:
      - request-id: {header: X-Correlation-Id}
      - access-log: {file: stderr}
      - cors:
          origins: ["https://a.example"]
          methods: [GET, PUT]
          headers: X-Api-Key
          expose: [X-Correlation-Id]
          credentials: true
          max_age: 10m
      - headers:
          request: {set: {X-One: "1", X-Two: [a, b]}, add: {Accept: text/x}, remove: [X-Gone]}
          response: {remove: Server, set: {X-F: DENY}}
      - body-limit: {size: 5B}
      - rewrite: {path: "/v2/{id}/{*}", query: "q={id}", method: POST}
      - respond: {status: 202, text: hi, headers: {X-R: [a, b]}}
    respond: {json: {unused: true}}
)";

TEST(StepTable, NamesTheBuiltInStepsAndUse) {
  std::set<std::string_view> named(config::step_names().begin(), config::step_names().end());
  std::set<std::string_view> built{"use"};
  for (const StepKind& step : builtin_steps())
    built.insert(step.kind);
  EXPECT_EQ(named, built);
}

TEST(StepTable, EveryOptionMeansWhatTheStepReads) {
  const config::Loaded loaded =
      config::load_text("all.yaml", std::string(kEveryOption), {.folder = "/", .environment = {}});
  ASSERT_TRUE(loaded.model.has_value()) << (loaded.diagnostics.empty() ? "" : loaded.diagnostics[0].message);
  LogFiles logs(1);
  std::vector<std::unique_ptr<const Middleware>> steps;
  std::vector<const Middleware*> chain;
  for (const config::Step& step : loaded.model->routes.at(0).chain) {
    auto made = find_step(step.kind)->make(step.settings, {.workers = 1, .logs = &logs});
    ASSERT_TRUE(made.has_value()) << step.kind << ": " << made.error().message;
    steps.push_back(std::move(*made));
    chain.push_back(steps.back().get());
  }
  Stage stage(chain);
  stage.exchange.request.params = {{"id", "7", "7"}, {"*", "x", "x"}};
  stage.receive("Origin", "https://a.example");
  stage.receive("X-Gone", "1");
  EXPECT_EQ(stage.run(), 202);
  const Request& request = stage.exchange.request;
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.path, "/v2/7/x");
  EXPECT_EQ(request.query, "q=7");
  EXPECT_EQ(stage.exchange.body_limit, 5U);
  EXPECT_EQ(request.headers.find("X-Gone"), nullptr);
  EXPECT_EQ(request.headers.value("X-Two"), "a");
  EXPECT_EQ(request.headers.value("Accept"), "text/x");
  const Headers& response = stage.exchange.response.headers;
  EXPECT_EQ(response.value("X-R"), "a");
  EXPECT_EQ(response.value("X-F"), "DENY");
  EXPECT_EQ(response.value("Access-Control-Allow-Origin"), "https://a.example");
  EXPECT_EQ(response.value("Access-Control-Expose-Headers"), "X-Correlation-Id");
  EXPECT_EQ(response.value("X-Correlation-Id"), stage.exchange.id());
}

}  // namespace
}  // namespace lingate::middleware
