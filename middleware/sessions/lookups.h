// Lookups: what a session directory has asked of a remote store and what became of it. A lookup is on its way until the
// store has answered; then it goes home through the loop that asked, and frees itself there, asked for or forgotten.
//
// Thread: a lookup is its loop's; the set of those on their way is any's. Lifetime: the directory outlives both.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/loop.h"
#include "middleware/sessions/directory.h"
#include "middleware/sessions/session_cache.h"
#include "store/store.h"

namespace lingate::middleware {

class SessionDirectory::Lookup final : public Task {
 public:
  Lookup(SessionDirectory& directory, Loop& loop, Asker& asker, std::string_view key)
      : directory_(directory), loop_(loop), asker_(&asker), key_(key) {}

  void forget() noexcept { asker_ = nullptr; }
  void run() noexcept override;

  SessionDirectory& directory_;
  Loop& loop_;
  Asker* asker_;  // the loop's thread only
  const std::string key_;
  // Filled before it goes home.
  Result<store::Linked> found_{};
  CachedSession entry_{};
};

}  // namespace lingate::middleware
