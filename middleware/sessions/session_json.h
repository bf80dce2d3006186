// A session as people and programs see it: JSON with exactly the fields that scripts know (contract, section 4), to and
// from plugin.Session. Strict: an unknown field, a wrong type or a value that cannot be is a problem that names its
// field, so that a misspelt limit is never no limit.
//
// Pure functions; any thread. Nothing throws.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/result.h"

namespace lingate::middleware {

using Json = nlohmann::ordered_json;

enum class SessionFieldKind : std::uint8_t { text, tags, metadata, amount, time };

struct SessionField {
  std::string_view name;
  std::uint32_t number;  // in plugin.Session
  SessionFieldKind kind;
  std::string_view doc;
};

// All of them, in the order of their numbers.
std::span<const SessionField> session_fields() noexcept;

struct SessionProblem {
  std::string field;  // empty: the whole
  std::string message;
};

inline constexpr std::size_t kMaxSessionText = 256;  // bytes of an id, alias, org or tag
inline constexpr std::size_t kMaxSessionTags = 256;

// The encoded plugin.Session, its fields in the order of their numbers. A null is as good as absent.
Result<std::string, SessionProblem> session_from_json(const Json& session);

// Nothing: malformed.
std::optional<Json> session_to_json(std::string_view session);

// `expires` of an encoded session, Unix seconds.
std::optional<double> expires_of(std::string_view session) noexcept;

}  // namespace lingate::middleware
