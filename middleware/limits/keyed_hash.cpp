#include "middleware/limits/keyed_hash.h"

#include <random>

namespace lingate::middleware::limits {

KeyedHash KeyedHash::of_this_process() {
  std::random_device device;
  const auto word = [&device] { return std::uint64_t{device()} << 32U | device(); };
  const std::uint64_t first = word();
  return {first, word()};
}

}  // namespace lingate::middleware::limits
