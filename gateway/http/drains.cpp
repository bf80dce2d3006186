#include "gateway/http/drains.h"

#include <set>

#include "gateway/http/target.h"

namespace lingate::http {

Drains::Flag Drains::flag_of(std::string_view upstream, std::string_view target) {
  const std::lock_guard lock(mutex_);
  auto& flag = flags_[Name(upstream, target)];
  if (!flag) flag = std::make_shared<std::atomic<bool>>(false);
  return flag;
}

void Drains::set(std::string_view upstream, std::string_view target, bool drained) {
  const std::lock_guard lock(mutex_);
  auto& flag = flags_[Name(upstream, target)];
  if (!flag) flag = std::make_shared<std::atomic<bool>>(drained);
  flag->store(drained, std::memory_order_relaxed);
}

bool Drains::is_drained(std::string_view upstream, std::string_view target) const {
  const std::lock_guard lock(mutex_);
  const auto found = flags_.find(Name(upstream, target));
  return found != flags_.end() && found->second->load(std::memory_order_relaxed);
}

void Drains::keep_only(const std::vector<UpstreamOptions>& upstreams) {
  std::set<Name> there;
  for (const UpstreamOptions& upstream : upstreams)
    for (const TargetOptions& target : upstream.targets)
      there.emplace(upstream.name, label_of(target.address));
  const std::lock_guard lock(mutex_);
  std::erase_if(flags_, [&there](const auto& each) { return !there.contains(each.first); });
}

}  // namespace lingate::http
