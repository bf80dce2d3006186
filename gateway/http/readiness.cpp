#include "gateway/http/readiness.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>
#include <vector>

#include "gateway/http/edge_backend.h"
#include "gateway/http/reactor_context.h"

namespace lingate::http {

// The end of a turn. Posted behind the operations of the descriptors that are ready; Asio looks for further events once
// more before it, which are then the next turn's.
struct TurnOp final : asio_detail::scheduler_operation {
  explicit TurnOp(Reactor::Context& owner) : scheduler_operation(&TurnOp::done), context(owner) {}

  using Part = TurnEnd::Part;
  static constexpr std::chrono::milliseconds kLongest{1};  // without sending anything

  bool puts_off() const noexcept { return direct_events == 0; }
  std::vector<TurnEnd*>& listeners(Part part) noexcept { return listeners_[static_cast<std::size_t>(part)]; }
  void post() noexcept;
  void end() noexcept;
  void go_on(std::vector<AsioWatch*>& ahead) noexcept;
  void tell_listeners() noexcept;
  void tell(Part part) noexcept;
  void note_load(std::size_t events) noexcept;
  static void done(void* owner, asio_detail::operation* base, const boost::system::error_code&, std::size_t) {
    if (owner) static_cast<TurnOp*>(base)->end();
  }

  Reactor::Context& context;
  std::vector<AsioWatch*> responses;  // have been read ahead in this turn
  std::vector<AsioWatch*> requests;
  std::array<std::vector<TurnEnd*>, 2> listeners_;  // by part
  std::vector<TurnEnd*> told;
  Clock::time_point sent{};         // when things were last sent, in end()
  bool posted = false;              // or under way
  std::uint32_t lonely_turns = 0;   // in a row, of one event each
  std::uint32_t direct_events = 0;  // to be served at once before the load is looked at again
};

struct ReadOp : EdgeOp {
  using EdgeOp::EdgeOp;
};

// Few watches wait for a write at a time, or for another turn, so the context lends these until they are over.
struct WriteOp final : EdgeOp {
  WriteOp();

  AsioWatch* watch = nullptr;
  WriteOp* next_free = nullptr;
};
struct AgainOp final : asio_detail::scheduler_operation {
  AgainOp();

  AsioWatch* watch = nullptr;
  AgainOp* next_free = nullptr;
};

// An idle connection keeps one of these: it is its own operations, and small.
class AsioWatch final : public Watch, private ReadOp {
 public:
  AsioWatch() : ReadOp(&AsioWatch::read_done) {}
  ~AsioWatch() = default;

  void belong_to(Reactor::Context& context) noexcept {
    context_ = &context;
    next_free_ = std::exchange(context.free, this);
  }

  bool open(int fd, Watcher& watcher) noexcept {
    if (!registration_.open(context_->edges(), fd)) return false;
    context_->free = next_free_;
    ++context_->live;
    fd_ = fd;
    watcher_ = &watcher;
    return true;
  }

  // Its edges come from tell_soft_read() and tell_soft_write().
  void open_soft(Watcher& watcher) noexcept {
    context_->free = next_free_;
    ++context_->live;
    soft_ = true;
    read_edge_ = {};
    write_edge_ = {};
    fd_ = kNoDescriptor;
    watcher_ = &watcher;
  }

  void start_read() noexcept {
    if (soft_) [[unlikely]]
      return start_soft_read();
    registration_.start(context_->edges(), fd_, Edge::readable, static_cast<ReadOp&>(*this), Readiness::known);
  }
  void start_write() noexcept {
    if (soft_) [[unlikely]]
      return start_soft_write();
    start_write_op(Readiness::known);
  }
  void start_connect() noexcept { start_write_op(Readiness::to_come); }
  void post_again() noexcept {
    AgainOp& again = context_->agains.lend();
    again.watch = this;
    context_->edges().post_immediate_completion(&again, true);
  }

  void tell_soft_read() noexcept {
    read_edge_.told = true;
    if (reading_ && !read_edge_.posted) start_soft_read();
  }
  void tell_soft_write() noexcept {
    write_edge_.told = true;
    if (writing_ && !write_edge_.posted) start_soft_write();
  }

