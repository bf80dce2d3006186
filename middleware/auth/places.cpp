#include "middleware/auth/places.h"

#include "base/fields.h"
#include "base/pairs.h"
#include "base/percent.h"

namespace lingate::middleware::auth {
namespace {

// Its triplets decoded; '+' stays, keys have no spaces.
std::string_view decoded(std::string_view value, Arena& arena) {
  if (value.find('%') == std::string_view::npos) return value;
  std::string text;
  for (std::size_t k = 0; k < value.size(); ++k) {
    const int byte = percent_triplet(value, k);
    text.push_back(byte < 0 ? value[k] : static_cast<char>(byte));
    if (byte >= 0) k += 2;
  }
  return arena.copy(text);
}

std::string without_parameter(std::string_view query, std::string_view name) {
  std::string kept;
  while (!query.empty()) {
    const std::string_view parameter = take_until(query, '&');
    if (parameter.substr(0, parameter.find('=')) == name) continue;
    if (!kept.empty()) kept += '&';
    kept += parameter;
  }
  return kept;
}

std::string without_cookie(std::string_view cookies, std::string_view name) {
  std::string kept;
  while (!cookies.empty()) {
    const std::string_view pair = fields::without_ows(take_until(cookies, ';'));
    if (pair.empty() || pair.substr(0, pair.find('=')) == name) continue;
    if (!kept.empty()) kept += "; ";
    kept += pair;
  }
  return kept;
}

// All Cookie lines become one (RFC 9113, 8.2.3, allows it), or none.
void hide_cookie(std::string_view name, Exchange& exchange) {
  std::string all;
  for (const Field& field : exchange.request.headers.all())
    if (!field.removed && fields::same_name(field.name, "cookie")) {
      if (!all.empty()) all += "; ";
      all += field.value;
    }
  const std::string kept = without_cookie(all, name);
  if (kept.empty())
    exchange.request.headers.remove("Cookie");
  else
    exchange.request.headers.set("Cookie", kept);
}

std::string_view cookie_at(std::string_view name, const Request& request) {
  for (const Field& field : request.headers.all())
    if (!field.removed && fields::same_name(field.name, "cookie"))
      if (const std::string_view value = cookie_value(field.value, name); !value.empty()) return value;
  return {};
}

}  // namespace

std::vector<Place> read_places(const Settings& settings) {
  using Kind = Place::Kind;
  std::vector<Place> places;
  for (const Settings& each : settings.list("from")) {
    if (const auto name = each.text("header"); !name.empty()) places.push_back({Kind::header, std::string(name)});
    if (each.flag("bearer")) places.push_back({Kind::bearer});
    if (const auto name = each.text("query"); !name.empty()) places.push_back({Kind::query, std::string(name)});
    if (const auto name = each.text("cookie"); !name.empty()) places.push_back({Kind::cookie, std::string(name)});
  }
  return places;
}

std::string_view authorization(const Request& request, std::string_view scheme) noexcept {
  const Field* field = request.headers.find("authorization");
  if (!field || field->value.size() <= scheme.size()) return {};
  return fields::same_name(field->value.substr(0, scheme.size()), scheme)
             ? fields::without_ows(field->value.substr(scheme.size()))
             : std::string_view();
}

std::string_view credential_at(const Place& place, Exchange& exchange) {
  const Request& request = exchange.request;
  switch (place.kind) {
    case Place::Kind::header: {
      const Field* field = request.headers.find(place.name);
      return field ? field->value : std::string_view();
    }
    case Place::Kind::bearer: return authorization(request, "bearer ");
    case Place::Kind::query: return decoded(query_value(request.query, place.name), exchange.arena);
    case Place::Kind::cookie: break;
  }
  return cookie_at(place.name, request);
}

void hide_credential(const Place& place, Exchange& exchange) {
  Headers& headers = exchange.request.headers;
  switch (place.kind) {
    case Place::Kind::header: headers.remove(place.name); break;
    case Place::Kind::bearer: headers.remove("Authorization"); break;
    case Place::Kind::query: exchange.edit_query(without_parameter(exchange.request.query, place.name)); break;
    case Place::Kind::cookie: hide_cookie(place.name, exchange); break;
  }
}

}  // namespace lingate::middleware::auth
