// How many cores this process may use: not those of the machine, where it was given fewer.
//
// Thread: any.
#pragma once

#include <cstdint>

namespace lingate {

std::uint32_t usable_cores() noexcept;

}  // namespace lingate
