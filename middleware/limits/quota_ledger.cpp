#include "middleware/limits/quota_ledger.h"

#include <openssl/sha.h>

#include <array>
#include <utility>

#include "base/codes.h"
#include "proto/wire.h"

namespace lingate::middleware::limits {
namespace {

constexpr std::size_t kBatch = 512;  // changes

// ---- what the store keeps: message Quota { uint64 used = 1; uint64 ends = 2; }, Unix milliseconds; 0: never ----

struct Stored {
  std::uint64_t used = 0;
  std::uint64_t ends = 0;
};

std::string encode(const Stored& stored) {
  std::array<char, 24> bytes;
  char* end = proto::put_varint_field(bytes.data(), 1, stored.used);
  end = proto::put_varint_field(end, 2, stored.ends);
  return {bytes.data(), end};
}

std::optional<Stored> decode(std::string_view bytes) noexcept {
  Stored stored;
  proto::Reader reader(bytes);
  for (proto::Field field; reader.next(field);) {
    if (field.is(1, proto::WireType::varint)) stored.used = field.value;
    if (field.is(2, proto::WireType::varint)) stored.ends = field.value;
  }
  return reader.failed() ? std::nullopt : std::optional(stored);
}

std::uint64_t milliseconds(store::Time time) noexcept {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count());
}

std::uint64_t until(store::Time end, store::Time now) noexcept {
  return static_cast<std::uint64_t>(
      std::max<std::int64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(end - now).count(), 0));
}

}  // namespace

QuotaLedger::QuotaLedger(const QuotaLedgerOptions& options)
    : store_(options.store), log_(options.log), write_every_(options.write_every), counts_(options.most) {
  if (store_) writer_ = std::thread([this] { run(); });
}

QuotaLedger::~QuotaLedger() {
  if (!writer_.joinable()) return;
  {
    const std::lock_guard lock(stop_mutex_);
    stop_ = true;
  }
  stopping_.notify_one();
  writer_.join();
}

std::string QuotaLedger::record_name(std::string_view name, const Caller& caller) {
  std::string key;
  key.reserve(name.size() + caller.text.size() + 3);
  key.append(name).append("/").append(1, caller.kind).append(":").append(caller.text);
  if (key.size() <= store::kMaxKey) return key;
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256(reinterpret_cast<const unsigned char*>(key.data()), key.size(), digest.data());
  return "sha256/" + std::string(reinterpret_cast<const char*>(digest.data()), digest.size());
}

QuotaLedger::Decision QuotaLedger::take(const Key& key, std::string_view name, const Caller& caller,
                                        const QuotaTerms& terms, const QuotaNow& now) {
  Decision decision;
  const bool known = counts_.with_present(key, [&](Count& there) {
    decision = count(there, key, terms, now);
    return true;
  });
  if (known) return decision;
  // Two threads may both come here: the second finds what the first has put there.
  Count found;
  if (store_) {
    found.stored_as = record_name(name, caller);
    if (is_shared()) {
      // Nobody may wait for it here.
    } else if (auto stored = look_up(found.stored_as, now)) {
      found = std::move(*stored);
    }
  }
  return counts_.with(
      key, now.steady,
      [&](Count& there) {
        if (!there.known) there = std::move(found);
        return count(there, key, terms, now);
      },
      [this](const Count& victim) { drop(victim); });
}

void QuotaLedger::drop(const Count& victim) {
  if (store_ && victim.unwritten != 0) store_->apply({change_of(victim)}, [](const Result<store::Applied>&) {});
}

void QuotaLedger::learn(const Key& key, std::string_view name, const Caller& caller, const QuotaTerms& terms,
                        const Decision& counted, const QuotaNow& now) {
  const auto note = [&](Count& there) {
    if (there.stored_as.empty()) there.stored_as = record_name(name, caller);
    const bool lasting = counted.renews_in == kNever;
    there.known = true;
    there.used = terms.most - std::min(counted.remaining, terms.most);
    there.ends = lasting ? kNever : now.steady + counted.renews_in;
    there.ends_wall = lasting ? store::Time() : now.wall + std::chrono::nanoseconds(counted.renews_in);
  };
  counts_.with(key, now.steady, note, [this](const Count& victim) { drop(victim); });
}

QuotaLedger::Decision QuotaLedger::count(Count& count, const Key& key, const QuotaTerms& terms, const QuotaNow& now) {
  if (!count.known || count.ends <= now.steady) begin_period(count, terms, now);
  const std::uint64_t renews_in = count.ends == kNever ? kNever : count.ends - now.steady;
  if (count.used >= terms.most) return {.renews_in = renews_in};
  ++count.used;
  ++count.unwritten;
  if (store_ && !std::exchange(count.dirty, true)) {
    const std::lock_guard lock(dirty_mutex_);
    dirty_.push_back(key);
  }
  return {.allowed = true, .remaining = terms.most - count.used, .renews_in = renews_in};
}

