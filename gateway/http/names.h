// NameWatch: keeps the addresses of one target whose host is a name. It asks the resolver at once and then again and
// again; a failed lookup keeps the addresses that were known.
//
// Thread: the worker's. Lifetime: its upstream's; a lookup that is still under way when it ends is left to itself.
#pragma once

#include <memory>
#include <string>

#include "base/loop.h"
#include "gateway/http/resolver.h"
#include "gateway/http/target.h"

namespace lingate::http {

class Upstream;

class NameWatch final : public Timer {
 public:
  NameWatch(Upstream& upstream, Target& target);
  ~NameWatch();

 private:
  class Pending;

  void expired() noexcept override { ask(); }
  void ask();
  void answered(const std::vector<Endpoint>& endpoints, const std::string& error) noexcept;

  Upstream& upstream_;
  Target& target_;
  Pending* pending_ = nullptr;
};

// The address of a target that needs no lookup: a numeric one, or a path. False: it is a name.
bool fixed_endpoint(const Address& address, Endpoint& endpoint) noexcept;

}  // namespace lingate::http
