#include "middleware/sessions/stored_session.h"

#include <openssl/sha.h>

#include <array>
#include <bit>

#include "proto/wire.h"

namespace lingate::middleware {
namespace {

constexpr std::uint32_t kSession = 1, kKeys = 2, kCreated = 3, kUpdated = 4;

void append_double(std::string& out, std::uint32_t number, double value) {
  out.push_back(static_cast<char>((number << 3U) | static_cast<std::uint32_t>(proto::WireType::fixed64)));
  const auto bytes = std::bit_cast<std::array<char, sizeof value>>(value);
  out.append(bytes.data(), bytes.size());
}

}  // namespace

std::string encode(const StoredSession& stored) {
  std::string out;
  proto::append_bytes(out, kSession, stored.session);
  for (const std::string& key : stored.keys)
    proto::append_bytes(out, kKeys, key);
  append_double(out, kCreated, stored.created);
  append_double(out, kUpdated, stored.updated);
  return out;
}

std::optional<StoredSession> decode_stored_session(std::string_view bytes) {
  StoredSession stored;
  proto::Reader reader(bytes);
  for (proto::Field field; reader.next(field);) {
    if (field.is(kSession, proto::WireType::bytes)) stored.session = field.bytes;
    if (field.is(kKeys, proto::WireType::bytes)) stored.keys.emplace_back(field.bytes);
    if (field.is(kCreated, proto::WireType::fixed64)) stored.created = field.as_double();
    if (field.is(kUpdated, proto::WireType::fixed64)) stored.updated = field.as_double();
  }
  if (reader.failed() || stored.session.empty()) return std::nullopt;
  return stored;
}

std::string_view session_of(std::string_view bytes) noexcept {
  proto::Reader reader(bytes);
  for (proto::Field field; reader.next(field);)
    if (field.is(kSession, proto::WireType::bytes)) return field.bytes;
  return {};
}

std::string hash_of_key(std::string_view key) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256(reinterpret_cast<const unsigned char*>(key.data()), key.size(), digest.data());
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace lingate::middleware