void QuotaLedger::begin_period(Count& count, const QuotaTerms& terms, const QuotaNow& now) const {
  const bool first = !std::exchange(count.known, true);
  count.used = first && terms.remaining && *terms.remaining < terms.most ? terms.most - *terms.remaining : 0;
  count.unwritten = is_shared() ? 0 : count.used;  // a shared store knows by itself what is left at first
  count.fresh = !first && !is_shared();            // and ends its periods itself
  std::uint64_t lasts = static_cast<std::uint64_t>(terms.every.count());
  if (terms.renews && *terms.renews > now.wall) lasts = until(*terms.renews, now.wall);
  count.ends = lasts == 0 ? kNever : now.steady + lasts;
  count.ends_wall = lasts == 0 ? store::Time() : now.wall + std::chrono::nanoseconds(lasts);
}

// A store that cannot be read is as good as one that knows nothing: traffic goes on, and what is counted meanwhile is
// added to what stands there.
std::optional<QuotaLedger::Count> QuotaLedger::look_up(std::string_view stored_as, const QuotaNow& now) {
  auto record = store_->read(store::Space::quotas, stored_as);
  if (!record) {
    note(fail(std::move(record.error())));
    return std::nullopt;
  }
  const auto stored = *record ? decode((*record)->value) : std::nullopt;
  if (!stored) return std::nullopt;
  Count count;
  count.stored_as = stored_as;
  count.used = stored->used;
  count.known = true;
  count.ends_wall = store::Time(std::chrono::milliseconds(stored->ends));
  count.ends = stored->ends == 0 ? kNever : now.steady + until(count.ends_wall, now.wall);
  return count;
}

store::Change QuotaLedger::change_of(const Count& count) const {
  return {store::Space::quotas, count.stored_as,
          [used = count.used, added = count.unwritten, ends = count.ends_wall, fresh = count.fresh,
           shared = is_shared()](std::optional<store::Record>& there) {
            const auto before = there && !fresh ? decode(there->value) : std::nullopt;
            if (before && shared) {  // it ends when it was to end for all
              there->value = encode({before->used + added, before->ends});
              return true;
            }
            const bool lasting = ends == store::Time();
            store::Record record{encode({before ? before->used + added : used, lasting ? 0 : milliseconds(ends)})};
            if (!lasting) record.expires = ends;
            there = std::move(record);
            return true;
          }};
}

void QuotaLedger::write_now() {
  if (!store_) return;
  const std::lock_guard lock(writing_);
  std::vector<Key> keys;
  {
    const std::lock_guard dirty_lock(dirty_mutex_);
    keys.swap(dirty_);
  }
  std::vector<Written> written;
  std::vector<store::Change> changes;
  for (const Key& key : keys) {
    collect(key, written, changes);
    if (changes.size() == kBatch) write(written, changes);
  }
  write(written, changes);
}

void QuotaLedger::collect(const Key& key, std::vector<Written>& written, std::vector<store::Change>& changes) {
  counts_.with_present(key, [&](Count& count) {
    if (count.unwritten != 0) {
      changes.push_back(change_of(count));
      written.push_back({key, count.unwritten, count.fresh});
    }
    count.unwritten = 0;
    count.fresh = count.dirty = false;
    return true;
  });
}

void QuotaLedger::write(std::vector<Written>& written, std::vector<store::Change>& changes) {
  if (changes.empty()) return;
  const auto outcome = store_->apply_and_wait(std::exchange(changes, {}));
  note(outcome);
  if (!outcome)
    for (const Written& each : written)
      put_back(each);
  written.clear();
}

// For the next time. A count that has begun another period since then does not want it any more.
void QuotaLedger::put_back(const Written& written) {
  counts_.with_present(written.key, [&](Count& count) {
    if (count.fresh) return true;
    count.unwritten += written.unwritten;
    count.fresh = written.fresh;
    if (!std::exchange(count.dirty, true)) {
      const std::lock_guard lock(dirty_mutex_);
      dirty_.push_back(written.key);
    }
    return true;
  });
}

// One line when it begins to fail, one when it works again.
void QuotaLedger::note(const Result<store::Applied>& outcome) {
  if (failing_.exchange(!outcome) == !outcome || !log_) return;
  if (outcome)
    log_->write({.level = LogLevel::info, .message = "quotas: the store can be used again"});
  else
    log_->write({.level = LogLevel::error, .message = outcome.error().message, .code = code::kStoreUnavailable});
}

void QuotaLedger::run() {
  for (bool over = false; !over;) {
    {
      std::unique_lock lock(stop_mutex_);
      over = stopping_.wait_for(lock, write_every_, [this] { return stop_; });
    }
    write_now();
  }
}

}  // namespace lingate::middleware::limits
