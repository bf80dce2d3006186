// SharedCounts: limits that several gateways count together in one store, without a question for every request. While
// one question about a caller is on its way, requests of that caller wait, and the next question asks for all of them;
// those that came first are let through first. Where the store said that nothing is left, nobody asks until something
// can be (a second at most). So the count is exact, a caller costs one question at a time whatever they send, and one
// who is over their limit costs none.
//
// Where the store is away, or does not say in time, the answer is nothing: whoever asked counts by themselves.
//
// Thread: ask() and forget() on the loop's own; close() where no loop runs any more. Lifetime: one for the process; it
// is closed when all that waited was forgotten and before the loops go; the store outlives it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/loop.h"
#include "middleware/limits/keyed_hash.h"
#include "store/counts.h"

namespace lingate::middleware::limits {

class SharedCounts {
 public:
  struct Decision {
    bool allowed = false;
    std::uint64_t remaining = 0;
    std::uint64_t reset = 0;  // nanoseconds, as store::Counted has them
    std::uint64_t wait = 0;
  };

  // Who asked.
  class Asker {
   public:
    virtual void counted(const std::optional<Decision>& decision) noexcept = 0;  // on the loop's thread

   protected:
    ~Asker() = default;
  };
  class Request;  // one on its way

  // What became of asking: a request that waits, or a decision; neither: the store is away.
  struct Asked {
    Request* waits = nullptr;
    std::optional<Decision> decision{};
  };

  // One caller's count. `terms` are those of the request; `name` tells the store which it is, on whatever gateway.
  struct Count {
    Key key;
    std::string name;
    std::variant<store::SharedRate, store::SharedPeriod> terms;
  };

  SharedCounts(store::Store& store, store::Counts& counts, std::chrono::milliseconds budget)
      : store_(store), counts_(counts), budget_(budget) {}
  ~SharedCounts();  // waits for the store's answers, which come within the budget
  SharedCounts(const SharedCounts&) = delete;
  SharedCounts& operator=(const SharedCounts&) = delete;

  // The answer follows, later than this call, unless forget() comes first: the unit may have been counted all the same.
  Asked ask(Loop& loop, Asker& asker, Count count);
  static void forget(Request& request) noexcept;
  void close() noexcept;

 private:
  struct KeyHash {
    std::size_t operator()(const Key& key) const noexcept { return key.low; }
  };
  // What is asked of the store about one caller.
  struct Line {
    std::string name;
    std::variant<store::SharedRate, store::SharedPeriod> terms;
    std::vector<Request*> asked{};    // in the question on its way, in the order in which they came
    std::vector<Request*> waiting{};  // for the next one
  };
  // A caller who has nothing left, as the store said.
  struct Refusal {
    Key key{};
    std::chrono::steady_clock::time_point said{};
    std::chrono::steady_clock::time_point until{};
    Decision decision{};
  };
  static constexpr std::size_t kRefusals = 4096;
  static constexpr std::chrono::seconds kLongestRefusal{1};

  std::optional<Decision> refusal(const Key& key) const;
  store::CountAsk next_question(Line& line);
  void put(const Key& key, store::CountAsk ask);
  void answered(const Key& key, const Result<store::Counted>& counted);
  void settle(const Key& key, Line& line, const Result<store::Counted>& counted);

  store::Store& store_;
  store::Counts& counts_;
  const std::chrono::milliseconds budget_;
  mutable std::mutex mutex_;
  std::condition_variable idle_;
  std::size_t questions_ = 0;  // on their way
  std::unordered_map<Key, Line, KeyHash> lines_;
  std::vector<Refusal> refusals_ = std::vector<Refusal>(kRefusals);
};

}  // namespace lingate::middleware::limits
