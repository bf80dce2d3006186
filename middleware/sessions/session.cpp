#include "middleware/sessions/session.h"

#include <array>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "proto/plugin.h"
#include "proto/wire.h"
#include "runtimes/wire_verdict.h"

namespace lingate::middleware {
namespace {

using proto::Field;
using proto::Reader;
using runtimes::Repeated;
using runtimes::SessionEdits;
namespace number = proto::session;

constexpr std::size_t kMaxMetadata = 64 * 1024;

// The members that edits set, each with the last of its values, found by name; in what order they were first set.
class SetMembers {
 public:
  explicit SetMembers(const SessionEdits& edits) {
    Repeated set = edits.metadata;
    for (std::string_view member; set.next(member);) {
      const auto [at, fresh] = by_name_.try_emplace(runtimes::read_member(member).name, order_.size());
      if (fresh) order_.push_back({});
      order_[at->second].bytes = member;
    }
  }
  // Empty: it is not set.
  std::string_view use(std::string_view name) {
    const auto found = by_name_.find(name);
    if (found == by_name_.end()) return {};
    order_[found->second].used = true;
    return order_[found->second].bytes;
  }
  template <class Each>
  void unused(Each&& each) const {
    for (const Member& member : order_)
      if (!member.used) each(member.bytes);
  }

 private:
  struct Member {
    std::string_view bytes{};
    bool used = false;
  };
  std::map<std::string_view, std::size_t> by_name_;
  std::vector<Member> order_;
};

// Keys keep their places, new ones come last in the order of the edits. A key both set and removed is set.
std::string merge_metadata(std::string_view before, const SessionEdits& edits) {
  std::string merged;
  SetMembers set(edits);
  std::set<std::string_view> removed;
  Repeated gone = edits.removed_metadata;
  for (std::string_view name; gone.next(name);)
    removed.insert(name);
  Repeated old(before, proto::members::kMembers);
  for (std::string_view member; old.next(member);) {
    const std::string_view name = runtimes::read_member(member).name;
    const std::string_view edit = set.use(name);
    if (!edit.empty())
      proto::append_bytes(merged, proto::members::kMembers, edit);
    else if (!removed.contains(name))
      proto::append_bytes(merged, proto::members::kMembers, member);
  }
  set.unused([&](std::string_view member) { proto::append_bytes(merged, proto::members::kMembers, member); });
  return merged;
}

bool touches_metadata(const SessionEdits& edits) {
  std::string_view entry;
  Repeated set = edits.metadata;
  Repeated removed = edits.removed_metadata;
  return set.next(entry) || removed.next(entry);
}

std::string_view metadata_of(std::string_view session) {
  Repeated all(session, number::kMetadata);
  std::string_view metadata;
  while (all.next(metadata))
    continue;
  return metadata;
}

// The session with other tags and metadata, every other field as it was, in the order of the numbers.
std::string rebuild(std::string_view session, const SessionEdits& edits, const std::string* metadata) {
  std::string out;
  bool put = false;
  const auto put_edited = [&] {
    if (std::exchange(put, true)) return;
    Repeated tags = edits.tags.value_or(Repeated());
    for (std::string_view tag; tags.next(tag);)
      proto::append_bytes(out, number::kTags, tag);
    if (metadata && !metadata->empty()) proto::append_bytes(out, number::kMetadata, *metadata);
  };
  Reader reader(session);
  const char* start = session.data();
  for (Field field; reader.next(field);) {
    const char* end = reader.rest().data();
    const std::string_view encoded(start, static_cast<std::size_t>(end - start));
    start = end;
    const bool replaced =
        (field.number == number::kTags && edits.tags) || (field.number == number::kMetadata && metadata);
    if (replaced) continue;
    if (field.number >= number::kMetadata) put_edited();
    out += encoded;
  }
  put_edited();
  return out;
}

tl::unexpected<SessionFault> fault(std::string_view message) {
  return tl::unexpected<SessionFault>(SessionFault{std::string(message)});
}

}  // namespace

Session::Span Session::span_of(std::string_view part) const noexcept {
  return {static_cast<std::uint32_t>(part.data() - wire_.data()), static_cast<std::uint32_t>(part.size())};
}

Result<Session, SessionFault> Session::from_wire(std::string wire) {
  if (wire.size() > kMaxBytes) return fault("the session is larger than 128 KiB");
  Session session(std::move(wire));
  Reader reader(session.wire_);
  for (Field field; reader.next(field);) {
    if (field.number == number::kId) session.id_ = session.span_of(field.bytes);
    if (field.number == number::kAlias) session.alias_ = session.span_of(field.bytes);
  }
  if (reader.failed()) return fault("the session is malformed");
  if (session.id_.size == 0) return fault("the session has no id");
  return session;
}

Result<SessionChange, SessionFault> apply_session_edits(const Session* session, const SessionEdits& edits) {
  const bool metadata_edited = touches_metadata(edits);
  const bool details = edits.tags || metadata_edited;
  if (edits.cleared) {
    if (details) return fault("a session is cleared and edited at once");
    return SessionChange{.changed = true};
  }
  if (!edits.assigned && !details) return SessionChange{};
  if (!edits.assigned && !session) return fault("there is no session to edit");
  const std::string_view base = edits.assigned ? *edits.assigned : session->wire();
  std::string wire;
  if (details) {
    const std::string metadata = metadata_edited ? merge_metadata(metadata_of(base), edits) : std::string();
    if (metadata.size() > kMaxMetadata) return fault("the session's metadata is larger than 64 KiB");
    wire = rebuild(base, edits, metadata_edited ? &metadata : nullptr);
  } else {
    wire = base;
  }
  auto changed = Session::from_wire(std::move(wire));
  if (!changed) return tl::unexpected<SessionFault>(std::move(changed.error()));
  return SessionChange{true, std::move(*changed)};
}

}  // namespace lingate::middleware
