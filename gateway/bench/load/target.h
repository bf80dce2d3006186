// Target: all that a connection needs to send requests: the address, found once, and the bytes of the request.
//
// Thread: any; find_target blocks. Lifetime: owns its text; clients borrow it.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <string>

#include "gateway/bench/load/load.h"
#include "gateway/bench/load/url.h"

namespace lingate::bench {

struct Target {
  boost::asio::ip::tcp::endpoint endpoint;
  std::string request;    // head and body, as sent
  bool bodiless = false;  // the answer to HEAD has none, whatever its head says
  std::chrono::milliseconds timeout{5000};
};

Result<std::string> request_text(const Url& url, const LoadOptions& options);

// Resolves the name and takes the first of its addresses that lets a connection in.
Result<Target> find_target(const LoadOptions& options);

}  // namespace lingate::bench
