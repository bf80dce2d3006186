#include "gateway/admin/gate.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>

#include "base/authority.h"
#include "base/codes.h"
#include "base/fields.h"
#include "base/percent.h"
#include "base/utf8.h"
#include "middleware/sessions/stored_session.h"

namespace lingate::admin {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](char c) { return fields::lower(c); });
  return result;
}

bool is_ip(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  boost::system::error_code problem;
  boost::asio::ip::make_address(std::string(host), problem);
  return !problem;
}

enum class Plus : std::uint8_t { plus, space };

// Nothing where a triplet is malformed or the text is no UTF-8.
std::optional<std::string> decode(std::string_view text, Plus plus) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += text[i] == '+' && plus == Plus::space ? ' ' : text[i];
      continue;
    }
    const int byte = percent_triplet(text, i);
    if (byte < 0) return std::nullopt;
    result += static_cast<char>(byte);
    i += 2;
  }
  return utf8::is_valid(result) ? std::optional(std::move(result)) : std::nullopt;
}

std::string_view take_segment(std::string_view& path) {
  path.remove_prefix(1);
  const std::string_view segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  return segment;
}

// Whether the path is one of the template's; its parameters go into `call`, as they were sent.
bool matches(std::string_view pattern, std::string_view path, Call& call) {
  call.parameters.clear();
  while (pattern.starts_with('/') && path.starts_with('/')) {
    const std::string_view wanted = take_segment(pattern);
    const std::string_view given = take_segment(path);
    if (wanted.starts_with('{')) {
      if (given.empty()) return false;
      call.parameters.emplace_back(wanted.substr(1, wanted.size() - 2), given);
    } else if (wanted != given) {
      return false;
    }
  }
  return pattern.empty() && path.empty();
}

// `access` is that of the path: what is there is told to those who may know.
Result<Admitted, Refusal> find(std::string_view method, std::string_view path, Access& access) {
  Admitted found;
  std::string allow;
  for (const Operation& each : operations()) {
    if (!matches(each.path, path, found.call)) continue;
    found.operation = &each;
    access = each.access;
    if (each.method == method || (each.method == "GET" && method == "HEAD")) return found;
    allow += (allow.empty() ? "" : ", ") + std::string(each.method) + (each.method == "GET" ? ", HEAD" : "");
  }
  if (allow.empty()) return fail(Refusal{.code = code::kNoSuchOperation});
  return fail(Refusal{.code = code::kMethodNotAllowed, .allow = std::move(allow)});
}

std::optional<Refusal> decode_path(Admitted& found) {
  for (auto& [name, value] : found.call.parameters) {
    auto decoded = decode(value, Plus::plus);
    if (!decoded)
      return Refusal{.code = code::kBadAdminRequest, .detail = "a malformed triplet", .field = std::string(name)};
    value = *std::move(decoded);
  }
  return std::nullopt;
}

std::optional<Refusal> read_query(std::string_view query, Admitted& found) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const auto name = decode(pair.substr(0, equals), Plus::space);
    auto value = decode(pair.substr(std::min(equals + 1, pair.size())), Plus::space);
    if (!name || !value) return Refusal{.code = code::kBadAdminRequest, .detail = "the query is malformed"};
    const auto& known = found.operation->parameters;
    const auto at = std::find_if(known.begin(), known.end(),
                                 [&name](const Parameter& each) { return each.in == In::query && each.name == *name; });
    if (at == known.end())
      return Refusal{.code = code::kBadAdminRequest, .detail = "the operation has no such parameter", .field = *name};
    found.call.parameters.emplace_back(at->name, *std::move(value));
  }
  return std::nullopt;
}

// Only where the operation asks for it; elsewhere it changes nothing.
void read_if_match(std::string_view value, Admitted& found) {
  for (const Parameter& each : found.operation->parameters)
    if (each.in == In::if_match && !value.empty()) found.call.parameters.emplace_back(each.name, value);
}

bool takes_type(Body body, std::string_view type) {
  const std::string media = lower(fields::without_ows(type.substr(0, type.find(';'))));
  switch (body) {
    case Body::none: return true;  // it is not looked at
    case Body::json:
    case Body::optional_json: return media == "application/json";
    case Body::merge_patch: return media == "application/json" || media == "application/merge-patch+json";
    case Body::yaml:
      return media == "application/yaml" || media == "application/x-yaml" || media == "text/yaml" ||
             media == "text/x-yaml";
  }
  return false;
}

std::optional<Refusal> check_body(const Operation& operation, const Head& head) {
  if (head.content_length.value_or(0) > kMostBody) return Refusal{.code = code::kAdminBodyTooLarge};
  if (!head.has_body() || takes_type(operation.body, head.content_type)) return std::nullopt;
  return Refusal{.code = code::kAdminMediaType,
                 .detail = operation.body == Body::yaml ? "send Content-Type: application/yaml"
                                                        : "send Content-Type: application/json"};
}

}  // namespace

Gate::Gate(std::string token, std::vector<std::string> hosts)
    : token_hash_(middleware::hash_of_key(token)), hosts_(std::move(hosts)) {}

bool Gate::takes_host(std::string_view authority) const {
  if (!is_authority(authority)) return false;
  const std::string host = lower(host_of(authority));
  if (is_ip(host) || host == "localhost") return true;
  return std::any_of(hosts_.begin(), hosts_.end(), [&host](std::string_view each) {
    return each.starts_with("*.") ? host.size() >= each.size() && host.ends_with(each.substr(1)) : host == each;
  });
}

bool Gate::takes_token(std::string_view authorization) const {
  constexpr std::string_view kScheme = "bearer ";
  if (lower(authorization.substr(0, kScheme.size())) != kScheme) return false;
  const std::string given = middleware::hash_of_key(fields::without_ows(authorization.substr(kScheme.size())));
  return CRYPTO_memcmp(given.data(), token_hash_.data(), token_hash_.size()) == 0;
}

// Probes come from load balancers, which say what Host they like, or in HTTP/1.0 none.
std::optional<Refusal> Gate::check_source(const Head& head, Access access) const {
  const bool probe = access == Access::probe;
  if (!probe && head.hosts.size() != 1) return Refusal{.code = code::kBadHost, .detail = "exactly one Host is needed"};
  const std::string_view host = head.hosts.empty() ? std::string_view() : head.hosts.front();
  if (!probe && !takes_host(host)) return Refusal{.code = code::kAdminHost};
  const bool own_page = head.origin.empty() || lower(head.origin) == "http://" + lower(host);
  const bool own_site = head.fetch_site.empty() || head.fetch_site == "same-origin" || head.fetch_site == "none";
  if (!own_page || !own_site) return Refusal{.code = code::kAdminOrigin};
  return std::nullopt;
}

Result<Admitted, Refusal> Gate::admit(const Head& head) const {
  const std::size_t question = std::min(head.target.find('?'), head.target.size());
  Access access = Access::token;
  auto found = find(head.method, head.target.substr(0, question), access);
  if (auto refusal = check_source(head, access)) return fail(*std::move(refusal));
  if (access == Access::token && !takes_token(head.authorization)) return fail(Refusal{.code = code::kAdminTokenWrong});
  if (!found) return found;
  if (auto refusal = decode_path(*found)) return fail(*std::move(refusal));
  if (auto refusal = read_query(head.target.substr(std::min(question + 1, head.target.size())), *found))
    return fail(*std::move(refusal));
  read_if_match(head.if_match, *found);
  if (auto refusal = check_body(*found->operation, head)) return fail(*std::move(refusal));
  return found;
}

}  // namespace lingate::admin
