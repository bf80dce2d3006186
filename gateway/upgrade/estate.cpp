#include "gateway/upgrade/estate.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <nlohmann/json.hpp>

namespace lingate {
namespace {

using Json = nlohmann::json;

Json json_of(const config::Address& address) {
  return {{"host", address.host}, {"port", address.port}, {"path", address.path}};
}

config::Address address_of(const Json& json) {
  config::Address address;
  json.at("host").get_to(address.host);
  json.at("port").get_to(address.port);
  json.at("path").get_to(address.path);
  if (!address.path.empty()) address.kind = config::Address::Kind::unix_socket;
  return address;
}

// Takes the descriptors one after the other.
class Taker {
 public:
  explicit Taker(int first) : next_(first) {}

  Descriptor take() {
    Descriptor taken(next_++);
    if (::fcntl(taken.get(), F_SETFD, FD_CLOEXEC) != 0) missing_ = true;
    return taken;
  }

  Descriptor take_listener() {
    Descriptor taken = take();
    int listens = 0;
    socklen_t size = sizeof listens;
    if (::getsockopt(taken.get(), SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || listens == 0) missing_ = true;
    return taken;
  }

  bool missing() const noexcept { return missing_; }

 private:
  int next_;
  bool missing_ = false;
};

}  // namespace

std::vector<int> Estate::descriptors() const {
  std::vector<int> numbers;
  if (store) numbers.push_back(store->get());
  if (admin) numbers.push_back(admin->second.get());
  for (const Listeners::Shared& each : listeners)
    for (const Descriptor& socket : each.sockets)
      numbers.push_back(socket.get());
  return numbers;
}

std::string Estate::text() const {
  Json json{{"store", store.has_value()}, {"listeners", Json::array()}};
  if (admin) json["admin"] = json_of(admin->first);
  if (!drained.empty()) json["drained"] = drained;
  for (const Listeners::Shared& each : listeners)
    json["listeners"].push_back({{"address", json_of(each.written)},
                                 {"proxy_protocol", each.proxy_protocol},
                                 {"secure", each.secure},
                                 {"sockets", each.sockets.size()}});
  return json.dump();
}

Result<Estate, std::string> Estate::read(const std::string& text, int first) {
  const Json json = Json::parse(text, nullptr, false);
  Taker taker(first);
  Estate estate;
  try {
    if (json.at("store").get<bool>()) estate.store.emplace(taker.take());
    if (json.contains("admin")) estate.admin.emplace(address_of(json["admin"]), taker.take_listener());
    for (const Json& each : json.at("listeners")) {
      Listeners::Shared shared{.written = address_of(each.at("address")),
                               .proxy_protocol = each.at("proxy_protocol").get<bool>(),
                               .secure = each.at("secure").get<bool>(),
                               .sockets = {}};
      for (auto k = each.at("sockets").get<std::size_t>(); k > 0; --k)
        shared.sockets.push_back(taker.take_listener());
      estate.listeners.push_back(std::move(shared));
    }
    if (json.contains("drained")) json["drained"].get_to(estate.drained);
  } catch (const Json::exception& error) {
    return fail(std::string("what the gateway before this one has written cannot be read: ") + error.what());
  }
  if (taker.missing())
    return fail(std::string("a socket that the gateway before this one has written of is not there"));
  return estate;
}

}  // namespace lingate
