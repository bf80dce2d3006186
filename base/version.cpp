#include "base/version.h"

namespace lingate {

std::string_view version() noexcept {
  return LINGATE_VERSION;
}

}  // namespace lingate
