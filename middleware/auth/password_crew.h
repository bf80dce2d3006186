// PasswordCrew: threads that compare passwords with their hashes. A hash of a password is made to cost tens of
// milliseconds and more, which no I/O thread may spend: a step asks here, its request waits alone, and the answer comes
// back through the loop that asked. How many may wait is bounded; the threads start with the first question.
//
// Thread: check() and forget() on the loop's own; close() where no loop runs any more. Lifetime: one for the process;
// it is closed when all that waited was forgotten and before the loops go, since it posts to them, and what it has
// posted frees itself as they go. What it is asked is copied and wiped after.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/loop.h"

namespace lingate::middleware::auth {

class PasswordCrew {
 public:
  static constexpr std::size_t kMostWaiting = 64;

  // Who asked.
  class Asker {
   public:
    virtual void checked(bool matches) noexcept = 0;  // on the loop's thread

   protected:
    ~Asker() = default;
  };

  class Check;  // one question on its way

  explicit PasswordCrew(std::size_t threads);
  ~PasswordCrew();
  PasswordCrew(const PasswordCrew&) = delete;
  PasswordCrew& operator=(const PasswordCrew&) = delete;

  // `hash` as crypt(3) writes it. nullptr: too many are waiting, or the crew is closed. Else the answer follows, later
  // than this call, unless forget() comes first.
  Check* check(Loop& loop, Asker& asker, std::string_view password, std::string_view hash);
  void forget(Check& check) noexcept;

  // Ends the threads; no check may be waited for any more, and a hash that is being computed is waited for.
  void close() noexcept;

 private:
  void serve() noexcept;

  const std::size_t most_threads_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::unique_ptr<Check>> queue_;
  std::size_t idle_ = 0;  // threads that wait for a question
  bool closed_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace lingate::middleware::auth
