// FolderLock: one process has the folder of a store: two would each serve from caches that the other does not know of.
// A process that another takes the place of gives that its lock, and then both hold it, until both have ended.
//
// Thread: any. Lifetime: the folder is this process's until it is destroyed.
#pragma once

#include <string>

#include "base/descriptor.h"
#include "base/result.h"
#include "store/store.h"

namespace lingate::store {

class FolderLock {
 public:
  // Makes the folder where it is missing. Fails with code::kStoreUnavailable where another process has it.
  static Result<FolderLock> take(const EmbeddedOptions& options);

  Descriptor copy() const noexcept;
  // Writes this process's number into the lock, for who finds it taken.
  void name_owner() const noexcept;

 private:
  explicit FolderLock(Descriptor file) : file_(std::move(file)) {}
  std::string owner() const;

  Descriptor file_;
};

}  // namespace lingate::store
