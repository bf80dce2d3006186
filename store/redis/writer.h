// Writer: changes of a store over Redis. A batch reads its records, runs its edits, and writes all of them in one
// script if each still is what was read; else it begins anew, and who loses for the third time gets a turn in which
// nobody else writes these records: gateways that are quicker or nearer do not starve it. Batches of this process that
// touch the same record go one after the other, in the order in which they came; others do not wait for each other.
//
// Thread: apply() any. Lifetime: the client outlives it and goes on until it is gone; the destructor waits for what is
// under way.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "store/redis/client.h"
#include "store/redis/layout.h"
#include "store/store.h"

namespace lingate::store::redis {

class Writer {
 public:
  // `name`: who writes, for those who hear of it.
  Writer(Client& client, const Layout& layout, std::function<std::string()> name);
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void apply(std::vector<Change> changes, Store::Done done);
  void on_change(Store::Changed changed) { changed_ = std::move(changed); }

 private:
  struct Batch;
  using Read = std::vector<std::optional<Record>>;

  void drive();
  void start(Batch& batch);
  void edit(Batch& batch, const Value& fetched);
  void write(Batch& batch, const Read& read, const Read& edited);
  void written(Batch& batch, const Result<Value>& outcome);
  void yield(const Batch& batch);
  void finish(Batch& batch, Result<Applied> outcome);
  void tell(const Batch& batch) const;

  Client& client_;
  const Layout& layout_;
  const std::function<std::string()> name_;
  Store::Changed changed_;

  std::mutex mutex_;
  std::condition_variable idle_;
  std::unordered_map<Batch*, std::unique_ptr<Batch>> batches_;
  std::unordered_map<std::string, std::deque<Batch*>> lines_;  // of batches that want a record
  std::deque<Batch*> ready_;                                   // at the head of each of their lines
  bool driven_ = false;
  std::size_t finishing_ = 0;  // threads that still have to look at what is ready
};

}  // namespace lingate::store::redis
