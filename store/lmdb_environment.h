// LmdbEnvironment: one folder of LMDB, opened: a table for each space, one that orders records by when they expire, and
// the read transactions that are kept for reuse. It knows records, not changes; embedded_store.cpp is who uses it.
//
// A record is 8 bytes, little-endian, of the Unix time in milliseconds at which it expires (0: never), and the value.
//
// Thread: reads from any, writes from one. Lifetime: the folder's files belong to it until it is destroyed; no
// transaction outlives it.
#pragma once

#include <lmdb.h>

#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/store.h"

namespace lingate::store {

class LmdbEnvironment {
 public:
  static Result<std::unique_ptr<LmdbEnvironment>> open(const EmbeddedOptions& options);
  ~LmdbEnvironment();
  LmdbEnvironment(const LmdbEnvironment&) = delete;
  LmdbEnvironment& operator=(const LmdbEnvironment&) = delete;

  Result<std::optional<Record>> read(Space space, std::string_view key);
  Result<std::vector<Entry>> scan(Space space, std::string_view prefix, std::string_view after, std::size_t most);

  std::size_t last_transaction() const noexcept;  // the number of the last one that was committed, by any process
  void forget_dead_readers() noexcept;            // of processes that were killed: what they read could not be freed

  // One transaction that writes; aborted unless commit() was called.
  class Writing {
   public:
    static Result<Writing> begin(LmdbEnvironment& environment);
    Writing(Writing&& other) noexcept : environment_(other.environment_), txn_(std::exchange(other.txn_, nullptr)) {}
    Writing& operator=(Writing&&) = delete;
    ~Writing();

    Result<std::optional<Record>> read(Space space, std::string_view key) const;
    Result<void> write(Space space, std::string_view key, const std::optional<Record>& record);
    Result<std::size_t> remove_expired(Time now, std::size_t most);
    Result<void> touch();  // the smallest change there is
    std::size_t number() const noexcept { return mdb_txn_id(txn_); }
    Result<void> commit();  // durable when it returns

   private:
    Writing(LmdbEnvironment& environment, MDB_txn* txn) : environment_(&environment), txn_(txn) {}
    LmdbEnvironment* environment_;
    MDB_txn* txn_;
  };

 private:
  class Reading;
  explicit LmdbEnvironment(MDB_env* environment) : environment_(environment) {}
  int open_tables() noexcept;

  MDB_env* environment_;
  std::array<MDB_dbi, kSpaces> tables_{};
  MDB_dbi expiries_{};  // big-endian time, space, key: in the order in which they expire
  MDB_dbi touched_{};   // one record
  std::mutex mutex_;
  std::vector<MDB_txn*> idle_;  // reset read transactions
};

}  // namespace lingate::store
