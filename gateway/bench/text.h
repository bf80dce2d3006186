// Numbers as people read them, and columns that stay aligned whatever stands in them.
//
// Thread: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gateway/bench/record.h"

namespace lingate::bench {

std::string time_text(double nanoseconds);  // "4.82 µs", three significant digits
std::string rate_text(double per_second);   // "12.3 k/s"
std::string value_text(double value, std::string_view unit);

// Letters on a screen: what UTF-8 text takes in a column.
std::size_t width_of(std::string_view text) noexcept;
std::string left(std::string_view text, std::size_t width);   // cut or padded
std::string right(std::string_view text, std::size_t width);  // padded on the left, never cut

// A histogram in `width` letters, from 100 ns to 100 ms by equal ratios, the highest bar in its fullest bucket.
std::string sparkline(const std::vector<Bucket>& histogram, std::size_t width);

}  // namespace lingate::bench
