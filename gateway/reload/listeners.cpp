#include "gateway/reload/listeners.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "gateway/data_path_options.h"

namespace lingate {
namespace {

constexpr std::chrono::seconds kPatience{2};  // for workers to close a listener

std::string url_of(const http::ListenerOptions& listener) {
  const http::Address& address = listener.address;
  if (address.kind == http::Address::Kind::unix_socket) return "unix:" + address.path;
  const bool v6 = address.host.find(':') != std::string::npos;
  const std::string scheme = listener.tls.empty() ? "http://" : "https://";
  return scheme + (v6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

}  // namespace

Result<Listeners::Plan> Listeners::plan(const std::vector<config::Listener>& wanted) {
  Plan plan;
  std::vector<const Place*> taken;  // several may say port 0
  for (const config::Listener& listener : wanted) {
    Place place{.written = listener.address, .options = data_path_options(listener), .url = {}, .sockets = {}};
    if (const Place* const kept = kept_for(place, taken)) {
      taken.push_back(kept);
      place.options.id = kept->options.id;
      place.options.address = kept->options.address;
    } else {
      wait_for_removals();
      if (auto bound = bind(place); !bound) return fail(explained(std::move(bound.error()), place));
    }
    place.url = url_of(place.options);
    plan.push_back(std::move(place));
  }
  return plan;
}

// The port may be this gateway's own, at another address of the machine.
Error Listeners::explained(Error error, const Place& place) const {
  const auto holds = [&place](const Place& each) {
    return each.options.address.kind == http::Address::Kind::tcp && each.options.address.port == place.written.port;
  };
  if (place.written.kind == config::Address::Kind::tcp && std::any_of(current_.begin(), current_.end(), holds))
    error.message += "; this gateway listens on that port itself: take that listener away in a reload of its own first";
  return error;
}

// A socket that is still open keeps its address. A worker that is in a script for long is not waited for for ever: then
// binding says what is in the way.
void Listeners::wait_for_removals() {
  std::unique_lock lock(mutex_);
  removed_.wait_for(lock, kPatience, [this] { return to_remove_ == 0; });
}

void Listeners::remove(std::uint32_t id) {
  {
    const std::lock_guard lock(mutex_);
    to_remove_ += workers_.size();
  }
  for (http::Worker* worker : workers_) {
    worker->remove_listener(id);
    worker->call([this] {  // after it: errands are run in their order
      const std::lock_guard lock(mutex_);
      if (--to_remove_ == 0) removed_.notify_all();
    });
  }
}

// One that speaks the same comes first: where several say port 0, each keeps what it speaks.
const Listeners::Place* Listeners::kept_for(const Place& place, const std::vector<const Place*>& taken) const {
  const Place* found = nullptr;
  for (const Place& each : current_) {
    if (each.written != place.written || std::find(taken.begin(), taken.end(), &each) != taken.end()) continue;
    const bool same = each.options.proxy_protocol == place.options.proxy_protocol &&
                      each.options.tls.empty() == place.options.tls.empty();
    if (same) return &each;
    if (!found) found = &each;
  }
  return found;
}

// The first worker's socket is bound, the others join it.
Result<void> Listeners::bind(Place& place) {
  http::ListenerOptions& options = place.options;
  options.id = next_id_++;
  for (std::size_t k = 0; k < workers_.size(); ++k) {
    auto socket = http::bind_socket(options);
    if (!socket) return fail(std::move(socket.error()));
    if (!options.join) {
      options.join = true;
      options.address = socket->address();
      if (options.address.kind == http::Address::Kind::unix_socket) options.joined_path = socket->fd();
    }
    place.sockets.push_back(std::move(*socket));
  }
  return {};
}

void Listeners::apply(Plan plan) {
  for (Place& place : plan) {
    for (std::size_t k = 0; k < workers_.size(); ++k) {
      if (place.sockets.empty())
        workers_[k]->change_listener(place.options);
      else
        workers_[k]->add_listener(place.options, std::move(place.sockets[k]));
    }
    place.sockets.clear();
  }
  for (const Place& old : current_) {
    const bool stays =
        std::any_of(plan.begin(), plan.end(), [&old](const Place& each) { return each.options.id == old.options.id; });
    if (!stays) remove(old.options.id);
  }
  current_ = std::move(plan);
}

std::vector<std::string> Listeners::urls() const {
  std::vector<std::string> urls;
  for (const Place& place : current_)
    urls.push_back(place.url);
  return urls;
}

}  // namespace lingate
