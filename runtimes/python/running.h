// Running: this thread belongs to one instance while one lives: it holds the interpreter's lock, allocations are
// charged to the instance, an interrupt finds the thread, print and the log know whose words they are.
//
// Thread: made and destroyed on the thread that uses the instance.
#pragma once

#include "runtimes/python/account.h"
#include "runtimes/python/call.h"
#include "runtimes/python/interrupt.h"
#include "runtimes/python/thread.h"

namespace lingate::runtimes::python {

class Running {
 public:
  Running(Account& account, Interrupt& interrupt, Link* link) : account_(account), interrupt_(interrupt) {
    Here& now = here();
    now.account = &account;
    now.interrupt = &interrupt;
    now.link = link;
    started_ = interrupt.begin(now.state);
  }
  ~Running() {
    interrupt_.end();
    account_.allow_unwinding(false);
    Here& now = here();
    now.account = nullptr;
    now.interrupt = nullptr;
    now.link = nullptr;
    now.call = nullptr;
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  // False: interrupted while it waited for the interpreter's lock.
  bool started() const noexcept { return started_; }

 private:
  const Gil gil_;
  Account& account_;
  Interrupt& interrupt_;
  bool started_ = false;
};

}  // namespace lingate::runtimes::python
