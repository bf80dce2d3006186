#include "gateway/open_store.h"

namespace lingate {

Result<std::unique_ptr<store::Store>> open_store(const config::Model&) {
  return store::make_memory_store();
}

}  // namespace lingate
