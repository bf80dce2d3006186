// Loading configurations out of a test's own text: a folder with scripts in three languages, an environment with one
// variable, and diagnostics as short lines.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/codes.h"
#include "gateway/config/loader.h"

namespace lingate::config {

// A folder of its own for each process, removed at the end.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "lingate-config-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
    std::filesystem::create_directory(path_ / "scripts");
    for (const char* script : {"scripts/tenant.lua", "scripts/sign.py", "scripts/mask.js", "scripts/other.rb"})
      write(script, "");
    write("key.txt", "from-a-file\n");
    write("jwt.secret", std::string(64, 's'));
    write("keys.json",
          R"({"keys":[{"kty":"EC","crv":"P-256","kid":"1","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
          R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]})");
    write("issuer.pem",
          "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV7\n"
          "6e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==\n-----END PUBLIC KEY-----\n");
    write("users.htpasswd", "ann:$2y$04$Ci7aTyk08rN9LKVH44Wkfe4aycvMJZVDFRYE5AGNTPhE4yvKxLMby\n");
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  void write(const std::string& name, std::string_view text) const { std::ofstream(path_ / name) << text; }

 private:
  std::filesystem::path path_;
};

inline const Folder& folder() {
  static const Folder only;
  return only;
}

inline Loaded load(std::string text) {
  return load_text("gw.yaml", std::move(text), {folder().path(), [](const std::string& name) {
                                                  return name == "TENANT_KEY" ? std::optional<std::string>("s3cret")
                                                                              : std::nullopt;
                                                }});
}

// "3:5 LG2001 unknown key 'x' | did you mean 'y'?", warnings with "warning" in front.
inline std::string show(const Diagnostic& diagnostic) {
  return fmt::format("{}{}:{} {} {} | {}", diagnostic.severity == Severity::warning ? "warning " : "",
                     diagnostic.place.line, diagnostic.place.column, code_name(diagnostic.code), diagnostic.message,
                     diagnostic.cure);
}

inline std::vector<std::string> show(const std::vector<Diagnostic>& diagnostics) {
  std::vector<std::string> lines;
  for (const Diagnostic& each : diagnostics)
    lines.push_back(show(each));
  return lines;
}

// What is wrong with a configuration that is otherwise complete: two lines stand before `text`.
inline std::vector<std::string> mistakes(const std::string& text) {
  return show(load("version: 1\nlisten: 127.0.0.1:0\n" + text).diagnostics);
}

inline const std::string kNoRoutes = "\nroutes: []\n";

// The same where the mistake is not in the routes.
inline std::vector<std::string> mistakes_above(const std::string& text) {
  return mistakes(text + kNoRoutes);
}

// A route and its one step or key, on line 4: "- {match: {path: /a/{id}}, respond: {}, <text>}".
inline std::vector<std::string> mistakes_in_route(const std::string& text) {
  return mistakes("routes:\n  - {name: r, match: {path: \"/a/{id}/*\"}, " + text + "}\n");
}

inline std::vector<std::string> mistakes_in_step(const std::string& step) {
  return mistakes_in_route("respond: {}, chain: [" + step + "]");
}

}  // namespace lingate::config
