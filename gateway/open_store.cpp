#include "gateway/open_store.h"

#include <algorithm>

#include "middleware/builtin.h"

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

Result<std::unique_ptr<store::Store>> open_store(const config::Model& model) {
  if (model.store.kind == config::Store::Kind::memory) return store::make_memory_store();
  return store::open_embedded_store({.folder = model.store.path});
}

}  // namespace lingate
