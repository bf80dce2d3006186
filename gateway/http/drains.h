// Drains: which targets operators have taken out of service, by the name of the upstream and the address. A drained
// target gets no new request from any worker; what is in flight there finishes. It stays so until somebody takes it
// back, the configuration leaves it out, or the gateway ends; a process that takes this one's place is told.
//
// Thread: any; workers read their flags without a lock. Lifetime: that of the gateway, longer than its workers'.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/http/options.h"

namespace lingate::http {

class Drains {
 public:
  using Flag = std::shared_ptr<const std::atomic<bool>>;
  using Name = std::pair<std::string, std::string>;  // of the upstream, of the target

  Flag flag_of(std::string_view upstream, std::string_view target);
  bool set(std::string_view upstream, std::string_view target, bool drained);  // false: frozen, nothing has changed
  bool is_drained(std::string_view upstream, std::string_view target) const;

  // Those that are drained. From then on none is drained nor taken back, until thaw(): another process has the list.
  std::vector<Name> freeze();
  void thaw();

  // Forgets those that a new configuration does not have.
  void keep_only(const std::vector<UpstreamOptions>& upstreams);

 private:
  mutable std::mutex mutex_;
  bool frozen_ = false;
  std::map<Name, std::shared_ptr<std::atomic<bool>>> flags_;
};

}  // namespace lingate::http
