#include "gateway/reload/retirement.h"

#include <utility>

namespace lingate {

std::shared_ptr<const http::Snapshot> Retirement::own(std::unique_ptr<const http::Snapshot> snapshot) {
  return {snapshot.release(), [this](const http::Snapshot* over) {
            housekeeper_.post([this, over] {
              delete over;
              sweep();
            });
          }};
}

void Retirement::sweep() {
  for (auto& pool : shelf_.take_unused())
    if (!ended_) take_leave(std::move(pool));
}

void Retirement::take_leave(std::shared_ptr<middleware::ScriptPool> pool) {
  leaving_.push_back(std::make_unique<Leaving>());
  Leaving& leaving = *leaving_.back();
  leaving.pool = std::move(pool);
  leaving.loops = workers_.size();
  for (http::Worker* worker : workers_)
    worker->call([this, worker, &leaving] {
      leaving.pool->pool->leave(*worker);
      if (leaving.loops.fetch_sub(1) != 1) return;
      housekeeper_.post([this, &leaving] {
        std::erase_if(leaving_, [&leaving](const auto& each) { return each.get() == &leaving; });
      });
    });
}

void Retirement::end() noexcept {
  ended_ = true;
  shelf_.close();
}

}  // namespace lingate
