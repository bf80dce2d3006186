#include "gateway/open_store.h"

#include <algorithm>

#include "base/codes.h"
#include "gateway/config/values.h"
#include "middleware/builtin.h"
#include "store/redis/redis_store.h"

namespace lingate {

bool uses_store(const config::Model& model) {
  return model.admin || steps_use_store(model);
}

bool steps_use_store(const config::Model& model) {
  const auto asks = [](const config::Step& step) {
    const middleware::StepKind* kind = middleware::find_step(step.kind);
    return kind && kind->keeps == middleware::Keeps::in_the_store;
  };
  return std::any_of(model.routes.begin(), model.routes.end(), [&](const config::Route& route) {
    return std::any_of(route.chain.begin(), route.chain.end(), asks);
  });
}

namespace {

void tell(middleware::AppLog& log, const config::Store& store, bool away, std::string_view why) {
  if (!away) {
    const std::string message = "redis: in use: " + std::string(why);
    return log.write({.level = middleware::LogLevel::info, .message = message});
  }
  const std::string message = "redis: " + std::string(why) + "; breaker open: sessions known here are accepted for " +
                              config::show_duration(store.stale) + ", limits are counted by this gateway alone";
  log.write({.level = middleware::LogLevel::error, .message = message, .code = code::kStoreUnavailable});
}

}  // namespace

Result<std::unique_ptr<store::Store>> open_store(const config::Model& model, middleware::AppLog* log,
                                                 const StoreHandedOver& handed_over) {
  if (model.store.kind == config::Store::Kind::redis)
    return store::open_redis_store(model.store.redis, [log, store = model.store](bool away, std::string_view why) {
      if (log) tell(*log, store, away, why);
    });
  if (model.store.kind == config::Store::Kind::memory) return store::make_memory_store();
  return store::open_embedded_store(
      {.folder = model.store.path, .lock = handed_over.lock, .predecessor = handed_over.by});
}

}  // namespace lingate
