#include "runtimes/process/serve.h"

#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <deque>

#include "runtimes/call_view.h"
#include "runtimes/pool_flight.h"
#include "runtimes/process/link.h"
#include "runtimes/process/sandbox.h"
#include "runtimes/watchdog.h"

namespace lingate::runtimes::process {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr int kStartedWrongly = 64;
constexpr milliseconds kTidyAfter{5};  // idle this long, the collector may have a step
constexpr milliseconds kLookAround{1000};

FrameHead head_of(Kind kind, std::uint32_t id = 0, std::uint64_t serial = 0, std::int64_t number = 0) noexcept {
  return {.kind = static_cast<std::uint16_t>(kind), .id = id, .serial = serial, .number = number};
}

// The host of the instance: its lines go to the pool with the serial of their call.
class LinkHost final : public Host {
 public:
  explicit LinkHost(WorkerEnd& link) noexcept : link_(link) {}

  void entered() noexcept { lines_.store(0, std::memory_order_relaxed); }

  // On the thread that runs the instance, and on those that a script has started.
  void log(LogLevel level, std::string_view message, std::string_view fields, void* call_tag) noexcept override {
    if (lines_.fetch_add(1, std::memory_order_relaxed) >= kMostLogs) return;
    std::string line(message);
    line.append(fields);
    FrameHead head =
        head_of(Kind::log, 0, reinterpret_cast<std::uintptr_t>(call_tag), static_cast<std::int64_t>(message.size()));
    head.detail = static_cast<std::uint16_t>(level);
    link_.reply(head, line);
  }

 private:
  WorkerEnd& link_;
  std::atomic<std::uint64_t> lines_{0};  // since entered()
};

class Server {
 public:
  Server(WorkerEnd& link, std::span<const Room> rooms) : link_(link), rooms_(rooms), host_(link) {}

  int run() {
    for (;;) {
      Frame frame;
      if (link_.receive(frame, tidy_ ? kLookAround : kTidyAfter)) {
        if (!take(frame)) return 0;
      } else if (::getppid() != link_.shared().parent) {
        return 0;
      } else if (!tidy_ && !tidy()) {
        return 0;
      }
    }
  }

 private:
  struct Call {
    std::string bytes;
    CallView view;
  };

  // False: nothing more can be served.
  bool take(const Frame& frame) {
    const FrameHead head = frame.head;
    switch (static_cast<Kind>(head.kind)) {
      case Kind::load: return load(frame.payload);
      case Kind::start: return start(frame);
      case Kind::resume:
        link_.done();
        if (head.id >= calls_.size()) return false;
        enter(head, calls_[head.id], [&] { return instance_->resume(head.id, HostResult{}); });
        break;
      case Kind::cancel:
        link_.done();
        stay(kNoCall, kCancelBudget, [&] {
          instance_->cancel(head.id);
          return Progress{};
        });
        break;
      default: return false;
    }
    return still_usable();
  }

  bool load(std::string_view payload) {
    const Load load = unpack_load(payload);
    link_.done();
    limits_ = load.script.limits;
    for (const std::string_view missing : confine(load.script))
      host_.log(LogLevel::warn, missing, {}, nullptr);
    watchdog_.emplace();  // its thread begins confined
    for (const Room& room : rooms_)
      if (room.name == load.runtime) runtime_ = room.make(*watchdog_);
    if (!runtime_) return false;
    auto instance = runtime_->load(load.script, host_);
    if (!instance) {
      link_.reply(head_of(Kind::refused), pack_error(instance.error()));
      return false;
    }
    instance_ = std::move(*instance);
    watch_ = std::make_unique<Watch>(*watchdog_, *instance_);
    note_memory();
    link_.reply(head_of(Kind::loaded), pack_loaded({instance_->hooks(), instance_->dependencies()}));
    return true;
  }

  // The Call stays where the instance can read it until the call is over.
  bool start(const Frame& frame) {
    const FrameHead head = frame.head;
    while (calls_.size() <= head.id)
      calls_.emplace_back();
    Call& call = calls_[head.id];
    if (call.bytes.capacity() > kKept) std::string().swap(call.bytes);
    call.bytes.assign(frame.payload);
    link_.shared().begun.store(head.serial, std::memory_order_release);
    link_.done();
    void* const tag = reinterpret_cast<void*>(static_cast<std::uintptr_t>(head.serial));
    call.view.begin(static_cast<Hook>(head.detail), call.bytes, limits_);
    enter(head, call, [&] { return instance_->start(head.id, call.view, tag); });
    return still_usable();
  }

  template <class Enter>
  void enter(const FrameHead& head, Call& call, Enter&& step) {
    host_.entered();
    const pool::Stay result = stay(head.serial, nanoseconds(head.number), step);
    tidy_ = false;
    const auto took = result.took.count();
    if (result.progress.state == Progress::State::suspended) {
      const double seconds = result.progress.operation.seconds;
      char bytes[sizeof seconds];
      std::memcpy(bytes, &seconds, sizeof seconds);
      return link_.reply(head_of(Kind::suspended, head.id, head.serial, took), {bytes, sizeof bytes});
    }
    link_.reply(head_of(Kind::finished, head.id, head.serial, took), call.view.finish());
    call.view.give_back_room();
  }

  template <class Enter>
  pool::Stay stay(std::uint64_t serial, nanoseconds budget, Enter&& step) {
    Shared& shared = link_.shared();
    shared.since.store(Clock::now().time_since_epoch().count(), std::memory_order_relaxed);
    shared.running.store(serial, std::memory_order_release);
    const pool::Stay result = pool::stay(*instance_, *watch_, budget, step);
    shared.running.store(0, std::memory_order_release);
    note_memory();
    return result;
  }

  bool tidy() {
    static_cast<void>(stay(kNoCall, kCancelBudget, [&] {
      tidy_ = !instance_->idle_step();
      return Progress{};
    }));
    return still_usable();
  }

  bool still_usable() {
    if (instance_->usable()) return true;
    link_.reply(head_of(Kind::spent));
    return false;
  }

  void note_memory() { link_.shared().memory.store(instance_->memory().used, std::memory_order_relaxed); }

  static constexpr nanoseconds kCancelBudget = milliseconds(100);
  static constexpr std::size_t kKept = 256 * 1024;

  WorkerEnd& link_;
  const std::span<const Room> rooms_;
  LinkHost host_;
  std::optional<Watchdog> watchdog_;
  std::unique_ptr<Runtime> runtime_;
  std::unique_ptr<Instance> instance_;
  std::unique_ptr<Watch> watch_;
  ScriptLimits limits_;
  std::deque<Call> calls_;  // by id
  bool tidy_ = true;
};

bool map_whole(Memory& memory) {
  struct stat about {};
  return ::fstat(kMemoryFd, &about) == 0 && memory.map(kMemoryFd, static_cast<std::size_t>(about.st_size));
}

}  // namespace

int serve(std::span<const Room> rooms) {
  Memory memory;
  if (!map_whole(memory)) {
    std::fputs("lingate: worker processes are started by a gateway that has `isolation: process`\n", stderr);
    return kStartedWrongly;
  }
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != memory.shared().parent) return 0;  // it went before it could be heard of
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE})
    ::signal(signal, SIG_IGN);  // meant for the gateway, which ends its workers itself
  WorkerEnd link(memory, kBellFd);
  const int code = Server(link, rooms).run();
  ::_exit(code);  // an interpreter that was interrupted at a bad moment must not be taken down piece by piece
}

}  // namespace lingate::runtimes::process
