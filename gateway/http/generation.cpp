#include "gateway/http/generation.h"

#include <algorithm>

#include "gateway/http/worker_parts.h"

namespace lingate::http {
namespace {

constexpr std::chrono::milliseconds kSweepAfter{20};

}  // namespace

Generations::Generations(WorkerParts& parts, std::shared_ptr<const Snapshot> first) : parts_(parts) {
  adopt(std::move(first));
}

Generations::~Generations() {
  parts_.loop.disarm(*this);
}

void Generations::adopt(std::shared_ptr<const Snapshot> snapshot) {
  auto generation = std::make_unique<Generation>();
  for (const UpstreamOptions& options : snapshot->upstreams)
    generation->upstreams.push_back(find_or_make(options));
  for (const Route& route : snapshot->routes) {
    generation->routes.push_back(&parts_.metrics.route(route.name));
    generation->steps.push_back(rows_of(route));
  }
  generation->unrouted = &parts_.metrics.route("");
  generation->snapshot = std::move(snapshot);
  all_.push_back(std::move(generation));
  if (all_.size() > 1) parts_.loop.arm(*this, kSweepAfter);
}

std::vector<StepMetrics*> Generations::rows_of(const Route& route) {
  std::vector<StepMetrics*> rows;
  if (!route.chain.times_steps()) return rows;
  for (std::size_t k = 0; k < route.chain.size(); ++k) {
    const middleware::Middleware& step = route.chain.step(k);
    rows.push_back(&parts_.metrics.step({route.name, std::string(step.label()), std::string(step.runtime())}));
  }
  return rows;
}

Upstream* Generations::find_or_make(const UpstreamOptions& options) {
  for (const auto& upstream : upstreams_)
    if (upstream->options() == options) return upstream.get();
  return upstreams_.emplace_back(std::make_unique<Upstream>(parts_, options)).get();
}

// Not now: what calls may belong to one of its upstreams.
void Generations::release(Generation& generation) noexcept {
  if (--generation.exchanges == 0 && &generation != all_.back().get()) parts_.loop.arm(*this, kSweepAfter);
}

bool Generations::is_over(const Generation& generation) const noexcept {
  return generation.exchanges == 0 && &generation != all_.back().get() &&
         generation.snapshot->is_quiet(parts_.loop.index());
}

// What is not quiet yet is looked at again.
void Generations::expired() noexcept {
  const auto is_over = [this](const auto& each) { return this->is_over(*each); };
  all_.erase(std::remove_if(all_.begin(), all_.end() - 1, is_over), all_.end() - 1);
  const auto waits = [this](const auto& each) { return each->exchanges == 0 && each != all_.back(); };
  if (std::any_of(all_.begin(), all_.end(), waits)) parts_.loop.arm(*this, kSweepAfter);
  std::erase_if(upstreams_, [this](const auto& upstream) {
    return std::none_of(all_.begin(), all_.end(), [&](const auto& each) {
      return std::find(each->upstreams.begin(), each->upstreams.end(), upstream.get()) != each->upstreams.end();
    });
  });
}

void Generations::close_idle() noexcept {
  for (const auto& upstream : upstreams_)
    upstream->close_idle();
}

void Generations::close_drained() noexcept {
  for (const auto& upstream : upstreams_)
    upstream->close_drained();
}

}  // namespace lingate::http
