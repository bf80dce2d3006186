#include "store/lmdb_environment.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "base/codes.h"
#include "store/check.h"

namespace lingate::store {
namespace {

using std::chrono::milliseconds;

constexpr std::array<const char*, kSpaces> kNames{"sessions", "keys", "quotas", "kv"};
constexpr unsigned kMostReaders = 2048;
constexpr std::size_t kStamp = sizeof(std::uint64_t);

tl::unexpected<Error> fault(std::string_view doing, int error) {
  return fail(code::kStoreUnavailable, "the embedded store cannot " + std::string(doing) + ": " + mdb_strerror(error));
}

MDB_val value_of(std::string_view text) noexcept {
  return {text.size(), const_cast<char*>(text.data())};
}

std::string_view view_of(const MDB_val& value) noexcept {
  return {static_cast<const char*>(value.mv_data), value.mv_size};
}

std::uint64_t stamp_of(const Record& record) noexcept {
  if (!record.expires) return 0;
  const auto since = std::chrono::duration_cast<milliseconds>(record.expires->time_since_epoch()).count();
  return since > 0 ? static_cast<std::uint64_t>(since) : 1;
}

std::uint64_t stamp_of(std::string_view stored) noexcept {
  std::uint64_t stamp = 0;
  if (stored.size() >= kStamp) std::memcpy(&stamp, stored.data(), kStamp);
  return stamp;
}

std::optional<Record> record_of(std::string_view stored) {
  static_assert(std::endian::native == std::endian::little);
  if (stored.size() < kStamp) return std::nullopt;
  Record record{.value = std::string(stored.substr(kStamp))};
  if (const std::uint64_t stamp = stamp_of(stored)) record.expires = Time(milliseconds(stamp));
  return record;
}

std::string expiry_key(std::uint64_t stamp, Space space, std::string_view key) {
  std::string made;
  for (int shift = 56; shift >= 0; shift -= 8)
    made.push_back(static_cast<char>(stamp >> static_cast<unsigned>(shift)));
  made.push_back(static_cast<char>(space));
  made.append(key);
  return made;
}

}  // namespace

// A read transaction for one scope, of those that were made before if there is one.
class LmdbEnvironment::Reading {
 public:
  explicit Reading(LmdbEnvironment& environment) : environment_(environment) {
    {
      const std::lock_guard lock(environment_.mutex_);
      if (!environment_.idle_.empty()) {
        txn_ = environment_.idle_.back();
        environment_.idle_.pop_back();
      }
    }
    error_ = txn_ ? mdb_txn_renew(txn_) : mdb_txn_begin(environment_.environment_, nullptr, MDB_RDONLY, &txn_);
  }
  ~Reading() {
    if (!txn_) return;
    if (error_) {
      mdb_txn_abort(txn_);
      return;
    }
    mdb_txn_reset(txn_);
    const std::lock_guard lock(environment_.mutex_);
    environment_.idle_.push_back(txn_);
  }
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;

  int error() const noexcept { return error_; }
  MDB_txn* get() const noexcept { return txn_; }

