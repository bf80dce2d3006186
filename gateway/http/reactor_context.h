// The Asio side of the Reactor: one io_context of one thread and the free lists of watches and of their operations.
// Internal to readiness.cpp and worker.cpp.
//
// Thread: the worker's.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "gateway/http/edge_backend.h"
#include "gateway/http/readiness.h"

namespace lingate::http {

class AsioWatch;
struct AgainOp;
struct TurnOp;
struct WatchSlab;
struct WriteOp;

// Operations of which few are under way at a time: each is lent until it is over, and as many are kept as were once.
template <class Op>
class Lending {
 public:
  Op& lend() {
    if (free_) return *std::exchange(free_, free_->next_free);
    return *kept_.emplace_back(std::make_unique<Op>());
  }
  void take_back(Op& op) noexcept { op.next_free = std::exchange(free_, &op); }

 private:
  std::vector<std::unique_ptr<Op>> kept_;
  Op* free_ = nullptr;
};

class Reactor::Context {
 public:
  Context();
  ~Context();

  // These outlive the io_context, which may still hold what is in them.
  std::vector<std::unique_ptr<WatchSlab>> watches;
  Lending<WriteOp> writes;
  Lending<AgainOp> agains;
  std::unique_ptr<TurnOp> turn;
  boost::asio::io_context io;
  AsioWatch* free = nullptr;
  std::uint32_t live = 0;
  Clock::time_point (*hook)(void*) = nullptr;
  void* hook_argument = nullptr;

  EdgeService& edges() noexcept { return edges_; }
  Clock::time_point tell_time() noexcept { return hook ? hook(hook_argument) : Clock::now(); }
  AsioWatch& next_watch();  // stays in the free list until it is opened

 private:
  EdgeService& edges_;
};

}  // namespace lingate::http
