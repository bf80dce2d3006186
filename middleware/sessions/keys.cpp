#include "middleware/sessions/keys.h"

#include <algorithm>
#include <utility>

#include "middleware/sessions/keys_text.h"
#include "middleware/sessions/session.h"

namespace lingate::middleware {
namespace {

using keys::fault;
using store::Change;
using store::Record;
using store::Space;
using Kind = KeyFault::Kind;

constexpr int kAttempts = 8;                        // of a change that another one was faster than
constexpr std::size_t kChunk = 256;                 // records of one scan
constexpr std::size_t kMostLooked = 20'000;         // records of one page
constexpr std::size_t kMostPage = 4 * 1024 * 1024;  // bytes of one page, about

tl::unexpected<KeyFault> no_such(const std::string& id) {
  return fail(fault(Kind::not_found, "id", "there is no session '" + id + "'"));
}

tl::unexpected<KeyFault> outrun() {
  return fail(fault(Kind::conflict, "", "the session is being changed by others again and again; try later"));
}

KeyResult<std::string> encode_session(const Json& session) {
  auto wire = session_from_json(session);
  if (!wire) return fail(fault(Kind::invalid, wire.error().field, wire.error().message));
  if (wire->size() > Session::kMaxBytes) return fail(fault(Kind::invalid, "", "the session is larger than 128 KiB"));
  return *std::move(wire);
}

Record record_of(const StoredSession& stored) {
  Record record{.value = encode(stored)};
  if (const auto expires = expires_of(stored.session)) record.expires = keys::time_of(*expires);
  return record;
}

KeyResult<SessionView> view_of(const StoredSession& stored) {
  auto session = session_to_json(stored.session);
  if (!session) return fail(fault(Kind::unavailable, "", "a stored session is malformed"));
  return SessionView{*std::move(session), stored.keys.size(), stored.created, stored.updated};
}

// A key of that hash leads to the session, if there is none yet.
Change put_key(const std::string& hash, Record record) {
  return {Space::keys, hash, [record = std::move(record)](std::optional<Record>& there) {
            if (there) return false;
            there = record;
            return true;
          }};
}

// The current key ends with its session.
Change follow(const std::string& hash, std::optional<store::Time> expires) {
  return {Space::keys, hash, [expires](std::optional<Record>& there) {
            if (there) there->expires = expires;
            return true;
          }};
}

// A replaced key ends no later than that.
Change shorten(const std::string& hash, std::optional<store::Time> end) {
  return {Space::keys, hash, [end](std::optional<Record>& there) {
            if (there && end && (!there->expires || *there->expires > *end)) there->expires = end;
            return true;
          }};
}

// Edits the stored session if its keys are still those that the rest of the batch was made for.
template <class Edit>
Change edit_session(const std::string& id, const std::vector<std::string>& keys, Edit edit) {
  return {Space::sessions, id, [keys, edit](std::optional<Record>& there) {
            auto stored = there ? decode_stored_session(there->value) : std::nullopt;
            return stored && stored->keys == keys && edit(*stored, there);
          }};
}

bool has_tag(const Json& session, const std::string& tag) {
  const auto tags = session.find("tags");
  return tags != session.end() && std::find(tags->begin(), tags->end(), tag) != tags->end();
}

bool matches(const Json& session, const SessionQuery& query) {
  if (!query.org.empty() && session.value("org", std::string()) != query.org) return false;
  return query.tag.empty() || has_tag(session, query.tag);
}

}  // namespace

KeyResult<StoredSession> Keys::load(const std::string& id) {
  if (id.empty() || id.size() > kMaxSessionText) return no_such(id.substr(0, kMaxSessionText));
  auto record = store_.read(Space::sessions, id);
  if (!record) return fail(fault(Kind::unavailable, "", record.error().message));
  if (!*record) return no_such(id);
  auto stored = decode_stored_session((*record)->value);
  if (!stored) return fail(fault(Kind::unavailable, "", "the stored session '" + id + "' is malformed"));
  return *std::move(stored);
}

KeyResult<store::Applied> Keys::apply(std::vector<Change> changes) {
  auto applied = store_.apply_and_wait(std::move(changes));
  if (!applied) return fail(fault(Kind::unavailable, "", applied.error().message));
  return *applied;
}

KeyResult<MadeKey> Keys::create(Json fields) {
  if (!fields.is_object()) return fail(fault(Kind::invalid, "", "a session is an object"));
  auto key = KeyResult<std::string>();
  if (const auto given = fields.find("key"); given != fields.end()) {
    if (!given->is_string()) return fail(fault(Kind::invalid, "key", "a text is needed"));
    key = given->get<std::string>();
    fields.erase("key");
    if (auto checked = keys::check_key(*key); !checked) return fail(std::move(checked.error()));
  } else {
    key = keys::make_key();
  }
  auto id = fields.contains("id") ? KeyResult<std::string>() : keys::make_id();
  if (!key || !id) return fail(std::move(!key ? key : id).error());
  if (!id->empty()) fields["id"] = *id;
  auto wire = encode_session(fields);
  if (!wire) return fail(std::move(wire.error()));
  if (const auto expires = expires_of(*wire))
    if (auto checked = keys::check_time("expires", *expires); !checked) return fail(std::move(checked.error()));
  const std::string name = fields["id"].get<std::string>();
  const std::string hash = hash_of_key(*key);
  const double now = keys::now();
  const StoredSession stored{*std::move(wire), {hash}, now, now};
  const Record record = record_of(stored);
  const auto applied = apply({{Space::sessions, name,
                               [record](std::optional<Record>& there) {
                                 if (there) return false;
                                 there = record;
                                 return true;
                               }},
                              put_key(hash, {.value = name, .expires = record.expires})});
  if (!applied) return fail(applied.error());
  if (*applied == store::Applied::refused)
    return load(name) ? fail(fault(Kind::conflict, "id", "there is a session '" + name + "' already"))
                      : fail(fault(Kind::conflict, "key", "the key is in use already"));
  return view_of(stored).map([&](SessionView view) { return MadeKey{*std::move(key), std::move(view)}; });
}

KeyResult<SessionView> Keys::show(const std::string& id) {
  const auto stored = load(id);
  if (!stored) return fail(stored.error());
  return view_of(*stored);
}

KeyResult<SessionPage> Keys::list(const SessionQuery& query) {
  SessionPage page;
  std::string after = query.after;
  std::size_t bytes = 0;
  for (std::size_t looked = 0; looked < kMostLooked; looked += kChunk) {
    const auto entries = store_.scan(Space::sessions, "", after, kChunk);
    if (!entries) return fail(fault(Kind::unavailable, "", entries.error().message));
    for (const store::Entry& entry : *entries) {
      if (page.sessions.size() >= std::min(query.limit, kMostListed) || bytes >= kMostPage)
        return page.next = std::move(after), page;
      after = entry.key;
      const auto stored = decode_stored_session(entry.record.value);
      auto view = stored ? view_of(*stored) : no_such(entry.key);
      if (!view || !matches(view->session, query)) continue;
      bytes += entry.record.value.size();
      page.sessions.push_back(*std::move(view));
    }
    if (entries->size() < kChunk) return page;
  }
  page.next = std::move(after);
  return page;
}

KeyResult<SessionView> Keys::update(const std::string& id, const Json& patch) {
  if (!patch.is_object()) return fail(fault(Kind::invalid, "", "an object with the fields to change is needed"));
  if (patch.contains("id") && patch["id"] != id) return fail(fault(Kind::invalid, "id", "an id cannot change"));
  const bool moves_end = patch.contains("expires");
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto before = load(id);
    if (!before) return fail(before.error());
    // Worked out anew on what stands there when the batch runs; the last run is the one that counts.
    KeyResult<StoredSession> made = *before;
    const auto edit = [&made, &patch](StoredSession& stored, std::optional<Record>& there) {
      Json session = session_to_json(stored.session).value_or(Json::object());
      session.merge_patch(patch);
      auto wire = encode_session(session);
      if (!wire) return made = fail(std::move(wire.error())), false;
      stored.session = *std::move(wire);
      stored.updated = keys::now();
      there = record_of(stored);
      made = stored;
      return true;
    };
    std::vector<Change> changes{edit_session(id, before->keys, edit)};
    if (moves_end) {
      const Json& expires = patch["expires"];
      std::optional<store::Time> end;
      if (expires.is_number()) {
        if (auto checked = keys::check_time("expires", expires.get<double>()); !checked)
          return fail(std::move(checked.error()));
        end = keys::time_of(expires.get<double>());
      }
      for (const std::string& hash : before->keys)
        changes.push_back(hash == before->keys.back() ? follow(hash, end) : shorten(hash, end));
    }
    const auto applied = apply(std::move(changes));
    if (!applied) return fail(applied.error());
    if (!made) return fail(std::move(made.error()));
    if (*applied == store::Applied::done) return view_of(*made);
  }
  return outrun();
}