  void shut(Holders holders) noexcept {
    watcher_ = nullptr;
    if (soft_) {
      soft_ = false;
      reading_ = read_edge_.posted;
      writing_ = write_edge_.posted;
    } else {
      registration_.close(context_->edges(), fd_, holders);
      ::close(fd_);
    }
    fd_ = -1;
    recycle_if_quiet();
  }

  void go_on() noexcept {
    ahead_ = false;
    if (watcher_)
      watcher_->readable();
    else
      recycle_if_quiet();
  }

  static void again_done(void* owner, asio_detail::operation* base, const boost::system::error_code&, std::size_t) {
    if (!owner) return;
    auto& again = *static_cast<AgainOp*>(base);
    AsioWatch& self = *again.watch;
    self.context_->agains.take_back(again);
    self.posted_ = false;
    if (self.heard()) self.tell_readable();
  }

  static void write_done(void* owner, asio_detail::operation* base, const boost::system::error_code&, std::size_t) {
    if (!owner) return;  // the io_context is being destroyed
    auto& write = *static_cast<WriteOp*>(base);
    AsioWatch& self = *write.watch;
    self.context_->writes.take_back(write);
    self.writing_ = self.write_edge_.posted = false;
    if (!self.heard()) return;
    self.context_->tell_time();
    self.watcher_->writable();
  }

 private:
  static constexpr int kNoDescriptor = -2;

  void start_soft_read() noexcept {
    if (!read_edge_.told) return;
    read_edge_ = {.told = false, .posted = true};
    context_->edges().post_immediate_completion(static_cast<ReadOp*>(this), true);
  }
  void start_soft_write() noexcept {
    if (!write_edge_.told) return;
    write_edge_ = {.told = false, .posted = true};
    WriteOp& write = context_->writes.lend();
    write.watch = this;
    context_->edges().post_immediate_completion(&write, true);
  }

  void start_write_op(Readiness readiness) noexcept {
    WriteOp& write = context_->writes.lend();
    write.watch = this;
    registration_.start(context_->edges(), fd_, Edge::writable, write, readiness);
  }

  // The operations are the watch itself, so the memory may be used again only when all have come back.
  void recycle_if_quiet() noexcept {
    if (fd_ != -1 || reading_ || writing_ || posted_ || ahead_) return;
    next_free_ = std::exchange(context_->free, this);
    --context_->live;
  }

  // True: somebody still listens.
  bool heard() noexcept {
    if (!watcher_) return recycle_if_quiet(), false;
    return true;
  }

  void tell_readable() noexcept {
    context_->tell_time();
    watcher_->readable();
  }

  static void read_done(void* owner, asio_detail::operation* base, const boost::system::error_code&, std::size_t) {
    if (!owner) return;
    AsioWatch& self = *static_cast<AsioWatch*>(static_cast<ReadOp*>(base));
    self.reading_ = self.read_edge_.posted = false;
    if (!self.heard()) return;
    TurnOp& turn = *self.context_->turn;
    if (!turn.puts_off()) {
      --turn.direct_events;
      return self.tell_readable();
    }
    const Ahead ahead = self.watcher_->read_ahead();
    if (ahead == Ahead::nothing) return self.tell_readable();
    self.ahead_ = true;
    (ahead == Ahead::response ? turn.responses : turn.requests).push_back(&self);
    turn.post();
  }

