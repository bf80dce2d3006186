// From the loaded configuration to what the data path wants to know: the same facts in its own plain types, so that
// neither depends on the other.
//
// Pure functions; any thread.
#pragma once

#include "gateway/config/model.h"
#include "gateway/http/options.h"

namespace lingate {

http::ListenerOptions data_path_options(const config::Listener& listener);
http::UpstreamOptions data_path_options(const config::Upstream& upstream);
http::Limits data_path_options(const config::Limits& limits);
http::Network data_path_options(const config::Network& network);

}  // namespace lingate
