// Sessions with limits of their own, for tests.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "middleware/sessions/session.h"
#include "proto/plugin.h"
#include "proto/wire.h"

namespace lingate::middleware {

struct SessionNumbers {
  std::optional<double> rate{}, per{}, burst{}, quota_max{}, quota_remaining{}, quota_renews{};
};

inline Session session_with(std::string_view id, const SessionNumbers& numbers = {}) {
  namespace number = proto::session;
  std::string wire(id.size() + 128, '\0');
  char* end = proto::put_bytes_field(wire.data(), number::kId, id);
  for (const auto& [field, value] : {std::pair(number::kRate, numbers.rate),
                                     {number::kPer, numbers.per},
                                     {number::kBurst, numbers.burst},
                                     {number::kQuotaMax, numbers.quota_max},
                                     {number::kQuotaRemaining, numbers.quota_remaining},
                                     {number::kQuotaRenews, numbers.quota_renews}})
    if (value) end = proto::put_double_field(end, field, *value);
  wire.resize(static_cast<std::size_t>(end - wire.data()));
  return *Session::from_wire(std::move(wire));
}

}  // namespace lingate::middleware
