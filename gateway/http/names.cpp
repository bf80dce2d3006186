#include "gateway/http/names.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <cstring>

#include "base/codes.h"
#include "gateway/http/upstream.h"
#include "gateway/http/worker_parts.h"

namespace lingate::http {

// One lookup under way. It outlives a NameWatch that ends meanwhile, and then frees itself without telling anybody.
class NameWatch::Pending final : public Lookup {
 public:
  Pending(Loop& loop, std::string name, std::uint16_t port, NameWatch& watch)
      : Lookup(loop, std::move(name), port), watch_(&watch) {}

  void run() noexcept override {
    if (watch_) {
      watch_->pending_ = nullptr;
      watch_->answered(endpoints(), error());
    }
    delete this;
  }
  void leave() noexcept { watch_ = nullptr; }

 private:
  NameWatch* watch_;
};

NameWatch::NameWatch(Upstream& upstream, Target& target) : upstream_(upstream), target_(target) {
  target.resolving = true;
  ask();
}

NameWatch::~NameWatch() {
  upstream_.parts().loop.disarm(*this);
  if (pending_ && !upstream_.parts().resolver.abandon(*pending_)) pending_->leave();
}

void NameWatch::ask() {
  WorkerParts& parts = upstream_.parts();
  if (!pending_) {
    const Address& address = target_.options->address;
    auto lookup = std::make_unique<Pending>(parts.loop, address.host, address.port, *this);
    pending_ = lookup.get();
    parts.resolver.resolve(std::move(lookup));
  }
  parts.loop.arm(*this, upstream_.options().resolve_every);
}

void NameWatch::answered(const std::vector<Endpoint>& endpoints, const std::string& error) noexcept {
  target_.resolving = false;
  if (!endpoints.empty()) target_.endpoints = endpoints;
  while (!target_.waiting.empty()) {
    UpstreamConnection* connection = target_.waiting.back();
    target_.waiting.pop_back();
    connection->name_known();
  }
  if (!endpoints.empty()) return;
  WorkerParts& parts = upstream_.parts();
  const std::string message = "cannot resolve '" + target_.options->address.host + "' of upstream '" +
                              upstream_.options().name + "': " + error +
                              (target_.endpoints.empty() ? "" : "; the addresses known so far stay in use");
  parts.log.write({.level = middleware::LogLevel::warn, .message = message, .code = code::kNameNotResolved});
  if (target_.endpoints.empty())
    parts.loop.arm(*this, std::min<Duration>(upstream_.options().resolve_every, std::chrono::seconds(1)));
}

bool fixed_endpoint(const Address& address, Endpoint& endpoint) noexcept {
  endpoint = {};
  if (address.kind == Address::Kind::unix_socket) {
    auto& local = reinterpret_cast<sockaddr_un&>(endpoint.storage);
    local.sun_family = AF_UNIX;
    const std::size_t size = std::min(address.path.size(), sizeof local.sun_path - 1);
    std::memcpy(local.sun_path, address.path.data(), size);
    endpoint.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size + 1);
    return true;
  }
  auto& four = reinterpret_cast<sockaddr_in&>(endpoint.storage);
  if (::inet_pton(AF_INET, address.host.c_str(), &four.sin_addr) == 1) {
    four.sin_family = AF_INET;
    four.sin_port = htons(address.port);
    endpoint.size = sizeof four;
    return true;
  }
  auto& six = reinterpret_cast<sockaddr_in6&>(endpoint.storage);
  if (::inet_pton(AF_INET6, address.host.c_str(), &six.sin6_addr) != 1) return false;
  six.sin6_family = AF_INET6;
  six.sin6_port = htons(address.port);
  endpoint.size = sizeof six;
  return true;
}

}  // namespace lingate::http
