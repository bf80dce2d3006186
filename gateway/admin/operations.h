// The operations of the admin API: one table that the server routes by and that the OpenAPI document is written from.
//
// To add one: a row in operations.cpp, its handler in one of the files that handlers.h names, its schema in
// schemas.cpp.
//
// Constant data; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "gateway/admin/api.h"

namespace lingate::admin {

// Who may ask: `probe` anybody, whatever Host says, as load balancers do; `open` without a token; `token` with it.
enum class Access : std::uint8_t { probe, open, token };

enum class Body : std::uint8_t { none, json, optional_json, merge_patch, yaml };

enum class In : std::uint8_t { path, query, if_match };

struct Parameter {
  std::string_view name;
  In in = In::path;
  std::string_view schema;  // JSON
  std::string_view doc;
};

// An answer that is no problem document; of those the access and the body tell.
struct Reply {
  int status = 200;
  std::string_view type;    // empty: no body
  std::string_view schema;  // its name in schemas(); empty: text
  std::string_view doc;
};

struct Operation {
  std::string_view method;
  std::string_view path;  // "/keys/{id}"
  std::string_view id;    // "showKey"
  std::string_view group;
  std::string_view summary;
  Access access = Access::token;
  std::vector<Parameter> parameters{};
  Body body = Body::none;
  std::string_view body_schema{};
  std::vector<Reply> replies{};
  std::vector<int> problems{};  // codes of its own
  Outcome (*run)(const Subject& subject, const Call& call) = nullptr;

  // A process that is about to end takes none of these (kEnding).
  bool is_change() const noexcept { return access == Access::token && method != "GET"; }
};

std::span<const Operation> operations();

}  // namespace lingate::admin
