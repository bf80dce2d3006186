#include "store/redis/redis_store.h"

#include <algorithm>
#include <cmath>
#include <future>
#include <random>
#include <utility>

#include "base/codes.h"
#include "store/check.h"
#include "store/counts.h"
#include "store/redis/client.h"
#include "store/redis/layout.h"
#include "store/redis/writer.h"

namespace lingate::store {
namespace {

using redis::Client;
using redis::Layout;
using redis::Question;
using redis::scripts;
using redis::Value;

constexpr std::chrono::milliseconds kFirstWithin{1500};
constexpr std::size_t kScanned = 256;                // records of one answer
constexpr std::int64_t kScannedBytes = 1024 * 1024;  // of one answer, about
constexpr std::uint64_t kMicrosecond = 1000;         // nanoseconds

tl::unexpected<Error> fault(std::string what) {
  return fail(code::kStoreUnavailable, std::move(what));
}

std::string random_name() {
  std::random_device device;
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string name;
  for (std::size_t k = 0; k < 16; ++k)
    name += kDigits[device() % kDigits.size()];
  return name;
}

std::optional<Record> living(const Value& value, const Value& expires) {
  auto record = redis::record_of(value, expires);
  if (record && is_over(*record, std::chrono::system_clock::now())) record.reset();
  return record;
}

// As ZRANGE BYLEX takes its ends.
std::string from(std::string_view prefix, std::string_view after) {
  if (after >= prefix && !after.empty()) return "(" + std::string(after);
  return prefix.empty() ? "-" : "[" + std::string(prefix);
}
std::string to(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && end.back() == '\xff')
    end.pop_back();
  if (end.empty()) return "+";
  end.back() = static_cast<char>(end.back() + 1);
  return "(" + end;
}

std::string digits(double number) {
  char text[40];
  return {text, static_cast<std::size_t>(std::snprintf(text, sizeof text, "%.17g", number))};
}

std::uint64_t nanoseconds(std::int64_t microseconds) {
  return microseconds < 0 ? Counted::kNever : static_cast<std::uint64_t>(microseconds) * kMicrosecond;
}

class RedisStore final : public Store, public Counts {
 public:
  RedisStore(RedisOptions options, redis::TlsContext context, RedisTold told)
      : layout_(options.prefix),
        client_(std::move(options), std::move(context),
                {.heard = [this](std::string_view message) { heard(message); },
                 .joined = [this] { joined(); },
                 .told = std::move(told)}),
        writer_(client_, layout_, [this] { return name(); }) {
    client_.wait_for_first(kFirstWithin);
  }

  std::string_view kind() const noexcept override { return "redis"; }
  bool is_remote() const noexcept override { return true; }

  Result<std::optional<Record>> read(Space space, std::string_view key) override {
    if (auto good = check_key(key); !good) return fail(std::move(good.error()));
    Question question(scripts().fetch, 1);
    question << layout_.record(space, key);
    auto answer = ask_and_wait(std::move(question));
    if (!answer) return fail(std::move(answer.error()));
    if (answer->items.size() != 2) return fault("Redis gave other records");
    return living(answer->items[0], answer->items[1]);
  }

  void follow(Space space, std::string_view key, Space then, Followed done) override {
    if (auto good = check_key(key); !good) return done(fail(std::move(good.error())));
    Question question(scripts().follow, 1);
    question << layout_.record(space, key) << layout_.before(then);
    client_.run(std::move(question), [done = std::move(done)](const Result<Value>& answer) {
      if (!answer) return done(fail(answer.error()));
      const auto& items = answer->items;
      if (items.size() != 4) return done(fault("Redis gave other records"));
      Linked linked{.first = living(items[0], items[1])};
      if (linked.first) linked.second = living(items[2], items[3]);
      done(std::move(linked));
    });
  }

  Result<std::vector<Entry>> scan(Space space, std::string_view prefix, std::string_view after,
                                  std::size_t most) override {
    std::vector<Entry> found;
    const Time now = std::chrono::system_clock::now();
    for (std::string begin = from(prefix, after); found.size() < most;) {
      Question question(scripts().scan, 1);
      question << layout_.index(space) << layout_.before(space) << begin << to(prefix)
               << static_cast<std::int64_t>(std::min(most - found.size(), kScanned)) << kScannedBytes;
      auto answer = ask_and_wait(std::move(question));
      if (!answer) return fail(std::move(answer.error()));
      auto& items = answer->items;
      if (items.size() % 3 != 1) return fault("Redis gave other records");
      for (std::size_t k = 1; k < items.size(); k += 3)
        if (auto record = redis::record_of(items[k + 1], items[k + 2]); record && !is_over(*record, now))
          found.push_back({std::move(items[k].text), std::move(*record)});
      if (items[0].is(Value::Kind::null)) break;
      begin = "(" + items[0].text;
    }
    return found;
  }

