// The verbs `config` (show, diff, history, rollback) and `reload`: they ask the admin API of a running gateway.
//
// Thread: the main thread. Lifetime: a call.
#pragma once

#include <cstdint>

#include "gateway/cli/admin_client.h"
#include "gateway/cli/cli.h"

namespace CLI {
class App;
}

namespace lingate::cli {

struct ConfigWords {
  AdminWords admin;
  std::uint64_t generation = 0;  // rollback
  bool json = false;
};

void describe_config(CLI::App& config, ConfigWords& words);
int config(const CLI::App& config, const ConfigWords& words, Console& console);

void describe_reload(CLI::App& reload, ConfigWords& words);
int reload(const ConfigWords& words, Console& console);

}  // namespace lingate::cli
