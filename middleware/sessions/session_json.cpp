#include "middleware/sessions/session_json.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "proto/plugin.h"
#include "proto/wire.h"
#include "runtimes/value.h"
#include "runtimes/wire_call.h"

namespace lingate::middleware {
namespace {

namespace number = proto::session;
using Kind = SessionFieldKind;

constexpr std::array kFields{
    SessionField{"id", number::kId, Kind::text, "Names the session; made up where it is not given."},
    SessionField{"alias", number::kAlias, Kind::text, "What people call it."},
    SessionField{"org", number::kOrg, Kind::text, "Whose it is."},
    SessionField{"tags", number::kTags, Kind::tags, "Words to find it by."},
    SessionField{"metadata", number::kMetadata, Kind::metadata, "What scripts read as session.metadata; 64 KiB."},
    SessionField{"rate", number::kRate, Kind::amount, "Requests in `per` seconds; absent: any number."},
    SessionField{"per", number::kPer, Kind::amount, "Seconds that `rate` counts for."},
    SessionField{"burst", number::kBurst, Kind::amount, "Requests that may come at once."},
    SessionField{"quota_max", number::kQuotaMax, Kind::amount, "Requests until `quota_renews`; absent: any number."},
    SessionField{"quota_remaining", number::kQuotaRemaining, Kind::amount, "What is left of them."},
    SessionField{"quota_renews", number::kQuotaRenews, Kind::time, "When the quota is full again, Unix seconds."},
    SessionField{"expires", number::kExpires, Kind::time, "When the session ends, Unix seconds; absent: never."},
};

constexpr std::uint64_t kLargestInteger = 1ULL << 53U;  // beyond it a double skips integers

using Parsed = Result<void, SessionProblem>;

tl::unexpected<SessionProblem> problem(std::string_view field, std::string message) {
  return tl::unexpected<SessionProblem>(SessionProblem{std::string(field), std::move(message)});
}

// Of an integer: as a double it is the same.
bool is_exact(const Json& integer) {
  if (integer.is_number_unsigned()) return integer.get<std::uint64_t>() <= kLargestInteger;
  const auto amount = integer.get<std::int64_t>();
  return amount >= -static_cast<std::int64_t>(kLargestInteger) && amount <= static_cast<std::int64_t>(kLargestInteger);
}

// Into the wire's own rules: depth, size, numbers, UTF-8. False: the writer knows why. The writer's limit of depth
// bounds the recursion.
bool walk(const Json& value, runtimes::WireWriter& to) {
  switch (value.type()) {
    case Json::value_t::null: return to.null();
    case Json::value_t::boolean: return to.boolean(value.get<bool>());
    case Json::value_t::string: return to.text(value.get_ref<const std::string&>());
    case Json::value_t::number_float: return to.number(value.get<double>());
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
      return is_exact(value) ? to.number(value.get<double>())
                             : to.refuse("an integer beyond 2^53 would not come back the same");
    case Json::value_t::array:
      return to.begin_list() &&
             std::all_of(value.begin(), value.end(), [&](const Json& each) { return walk(each, to); }) && to.end_list();
    case Json::value_t::object: {
      if (!to.begin_map()) return false;
      for (const auto& [name, member] : value.items())
        if (!to.key(name) || !walk(member, to)) return false;
      return to.end_map();
    }
    default: return to.refuse("this is no value");
  }
}

// Reads the fields into the parts of a message; what they borrow lives here.
class Reading {
 public:
  Parsed read(const Json& session) {
    for (const auto& [name, value] : session.items()) {
      const auto* field = std::find_if(kFields.begin(), kFields.end(),
                                       [&name = name](const SessionField& each) { return each.name == name; });
      if (field == kFields.end()) return problem(name, "a session has no such field");
      if (value.is_null()) continue;
      if (auto done = take(*field, value); !done) return done;
    }
    if (parts_.id.empty()) return problem("id", "a session needs an id");
    return {};
  }

  std::string encode() {
    std::string wire;
    parts_.tags = tags_;
    runtimes::write_session(wire, parts_);
    return wire;
  }

 private:
  Parsed take(const SessionField& field, const Json& value) {
    switch (field.kind) {
      case Kind::text: return take_text(field, value);
      case Kind::tags: return take_tags(value);
      case Kind::metadata: return take_metadata(value);
      case Kind::amount:
      case Kind::time: return take_number(field, value);
    }
    return {};
  }

