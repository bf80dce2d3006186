#include "middleware/auth/places.h"

#include <algorithm>

#include "base/fields.h"
#include "base/pairs.h"
#include "base/percent.h"

namespace lingate::middleware::auth {
namespace {

// Its triplets decoded; '+' stays, keys have no spaces.
std::string_view decoded(std::string_view value, Arena& arena) {
  return value.find('%') == std::string_view::npos ? value : arena.copy(percent_decoded(value));
}

std::string without_parameter(std::string_view query, std::string_view name) {
  std::string kept;
  while (!query.empty()) {
    const std::string_view parameter = take_until(query, '&');
    if (percent_decoded(parameter.substr(0, parameter.find('='))) == name) continue;  // as an upstream reads it
    if (!kept.empty()) kept += '&';
    kept += parameter;
  }
  return kept;
}

void hide_parameter(std::string_view name, Exchange& exchange) {
  const std::string_view query = exchange.request.query;
  std::string kept = without_parameter(query, name);
  if (kept.size() != query.size()) exchange.edit_query(kept);
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

// One of another scheme is not this place's.
void hide_bearer(Headers& headers) {
  const auto is_one = [](const Field& field) {
    constexpr std::string_view kScheme = "bearer ";
    return !field.removed && fields::same_name(field.name, "authorization") &&
           fields::same_name(field.value.substr(0, kScheme.size()), kScheme);
  };
  if (std::any_of(headers.all().begin(), headers.all().end(), is_one)) headers.remove("Authorization");
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

void hide_credentials(const std::vector<Place>& places, Exchange& exchange) {
  Request& request = exchange.request;
  for (const Place& place : places)
    switch (place.kind) {
      case Place::Kind::header: request.headers.remove(place.name); break;
      case Place::Kind::bearer: hide_bearer(request.headers); break;
      case Place::Kind::query: hide_parameter(place.name, exchange); break;
      case Place::Kind::cookie: hide_cookie(place.name, exchange); break;
    }
}

std::vector<std::string> parameters_of(const std::vector<Place>& places) {
  std::vector<std::string> names;
  for (const Place& place : places)
    if (place.kind == Place::Kind::query) names.push_back(place.name);
  return names;
}

}  // namespace lingate::middleware::auth
