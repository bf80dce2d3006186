#include "base/settings.h"

namespace lingate {
namespace {

template <class T>
const T& member_or_empty(const Settings& settings, std::string_view key) {
  static const T empty;
  const Settings* found = settings.find(key);
  const T* value = found ? found->as<T>() : nullptr;
  return value ? *value : empty;
}

}  // namespace

const Settings* Settings::find(std::string_view key) const noexcept {
  const Map* members = as<Map>();
  if (!members) return nullptr;
  for (const auto& [name, value] : *members)
    if (name == key) return value.is_null() ? nullptr : &value;
  return nullptr;
}

std::string_view Settings::as_text() const noexcept {
  if (const auto* text = as<std::string>()) return *text;
  if (const auto* secret = as<Secret>()) return secret->text;
  return {};
}

std::string_view Settings::text(std::string_view key, std::string_view otherwise) const noexcept {
  const Settings* found = find(key);
  const bool given = found && (found->as<std::string>() || found->as<Secret>());
  return given ? found->as_text() : otherwise;
}

bool Settings::flag(std::string_view key, bool otherwise) const noexcept {
  const Settings* found = find(key);
  const bool* value = found ? found->as<bool>() : nullptr;
  return value ? *value : otherwise;
}

std::int64_t Settings::integer(std::string_view key, std::int64_t otherwise) const noexcept {
  const Settings* found = find(key);
  const auto* value = found ? found->as<std::int64_t>() : nullptr;
  return value ? *value : otherwise;
}

Settings::Duration Settings::duration(std::string_view key, Duration otherwise) const noexcept {
  const Settings* found = find(key);
  const auto* value = found ? found->as<Duration>() : nullptr;
  return value ? *value : otherwise;
}

std::uint64_t Settings::size(std::string_view key, std::uint64_t otherwise) const noexcept {
  const Settings* found = find(key);
  const auto* value = found ? found->as<ByteSize>() : nullptr;
  return value ? value->bytes : otherwise;
}

const Settings::List& Settings::list(std::string_view key) const noexcept {
  return member_or_empty<List>(*this, key);
}

const Settings::Map& Settings::map(std::string_view key) const noexcept {
  return member_or_empty<Map>(*this, key);
}

}  // namespace lingate
