#include "gateway/tls/tickets.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>

namespace lingate::tls {
namespace {

std::optional<TicketKeys::Key> random_key() {
  TicketKeys::Key key;
  const auto fill = [](auto& bytes) { return RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1; };
  if (fill(key.name) && fill(key.cipher) && fill(key.mac)) return key;
  return std::nullopt;
}

}  // namespace

TicketKeys::~TicketKeys() {
  for (auto* key : {&current_, &previous_})
    if (*key) OPENSSL_cleanse(&**key, sizeof(Key));
}

bool TicketKeys::rotate(Clock::time_point now) {
  if (current_ && now - made_ < kLife) return true;
  auto fresh = random_key();
  if (!fresh) return false;
  const bool recent = current_ && now - made_ < 2 * kLife;
  previous_ = recent ? current_ : std::nullopt;
  current_ = fresh;
  made_ = now;
  return true;
}

std::optional<TicketKeys::Key> TicketKeys::sealing(Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  if (!rotate(now)) return std::nullopt;
  return current_;
}

std::optional<TicketKeys::Found> TicketKeys::opening(std::span<const unsigned char, 16> name, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  if (!rotate(now)) return std::nullopt;
  const auto is = [name](const std::optional<Key>& key) {
    return key && std::equal(name.begin(), name.end(), key->name.begin());
  };
  if (is(current_)) return Found{*current_, true};
  if (is(previous_)) return Found{*previous_, false};
  return std::nullopt;
}

}  // namespace lingate::tls