  static Parsed check_text(std::string_view field, const Json& value) {
    if (!value.is_string()) return problem(field, "a text is needed");
    const auto& text = value.get_ref<const std::string&>();
    if (text.empty()) return problem(field, "the text is empty");
    if (text.size() > kMaxSessionText)
      return problem(field, "the text has more than " + std::to_string(kMaxSessionText) + " bytes");
    const bool control = std::any_of(text.begin(), text.end(),
                                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\x7f'; });
    if (control) return problem(field, "the text holds a control character");
    if (!runtimes::is_utf8(text)) return problem(field, "the text is no UTF-8");
    return {};
  }

  Parsed take_text(const SessionField& field, const Json& value) {
    if (auto checked = check_text(field.name, value); !checked) return checked;
    const auto& text = value.get_ref<const std::string&>();
    (field.number == number::kId ? parts_.id : field.number == number::kAlias ? parts_.alias : parts_.org) = text;
    return {};
  }

  Parsed take_tags(const Json& value) {
    if (!value.is_array()) return problem("tags", "a list of texts is needed");
    if (value.size() > kMaxSessionTags)
      return problem("tags", "there are more than " + std::to_string(kMaxSessionTags) + " tags");
    for (const Json& each : value) {
      if (auto checked = check_text("tags", each); !checked) return checked;
      tags_.emplace_back(each.get_ref<const std::string&>());
    }
    return {};
  }

  Parsed take_metadata(const Json& value) {
    if (!value.is_object()) return problem("metadata", "an object is needed");
    if (!walk(value, metadata_)) return problem("metadata", metadata_.error().message);
    if (!value.empty()) parts_.metadata = metadata_.members();
    return {};
  }

  Parsed take_number(const SessionField& field, const Json& value) {
    if (!value.is_number()) return problem(field.name, "a number is needed");
    const auto amount = value.get<double>();
    if (!std::isfinite(amount) || amount < 0) return problem(field.name, "the number is negative");
    if (field.number == number::kPer && amount == 0) return problem(field.name, "the number is 0: give it in seconds");
    *slot(field.number) = amount;
    return {};
  }

  std::optional<double>* slot(std::uint32_t field) noexcept {
    switch (field) {
      case number::kRate: return &parts_.rate;
      case number::kPer: return &parts_.per;
      case number::kBurst: return &parts_.burst;
      case number::kQuotaMax: return &parts_.quota_max;
      case number::kQuotaRemaining: return &parts_.quota_remaining;
      case number::kQuotaRenews: return &parts_.quota_renews;
      default: return &parts_.expires;
    }
  }

  runtimes::SessionParts parts_{};
  std::vector<std::string_view> tags_;
  runtimes::WireWriter metadata_;
};

Json number_to_json(double value) {
  if (value == std::trunc(value) && std::abs(value) <= static_cast<double>(kLargestInteger))
    return static_cast<std::int64_t>(value);
  return value;
}

// By way of text: the wire's own writer knows how values look in JSON.
std::optional<Json> metadata_to_json(std::string_view members) {
  runtimes::JsonWriter text;
  if (!runtimes::read_members(members, text)) return std::nullopt;
  Json json = Json::parse(text.json(), nullptr, false);
  return json.is_discarded() ? std::nullopt : std::optional(std::move(json));
}

bool put(const SessionField& field, const proto::Field& read, Json& session) {
  const std::string name(field.name);
  const bool is_number = field.kind == Kind::amount || field.kind == Kind::time;
  if (read.type != (is_number ? proto::WireType::fixed64 : proto::WireType::bytes)) return false;
  if (is_number) return session[name] = number_to_json(read.as_double()), true;
  if (field.kind == Kind::tags) return session[name].push_back(read.bytes), true;
  if (field.kind == Kind::text) return session[name] = read.bytes, true;
  auto metadata = metadata_to_json(read.bytes);
  if (metadata) session[name] = *std::move(metadata);
  return metadata.has_value();
}

}  // namespace

std::span<const SessionField> session_fields() noexcept {
  return kFields;
}

Result<std::string, SessionProblem> session_from_json(const Json& session) {
  if (!session.is_object()) return problem("", "a session is an object");
  Reading reading;
  if (auto read = reading.read(session); !read) return fail(std::move(read.error()));
  return reading.encode();
}

std::optional<Json> session_to_json(std::string_view session) {
  Json json = Json::object();
  proto::Reader reader(session);
  for (proto::Field read; reader.next(read);)
    for (const SessionField& field : kFields)
      if (field.number == read.number && !put(field, read, json)) return std::nullopt;
  if (reader.failed()) return std::nullopt;
  return json;
}

std::optional<double> expires_of(std::string_view session) noexcept {
  std::optional<double> expires;
  proto::Reader reader(session);
  for (proto::Field field; reader.next(field);)
    if (field.is(number::kExpires, proto::WireType::fixed64)) expires = field.as_double();
  return expires;
}

}  // namespace lingate::middleware
