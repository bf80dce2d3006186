// Balance: which target takes the next request. Linear in the number of targets, which is small; no allocation.
//
// Thread: the worker's.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "gateway/http/target.h"

namespace lingate::http {

using Targets = std::span<const std::unique_ptr<Target>>;

// `avoid` is left out as long as another one is available (a retry goes elsewhere). nullptr: none is available.
Target* pick_round_robin(Targets targets, Clock::time_point now, const Target* avoid) noexcept;
Target* pick_least_request(Targets targets, Clock::time_point now, const Target* avoid) noexcept;
// Weighted rendezvous hashing: when a target comes or goes, only its own share of the keys moves.
Target* pick_by_hash(Targets targets, std::uint64_t key, Clock::time_point now, const Target* avoid) noexcept;

std::uint64_t hash_text(std::string_view text) noexcept;  // FNV-1a, mixed; the same in every process

}  // namespace lingate::http
