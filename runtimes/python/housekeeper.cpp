#include "runtimes/python/housekeeper.h"

#include <pthread.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <thread>

#include "runtimes/python/interpreter.h"
#include "runtimes/python/thread.h"

namespace lingate::runtimes::python {
namespace {

constexpr long kStarveAfterNs = 10'000'000;

void wait(sem_t& semaphore) {
  while (sem_wait(&semaphore) != 0 && errno == EINTR) {
  }
}

void sleep_for(long nanoseconds) {
  timespec pause{.tv_sec = 0, .tv_nsec = nanoseconds};
  clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, nullptr);
}

}  // namespace

Housekeeper::Housekeeper() {
  sem_init(&work_, 0, 0);
  sem_init(&alarm_, 0, 0);
}

void Housekeeper::start() {
  std::thread([this] {
    pthread_setname_np(pthread_self(), "py-keeper");
    serve();
  }).detach();
  std::thread([this] {
    pthread_setname_np(pthread_self(), "py-alarm");
    supervise();
  }).detach();
}

void Housekeeper::enrol(Interrupt& interrupt) {
  const std::lock_guard lock(mutex_);
  enrolled_.push_back(&interrupt);
}

void Housekeeper::remove(Interrupt& interrupt) noexcept {
  const std::lock_guard lock(mutex_);
  std::erase(enrolled_, &interrupt);
}

void Housekeeper::knock() noexcept {
  sem_post(&work_);
  sem_post(&alarm_);
}

void Housekeeper::retire(PyThreadState* state) {
  {
    const std::lock_guard lock(mutex_);
    retired_.push_back(state);
  }
  sem_post(&work_);
}

void Housekeeper::collect_soon() noexcept {
  collect_.store(true, std::memory_order_release);
  sem_post(&work_);
}

void Housekeeper::serve() {
  for (;;) {
    wait(work_);
    const Gil gil;
    strike_all();
    std::vector<PyThreadState*> gone;
    {
      const std::lock_guard lock(mutex_);
      gone.swap(retired_);
    }
    for (PyThreadState* state : gone) {
      PyThreadState_Clear(state);
      PyThreadState_Delete(state);
    }
    if (collect_.exchange(false, std::memory_order_acq_rel)) interpreter().collect_unloaded();
  }
}

void Housekeeper::strike_all() {
  const std::lock_guard lock(mutex_);
  for (Interrupt* interrupt : enrolled_)
    interrupt->strike();
}

bool Housekeeper::starve_all() {
  const std::lock_guard lock(mutex_);
  bool any = false;
  for (Interrupt* interrupt : enrolled_) {
    if (interrupt->alarm()) any = true;
  }
  return any;
}

// The script may have switched off what the tracer needs. Always true.
bool Housekeeper::strike_again() noexcept {
  int waiting = 0;
  if (sem_getvalue(&work_, &waiting) == 0 && waiting == 0) sem_post(&work_);
  return true;
}

void Housekeeper::supervise() {
  for (;;) {
    wait(alarm_);
    do {
      sleep_for(kStarveAfterNs);
    } while (starve_all() && strike_again());
  }
}

}  // namespace lingate::runtimes::python