  Reactor::Context* context_ = nullptr;
  Registration registration_;
  AsioWatch* next_free_ = nullptr;
};

WriteOp::WriteOp() : EdgeOp(&AsioWatch::write_done) {}
AgainOp::AgainOp() : scheduler_operation(&AsioWatch::again_done) {}

struct WatchSlab {
  std::array<AsioWatch, 64> watches;
};

void TurnOp::post() noexcept {
  if (std::exchange(posted, true)) return;
  context.edges().post_immediate_completion(this, true);
}

void TurnOp::end() noexcept {
  note_load(responses.size() + requests.size());
  sent = context.tell_time();
  go_on(responses);
  go_on(requests);
  tell_listeners();
  posted = false;
  if (std::any_of(listeners_.begin(), listeners_.end(), [](const auto& those) { return !those.empty(); })) post();
}

// Nobody reads ahead meanwhile.
void TurnOp::go_on(std::vector<AsioWatch*>& ahead) noexcept {
  for (AsioWatch* const watch : ahead) {
    watch->go_on();
    // What is first in a long turn does not wait for the last: its answer leaves in between.
    if (context.tell_time() - sent > kLongest) tell_listeners();
  }
  ahead.clear();
}

// What a call brings about may come to the next one. Where scripts take long, what they left for later waits for
// another turn, so that others are heard in between.
void TurnOp::tell_listeners() noexcept {
  const Clock::time_point began = context.tell_time();
  do {
    tell(Part::calls);
    tell(Part::sends);
    sent = context.tell_time();
  } while (!listeners(Part::calls).empty() && sent - began < kLongest);
}

// What they do may put off again, and may end others.
void TurnOp::tell(Part part) noexcept {
  told.swap(listeners(part));
  for (std::size_t k = 0; k < told.size(); ++k)
    if (told[k]) told[k]->turn_ends();
  told.clear();
}

void TurnOp::note_load(std::size_t events) noexcept {
  if (events == 0) return;                     // somebody inside had something left to do
  constexpr std::uint32_t kLonelyTurns = 8;    // until nothing is put off
  constexpr std::uint32_t kDirectEvents = 64;  // before the load is looked at again
  lonely_turns = events > 1 ? 0 : lonely_turns + 1;
  if (lonely_turns < kLonelyTurns) return;
  direct_events = kDirectEvents;
  lonely_turns = 0;
}

void Watch::await_read() noexcept {
  if (reading_) return;
  reading_ = true;
  static_cast<AsioWatch*>(this)->start_read();
}

void Watch::await_write() noexcept {
  if (writing_) return;
  writing_ = true;
  static_cast<AsioWatch*>(this)->start_write();
}

void Watch::await_connect() noexcept {
  if (writing_) return;
  writing_ = true;
  static_cast<AsioWatch*>(this)->start_connect();
}

void Watch::read_again() noexcept {
  if (posted_) return;
  posted_ = true;
  static_cast<AsioWatch*>(this)->post_again();
}

void Watch::tell_read() noexcept {
  static_cast<AsioWatch*>(this)->tell_soft_read();
}

void Watch::tell_write() noexcept {
  static_cast<AsioWatch*>(this)->tell_soft_write();
}

void Watch::close() noexcept {
  static_cast<AsioWatch*>(this)->shut(Holders::one);
}

void Watch::close_shared() noexcept {
  static_cast<AsioWatch*>(this)->shut(Holders::several);
}

Reactor::Context::Context()
    : turn(std::make_unique<TurnOp>(*this)),
      io(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE),
      edges_(boost::asio::use_service<EdgeService>(io)) {
  edges_.init_task();
}

Reactor::Context::~Context() = default;

AsioWatch& Reactor::Context::next_watch() {
  if (!free) {
    watches.push_back(std::make_unique<WatchSlab>());
    for (AsioWatch& watch : watches.back()->watches)
      watch.belong_to(*this);
  }
  return *free;
}

Reactor::Reactor() : context_(std::make_unique<Context>()) {}
Reactor::~Reactor() = default;

Watch* Reactor::add(int fd, Watcher& watcher) noexcept {
  AsioWatch& watch = context_->next_watch();
  if (watch.open(fd, watcher)) return &watch;
  ::close(fd);
  return nullptr;
}

Watch& Reactor::add_soft(Watcher& watcher) noexcept {
  AsioWatch& watch = context_->next_watch();
  watch.open_soft(watcher);
  return watch;
}

std::uint32_t Reactor::watches() const noexcept {
  return context_->live;
}

bool Reactor::puts_off() const noexcept {
  return context_->turn->puts_off();
}

void Reactor::at_turn_end(TurnEnd& listener) noexcept {
  std::vector<TurnEnd*>& listeners = context_->turn->listeners(listener.part());
  if (std::find(listeners.begin(), listeners.end(), &listener) != listeners.end()) return;
  listeners.push_back(&listener);
  context_->turn->post();
}

void Reactor::forget(TurnEnd& listener) noexcept {
  for (auto* const list : {&context_->turn->listeners(listener.part()), &context_->turn->told})
    std::replace(list->begin(), list->end(), &listener, static_cast<TurnEnd*>(nullptr));
}

void Reactor::on_event(Clock::time_point (*hook)(void*), void* argument) noexcept {
  context_->hook = hook;
  context_->hook_argument = argument;
}

}  // namespace lingate::http
