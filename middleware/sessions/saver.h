// SessionSaver: takes what scripts have edited of a session that a store keeps, once their exchange is over.
//
// Thread: any. Lifetime: outlives the exchanges.
#pragma once

#include <string>
#include <vector>

namespace lingate::middleware {

class SessionSaver {
 public:
  // `edits` are encoded plugin.SessionEdits in the order they were made. Returns at once; what fails is logged.
  virtual void save(std::string id, std::vector<std::string> edits) noexcept = 0;

 protected:
  ~SessionSaver() = default;
};

}  // namespace lingate::middleware
