// The factories of the built-in steps, for the list in builtin.cpp. Settings come checked and with defaults filled in;
// what is checked again here is what would let bytes onto the wire that may not stand there.
//
// Thread and lifetime: as builtin.h says.
#pragma once

#include "middleware/builtin.h"

namespace lingate::middleware::steps {

MadeStep make_access_log(const Settings& settings, const StepSurroundings& surroundings);
MadeStep make_basic_auth(const Settings& settings, const StepSurroundings& surroundings);
MadeStep make_body_limit(const Settings& settings, const StepSurroundings& surroundings);
MadeStep make_compress(const Settings& settings, const StepSurroundings& surroundings);
MadeStep make_concurrency_limit(const Settings& settings, const StepSurroundings& surroundings);
MadeStep make_cors(const Settings& settings, const StepSurroundings& surroundings);
MadeStep make_headers(const Settings& settings, const StepSurroundings& surroundings);
MadeStep make_jwt_auth(const Settings& settings, const StepSurroundings& surroundings);
MadeStep make_key_auth(const Settings& settings, const StepSurroundings& surroundings);
MadeStep make_ip(const Settings& settings, const StepSurroundings& surroundings);
MadeStep make_quota(const Settings& settings, const StepSurroundings& surroundings);
MadeStep make_rate_limit(const Settings& settings, const StepSurroundings& surroundings);
MadeStep make_request_id(const Settings& settings, const StepSurroundings& surroundings);
MadeStep make_respond(const Settings& settings, const StepSurroundings& surroundings);
MadeStep make_rewrite(const Settings& settings, const StepSurroundings& surroundings);
MadeStep make_server_timing(const Settings& settings, const StepSurroundings& surroundings);
MadeStep make_script(const Settings& settings, const StepSurroundings& surroundings);  // script.cpp

}  // namespace lingate::middleware::steps
