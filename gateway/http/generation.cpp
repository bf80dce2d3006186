#include "gateway/http/generation.h"

#include <algorithm>

#include "gateway/http/worker_parts.h"

namespace lingate::http {

Generations::Generations(WorkerParts& parts, std::shared_ptr<const Snapshot> first) : parts_(parts) {
  adopt(std::move(first));
}

Generations::~Generations() = default;

void Generations::adopt(std::shared_ptr<const Snapshot> snapshot) {
  auto generation = std::make_unique<Generation>();
  for (const UpstreamOptions& options : snapshot->upstreams)
    generation->upstreams.push_back(find_or_make(options));
  for (const Route& route : snapshot->routes)
    generation->routes.push_back(&parts_.metrics.route(route.name));
  generation->unrouted = &parts_.metrics.route("");
  generation->snapshot = std::move(snapshot);
  all_.push_back(std::move(generation));
  drop_unused();
}

Upstream* Generations::find_or_make(const UpstreamOptions& options) {
  for (const auto& upstream : upstreams_)
    if (upstream->options() == options) return upstream.get();
  return upstreams_.emplace_back(std::make_unique<Upstream>(parts_, options)).get();
}

void Generations::release(Generation& generation) noexcept {
  if (--generation.exchanges == 0 && &generation != all_.back().get()) drop_unused();
}

void Generations::drop_unused() noexcept {
  std::erase_if(all_, [this](const auto& each) { return each->exchanges == 0 && each != all_.back(); });
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

}  // namespace lingate::http
