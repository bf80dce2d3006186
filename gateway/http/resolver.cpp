#include "gateway/http/resolver.h"

#include <netdb.h>

#include <cstring>

namespace lingate::http {
namespace {

std::string look_up(const std::string& name, std::uint16_t port, std::vector<Endpoint>& endpoints) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int failure = ::getaddrinfo(name.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (failure != 0) return ::gai_strerror(failure);
  for (const addrinfo* each = found; each; each = each->ai_next) {
    Endpoint endpoint;
    std::memcpy(&endpoint.storage, each->ai_addr, each->ai_addrlen);
    endpoint.size = each->ai_addrlen;
    endpoints.push_back(endpoint);
  }
  ::freeaddrinfo(found);
  return {};
}

}  // namespace

bool Endpoint::operator==(const Endpoint& other) const noexcept {
  return size == other.size && std::memcmp(&storage, &other.storage, size) == 0;
}

Resolver::Resolver() : thread_([this] { serve(); }) {}

Resolver::~Resolver() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Resolver::resolve(std::unique_ptr<Lookup> lookup) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(lookup));
  }
  wake_.notify_one();
}

bool Resolver::abandon(Lookup& lookup) {
  const std::lock_guard lock(mutex_);
  if (current_ == &lookup) {
    abandoned_ = true;
    return true;
  }
  return std::erase_if(queue_, [&](const auto& each) { return each.get() == &lookup; }) > 0;
}

void Resolver::serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (stopping_) return;
    std::unique_ptr<Lookup> lookup = std::move(queue_.front());
    queue_.erase(queue_.begin());
    current_ = lookup.get();
    abandoned_ = false;
    lock.unlock();
    lookup->endpoints_.clear();
    lookup->error_ = look_up(lookup->name_, lookup->port_, lookup->endpoints_);
    lock.lock();
    current_ = nullptr;
    if (abandoned_) continue;
    Lookup& done = *lookup.release();
    done.loop_.post(done);
  }
}

}  // namespace lingate::http