  void apply(std::vector<Change> changes, Store::Done done) override {
    writer_.apply(std::move(changes), std::move(done));
  }

  void on_change(Changed changed) override {
    writer_.on_change(changed);
    const std::lock_guard lock(hearing_);
    changed_ = std::move(changed);
  }

  std::optional<Clock::time_point> away_since() const noexcept override { return client_.away_since(); }

  Health health() const noexcept override {
    const Client::Counts counts = client_.counts();
    return {.away = !client_.up(),
            .answered = counts.answered,
            .failed = counts.failed,
            .late = counts.late,
            .refused = counts.refused,
            .opened = counts.opened};
  }

  Counts* counts() noexcept override { return this; }

  void count(CountAsk ask, Counts::Done done) override {
    if (const auto* rate = std::get_if<SharedRate>(&ask.terms)) return count_rate(ask, *rate, std::move(done));
    count_period(ask, std::get<SharedPeriod>(ask.terms), std::move(done));
  }

 private:
  // ---- on the client's thread ----

  void joined() {
    const std::lock_guard lock(hearing_);
    name_ = random_name();
    if (!changed_) return;
    for (std::uint8_t space = 0; space < kSpaces; ++space)
      changed_(static_cast<Space>(space), {});
  }

  // Who wrote, a letter, a key. What this connection wrote itself was told when it was written.
  void heard(std::string_view message) {
    const std::lock_guard lock(hearing_);
    if (!changed_ || message.starts_with(name_) || message.size() < name_.size() + 2) return;
    const std::size_t space = redis::kLetters.find(message[name_.size()]);
    if (space < kSpaces) changed_(static_cast<Space>(space), message.substr(name_.size() + 1));
  }

  // ---- on any ----

  std::string name() {
    const std::lock_guard lock(hearing_);
    return name_;
  }

  Result<Value> ask_and_wait(Question question) {
    std::promise<Result<Value>> outcome;
    client_.run(std::move(question), [&outcome](Result<Value> answer) { outcome.set_value(std::move(answer)); });
    return outcome.get_future().get();
  }

  void count_rate(const CountAsk& ask, const SharedRate& rate, Counts::Done done) {
    Question question(scripts().rate, 1);
    question << layout_.rate(ask.name) << static_cast<std::int64_t>(ask.units) << digits(rate.one)
             << static_cast<std::int64_t>(rate.burst);
    client_.run(std::move(question), ask.deadline, [done = std::move(done)](const Result<Value>& answer) {
      if (!answer) return done(fail(answer.error()));
      const auto& items = answer->items;
      if (items.size() != 4) return done(fault("Redis counted otherwise"));
      done(Counted{.granted = static_cast<std::uint64_t>(items[0].integer),
                   .remaining = static_cast<std::uint64_t>(items[1].integer),
                   .reset = nanoseconds(items[2].integer),
                   .wait = nanoseconds(items[3].integer)});
    });
  }

  void count_period(const CountAsk& ask, const SharedPeriod& period, Counts::Done done) {
    Question question(scripts().quota, 1);
    question << layout_.record(Space::quotas, ask.name) << layout_.prefix() << ask.name
             << static_cast<std::int64_t>(ask.units) << static_cast<std::int64_t>(period.most)
             << static_cast<std::int64_t>(period.every.count())
             << (period.renews ? std::to_string(redis::milliseconds(*period.renews)) : std::string())
             << (period.remaining ? std::to_string(*period.remaining) : std::string());
    client_.run(std::move(question), ask.deadline, [done = std::move(done)](const Result<Value>& answer) {
      if (!answer) return done(fail(answer.error()));
      const auto& items = answer->items;
      if (items.size() != 3) return done(fault("Redis counted otherwise"));
      const std::uint64_t ends = nanoseconds(items[2].integer);
      done(Counted{.granted = static_cast<std::uint64_t>(items[0].integer),
                   .remaining = static_cast<std::uint64_t>(items[1].integer),
                   .reset = ends,
                   .wait = ends});
    });
  }

  const Layout layout_;
  std::mutex hearing_;
  Changed changed_;
  std::string name_ = random_name();  // who this connection is to those who hear of what it writes
  Client client_;
  redis::Writer writer_;
};

}  // namespace

Result<std::unique_ptr<Store>> open_redis_store(RedisOptions options, RedisTold told) {
  const bool secure =
      std::any_of(options.servers.begin(), options.servers.end(), [](const RedisServer& each) { return each.tls; });
  redis::TlsContext context;
  if (secure) {
    auto made = redis::make_tls_context(options.tls);
    if (!made) return fail(std::move(made.error()));
    context = std::move(*made);
  }
  return std::make_unique<RedisStore>(std::move(options), std::move(context), std::move(told));
}

}  // namespace lingate::store
