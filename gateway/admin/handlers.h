// The functions behind the table of operations, by what they are about: probes.cpp, keys.cpp, state.cpp, upstreams.cpp,
// configuration.cpp, settings.cpp.
//
// Thread: see api.h. Nothing is kept between calls.
#pragma once

#include "gateway/admin/api.h"

namespace lingate::admin {

// ---- probes.cpp ----
Outcome healthz(const Subject& subject, const Call& call);
Outcome readyz(const Subject& subject, const Call& call);
Outcome metrics(const Subject& subject, const Call& call);
Outcome openapi(const Subject& subject, const Call& call);
Outcome show_version(const Subject& subject, const Call& call);

// ---- keys.cpp ----
Outcome create_key(const Subject& subject, const Call& call);
Outcome list_keys(const Subject& subject, const Call& call);
Outcome show_key(const Subject& subject, const Call& call);
Outcome update_key(const Subject& subject, const Call& call);
Outcome revoke_key(const Subject& subject, const Call& call);
Outcome rotate_key(const Subject& subject, const Call& call);

// ---- state.cpp ----
Outcome list_routes(const Subject& subject, const Call& call);
Outcome list_runtimes(const Subject& subject, const Call& call);

// ---- upstreams.cpp ----
Outcome list_upstreams(const Subject& subject, const Call& call);
Outcome drain_target(const Subject& subject, const Call& call);
Outcome resume_target(const Subject& subject, const Call& call);

// ---- configuration.cpp ----
Outcome show_config(const Subject& subject, const Call& call);
Outcome validate_config(const Subject& subject, const Call& call);
Outcome reload_config(const Subject& subject, const Call& call);
Outcome replace_config(const Subject& subject, const Call& call);
Outcome list_history(const Subject& subject, const Call& call);
Outcome roll_back_config(const Subject& subject, const Call& call);

// ---- settings.cpp ----
Outcome show_log_level(const Subject& subject, const Call& call);
Outcome set_log_level(const Subject& subject, const Call& call);

}  // namespace lingate::admin
