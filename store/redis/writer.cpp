#include "store/redis/writer.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/codes.h"
#include "store/check.h"

namespace lingate::store::redis {
namespace {

constexpr std::chrono::seconds kMostPatience{3};  // of a batch that others are faster than
constexpr int kTurnAfter = 2;                     // attempts lost; the next asks for it
constexpr std::chrono::milliseconds kMostTurn{1000};
constexpr std::size_t kMostWaiting = 16'384;  // batches

tl::unexpected<Error> fault(std::string what) {
  return fail(code::kStoreUnavailable, std::move(what));
}

// What the script compares a record with.
std::string mark_of(const std::optional<Record>& record) {
  if (!record) return {};
  return sha1_hex(record->value) + ":" + std::to_string(record->expires ? milliseconds(*record->expires) : -1);
}

}  // namespace

struct Writer::Batch {
  std::vector<Change> changes;
  Store::Done done;
  std::vector<std::pair<Space, std::string>> records{};  // distinct
  std::vector<std::size_t> record_of{};                  // by change
  std::size_t lines_before = 0;                          // in which another batch stands before this one
  int lost = 0;                                          // attempts that others were faster than
  Clock::time_point patience{};

  bool wants_turn() const noexcept { return lost >= kTurnAfter; }

  static std::string line(const std::pair<Space, std::string>& record) {
    return letter_of(record.first) + record.second;
  }
  void find_records() {
    std::map<std::pair<Space, std::string_view>, std::size_t> known;
    for (const Change& change : changes) {
      const auto [at, fresh] = known.try_emplace({change.space, change.key}, records.size());
      if (fresh) records.emplace_back(change.space, change.key);
      record_of.push_back(at->second);
    }
  }
};

Writer::Writer(Client& client, const Layout& layout, std::function<std::string()> name)
    : client_(client), layout_(layout), name_(std::move(name)) {}

Writer::~Writer() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return batches_.empty() && finishing_ == 0 && !driven_; });
}

void Writer::apply(std::vector<Change> changes, Store::Done done) {
  for (const Change& change : changes)
    if (auto good = check_key(change.key); !good) return done(fail(std::move(good.error())));
  if (changes.empty()) return done(Applied::done);
  auto made = std::make_unique<Batch>(Batch{.changes = std::move(changes), .done = std::move(done)});
  made->find_records();
  {
    const std::lock_guard lock(mutex_);
    if (batches_.size() < kMostWaiting) {
      Batch* const batch = made.get();
      batches_.emplace(batch, std::move(made));
      for (const auto& record : batch->records) {
        auto& line = lines_[Batch::line(record)];
        if (!line.empty()) ++batch->lines_before;
        line.push_back(batch);
      }
      if (batch->lines_before == 0) ready_.push_back(batch);
    }
  }
  if (made) return made->done(fault("Redis cannot write as fast as it is asked to"));
  drive();
}

// One thread at a time starts what is ready: a batch that is refused at once makes the next one ready, and so on.
void Writer::drive() {
  std::unique_lock lock(mutex_);
  if (driven_) return;
  driven_ = true;
  while (!ready_.empty()) {
    Batch& batch = *ready_.front();
    ready_.pop_front();
    lock.unlock();
    start(batch);
    lock.lock();
  }
  driven_ = false;
  idle_.notify_all();
}

void Writer::start(Batch& batch) {
  Question question(scripts().fetch, batch.records.size());
  for (const auto& [space, key] : batch.records)
    question << layout_.record(space, key);
  client_.run(std::move(question), [this, &batch](Result<Value> fetched) {
    if (!fetched) return finish(batch, fail(std::move(fetched.error())));
    edit(batch, *fetched);
  });
}

void Writer::edit(Batch& batch, const Value& fetched) {
  if (fetched.items.size() != 2 * batch.records.size()) return finish(batch, fault("Redis gave other records"));
  Read read;
  for (std::size_t k = 0; k < batch.records.size(); ++k)
    read.push_back(record_of(fetched.items[2 * k], fetched.items[2 * k + 1]));
  Read edited = read;
  const Time now = std::chrono::system_clock::now();
  for (std::optional<Record>& record : edited)
    if (record && is_over(*record, now)) record.reset();
  for (std::size_t k = 0; k < batch.changes.size(); ++k) {
    std::optional<Record>& record = edited[batch.record_of[k]];
    if (!batch.changes[k].edit(record)) return finish(batch, Applied::refused);
    if (record)
      if (auto good = check_value(record->value); !good) return finish(batch, fail(std::move(good.error())));
  }
  write(batch, read, edited);
}

void Writer::write(Batch& batch, const Read& read, const Read& edited) {
  Question question(scripts().write, batch.records.size());
  for (const auto& [space, key] : batch.records)
    question << layout_.record(space, key);
  const std::int64_t turn = std::min(2 * client_.budget(), kMostTurn).count();  // a fetch and a write
  question << layout_.prefix() << name_() << (batch.wants_turn() ? turn : 0);
  for (std::size_t k = 0; k < batch.records.size(); ++k) {
    const auto& [space, key] = batch.records[k];
    const char letter = letter_of(space);
    const std::optional<Record>& record = edited[k];
    question << std::string_view(&letter, 1) << key << mark_of(read[k]) << (record ? "1" : "0")
             << (record ? std::string_view(record->value) : std::string_view());
    question << (record && record->expires ? std::to_string(milliseconds(*record->expires)) : std::string());
  }
  client_.run(std::move(question), [this, &batch](const Result<Value>& outcome) { written(batch, outcome); });
}

void Writer::written(Batch& batch, const Result<Value>& outcome) {
  if (!outcome) {
    tell(batch);  // it may have been written all the same
    return finish(batch, fail(outcome.error()));
  }
  if (outcome->integer == 1) {
    tell(batch);
    return finish(batch, Applied::done);
  }
  if (batch.lost++ == 0) batch.patience = Clock::now() + kMostPatience;
  if (Clock::now() < batch.patience) return start(batch);
  finish(batch, fault("the records are being changed by others again and again; try later"));
}

void Writer::tell(const Batch& batch) const {
  if (!changed_) return;
  for (const Change& change : batch.changes)
    changed_(change.space, change.key);
}

// What a batch had a turn for is not to be: others need not wait until the turn lapses.
void Writer::yield(const Batch& batch) {
  Question question(scripts().yield, batch.records.size());
  for (const auto& [space, key] : batch.records)
    question << layout_.turn(space, key);
  question << name_();
  client_.run(std::move(question), [](const Result<Value>&) {});
}

void Writer::finish(Batch& batch, Result<Applied> outcome) {
  if (batch.wants_turn() && outcome != Applied::done) yield(batch);
  const Store::Done done = std::move(batch.done);
  done(std::move(outcome));
  {
    const std::lock_guard lock(mutex_);
    for (const auto& record : batch.records) {
      const auto line = lines_.find(Batch::line(record));
      line->second.pop_front();
      if (line->second.empty())
        lines_.erase(line);
      else if (--line->second.front()->lines_before == 0)
        ready_.push_back(line->second.front());
    }
    batches_.erase(&batch);
    ++finishing_;
  }
  drive();
  const std::lock_guard lock(mutex_);
  --finishing_;
  idle_.notify_all();
}

}  // namespace lingate::store::redis
