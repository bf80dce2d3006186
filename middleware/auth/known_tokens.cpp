#include "middleware/auth/known_tokens.h"

#include <utility>

#include <openssl/crypto.h>

namespace lingate::middleware::auth {
namespace {

bool same(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

const Session* KnownTokens::find(std::string_view token, Wall now) {
  const limits::Key key = hash_(0, 0, token);
  auto found = young_.entries.find(key);
  if (found == young_.entries.end()) {
    const auto old = old_.entries.find(key);
    if (old == old_.entries.end()) return nullptr;
    Entry entry = std::move(old->second);
    old_.bytes -= entry.bytes();
    old_.entries.erase(old);
    put(key, std::move(entry));
    found = young_.entries.find(key);
  }
  Entry& entry = found->second;
  if (now < entry.until && same(entry.token, token)) return &entry.session;
  young_.bytes -= entry.bytes();
  young_.entries.erase(found);
  return nullptr;
}

void KnownTokens::learn(std::string_view token, const Session& session, Wall until) {
  const limits::Key key = hash_(0, 0, token);
  if (const auto old = old_.entries.find(key); old != old_.entries.end()) {
    old_.bytes -= old->second.bytes();
    old_.entries.erase(old);
  }
  if (const auto young = young_.entries.find(key); young != young_.entries.end()) {
    young_.bytes -= young->second.bytes();
    young_.entries.erase(young);
  }
  put(key, {.token = std::string(token), .session = session, .until = until});
}

// A full half becomes the old one, and what was left of that goes.
void KnownTokens::put(const limits::Key& key, Entry entry) {
  const std::size_t bytes = entry.bytes();
  if (young_.entries.size() >= kMost / 2 || young_.bytes + bytes > kMostBytes / 2) old_ = std::exchange(young_, Half{});
  young_.bytes += bytes;
  young_.entries.emplace(key, std::move(entry));
}

void KnownTokens::forget_all() noexcept {
  young_ = Half{};
  old_ = Half{};
}

}  // namespace lingate::middleware::auth
