#include "runtimes/attributes.h"

#include <algorithm>
#include <array>
#include <span>

#include "base/similar.h"
#include "runtimes/header_rules.h"

namespace lingate::runtimes {
namespace {

using Names = std::span<const std::string_view>;

constexpr std::array<std::string_view, 15> kReq{"id",     "method",  "scheme",  "host",    "path",
                                                "query",  "version", "params",  "headers", "body",
                                                "client", "route",   "session", "text",    "json"};
constexpr std::array<std::string_view, 5> kRes{"status", "headers", "body", "text", "json"};
constexpr std::array<std::string_view, 12> kSession{"id",           "alias",  "org",   "tags",      "metadata",
                                                    "rate",         "per",    "burst", "quota_max", "quota_remaining",
                                                    "quota_renews", "expires"};
constexpr std::array<std::string_view, 3> kClient{"ip", "port", "tls"};
constexpr std::array<std::string_view, 11> kLingate{"respond", "log",   "config", "now",   "json", "base64",
                                                    "crypto",  "query", "null",   "array", "sleep"};

struct Known {
  std::string_view label;
  Names names;
};

Known known(Object object) {
  switch (object) {
    case Object::req: return {"req", kReq};
    case Object::res: return {"res", kRes};
    case Object::session: return {"session", kSession};
    case Object::client: return {"client", kClient};
    case Object::lingate: break;
  }
  return {"lingate", kLingate};
}

}  // namespace

std::string unknown_attribute(Object object, std::string_view name) {
  const Known it = known(object);
  std::string text = std::string(it.label) + " has no attribute '" + shown(name) + "'";
  if (const std::string_view meant = closest(name, it.names); !meant.empty())
    text.append("; did you mean '").append(meant).append("'?");
  return text;
}

std::string unwritable_attribute(Object object, std::string_view name) {
  const Known it = known(object);
  if (std::find(it.names.begin(), it.names.end(), name) == it.names.end()) return unknown_attribute(object, name);
  return std::string(it.label) + "." + std::string(name) + " is read-only";
}

std::string_view stale_object() noexcept {
  return "the call is over: req, res and session die with it";
}

std::string_view foreign_object() noexcept {
  return "this object belongs to another call";
}

}  // namespace lingate::runtimes
