// Housekeeper: the thread that makes configurations runnable and ends those that are over: one job at a time, in the
// order they came. It lives as long as the gateway, because the kernel ends worker processes with the thread that
// started them.
//
// Thread: any. Lifetime: after end() there is one thread left that asks, and jobs run at once on that.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace lingate {

class Housekeeper {
 public:
  using Job = std::function<void()>;

  Housekeeper();
  ~Housekeeper() { end(); }
  Housekeeper(const Housekeeper&) = delete;
  Housekeeper& operator=(const Housekeeper&) = delete;

  void post(Job job);
  // Waits until it has run. False: it never will, the gateway ends.
  bool run(const Job& job);
  // Waits for the job that runs. What was asked for with run() is given up, what was posted runs on this thread.
  void end();

 private:
  struct Waiter {
    bool done = false;
    bool dropped = false;
  };
  struct Entry {
    Job job;
    Waiter* waiter = nullptr;
  };

  void work();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Entry> queue_;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace lingate
