// RoomCalls: the calls of one instance from bytes to bytes, as a worker process makes them: a view each.
//
// Thread: the instance's. Lifetime: longer than the calls; a verdict lives until its id is used again.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "runtimes/call_view.h"
#include "runtimes/runtime.h"

namespace lingate::runtimes::test {

class RoomCalls {
 public:
  struct Done {
    Progress::State state = Progress::State::finished;
    HostOperation operation;
    std::string_view verdict;  // empty while it is suspended
  };

  explicit RoomCalls(const ScriptLimits& limits = {}) : limits_(limits) {}

  Done start(Instance& instance, CallId id, Hook hook, std::string_view bytes, void* tag = nullptr) {
    Call& call = calls_[id];
    call.bytes.assign(bytes);
    call.view.begin(hook, call.bytes, limits_);
    return done(call, instance.start(id, call.view, tag));
  }
  Done resume(Instance& instance, CallId id, const HostResult& result = {}) {
    return done(calls_[id], instance.resume(id, result));
  }

 private:
  struct Call {
    std::string bytes;
    CallView view;
  };

  static Done done(Call& call, const Progress& progress) {
    const bool over = progress.state == Progress::State::finished;
    return {progress.state, progress.operation, over ? call.view.finish() : std::string_view()};
  }

  const ScriptLimits limits_;
  std::map<CallId, Call> calls_;
};

}  // namespace lingate::runtimes::test
