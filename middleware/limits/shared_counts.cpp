#include "middleware/limits/shared_counts.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace lingate::middleware::limits {
namespace {

constexpr int kOfBudget = 9, kTenths = 10;  // the rest is for the way to the caller

}  // namespace

// Owned by its line until the store has answered; from then on it frees itself on its loop, asked for or forgotten.
class SharedCounts::Request final : public Task {
 public:
  Request(Loop& loop, Asker& asker) : loop_(loop), asker_(&asker) {}

  std::chrono::steady_clock::time_point came() const noexcept { return came_; }
  void go_home(const std::optional<Decision>& decision) noexcept {
    decision_ = decision;
    loop_.post(*this);
  }
  void forget() noexcept { asker_ = nullptr; }

  void run() noexcept override {
    const std::unique_ptr<Request> self(this);
    if (asker_) asker_->counted(decision_);
  }

 private:
  Loop& loop_;
  Asker* asker_;  // the loop's thread only
  const std::chrono::steady_clock::time_point came_ = std::chrono::steady_clock::now();
  std::optional<Decision> decision_{};
};

SharedCounts::~SharedCounts() {
  close();
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return questions_ == 0; });
}

SharedCounts::Asked SharedCounts::ask(Loop& loop, Asker& asker, Count count) {
  if (store_.away_since()) return {};
  std::optional<store::CountAsk> question;
  Request* request = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (auto refused = refusal(count.key)) return {.decision = refused};
    const auto [at, fresh] = lines_.try_emplace(count.key);
    Line& line = at->second;
    if (fresh) line.name = std::move(count.name);
    line.terms = count.terms;
    request = std::make_unique<Request>(loop, asker).release();
    line.waiting.push_back(request);
    if (fresh) question = next_question(line);
  }
  if (question) put(count.key, *std::move(question));
  return {.waits = request};
}

void SharedCounts::forget(Request& request) noexcept {
  request.forget();
}

void SharedCounts::close() noexcept {
  const std::lock_guard lock(mutex_);
  for (auto& [key, line] : lines_)
    for (auto* requests : {&line.asked, &line.waiting}) {
      for (Request* request : *requests)
        delete request;
      requests->clear();
    }
}

// ---- with the lock ----

std::optional<SharedCounts::Decision> SharedCounts::refusal(const Key& key) const {
  const Refusal& refusal = refusals_[key.low % kRefusals];
  const auto now = std::chrono::steady_clock::now();
  if (!(refusal.key == key) || refusal.until <= now) return std::nullopt;
  Decision decision = refusal.decision;
  const auto since = static_cast<std::uint64_t>(std::chrono::nanoseconds(now - refusal.said).count());
  for (std::uint64_t* time : {&decision.reset, &decision.wait})
    if (*time != store::Counted::kNever) *time -= std::min(*time, since);
  return decision;
}

// For all that wait; none of them longer than the budget.
store::CountAsk SharedCounts::next_question(Line& line) {
  line.asked.swap(line.waiting);
  ++questions_;
  return {.name = line.name,
          .units = line.asked.size(),
          .terms = line.terms,
          .deadline = line.asked.front()->came() + budget_ * kOfBudget / kTenths};
}

// The first of them are let through.
void SharedCounts::settle(const Key& key, Line& line, const Result<store::Counted>& counted) {
  std::uint64_t granted = counted ? counted->granted : 0;
  if (counted && granted < line.asked.size() && counted->wait != 0) {
    const auto now = std::chrono::steady_clock::now();
    const auto wait = std::min<std::uint64_t>(
        counted->wait, static_cast<std::uint64_t>(std::chrono::nanoseconds(kLongestRefusal).count()));
    refusals_[key.low % kRefusals] = {.key = key,
                                      .said = now,
                                      .until = now + std::chrono::nanoseconds(wait),
                                      .decision = {false, 0, counted->reset, counted->wait}};
  }
  for (Request* request : line.asked) {
    if (!counted) {
      request->go_home(std::nullopt);
      continue;
    }
    const bool allowed = granted != 0;
    if (allowed) --granted;
    request->go_home(Decision{.allowed = allowed,
                              .remaining = allowed ? counted->remaining + granted : 0,
                              .reset = counted->reset,
                              .wait = counted->wait});
  }
  line.asked.clear();
}

// ---- without ----

void SharedCounts::put(const Key& key, store::CountAsk ask) {
  counts_.count(std::move(ask), [this, key](const Result<store::Counted>& counted) { answered(key, counted); });
}

void SharedCounts::answered(const Key& key, const Result<store::Counted>& counted) {
  std::optional<store::CountAsk> question;
  {
    const std::lock_guard lock(mutex_);
    const auto at = lines_.find(key);
    Line& line = at->second;
    settle(key, line, counted);
    if (!counted) {  // who waited for that would wait twice
      line.asked.swap(line.waiting);
      settle(key, line, counted);
    }
    if (line.waiting.empty())
      lines_.erase(at);
    else
      question = next_question(line);
  }
  if (question) put(key, *std::move(question));
  const std::lock_guard lock(mutex_);
  if (--questions_ == 0) idle_.notify_all();
}

}  // namespace lingate::middleware::limits
