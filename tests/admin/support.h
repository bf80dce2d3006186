// A gate with a known token, and the subject of a gateway that has nothing but a store and a log.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/codes.h"
#include "gateway/admin/gate.h"
#include "gateway/admin/operations.h"
#include "gateway/config/loader.h"
#include "middleware/log_writer.h"
#include "tests/support/folder.h"

namespace lingate::admin {

inline constexpr const char* kToken = "0123456789abcdef0123456789abcdef";

inline Head head(std::string_view method, std::string_view target) {
  return {.method = method,
          .target = target,
          .hosts = {"127.0.0.1:9901"},
          .authorization = "Bearer 0123456789abcdef0123456789abcdef"};
}

// One configuration that runs, and what it was asked to become.
class FakeConfigurations final : public Configurations {
 public:
  FakeConfigurations() : running_(std::make_shared<Running>()) {
    running_->model = *config::load_text("gw.yaml",
                                         "version: 1\nlisten: [\"127.0.0.1:0\"]\n"
                                         "upstreams: {u: {targets: [\"http://127.0.0.1:9001\"]}}\n"
                                         "routes: [{name: r, match: {path: /a}, upstream: u}]\n",
                                         {std::filesystem::temp_directory_path(), {}})
                           .model;
    running_->version.etag = "\"m-1\"";
    running_->version.text = running_->model.written.text;
    running_->scripts = &scripts_;
  }

  std::shared_ptr<const Running> running() const override { return running_; }
  std::vector<Version> history() const override { return {running_->version}; }
  Outcome reload() override { return outcome; }
  Outcome replace(NewText text) override {
    asked = std::move(text);
    return outcome;
  }
  Outcome roll_back(std::uint64_t generation, Save save) override {
    asked = {.text = std::to_string(generation), .save = save};
    return outcome;
  }

  Outcome outcome = Replaced{.generation = 2, .etag = "\"m-2\"", .warnings = {}, .notes = {"workers"}};
  NewText asked;

 private:
  middleware::ScriptPools scripts_{{}};
  std::shared_ptr<Running> running_;
};

// Runs operations as the server does, without one.
class Bench {
 public:
  Bench()
      : subject_{.configurations = configurations,
                 .store = *store_,
                 .log = log_,
                 .workers = {},
                 .drains = drains,
                 .close_drained = [] {},
                 .engines = {{"lua", "LuaJIT"}},
                 .metrics = [] { return std::string("figures\n"); },
                 .draining = [this] { return draining; },
                 .check = [this](const std::string& text) -> Result<Json, std::string> {
                   checked = text;
                   return Json{{"ok", true}, {"diagnostics", Json::array()}, {"scripts", Json::array()}};
                 }} {}

  Outcome run(std::string_view method, std::string_view target, const char* body = nullptr) {
    Head asked = head(method, target);
    if (body) {
      asked.content_length = std::string_view(body).size();
      asked.content_type = target.starts_with("/config/v") || target.starts_with("/config?") || target == "/config"
                               ? "application/yaml"
                               : "application/json";
      asked.if_match = if_match;
    }
    auto admitted = Gate(kToken, {}).admit(asked);
    if (!admitted) return fail(admitted.error());
    if (body && admitted->operation->body == Body::yaml) admitted->call.text = body;
    if (body && admitted->operation->body != Body::yaml) {
      auto json = parse_body(body);
      if (!json) return fail(json.error());
      admitted->call.body = *json;
    }
    return admitted->operation->run(subject_, admitted->call);
  }

  FakeConfigurations configurations;
  std::string if_match;
  bool draining = false;
  http::Drains drains;
  std::string checked;

 private:
  std::unique_ptr<store::Store> store_ = store::make_memory_store();
  middleware::LogWriter writer_{::dup(STDERR_FILENO), 1};
  middleware::JsonAppLog log_{writer_, middleware::LogLevel::error};
  Subject subject_;
};

}  // namespace lingate::admin
