// Turns: under load all watchers read before the first goes on, and all go on before the first sends; one event at a
// time is served at once.
#include "gateway/http/readiness.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "gateway/http/reactor_context.h"
#include "gateway/http/send_queue.h"

namespace lingate::http {
namespace {

using Trace = std::vector<std::string>;

class Peer final : public Watcher, public Sender {
 public:
  Peer(Reactor& reactor, SendQueue& sends, Trace& trace, std::string name)
      : sends_(sends), trace_(trace), name_(std::move(name)) {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    far_ = ends[1];
    watch_ = reactor.add(ends[0], *this);
  }
  ~Peer() {
    sends_.remove(*this);
    if (watch_) watch_->close();
    ::close(far_);
  }

  void speak() {
    EXPECT_EQ(::write(far_, "x", 1), 1);
    watch_->await_read();
  }
  void leave_after_reading() { leaves_ = true; }
  void hang_up() {
    watch_->close();
    watch_ = nullptr;
  }

  Ahead read_ahead() noexcept override {
    read();
    if (neighbour) neighbour->hang_up();
    return kind;
  }
  void readable() noexcept override {
    if (!has_read_) read();
    has_read_ = false;
    trace_.push_back("go on " + name_);
    if (!sends_.put_off(*this)) send_listed();
    if (leaves_) sends_.remove(*this);
  }
  void writable() noexcept override {}
  void send_listed() noexcept override { trace_.push_back("send " + name_); }
  void go_on() noexcept override {}

  Peer* neighbour = nullptr;  // closed when this has read
  Ahead kind = Ahead::request;

 private:
  void read() {
    char byte = 0;
    EXPECT_EQ(::read(watch_->fd(), &byte, 1), 1);
    trace_.push_back("read " + name_);
    has_read_ = true;
  }

  SendQueue& sends_;
  Trace& trace_;
  std::string name_;
  Watch* watch_ = nullptr;
  int far_ = -1;
  bool has_read_ = false;
  bool leaves_ = false;
};

class Turns : public testing::Test {
 protected:
  Peer& peer(const std::string& name) {
    peers_.push_back(std::make_unique<Peer>(reactor_, sends_, trace_, name));
    return *peers_.back();
  }
  Trace serve() {
    trace_.clear();
    reactor_.context().io.restart();
    reactor_.context().io.poll();
    return trace_;
  }

  Trace trace_;
  Reactor reactor_;
  SendQueue sends_{reactor_};
  std::vector<std::unique_ptr<Peer>> peers_;
};

TEST_F(Turns, ReadThenGoOnThenSend) {
  Peer& a = peer("a");
  Peer& b = peer("b");
  a.speak();
  b.speak();
  const Trace trace = serve();
  ASSERT_EQ(trace.size(), 6U);
  for (const std::size_t k : {0U, 1U}) {
    EXPECT_EQ(trace[k].substr(0, 5), "read ");
    EXPECT_EQ(trace[2 + k].substr(0, 6), "go on ");
    EXPECT_EQ(trace[4 + k].substr(0, 5), "send ");
  }
}

TEST_F(Turns, ResponsesGoOnBeforeRequests) {
  Peer& client = peer("client");
  Peer& upstream = peer("upstream");
  upstream.kind = Ahead::response;
  client.speak();
  upstream.speak();
  const Trace trace = serve();
  ASSERT_EQ(trace.size(), 6U);
  EXPECT_EQ(trace[2], "go on upstream");
  EXPECT_EQ(trace[3], "go on client");
}

class Call final : public TurnEnd {
 public:
  Call(Reactor& reactor, Trace& trace, int times)
      : TurnEnd(Part::calls), reactor_(reactor), trace_(trace), left_(times) {
    reactor_.at_turn_end(*this);
  }
  void turn_ends() noexcept override {
    trace_.push_back("call");
    if (--left_ > 0) reactor_.at_turn_end(*this);
  }

 private:
  Reactor& reactor_;
  Trace& trace_;
  int left_;
};

TEST_F(Turns, CallsComeBeforeWhatIsSentAndAllInOneTurn) {
  Peer& a = peer("a");
  a.speak();
  trace_.clear();
  Call call(reactor_, trace_, 2);
  reactor_.context().io.poll();
  // The turn that the call asked for may end before the peer is heard of.
  const Trace trace = trace_;
  EXPECT_EQ(std::count(trace.begin(), trace.end(), "call"), 2);
  EXPECT_LT(std::find(trace.begin(), trace.end(), "call"), std::find(trace.begin(), trace.end(), "send a"));
}

TEST_F(Turns, WhoeverIsClosedAfterReadingHearsNothing) {
  Peer& a = peer("a");
  Peer& b = peer("b");
  a.neighbour = &b;
  b.neighbour = &a;  // whichever reads first closes the other
  a.speak();
  b.speak();
  const Trace trace = serve();
  EXPECT_EQ(trace.size(), 3U);
  EXPECT_EQ(trace.back().substr(0, 5), "send ");
}

TEST_F(Turns, ASenderThatWasTakenOutSendsNothing) {
  Peer& a = peer("a");
  Peer& b = peer("b");
  a.leave_after_reading();
  a.speak();
  b.speak();
  const Trace trace = serve();
  EXPECT_EQ(trace.back(), "send b");
  EXPECT_EQ(std::count(trace.begin(), trace.end(), "send a"), 0);
}

TEST_F(Turns, OneEventAtATimeIsServedAtOnceAfterAWhile) {
  Peer& a = peer("a");
  for (int k = 0; k < 8; ++k) {
    EXPECT_TRUE(reactor_.puts_off());
    a.speak();
    EXPECT_EQ(serve(), (Trace{"read a", "go on a", "send a"}));
  }
  EXPECT_FALSE(reactor_.puts_off());
}

TEST_F(Turns, LoadIsNoticedAgain) {
  Peer& a = peer("a");
  Peer& b = peer("b");
  int turns = 0;
  for (; turns < 8; ++turns) {
    a.speak();
    serve();
  }
  ASSERT_FALSE(reactor_.puts_off());
  for (; !reactor_.puts_off() && turns < 1000; ++turns) {
    a.speak();
    b.speak();
    serve();
  }
  EXPECT_LT(turns, 100);
  for (int k = 0; k < 20; ++k) {
    a.speak();
    b.speak();
    serve();
    EXPECT_TRUE(reactor_.puts_off());
  }
}

}  // namespace
}  // namespace lingate::http
