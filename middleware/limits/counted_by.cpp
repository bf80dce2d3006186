#include "middleware/limits/counted_by.h"

#include <charconv>
#include <utility>

#include "base/codes.h"
#include "proto/plugin.h"
#include "proto/wire.h"

namespace lingate::middleware::limits {
namespace {

using proto::Reader;
using proto::WireType;

Caller address_of(const Exchange& exchange) noexcept {
  return {'a', exchange.request.client_ip};
}

// A text as it is, a number as its shortest digits; empty: neither.
std::string_view text_of(std::string_view value, Arena& arena) {
  Reader reader(value);
  for (proto::Field field; reader.next(field);) {
    if (field.is(proto::value::kText, WireType::bytes)) return field.bytes;
    if (!field.is(proto::value::kNumber, WireType::fixed64)) continue;
    constexpr std::size_t kLongest = 32;
    char* const place = arena.allocate(kLongest);
    const auto end = std::to_chars(place, place + kLongest, field.as_double()).ptr;
    return {place, static_cast<std::size_t>(end - place)};
  }
  return {};
}

struct Named {
  std::string_view name;
  std::string_view value;
};

Named read_member(std::string_view member) noexcept {
  Named named;
  Reader reader(member);
  for (proto::Field field; reader.next(field);) {
    if (field.is(proto::member::kName, WireType::bytes)) named.name = field.bytes;
    if (field.is(proto::member::kValue, WireType::bytes)) named.value = field.bytes;
  }
  return named;
}

}  // namespace

Result<CountedBy> CountedBy::parse(std::string_view text) {
  constexpr std::pair<std::string_view, Source> kPlain[] = {
      {"session.id", Source::session}, {"client.ip", Source::client}, {"route", Source::route}};
  constexpr std::pair<std::string_view, Source> kNamed[] = {{"header.", Source::header}, {"ctx.", Source::context}};
  for (const auto& [word, source] : kPlain)
    if (text == word) return CountedBy(source, {});
  for (const auto& [prefix, source] : kNamed)
    if (text.starts_with(prefix) && text.size() > prefix.size()) return CountedBy(source, text.substr(prefix.size()));
  return fail(code::kNotAChoice, "'" + std::string(text) + "' is nothing to count by");
}

Caller CountedBy::caller(Exchange& exchange) const {
  switch (source_) {
    case Source::session:
      if (const Session* session = exchange.session()) return {'s', session->id()};
      break;
    case Source::route: return {'r', exchange.route()};
    case Source::header:
      if (const std::string_view value = exchange.request.headers.value(name_); !value.empty()) return {'h', value};
      break;
    case Source::context: return member_of(exchange);
    case Source::client: break;
  }
  return address_of(exchange);
}

Caller CountedBy::member_of(Exchange& exchange) const {
  Reader reader(exchange.context());
  for (proto::Field field; reader.next(field);) {
    if (!field.is(proto::members::kMembers, WireType::bytes)) continue;
    const Named member = read_member(field.bytes);
    if (member.name != name_) continue;
    const std::string_view text = text_of(member.value, exchange.arena);
    return text.empty() ? address_of(exchange) : Caller{'c', exchange.arena.copy(text)};
  }
  return address_of(exchange);
}

}  // namespace lingate::middleware::limits
