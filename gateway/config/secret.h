// Secrets: a text that stands in the environment, `{env: NAME}`, or in a file of its own, `{file: PATH}`.
//
// Plain functions; used while loading.
#pragma once

#include <optional>

#include "base/settings.h"
#include "gateway/config/loader.h"
#include "gateway/config/values.h"
#include "gateway/config/yaml.h"

namespace lingate::config {

bool is_secret(const Node& node) noexcept;  // does it have the form of one?

// Messages name the variable or the file, never what it holds.
Parsed<Secret> read_secret(const Node& node, const LoadOptions& options);

}  // namespace lingate::config
