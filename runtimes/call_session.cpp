// The session of a call: reading it, assigning a whole one, and what became of its tags and metadata.
#include <algorithm>
#include <array>
#include <utility>

#include "base/similar.h"
#include "proto/plugin.h"
#include "proto/wire.h"
#include "runtimes/call_view.h"

namespace lingate::runtimes {
namespace {

using proto::WireType;
namespace number = proto::session;

enum class Kind : std::uint8_t { text, tags, metadata, number };

struct SessionField {
  std::string_view name;
  std::uint32_t number;
  Kind kind;
};

constexpr std::array<SessionField, 12> kFields{{
    {"id", number::kId, Kind::text},
    {"alias", number::kAlias, Kind::text},
    {"org", number::kOrg, Kind::text},
    {"tags", number::kTags, Kind::tags},
    {"metadata", number::kMetadata, Kind::metadata},
    {"rate", number::kRate, Kind::number},
    {"per", number::kPer, Kind::number},
    {"burst", number::kBurst, Kind::number},
    {"quota_max", number::kQuotaMax, Kind::number},
    {"quota_remaining", number::kQuotaRemaining, Kind::number},
    {"quota_renews", number::kQuotaRenews, Kind::number},
    {"expires", number::kExpires, Kind::number},
}};

// The one field of an encoded Value.
proto::Field kind_of(std::string_view value) {
  proto::Reader reader(value);
  proto::Field field;
  if (!reader.next(field)) field = {};
  return field;
}

struct Member {
  std::string_view name;
  std::string_view value;    // encoded Value
  std::string_view encoded;  // the whole Member
};

bool next_member(proto::Reader& members, Member& member) {
  proto::Field field;
  if (!members.next(field)) return false;
  member = {{}, {}, field.bytes};
  proto::Reader reader(member.encoded);
  while (reader.next(field))
    (field.number == proto::member::kName ? member.name : member.value) = field.bytes;
  return true;
}

// Whether both have the same members, in whatever order, as far as one look shows. No name comes twice.
bool are_same(std::string_view before, std::string_view after) {
  if (before == after) return true;
  if (before.size() != after.size()) return false;
  constexpr std::size_t kMost = 16;
  std::array<std::string_view, kMost> olds;
  std::size_t count = 0;
  proto::Field field;
  for (proto::Reader reader(before); reader.next(field);) {
    if (count == kMost) return false;
    olds[count++] = field.bytes;
  }
  const auto end = olds.begin() + static_cast<std::ptrdiff_t>(count);
  for (proto::Reader reader(after); reader.next(field);)
    if (std::find(olds.begin(), end, field.bytes) == end) return false;
  return true;  // as many bytes, in members that are all different
}

bool all_text(std::string_view list) {
  proto::Reader reader(list);
  proto::Field field;
  while (reader.next(field))
    if (!kind_of(field.bytes).is(proto::value::kText, WireType::bytes)) return false;
  return true;
}

Refusal unknown_field(std::string_view name) {
  std::array<std::string_view, kFields.size()> names;
  std::transform(kFields.begin(), kFields.end(), names.begin(), [](const SessionField& field) { return field.name; });
  std::string text = "a session has no field '" + shown(name) + "'";
  if (const auto meant = closest(name, names); !meant.empty())
    text.append("; did you mean '").append(meant).append("'?");
  return text;
}

Refusal wrong_type(const SessionField& field) {
  constexpr std::array<std::string_view, 4> kWanted{"text", "a list of texts", "a map",
                                                    "a number that is not negative (without it there is no limit)"};
  return "session." + std::string(field.name) + " must be " +
         std::string(kWanted[static_cast<std::size_t>(field.kind)]);
}

bool has_type(const SessionField& field, const proto::Field& value) {
  switch (field.kind) {
    case Kind::text: return value.is(proto::value::kText, WireType::bytes);
    case Kind::tags:
      // An empty table of Lua is a map.
      if (value.is(proto::value::kMembers, WireType::bytes)) return value.bytes.empty();
      return value.is(proto::value::kList, WireType::bytes) && all_text(value.bytes);
    case Kind::metadata: return value.is(proto::value::kMembers, WireType::bytes);
    case Kind::number: return value.is(proto::value::kNumber, WireType::fixed64) && value.as_double() >= 0;
  }
  return false;
}

// Values found for the fields of a session, by their place in kFields; number 0: absent.
using Found = std::array<proto::Field, kFields.size()>;

Refusal collect(std::string_view members, Found& found) {
  proto::Reader reader(members);
  Member member;
  while (next_member(reader, member)) {
    const auto* const field = std::find_if(kFields.begin(), kFields.end(),
                                           [&](const SessionField& known) { return known.name == member.name; });
    if (field == kFields.end()) return unknown_field(member.name);
    const proto::Field value = kind_of(member.value);
    if (value.number == proto::value::kNull) continue;
    if (!has_type(*field, value)) return wrong_type(*field);
    found[static_cast<std::size_t>(field - kFields.begin())] = value;
  }
  if (found[0].bytes.empty()) return "a session needs an `id`: text that is not empty";
  return std::nullopt;
}

void append_bytes(std::string& to, std::uint32_t field, std::string_view bytes) {
  std::array<char, 16> room;
  to.append(room.data(), proto::put_header(room.data(), field, bytes.size()));
  to.append(bytes);
}

std::string encode(const Found& found) {
  std::string session;
  for (std::size_t i = 0; i < kFields.size(); ++i) {
    const proto::Field& value = found[i];
    if (value.number == 0) continue;
    const std::uint32_t field = kFields[i].number;
    switch (kFields[i].kind) {
      case Kind::text:
        if (!value.bytes.empty()) append_bytes(session, field, value.bytes);
        break;
      case Kind::metadata: append_bytes(session, field, value.bytes); break;
      case Kind::tags: {
        proto::Reader tags(value.bytes);
        proto::Field tag;
        while (tags.next(tag))
          append_bytes(session, field, kind_of(tag.bytes).bytes);
        break;
      }
      case Kind::number: {
        std::array<char, 16> room;
        session.append(room.data(), proto::put_double_field(room.data(), field, value.as_double()));
        break;
      }
    }
  }
  return session;
}

}  // namespace

void CallView::find_session() {
  if (std::exchange(session_found_, true)) return;
  const auto session = source_->session();
  anonymous_ = !session;
  session_ = session.value_or(std::string_view());
}

void CallView::index_session() {
  find_session();
  session_indexed_ = true;
  session_texts_ = {};
  session_numbers_ = {};
  session_metadata_ = {};
  proto::Reader reader(session_);
  proto::Field field;
  while (reader.next(field)) {
    if (field.number <= number::kOrg) {
      session_texts_[field.number - 1] = field.bytes;
    } else if (field.number == number::kMetadata) {
      session_metadata_ = field.bytes;
    } else if (field.type == WireType::fixed64 && field.number >= number::kRate && field.number <= number::kExpires) {
      session_numbers_[field.number - number::kRate] = field.as_double();
    }
  }
}

bool CallView::has_session() {
  find_session();
  return !anonymous_;
}

std::string_view CallView::session_text(SessionText which) {
  if (!session_indexed_) index_session();
  return session_texts_[static_cast<std::size_t>(which)];
}

std::optional<double> CallView::session_number(SessionNumber which) {
  if (!session_indexed_) index_session();
  return session_numbers_[static_cast<std::size_t>(which)];
}

void CallView::session_tags(std::vector<std::string_view>& out) {
  find_session();
  out.clear();
  proto::Reader reader(session_);
  proto::Field field;
  while (reader.next(field))
    if (field.is(number::kTags, WireType::bytes)) out.push_back(field.bytes);
}

std::string_view CallView::session_metadata() {
  if (!session_indexed_) index_session();
  return session_metadata_;
}

WireWriter& CallView::begin_session() {
  ValueLimits limits;
  limits.depth += 1;  // the session itself is a map around metadata
  session_writer_.reset(limits);
  return session_writer_;
}

Refusal CallView::session_writable(std::string_view what) {
  if (hook_ == Hook::log) return "session is read-only in log: the exchange is over";
  if (what.empty() && hook_ != Hook::request)
    return "req.session cannot be assigned in response: only its tags and metadata can be changed there";
  if (!what.empty() && !has_session()) return "there is no session whose " + std::string(what) + " could be changed";
  return std::nullopt;
}

Refusal CallView::end_session() {
  if (auto refusal = session_writable({})) return refusal;
  if (session_writer_.failed()) return "req.session: " + session_writer_.error().message;
  const proto::Field value = kind_of(session_writer_.value());
  if (!value.is(proto::value::kMembers, WireType::bytes)) return "req.session must be a map of a session's fields";
  Found found{};
  if (auto refusal = collect(value.bytes, found)) return refusal;
  find_session();
  if (auto refusal = room_.keep(encode(found), session_)) return refusal;
  session_edit_ = SessionEdit::assigned;
  anonymous_ = false;
  forget_session_details();
  return std::nullopt;
}

void CallView::forget_session_details() {
  session_indexed_ = false;
  tags_edit_.reset();
  metadata_set_.clear();
  metadata_removed_.clear();
}

Refusal CallView::clear_session() {
  if (auto refusal = session_writable({})) return refusal;
  find_session();
  if (anonymous_ && session_edit_ == SessionEdit::none) return std::nullopt;
  session_edit_ = SessionEdit::cleared;
  anonymous_ = true;
  session_ = {};
  forget_session_details();
  return std::nullopt;
}

Refusal CallView::check_tag_count(std::size_t count) {
  constexpr std::size_t kMost = 64 * 1024;  // an empty one takes no byte of what a session may have
  if (count <= kMost) return std::nullopt;
  return "session.tags has " + std::to_string(count) + " entries, more than the limit of " + std::to_string(kMost);
}

Refusal CallView::keep_tags(std::span<const std::string_view> tags) {
  tags_edit_.reset();
  if (auto refusal = check_tag_count(tags.size())) return refusal;
  std::vector<std::string_view> before;
  session_tags(before);
  if (std::equal(before.begin(), before.end(), tags.begin(), tags.end())) return std::nullopt;
  if (auto refusal = session_writable("tags")) return refusal;
  std::vector<std::string_view> kept;
  for (const std::string_view tag : tags) {
    if (!is_utf8(tag)) return "session.tags must be a list of texts in UTF-8";
    std::string_view& copy = kept.emplace_back();
    if (auto refusal = room_.keep(tag, copy)) return refusal;
  }
  tags_edit_ = std::move(kept);
  return std::nullopt;
}

Refusal CallView::keep_metadata(std::string_view metadata) {
  metadata_set_.clear();
  metadata_removed_.clear();
  const std::string_view before = session_metadata();
  if (are_same(before, metadata)) return std::nullopt;
  if (auto refusal = session_writable("metadata")) return refusal;
  std::string_view after;
  if (auto refusal = room_.keep(metadata, after)) return refusal;
  compare_metadata(before, after);
  return std::nullopt;
}

// What was set and what was removed, key by key; both sides sorted by name, so that large maps cost no more.
void CallView::compare_metadata(std::string_view before, std::string_view after) {
  const auto members_of = [](std::string_view members) {
    std::vector<Member> all;
    proto::Reader reader(members);
    Member member;
    while (next_member(reader, member))
      all.push_back(member);
    return all;
  };
  const auto by_name = [](const Member& a, const Member& b) { return a.name < b.name; };
  const std::vector<Member> now = members_of(after);
  std::vector<Member> sorted_before = members_of(before);
  std::vector<Member> sorted_now = now;
  std::sort(sorted_before.begin(), sorted_before.end(), by_name);
  std::sort(sorted_now.begin(), sorted_now.end(), by_name);
  const auto find = [&](const std::vector<Member>& sorted, const Member& wanted) {
    const auto place = std::lower_bound(sorted.begin(), sorted.end(), wanted, by_name);
    return place != sorted.end() && place->name == wanted.name ? &*place : nullptr;
  };
  for (const Member& member : now) {
    const Member* const old = find(sorted_before, member);
    if (!old || old->encoded != member.encoded) metadata_set_.push_back(member.encoded);
  }
  for (const Member& member : sorted_before)
    if (!find(sorted_now, member)) metadata_removed_.push_back(member.name);
}

}  // namespace lingate::runtimes
