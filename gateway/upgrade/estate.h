// Estate: what one gateway hands to the process that takes its place: the sockets that it listens on, all of them, so
// that no client's connection is lost which the kernel has made already, the lock of its store, and which targets are
// drained. The descriptors come to the other process under numbers that follow one another; a text beside says what
// they are, and the rest.
//
// Thread: any. Lifetime: owns copies of the descriptors.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"
#include "gateway/config/model.h"
#include "gateway/http/drains.h"
#include "gateway/reload/listeners.h"

namespace lingate {

struct Estate {
  std::vector<Listeners::Shared> listeners;
  std::optional<std::pair<config::Address, Descriptor>> admin;  // the address as the configuration has it
  std::optional<Descriptor> store;
  std::vector<http::Drains::Name> drained;

  // Both in one order.
  std::vector<int> descriptors() const;
  std::string text() const;

  // The other way round. The descriptors are from then on of this process alone: no program that it starts has them.
  static Result<Estate, std::string> read(const std::string& text, int first);
};

}  // namespace lingate
