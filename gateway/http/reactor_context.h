// The Asio side of the Reactor: one io_context of one thread and the free list of watches. Internal to readiness.cpp
// and worker.cpp.
//
// Thread: the worker's.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <memory>
#include <vector>

#include "gateway/http/readiness.h"

namespace lingate::http {

class AsioWatch;
struct TurnOp;

class Reactor::Context {
 public:
  Context();
  ~Context();

  std::vector<std::unique_ptr<AsioWatch>> all;  // outlive the io_context, which may still hold their operations
  std::unique_ptr<TurnOp> turn;                 // as long as they
  boost::asio::io_context io;
  AsioWatch* free = nullptr;
  std::uint32_t live = 0;
  Clock::time_point (*hook)(void*) = nullptr;
  void* hook_argument = nullptr;

  Clock::time_point tell_time() noexcept { return hook ? hook(hook_argument) : Clock::now(); }
};

}  // namespace lingate::http
