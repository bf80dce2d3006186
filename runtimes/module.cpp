// base64, digests, random, the clock. The query functions are in module_query.cpp.

// The one-shot SHA-256 functions of OpenSSL 3 look their algorithm up on every call, which costs more than hashing a
// short text; the plain ones do not, and are otherwise the same code.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "runtimes/module.h"

#include <array>
#include <cmath>
#include <ctime>

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include "base/similar.h"

namespace lingate::runtimes::module {
namespace {

constexpr std::string_view kStandard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrl = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr double kMostRandom = 65536;
constexpr std::size_t kBlock = SHA256_CBLOCK;

using Digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;
using Block = std::array<unsigned char, kBlock>;

constexpr std::string_view letters(Base64 alphabet) {
  return alphabet == Base64::standard ? kStandard : kUrl;
}

constexpr std::array<std::uint8_t, 256> make_reverse(std::string_view from) {
  std::array<std::uint8_t, 256> table{};
  for (auto& entry : table)
    entry = 0xFF;
  for (std::size_t i = 0; i < from.size(); ++i)
    table[static_cast<unsigned char>(from[i])] = static_cast<std::uint8_t>(i);
  return table;
}

constexpr auto kStandardReverse = make_reverse(kStandard);
constexpr auto kUrlReverse = make_reverse(kUrl);

std::string_view bytes_of(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text.push_back(kDigits[byte >> 4U]);
    text.push_back(kDigits[byte & 15U]);
  }
  return text;
}

std::string encoded(const Digest& digest, Encoding encoding) {
  switch (encoding) {
    case Encoding::hex: return hex(bytes_of(digest));
    case Encoding::base64: return base64_encode(bytes_of(digest), Base64::standard);
    case Encoding::raw: break;
  }
  return std::string(bytes_of(digest));
}

Digest digest_of(std::string_view first, std::string_view second) {
  SHA256_CTX context;
  Digest digest;
  SHA256_Init(&context);
  SHA256_Update(&context, first.data(), first.size());
  SHA256_Update(&context, second.data(), second.size());
  SHA256_Final(digest.data(), &context);
  return digest;
}

std::string_view keyed(Block& block, std::string_view key, unsigned char pad) {
  block.fill(pad);
  for (std::size_t i = 0; i < key.size(); ++i)
    block[i] ^= static_cast<unsigned char>(key[i]);
  return {reinterpret_cast<const char*>(block.data()), block.size()};
}

ValueError unknown(std::string_view what, std::string_view name, std::span<const std::string_view> known) {
  std::string message = "unknown " + std::string(what) + " \"" + std::string(name.substr(0, 32)) + "\": it may be ";
  for (std::size_t i = 0; i < known.size(); ++i)
    message.append(i == 0 ? "\"" : i + 1 == known.size() ? " or \"" : ", \"").append(known[i]).append("\"");
  if (const auto meant = closest(name, known); !meant.empty())
    message.append("; did you mean \"").append(meant).append("\"?");
  return {std::move(message)};
}

}  // namespace

std::string base64_encode(std::string_view bytes, Base64 alphabet) {
  const std::string_view to = letters(alphabet);
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  std::size_t at = 0;
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i])); };
  for (; at + 3 <= bytes.size(); at += 3) {
    const std::uint32_t word = byte(at) << 16U | byte(at + 1) << 8U | byte(at + 2);
    for (unsigned shift = 24; shift != 0;)
      text.push_back(to[word >> (shift -= 6) & 63U]);
  }
  const std::size_t left = bytes.size() - at;
  if (left == 0) return text;
  const std::uint32_t word = byte(at) << 16U | (left == 2 ? byte(at + 1) << 8U : 0);
  text.push_back(to[word >> 18U]);
  text.push_back(to[word >> 12U & 63U]);
  if (left == 2) text.push_back(to[word >> 6U & 63U]);
  if (alphabet == Base64::standard) text.append(3 - left, '=');
  return text;
}

Result<std::string, ValueError> base64_decode(std::string_view text, Base64 alphabet) {
  const auto& reverse = alphabet == Base64::standard ? kStandardReverse : kUrlReverse;
  const std::size_t whole = text.size();
  for (int padding = 0; padding < 2 && whole % 4 == 0 && !text.empty() && text.back() == '='; ++padding)
    text.remove_suffix(1);
  if (alphabet == Base64::standard && whole % 4 != 0)
    return lingate::fail(
        ValueError{"base64 text must have a length that is a multiple of 4, not " + std::to_string(whole)});
  if (text.size() % 4 == 1) return lingate::fail(ValueError{"base64 text ends in the middle: one letter is left over"});
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t word = 0;
  unsigned bits = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const std::uint8_t value = reverse[static_cast<unsigned char>(text[at])];
    if (value == 0xFF)
      return lingate::fail(
          ValueError{"base64 text has a byte at offset " + std::to_string(at) + " that is not in the alphabet"});
    word = word << 6U | value;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push_back(static_cast<char>(word >> bits & 0xFFU));
  }
  // Bits left over must be zero (RFC 4648 section 3.5), or two texts would mean the same bytes.
  if ((word & ((1U << bits) - 1U)) != 0) return lingate::fail(ValueError{"base64 text ends in bits that are not zero"});
  return bytes;
}

Result<Base64, ValueError> parse_alphabet(std::string_view name) {
  static constexpr std::array<std::string_view, 2> kNames{"standard", "url"};
  if (name == kNames[0]) return Base64::standard;
  if (name == kNames[1]) return Base64::url;
  return lingate::fail(unknown("base64 alphabet", name, kNames));
}

Result<Encoding, ValueError> parse_encoding(std::string_view name) {
  static constexpr std::array<std::string_view, 3> kNames{"hex", "base64", "raw"};
  if (name == kNames[0]) return Encoding::hex;
  if (name == kNames[1]) return Encoding::base64;
  if (name == kNames[2]) return Encoding::raw;
  return lingate::fail(unknown("encoding", name, kNames));
}

std::string sha256(std::string_view bytes, Encoding encoding) {
  return encoded(digest_of(bytes, {}), encoding);
}

// RFC 2104.
std::string hmac_sha256(std::string_view key, std::string_view bytes, Encoding encoding) {
  Digest short_key;
  if (key.size() > kBlock) {
    short_key = digest_of(key, {});
    key = bytes_of(short_key);
  }
  Block block;
  const Digest inner = digest_of(keyed(block, key, 0x36), bytes);
  return encoded(digest_of(keyed(block, key, 0x5c), bytes_of(inner)), encoding);
}

bool equal(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && (a.empty() || CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0);
}

Result<std::string, ValueError> random(double count) {
  if (!(count >= 1 && count <= kMostRandom) || std::trunc(count) != count)
    return lingate::fail(ValueError{"crypto.random takes a whole number from 1 to 65536"});
  std::string bytes(static_cast<std::size_t>(count), '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size())) != 1)
    return lingate::fail(ValueError{"the system's random generator failed"});
  return bytes;
}

double now() noexcept {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

}  // namespace lingate::runtimes::module
