// A gate with a known token, and the subject of a gateway that has nothing but a store and a log.
#pragma once

#include <stdlib.h>
#include <unistd.h>

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

namespace lingate::admin {

inline constexpr const char* kToken = "0123456789abcdef0123456789abcdef";

inline Head head(std::string_view method, std::string_view target) {
  return {.method = method,
          .target = target,
          .hosts = {"127.0.0.1:9901"},
          .authorization = "Bearer 0123456789abcdef0123456789abcdef"};
}

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "lingate-admin-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

// Runs operations as the server does, without one.
class Bench {
 public:
  Bench()
      : model_(*config::load_text("gw.yaml",
                                  "version: 1\nlisten: [\"127.0.0.1:0\"]\n"
                                  "upstreams: {u: {targets: [\"http://127.0.0.1:9001\"]}}\n"
                                  "routes: [{name: r, match: {path: /a}, upstream: u}]\n",
                                  {std::filesystem::temp_directory_path(), {}})
                    .model),
        subject_{.model = model_,
                 .store = *store_,
                 .log = log_,
                 .scripts = scripts_,
                 .workers = {},
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
      asked.content_type = target == "/config/validate" ? "application/yaml" : "application/json";
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

  bool draining = false;
  std::string checked;

 private:
  config::Model model_;
  std::unique_ptr<store::Store> store_ = store::make_memory_store();
  middleware::LogWriter writer_{::dup(STDERR_FILENO), 1};
  middleware::JsonAppLog log_{writer_, middleware::LogLevel::error};
  middleware::ScriptPools scripts_{{}};
  Subject subject_;
};

}  // namespace lingate::admin
