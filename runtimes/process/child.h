// Child: a worker process as its pool sees it: started, spoken to, heard, ended. It runs the same program in another
// role (`lingate worker`), with one script, in a sandbox.
//
// Thread: one. The thread that starts it must live as long as it does: the kernel ends a worker when its parent's
// thread ends, so that none is left behind. Lifetime: no process is left when a Child is gone.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "runtimes/process/link.h"

namespace lingate::runtimes::process {

class Child {
 public:
  // Starts the process and has it load the script; `loaded` or `refused` will be its first reply. The error is for
  // logs.
  static Result<std::unique_ptr<Child>, std::string> start(const std::string& program, std::string_view runtime,
                                                           const Script& script);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // Readable when a reply has come that receive() was not there for, and when the process has ended. Others may keep
  // duplicates of them beyond this.
  int bell_fd() const noexcept { return bell_; }
  int end_fd() const noexcept { return end_; }

  PoolEnd& link() noexcept { return *link_; }
  const Shared& shared() const noexcept { return memory_.shared(); }

  // Waits for a reply or the end, up to `longest`; for who has no loop yet.
  void wait(std::chrono::milliseconds longest) noexcept;

  void kill() noexcept;
  // How it ended ("signal 11 (Segmentation fault)"); nothing: it has not. Asked again, it says the same.
  const std::optional<std::string>& ended() noexcept;
  pid_t pid() const noexcept { return pid_; }

  // What it uses now; nothing where it has ended.
  struct Usage {
    std::chrono::nanoseconds processor{};  // of all its threads since it was started
    std::size_t threads = 0;
    std::uint64_t memory = 0;  // bytes in pages that are no file's and shared with nobody
  };
  Usage usage() const noexcept;

 private:
  Child() = default;
  bool make_memory(std::size_t capacity, std::string& error);
  bool spawn(const std::string& program, const Grants& grants, std::string& error);

  Memory memory_;
  int memory_fd_ = -1;
  int bell_ = -1;
  int end_ = -1;  // pidfd
  pid_t pid_ = -1;
  std::optional<PoolEnd> link_;
  std::optional<std::string> ended_;
};

}  // namespace lingate::runtimes::process
