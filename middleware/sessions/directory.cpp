#include "middleware/sessions/directory.h"

#include <functional>
#include <optional>
#include <utility>

#include "base/codes.h"
#include "middleware/sessions/lookups.h"
#include "middleware/sessions/session_cache.h"
#include "middleware/sessions/stored_session.h"
#include "runtimes/wire_verdict.h"

namespace lingate::middleware {

using store::Record;
using store::Space;
using store::Time;
using Entry = CachedSession;

SessionDirectory::SessionDirectory(store::Store& store, AppLog& log, Options options)
    : store_(store), log_(log), remote_(store.is_remote()), stale_(options.stale), stripes_(kStripes) {
  for (std::uint32_t k = 0; k < options.workers; ++k)
    caches_.push_back(std::make_unique<SessionCache>(options.most_cached));
  if (remote_) unknown_.resize(options.workers);
  store_.on_change([this](Space space, std::string_view key) { changed(space, key); });
}

SessionDirectory::~SessionDirectory() = default;

void SessionDirectory::changed(Space space, std::string_view key) noexcept {
  if (space != Space::keys && space != Space::sessions) return;
  if (!key.empty()) return void(stripe(space, key).fetch_add(1, std::memory_order_release));
  if (space != Space::sessions) return;
  if (remote_) return begin_epoch();
  for (Stripe& each : stripes_)
    each.fetch_add(1, std::memory_order_release);
}

SessionDirectory::Stripe& SessionDirectory::stripe(Space space, std::string_view key) noexcept {
  return stripes_[(std::hash<std::string_view>()(key) + static_cast<std::size_t>(space)) % kStripes];
}

Result<const Session*> SessionDirectory::find(std::uint32_t worker, std::string_view key, Time now) {
  if (key.empty() || key.size() > kMaxKey) return nullptr;
  SessionCache& cache = *caches_[worker];
  Entry* entry = cache.find(key);
  if (!entry || !entry->is_fresh()) {
    Entry loaded;
    auto there = load(key, loaded);
    if (!there) return fail(std::move(there.error()));
    if (!*there) {
      cache.erase(key);
      return nullptr;
    }
    entry = &cache.put(key, std::move(loaded));
  }
  if (entry->expires && *entry->expires <= now) return nullptr;
  return &*entry->session;
}

// False: there is none. The counts are read first, so that a change meanwhile makes the entry stale, not wrong.
Result<bool> SessionDirectory::load(std::string_view key, Entry& entry) {
  const std::string hash = hash_of_key(key);
  entry.key_stripe = &stripe(Space::keys, hash);
  entry.key_changes = entry.key_stripe->load(std::memory_order_acquire);
  auto name = store_.read(Space::keys, hash);
  if (!name) return fail(std::move(name.error()));
  if (!*name) return false;
  const std::string& id = (*name)->value;
  entry.session_stripe = &stripe(Space::sessions, id);
  entry.session_changes = entry.session_stripe->load(std::memory_order_acquire);
  auto record = store_.read(Space::sessions, id);
  if (!record) return fail(std::move(record.error()));
  if (!*record) return false;
  auto session = Session::from_wire(std::string(session_of((*record)->value)));
  if (!session) return fail(code::kStoreUnavailable, "the record of session '" + id + "': " + session.error().message);
  entry.session = std::move(*session);
  entry.expires = (*record)->expires;
  return true;
}

// ---- saving ----

namespace {

double unix_seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// False: the session is gone, or would be larger than a session may be.
bool edit_stored(std::optional<Record>& record, const std::vector<std::string>& edits) {
  if (!record) return false;
  auto stored = decode_stored_session(record->value);
  if (!stored) return false;
  auto session = Session::from_wire(std::move(stored->session));
  for (const std::string& encoded : edits) {
    runtimes::SessionEdits edit;
    if (!session || !runtimes::read_session_edits(encoded, edit)) return false;
    auto change = apply_session_edits(&*session, edit);
    if (!change || !change->session) return false;
    session = std::move(*change->session);
  }
  if (!session) return false;
  stored->session = session->wire();
  stored->updated = unix_seconds();
  record->value = encode(*stored);
  return true;
}

}  // namespace

void SessionDirectory::save(std::string id, std::vector<std::string> edits) noexcept {
  store::Change change{Space::sessions, id, [edits = std::move(edits)](std::optional<Record>& record) {
                         return edit_stored(record, edits);
                       }};
  std::vector<store::Change> changes;
  changes.push_back(std::move(change));
  store_.apply(std::move(changes), [this, id = std::move(id)](const Result<store::Applied>& applied) {
    if (applied && *applied == store::Applied::done) return;
    const std::string why = applied ? "it is gone, or would be too large" : applied.error().message;
    log_.write({.level = LogLevel::warn,
                .message = "what scripts changed of session '" + id + "' is not saved: " + why,
                .code = code::kStoreUnavailable});
  });
}

}  // namespace lingate::middleware
