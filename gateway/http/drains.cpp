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

bool Drains::set(std::string_view upstream, std::string_view target, bool drained) {
  const std::lock_guard lock(mutex_);
  if (frozen_) return false;
  auto& flag = flags_[Name(upstream, target)];
  if (!flag) flag = std::make_shared<std::atomic<bool>>(drained);
  flag->store(drained, std::memory_order_relaxed);
  return true;
}

bool Drains::is_drained(std::string_view upstream, std::string_view target) const {
  const std::lock_guard lock(mutex_);
  const auto found = flags_.find(Name(upstream, target));
  return found != flags_.end() && found->second->load(std::memory_order_relaxed);
}

std::vector<Drains::Name> Drains::freeze() {
  const std::lock_guard lock(mutex_);
  frozen_ = true;
  std::vector<Name> drained;
  for (const auto& [name, flag] : flags_)
    if (flag->load(std::memory_order_relaxed)) drained.push_back(name);
  return drained;
}

void Drains::thaw() {
  const std::lock_guard lock(mutex_);
  frozen_ = false;
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
