// The Asio side of the Reactor: one io_context of one thread and the free lists of watches and of their operations.
// Internal to readiness.cpp and worker.cpp.
//
// Thread: the worker's.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <memory>
#include <vector>

#include "gateway/http/edge_backend.h"
#include "gateway/http/readiness.h"

namespace lingate::http {

class AsioWatch;
struct TurnOp;
struct WatchSlab;
struct WriteOp;

class Reactor::Context {
 public:
  Context();
  ~Context();

  // These outlive the io_context, which may still hold what is in them.
  std::vector<std::unique_ptr<WatchSlab>> watches;
  std::vector<std::unique_ptr<WriteOp>> writes;
  std::unique_ptr<TurnOp> turn;
  boost::asio::io_context io;
  AsioWatch* free = nullptr;
  WriteOp* free_write = nullptr;
  std::uint32_t live = 0;
  Clock::time_point (*hook)(void*) = nullptr;
  void* hook_argument = nullptr;

  EdgeService& edges() noexcept { return edges_; }
  Clock::time_point tell_time() noexcept { return hook ? hook(hook_argument) : Clock::now(); }
  AsioWatch& next_watch();  // stays in the free list until it is opened
  WriteOp& lend_write();

 private:
  EdgeService& edges_;
};

}  // namespace lingate::http
