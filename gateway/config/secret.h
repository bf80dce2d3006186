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

// Messages name the variable or the file, never what it holds. A file is relative to `folder`.
Parsed<Secret> read_secret(const Node& node, const std::filesystem::path& folder, const LoadOptions& options);

// A token that the gateway itself may make: what is in the variable, or where the file is to be ({file: absolute path},
// as a Map). Loading neither makes the file nor reads it.
Parsed<Settings> read_token(const Node& node, const std::filesystem::path& folder, const LoadOptions& options);

inline constexpr std::size_t kShortestToken = 16;
bool is_token(std::string_view text) noexcept;  // long enough, and nothing but visible ASCII

}  // namespace lingate::config
