// A session directory over a remote store: what is known here, what has to be asked, and what counts while the store is
// away.
#include "middleware/sessions/lookups.h"

#include <utility>

#include "base/codes.h"
#include "middleware/sessions/stored_session.h"

namespace lingate::middleware {

using store::Space;
using store::Time;
using Found = Result<const Session*>;

namespace {

Found living(const CachedSession& entry, Time now) {
  if (entry.expires && *entry.expires <= now) return nullptr;
  return &*entry.session;
}

}  // namespace

std::optional<Found> SessionDirectory::recall(std::uint32_t worker, std::string_view key, Time now) {
  if (key.empty() || key.size() > kMaxKey) return Found(nullptr);
  const auto away = store_.away_since();
  if (const CachedSession* entry = caches_[worker]->find(key); entry && entry->is_fresh())
    if (away ? is_trusted(*entry, away) : entry->epoch == epoch_.load(std::memory_order_acquire))
      return living(*entry, now);
  if (away) return Found(fail(code::kStoreUnavailable, "the store is away, and whose key this is is not known here"));
  const std::string hash = hash_of_key(key);
  if (unknown_[worker].has(hash, state_of(hash), Clock::now())) return Found(nullptr);
  return std::nullopt;
}

// The last moment at which the entry was known to be what the store has, and `stale_` more.
bool SessionDirectory::is_trusted(const CachedSession& entry,
                                  const std::optional<Clock::time_point>& away) const noexcept {
  const std::uint32_t epoch = epoch_.load(std::memory_order_acquire);
  const auto now = Clock::now();
  Clock::time_point sure = entry.loaded;
  if (entry.epoch == epoch) sure = away.value_or(now);
  if (entry.epoch + 1 == epoch) sure = std::max(sure, Clock::time_point(Clock::duration(gap_began_.load())));
  return now < sure + stale_;
}

UnknownKeys::State SessionDirectory::state_of(std::string_view hash) noexcept {
  return {.changes = stripe(Space::keys, hash).load(std::memory_order_acquire),
          .epoch = epoch_.load(std::memory_order_acquire)};
}

// Changes may have been missed: what was read before has to be read again, and is good for as long as it takes.
void SessionDirectory::begin_epoch() noexcept {
  if (const auto away = store_.away_since()) gap_began_ = away->time_since_epoch().count();
  epoch_.fetch_add(1, std::memory_order_acq_rel);
}

SessionDirectory::Lookup& SessionDirectory::ask(Loop& loop, Asker& asker, std::string_view key) {
  auto made = std::make_unique<Lookup>(*this, loop, asker, key);
  Lookup* const lookup = made.release();
  {
    const std::lock_guard lock(asking_);
    asked_.insert(lookup);
  }
  const std::string hash = hash_of_key(key);
  store_.follow(Space::keys, hash, Space::sessions,
                [this, lookup, hash](Result<store::Linked> linked) { answered(lookup, hash, std::move(linked)); });
  return *lookup;
}

// On the thread that also hears of changes: what is counted here is older than any change that is heard after it.
void SessionDirectory::answered(Lookup* lookup, std::string_view hash, Result<store::Linked> linked) {
  const std::lock_guard lock(asking_);
  if (asked_.erase(lookup) == 0) return;  // it was closed
  CachedSession& entry = lookup->entry_;
  entry.key_stripe = &stripe(Space::keys, hash);
  entry.key_changes = entry.key_stripe->load(std::memory_order_acquire);
  entry.epoch = epoch_.load(std::memory_order_acquire);
  entry.loaded = Clock::now();
  if (linked && linked->first) {
    entry.session_stripe = &stripe(Space::sessions, linked->first->value);
    entry.session_changes = entry.session_stripe->load(std::memory_order_acquire);
  }
  lookup->found_ = std::move(linked);
  lookup->loop_.post(*lookup);
}

void SessionDirectory::Lookup::run() noexcept {
  const std::unique_ptr<Lookup> self(this);
  if (asker_) asker_->found(directory_.settle(*this));
}

Found SessionDirectory::settle(Lookup& lookup) {
  SessionCache& cache = *caches_[lookup.loop_.index()];
  if (!lookup.found_) {
    const CachedSession* known = cache.find(lookup.key_);
    if (known && known->is_fresh() && is_trusted(*known, store_.away_since()))
      return living(*known, lookup.loop_.wall());
    return fail(std::move(lookup.found_.error()));
  }
  if (!lookup.found_->second) {
    cache.erase(lookup.key_);
    const UnknownKeys::State state{.changes = lookup.entry_.key_changes, .epoch = lookup.entry_.epoch};
    unknown_[lookup.loop_.index()].put(hash_of_key(lookup.key_), state, Clock::now());
    return nullptr;
  }
  const store::Record& record = *lookup.found_->second;
  auto session = Session::from_wire(std::string(session_of(record.value)));
  if (!session)
    return fail(code::kStoreUnavailable,
                "the record of session '" + lookup.found_->first->value + "': " + session.error().message);
  lookup.entry_.session = std::move(*session);
  lookup.entry_.expires = record.expires;
  return living(cache.put(lookup.key_, std::move(lookup.entry_)), lookup.loop_.wall());
}

void SessionDirectory::forget(Lookup& lookup) noexcept {
  lookup.forget();
}

void SessionDirectory::close() noexcept {
  const std::lock_guard lock(asking_);
  for (Lookup* lookup : asked_)
    delete lookup;
  asked_.clear();
}

}  // namespace lingate::middleware
