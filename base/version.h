// The version of this build, from CMakeLists.txt.
#pragma once

#include <string_view>

namespace lingate {

std::string_view version() noexcept;

}  // namespace lingate