 private:
  LmdbEnvironment& environment_;
  MDB_txn* txn_ = nullptr;
  int error_ = 0;
};

Result<std::unique_ptr<LmdbEnvironment>> LmdbEnvironment::open(const EmbeddedOptions& options) {
  MDB_env* raw = nullptr;
  if (const int error = mdb_env_create(&raw)) return fault("be made", error);
  std::unique_ptr<LmdbEnvironment> made(new LmdbEnvironment(raw));
  int error = mdb_env_set_mapsize(raw, options.most_bytes);
  if (!error) error = mdb_env_set_maxdbs(raw, kSpaces + 2);
  if (!error) error = mdb_env_set_maxreaders(raw, kMostReaders);
  if (!error) error = mdb_env_open(raw, options.folder.c_str(), MDB_NOTLS, 0600);
  if (!error) error = made->open_tables();
  if (error) return fault("open the folder " + options.folder, error);
  return made;
}

int LmdbEnvironment::open_tables() noexcept {
  MDB_txn* txn = nullptr;
  int error = mdb_txn_begin(environment_, nullptr, 0, &txn);
  if (error) return error;
  for (std::size_t space = 0; space < kSpaces && !error; ++space)
    error = mdb_dbi_open(txn, kNames[space], MDB_CREATE, &tables_[space]);
  if (!error) error = mdb_dbi_open(txn, "expiries", MDB_CREATE, &expiries_);
  if (!error) error = mdb_dbi_open(txn, "touched", MDB_CREATE, &touched_);
  if (!error) return mdb_txn_commit(txn);
  mdb_txn_abort(txn);
  return error;
}

LmdbEnvironment::~LmdbEnvironment() {
  for (MDB_txn* txn : idle_)
    mdb_txn_abort(txn);
  mdb_env_close(environment_);
}

Result<std::optional<Record>> LmdbEnvironment::read(Space space, std::string_view key) {
  const Reading reading(*this);
  if (reading.error()) return fault("read", reading.error());
  MDB_val name = value_of(key);
  MDB_val found;
  const int error = mdb_get(reading.get(), tables_[static_cast<std::size_t>(space)], &name, &found);
  if (error == MDB_NOTFOUND) return std::nullopt;
  if (error) return fault("read", error);
  return record_of(view_of(found));
}

Result<std::vector<Entry>> LmdbEnvironment::scan(Space space, std::string_view prefix, std::string_view after,
                                                 std::size_t most) {
  const Reading reading(*this);
  MDB_cursor* cursor = nullptr;
  int error = reading.error();
  if (!error) error = mdb_cursor_open(reading.get(), tables_[static_cast<std::size_t>(space)], &cursor);
  if (error) return fault("read", error);
  const Time now = std::chrono::system_clock::now();
  const std::string_view from = std::max(prefix, after);
  MDB_val key = value_of(from);
  MDB_val value;
  std::vector<Entry> found;
  error = mdb_cursor_get(cursor, &key, &value, from.empty() ? MDB_FIRST : MDB_SET_RANGE);
  for (; !error && found.size() < most; error = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
    const std::string_view name = view_of(key);
    if (!name.starts_with(prefix)) break;
    if (name == after) continue;
    if (auto record = record_of(view_of(value)); record && !is_over(*record, now))
      found.push_back({std::string(name), std::move(*record)});
  }
  mdb_cursor_close(cursor);
  if (error && error != MDB_NOTFOUND) return fault("read", error);
  return found;
}

std::size_t LmdbEnvironment::last_transaction() const noexcept {
  MDB_envinfo info{};
  mdb_env_info(environment_, &info);
  return info.me_last_txnid;
}

void LmdbEnvironment::forget_dead_readers() noexcept {
  int dead = 0;
  mdb_reader_check(environment_, &dead);
}

// ---- writing ----

Result<LmdbEnvironment::Writing> LmdbEnvironment::Writing::begin(LmdbEnvironment& environment) {
  MDB_txn* txn = nullptr;
  if (const int error = mdb_txn_begin(environment.environment_, nullptr, 0, &txn)) return fault("write", error);
  return Writing(environment, txn);
}

LmdbEnvironment::Writing::~Writing() {
  if (txn_) mdb_txn_abort(txn_);
}

Result<std::optional<Record>> LmdbEnvironment::Writing::read(Space space, std::string_view key) const {
  MDB_val name = value_of(key);
  MDB_val found;
  const int error = mdb_get(txn_, environment_->tables_[static_cast<std::size_t>(space)], &name, &found);
  if (error == MDB_NOTFOUND) return std::nullopt;
  if (error) return fault("read", error);
  return record_of(view_of(found));
}

Result<void> LmdbEnvironment::Writing::write(Space space, std::string_view key, const std::optional<Record>& record) {
  const MDB_dbi table = environment_->tables_[static_cast<std::size_t>(space)];
  MDB_val name = value_of(key);
  MDB_val there;
  int error = mdb_get(txn_, table, &name, &there);
  if (!error) {
    if (const std::uint64_t stamp = stamp_of(view_of(there))) {
      const std::string index = expiry_key(stamp, space, key);
      MDB_val old = value_of(index);
      error = mdb_del(txn_, environment_->expiries_, &old, nullptr);
      if (error == MDB_NOTFOUND) error = 0;
    }
    if (!error && !record) error = mdb_del(txn_, table, &name, nullptr);
  } else if (error == MDB_NOTFOUND) {
    error = 0;
  }
  if (error) return fault("write", error);
  if (!record) return {};

  const std::uint64_t stamp = stamp_of(*record);
  MDB_val room{kStamp + record->value.size(), nullptr};
  error = mdb_put(txn_, table, &name, &room, MDB_RESERVE);
  if (error) return fault("write", error);
  std::memcpy(room.mv_data, &stamp, kStamp);
  std::memcpy(static_cast<char*>(room.mv_data) + kStamp, record->value.data(), record->value.size());
  if (stamp == 0) return {};
  const std::string index = expiry_key(stamp, space, key);
  MDB_val index_name = value_of(index);
  MDB_val nothing = value_of({});
  error = mdb_put(txn_, environment_->expiries_, &index_name, &nothing, 0);
  if (error) return fault("write", error);
  return {};
}

Result<std::size_t> LmdbEnvironment::Writing::remove_expired(Time now, std::size_t most) {
  MDB_cursor* cursor = nullptr;
  int error = mdb_cursor_open(txn_, environment_->expiries_, &cursor);
  if (error) return fault("write", error);
  const std::string until = expiry_key(stamp_of(Record{.value = {}, .expires = now}) + 1, Space{}, {});
  std::size_t removed = 0;
  MDB_val key;
  MDB_val nothing;
  while (removed < most && !(error = mdb_cursor_get(cursor, &key, &nothing, MDB_FIRST))) {
    const std::string_view name = view_of(key);
    if (name.size() <= kStamp || name >= std::string_view(until).substr(0, kStamp)) break;
    const auto space = static_cast<std::size_t>(static_cast<unsigned char>(name[kStamp])) % kSpaces;
    const std::string record_key(name.substr(kStamp + 1));
    MDB_val record_name = value_of(record_key);
    error = mdb_cursor_del(cursor, 0);
    if (!error) error = mdb_del(txn_, environment_->tables_[space], &record_name, nullptr);
    if (error && error != MDB_NOTFOUND) break;
    ++removed;
  }
  mdb_cursor_close(cursor);
  if (error && error != MDB_NOTFOUND) return fault("write", error);
  return removed;
}

Result<void> LmdbEnvironment::Writing::touch() {
  MDB_val name = value_of("touched");
  MDB_val nothing = value_of({});
  if (const int error = mdb_put(txn_, environment_->touched_, &name, &nothing, 0)) return fault("write", error);
  return {};
}

Result<void> LmdbEnvironment::Writing::commit() {
  if (const int error = mdb_txn_commit(std::exchange(txn_, nullptr))) return fault("write", error);
  return {};
}

}  // namespace lingate::store
