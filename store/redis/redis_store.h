// The kind `redis`: a store that several gateways share, in a Redis 7. Changes of one are heard by the others at once.
// Opening it succeeds where Redis is away: it is asked for again and again, and all that needs it is refused meanwhile.
//
// Fails with code::kStoreUnavailable, where the files of `tls` cannot be used.
// Thread and lifetime: as store.h says.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "store/redis/options.h"
#include "store/store.h"

namespace lingate::store {

// Told when the breaker opens, and why, and when it closes, and of which server; on the store's thread, must not block.
using RedisTold = std::function<void(bool away, std::string_view why)>;

Result<std::unique_ptr<Store>> open_redis_store(RedisOptions options, RedisTold told = {});

}  // namespace lingate::store
