// What every kind of store holds records to.
//
// Thread: any. Lifetime: nothing is kept.
#pragma once

#include <string>
#include <string_view>

#include "base/codes.h"
#include "base/result.h"
#include "store/store.h"

namespace lingate::store {

inline bool is_over(const Record& record, Time now) noexcept {
  return record.expires && *record.expires <= now;
}

inline Result<void> check_key(std::string_view key) {
  if (!key.empty() && key.size() <= kMaxKey) return {};
  return fail(code::kStoreUnavailable,
              "a key of the store has 1 to " + std::to_string(kMaxKey) + " bytes, not " + std::to_string(key.size()));
}

inline Result<void> check_value(std::string_view value) {
  if (value.size() <= kMaxValue) return {};
  return fail(code::kStoreUnavailable, "a record of the store has at most " + std::to_string(kMaxValue) +
                                           " bytes, not " + std::to_string(value.size()));
}

}  // namespace lingate::store
