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
  // Last: the kernel gives clients to each socket that is there, and takes them back if it is closed again.
  for (Place& place : plan)
    if (!place.sockets.empty())
      if (auto joined = join(place); !joined) return fail(std::move(joined.error()));
  return plan;
}

// The port may be this gateway's own, at another address of the machine.
Error Listeners::explained(Error error, const Place& place) const {
  const auto holds = [&place](const Place& each) {
    return each.options.address.kind == http::Address::Kind::tcp && each.options.address.port == place.written.port;
  };
  const auto held = [&place](const Shared& each) { return each.written.port == place.written.port; };
  if (place.written.kind == config::Address::Kind::tcp &&
      (std::any_of(current_.begin(), current_.end(), holds) || std::any_of(inherited_.begin(), inherited_.end(), held)))
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

// One socket, which is bound, or there.
Result<void> Listeners::bind(Place& place) {
  http::ListenerOptions& options = place.options;
  options.id = next_id_++;
  take_inherited(place);
  if (!place.sockets.empty()) return {};
  auto socket = http::bind_socket(options);
  if (!socket) return fail(std::move(socket.error()));
  options.join = true;
  options.address = socket->address();
  if (options.address.kind == http::Address::Kind::unix_socket) options.joined_path = socket->fd();
  place.sockets.push_back(std::move(*socket));
  return {};
}

// The other workers' join it.
Result<void> Listeners::join(Place& place) {
  while (place.sockets.size() < workers_.size()) {
    auto socket = http::bind_socket(place.options);
    if (!socket) return fail(std::move(socket.error()));
    place.sockets.push_back(std::move(*socket));
  }
  return {};
}

// Again what speaks the same comes first.
void Listeners::take_inherited(Place& place) {
  const auto distance = [&place](const Shared& each) {
    return (each.proxy_protocol != place.options.proxy_protocol ? 1 : 0) +
           (each.secure == place.options.tls.empty() ? 1 : 0);
  };
  auto found = inherited_.end();
  for (auto each = inherited_.begin(); each != inherited_.end(); ++each)
    if (each->written == place.written && (found == inherited_.end() || distance(*each) < distance(*found)))
      found = each;
  if (found == inherited_.end()) return;
  http::ListenerOptions& options = place.options;
  for (Descriptor& socket : found->sockets)
    place.sockets.push_back(http::adopt_socket(std::move(socket), options.address));
  inherited_.erase(found);
  options.join = true;
  options.address = place.sockets.front().address();
  if (options.address.kind == http::Address::Kind::unix_socket) options.joined_path = place.sockets.front().fd();
}

std::optional<std::vector<Listeners::Shared>> Listeners::share() {
  std::vector<Shared> shared;
  for (const Place& place : current_)
    shared.push_back({place.written, place.options.proxy_protocol, !place.options.tls.empty(), {}});
  for (http::Worker* worker : workers_) {
    auto copies = worker->copy_listeners(kPatience);
    if (!copies) return std::nullopt;
    for (http::ListenerCopy& copy : *copies) {
      if (!copy.socket) return std::nullopt;
      const auto place = std::find_if(current_.begin(), current_.end(),
                                      [&copy](const Place& each) { return each.options.id == copy.id; });
      if (place == current_.end()) continue;  // a reload has taken it away, and the worker is about to close it
      shared[static_cast<std::size_t>(place - current_.begin())].sockets.push_back(std::move(copy.socket));
    }
  }
  return shared;
}

void Listeners::settle() {
  for (const Shared& each : inherited_)
    if (each.written.kind == config::Address::Kind::unix_socket) http::SocketFile::of(each.written.path).remove();
  inherited_.clear();
  for (const Place& place : current_)
    if (place.options.address.kind == http::Address::Kind::unix_socket)
      workers_.front()->set_listener_file(place.options.id, http::SocketFile::of(place.options.address.path));
}

void Listeners::give_files_away() {
  for (const Place& place : current_)
    for (http::Worker* worker : workers_)
      worker->set_listener_file(place.options.id, std::nullopt);
}

void Listeners::apply(Plan plan) {
  for (Place& place : plan) {
    if (place.sockets.empty())
      for (http::Worker* worker : workers_)
        worker->change_listener(place.options);
    for (std::size_t k = 0; k < place.sockets.size(); ++k)
      workers_[k % workers_.size()]->add_listener(place.options, std::move(place.sockets[k]));
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
