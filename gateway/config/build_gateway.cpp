#include <array>

#include <fmt/format.h>

#include "base/codes.h"
#include "base/similar.h"
#include "gateway/config/build.h"
#include "gateway/config/values.h"
#include "gateway/routing/match.h"

namespace lingate::config {
namespace {

std::string show(const Address& address) {
  if (address.kind == Address::Kind::unix_socket) return "unix:" + address.path;
  return address.host.find(':') == std::string::npos ? fmt::format("{}:{}", address.host, address.port)
                                                     : fmt::format("[{}]:{}", address.host, address.port);
}

bool is_fixed(const Address& address) {
  return address.kind == Address::Kind::unix_socket || address.port != 0;
}

// Listens for every address in turn, and sees that none is taken twice.
class Addresses {
 public:
  explicit Addresses(const BuildContext& context) : context_(context) {}

  std::optional<Address> take(const View& value) {
    if (!value.valid()) return std::nullopt;
    auto address = parse_listen_address(value.settings().as_text(), context_.report.folder(value.span()));
    if (!address) return std::nullopt;
    const auto [before, fresh] = taken_.emplace(show(*address), value.span());
    if (!fresh && is_fixed(*address))
      context_.report.error({code::kDuplicateName, value.span(),
                             fmt::format("'{}' is listened on twice", before->first), "remove one of the two"},
                            {{before->second, "first listened on here"}});
    return *std::move(address);
  }

 private:
  const BuildContext& context_;
  std::map<std::string, Span> taken_;
};

Limits build_limits(const View& limits) {
  const Settings& sizes = limits.settings();
  const View timeouts = limits.at("timeout");
  const auto timeout = [&timeouts](std::string_view key) { return timeouts.settings().duration(key); };
  Limits result;
  result.head = sizes.size("head");
  result.target = sizes.size("target");
  result.field = sizes.size("field");
  result.fields = static_cast<std::uint32_t>(sizes.integer("fields"));
  result.streams = static_cast<std::uint32_t>(sizes.integer("streams"));
  result.connections_per_address = static_cast<std::uint32_t>(sizes.integer("connections_per_address"));
  result.head_timeout = timeout("head");
  result.body_timeout = timeout("body");
  result.write_timeout = timeout("write");
  result.idle_timeout = timeout("idle");
  result.tunnel_timeout = timeout("tunnel");
  result.drain = timeout("drain");
  return result;
}

// A part of the head that is larger than the whole: a mistake where both were said, else the default gives way.
void check_limits(const BuildContext& context, const View& limits, Limits& built) {
  for (const auto& [key, size] : {std::pair("target", &built.target), std::pair("field", &built.field)}) {
    if (built.head == 0 || *size <= built.head) continue;
    if (!limits.given(key)) {
      *size = built.head;
      continue;
    }
    context.report.error({code::kOutOfRange, limits.at(key).span(),
                          fmt::format("'{}' of 'limits' is larger than 'head', which it is a part of", key),
                          fmt::format("at most {}, or raise 'head'", show_size(built.head))});
  }
}

Log build_log(const View& log) {
  constexpr std::array kLevels{std::pair("debug", Log::Level::debug), std::pair("info", Log::Level::info),
                               std::pair("warn", Log::Level::warn), std::pair("error", Log::Level::error)};
  Log result;
  for (const auto& [name, level] : kLevels)
    if (log.settings().text("level") == name) result.level = level;
  result.file = log.settings().text("file");
  return result;
}

constexpr std::string_view kTokenFile = "data/admin.token";

std::optional<Admin> build_admin(const BuildContext& context, Addresses& addresses) {
  const View admin = context.root.at("admin");
  auto address = addresses.take(admin.at("address"));
  if (!address) return std::nullopt;
  if (address->kind != Address::Kind::tcp)
    context.report.error({code::kBadAddress, admin.at("address").span(), "'address' in 'admin' is no IP and port",
                          "for example: 127.0.0.1:9901"});
  Admin result;
  result.address = *std::move(address);
  result.token.file = token_file(context);
  if (const auto* text = admin.at("token").settings().as<Secret>()) result.token.text = *text;
  for (const Settings& each : admin.settings().list("hosts"))
    if (auto host = routing::parse_host(each.as_text())) result.hosts.push_back(*std::move(host));
  return result;
}

}  // namespace

std::string token_file(const BuildContext& context) {
  const Settings& token = context.root.at("admin").at("token").settings();
  if (!context.root.given("admin") || token.as<Secret>()) return {};
  return std::string(token.text("file", (context.options.folder / kTokenFile).lexically_normal().string()));
}

void build_gateway(const BuildContext& context, Model& model) {
  Addresses addresses(context);
  const View listen = context.root.at("listen");
  std::map<std::string, std::size_t> named;
  for (const View& each : listen.items()) {
    auto tls = build_listener_tls(context, each.at("tls"));
    const bool http2 = each.settings().flag("http2", tls.has_value());
    if (tls && http2) tls->protocols = tls::Protocols::h2_and_http1;
    auto address = addresses.take(each.at("address"));
    if (!address) continue;
    const std::size_t number = ++named[show(*address)];
    model.listen.push_back({.address = *address,
                            .name = number == 1 ? show(*address) : fmt::format("{}#{}", show(*address), number),
                            .proxy_protocol = each.settings().flag("proxy_protocol"),
                            .http2 = http2 && !tls,
                            .tls = std::move(tls),
                            .place = context.report.place(each.span())});
  }
  if (listen.valid() && listen.items().empty())
    context.report.error(
        {code::kMissingKey, listen.span(), "'listen' names no address", "for example: [0.0.0.0:8080]"});
  model.admin = build_admin(context, addresses);
  model.workers = static_cast<std::uint32_t>(context.root.settings().integer("workers", 0));
  for (const Settings& each : context.root.settings().list("trusted"))
    if (auto network = parse_network(each.as_text())) model.trusted.push_back(*network);
  model.via = context.root.settings().flag("via", true);
  model.limits = build_limits(context.root.at("limits"));
  check_limits(context, context.root.at("limits"), model.limits);
  model.log = build_log(context.root.at("log"));
  model.store = build_store(context);
  model.tracing = build_tracing(context);
}

void report_dangling(const BuildContext& context, const Dangling& dangling) {
  if (context.report.full()) return context.report.count_error();
  std::vector<std::string_view> names;
  for (const View::Named& each : context.root.at(dangling.section).members())
    names.push_back(each.name);
  const std::string_view similar = closest(dangling.name, names);
  std::vector<Report::Second> notes;
  if (context.root.given(dangling.section))
    notes.push_back({context.root.key_span(dangling.section), fmt::format("{} are defined here", dangling.section)});
  context.report.error(
      {code::kUnknownName, dangling.span, fmt::format("there is no {} '{}'", dangling.kind, dangling.name),
       similar.empty() ? fmt::format("define it under '{}'", dangling.section)
                       : fmt::format("did you mean '{}'?", similar)},
      std::move(notes));
}

}  // namespace lingate::config
