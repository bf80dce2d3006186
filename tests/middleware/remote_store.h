// A store as if it were elsewhere: it answers when a test says so, can be away, and can count for several gateways.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/codes.h"
#include "store/counts.h"
#include "store/store.h"

namespace lingate::middleware {

class RemoteStore final : public store::Store, public store::Counts {
 public:
  using SteadyTime = std::chrono::steady_clock::time_point;

  std::string_view kind() const noexcept override { return "remote"; }
  bool is_remote() const noexcept override { return true; }
  Result<std::optional<store::Record>> read(store::Space space, std::string_view key) override {
    return inner_->read(space, key);
  }
  Result<std::vector<store::Entry>> scan(store::Space space, std::string_view prefix, std::string_view after,
                                         std::size_t most) override {
    return inner_->scan(space, prefix, after, most);
  }
  void apply(std::vector<store::Change> changes, store::Store::Done done) override {
    inner_->apply(std::move(changes), std::move(done));
  }
  void on_change(Changed changed) override {
    changed_ = changed;
    inner_->on_change(std::move(changed));
  }
  std::optional<SteadyTime> away_since() const noexcept override { return away; }
  store::Counts* counts() noexcept override { return this; }

  void follow(store::Space space, std::string_view key, store::Space then, Followed done) override {
    questions.push_back([this, space, name = std::string(key), then, done = std::move(done)] {
      if (broken) return done(fail(code::kStoreUnavailable, "broken"));
      inner_->follow(space, name, then, done);
    });
  }
  void count(store::CountAsk ask, store::Counts::Done done) override {
    asked.push_back(ask);
    questions.push_back([this, done = std::move(done)] {
      if (broken) return done(fail(code::kStoreUnavailable, "broken"));
      done(counted);
    });
  }

  void answer() {
    const auto question = std::move(questions.front());
    questions.pop_front();
    question();
  }
  void go_away() { away = std::chrono::steady_clock::now(); }
  void come_back() {
    for (const store::Space space : {store::Space::sessions, store::Space::keys})
      changed_(space, {});
    away.reset();
  }

  std::deque<std::function<void()>> questions;  // that wait for answer()
  std::vector<store::CountAsk> asked;
  store::Counted counted{};  // what is answered
  std::optional<SteadyTime> away;
  bool broken = false;

 private:
  std::unique_ptr<store::Store> inner_ = store::make_memory_store();
  Changed changed_;
};

}  // namespace lingate::middleware
