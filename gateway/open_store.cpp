#include "gateway/open_store.h"

#include <algorithm>

namespace lingate {

bool uses_store(const config::Model& model) {
  if (model.admin) return true;
  const auto asks = [](const config::Step& step) { return step.kind == "key-auth" || step.kind == "quota"; };
  return std::any_of(model.routes.begin(), model.routes.end(), [&](const config::Route& route) {
    return std::any_of(route.chain.begin(), route.chain.end(), asks);
  });
}

Result<std::unique_ptr<store::Store>> open_store(const config::Model& model) {
  if (model.store.kind == config::Store::Kind::memory) return store::make_memory_store();
  return store::open_embedded_store({.folder = model.store.path});
}

}  // namespace lingate