KeyResult<void> Keys::revoke(const std::string& id) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto stored = load(id);
    if (!stored) return fail(stored.error());
    std::vector<Change> changes{edit_session(id, stored->keys, [](StoredSession&, std::optional<Record>& there) {
      there.reset();
      return true;
    })};
    for (const std::string& hash : stored->keys)
      changes.push_back(store::remove(Space::keys, hash));
    const auto applied = apply(std::move(changes));
    if (!applied) return fail(applied.error());
    if (*applied == store::Applied::done) return {};
  }
  return outrun();
}

// Of a session's keys those that still lead to it: one that was replaced ends by itself.
std::vector<std::string> Keys::living(const std::vector<std::string>& hashes) {
  std::vector<std::string> found;
  for (const std::string& hash : hashes)
    if (const auto record = store_.read(Space::keys, hash); record && *record) found.push_back(hash);
  return found;
}

KeyResult<MadeKey> Keys::rotate(const std::string& id, const Rotation& rotation) {
  if (!rotation.key.empty())
    if (auto checked = keys::check_key(rotation.key); !checked) return fail(std::move(checked.error()));
  if (rotation.keep_until)
    if (auto checked = keys::check_time("keep_until", *rotation.keep_until); !checked)
      return fail(std::move(checked.error()));
  auto key = rotation.key.empty() ? keys::make_key() : KeyResult<std::string>(rotation.key);
  if (!key) return fail(std::move(key.error()));
  const std::string hash = hash_of_key(*key);
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto before = load(id);
    if (!before) return fail(before.error());
    if (auto taken = store_.read(Space::keys, hash); taken && *taken)
      return fail(fault(Kind::conflict, "key", "the key is in use already"));
    std::vector<std::string> kept = rotation.keep_until ? living(before->keys) : std::vector<std::string>();
    if (kept.size() >= kMostKeys) kept.erase(kept.begin(), kept.end() - (kMostKeys - 1));
    StoredSession made = *before;
    std::vector<std::string> all = kept;
    all.push_back(hash);
    const auto end = expires_of(before->session);
    const auto edit = [&made, &all, end](StoredSession& stored, std::optional<Record>& there) {
      if (expires_of(stored.session) != end) return false;  // the new key was made for another end
      stored.keys = all;
      stored.updated = keys::now();
      there = record_of(stored);
      made = stored;
      return true;
    };
    std::vector<Change> changes{edit_session(id, before->keys, edit)};
    changes.push_back(put_key(hash, {.value = id, .expires = end ? std::optional(keys::time_of(*end)) : std::nullopt}));
    for (const std::string& old : before->keys)
      changes.push_back(std::find(kept.begin(), kept.end(), old) == kept.end()
                            ? store::remove(Space::keys, old)
                            : shorten(old, keys::time_of(*rotation.keep_until)));
    const auto applied = apply(std::move(changes));
    if (!applied) return fail(applied.error());
    if (*applied == store::Applied::done)
      return view_of(made).map([&](SessionView view) { return MadeKey{*std::move(key), std::move(view)}; });
  }
  return outrun();
}

}  // namespace lingate::middleware
