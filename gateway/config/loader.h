// The loader: a configuration file in, a Model or everything that is wrong with it out. YAML becomes a tree, of
// all files that it includes, the tree is checked against the field table, then names, chains and routes against each
// other; one mistake gives one message, and all mistakes are found in one run.
//
// Thread: any; a load shares nothing. Lifetime: the result owns its memory.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/diagnostic.h"
#include "gateway/config/model.h"

namespace lingate::config {

struct LoadOptions {
  std::filesystem::path folder;                                               // what relative paths are relative to
  std::function<std::optional<std::string>(const std::string&)> environment;  // unset: the process's
  const std::vector<WrittenFile>* included = nullptr;  // what included files hold; unset: those on the disk
};

struct Loaded {
  std::optional<Model> model;           // absent if there is an error
  std::vector<Diagnostic> diagnostics;  // errors and warnings, in the order of the files
  Written written{};                    // the model's, and what was read where there is none
};

// `path` as the user gave it: messages begin with it.
Loaded load_file(const std::string& path);
Loaded load_text(std::string name, std::string text, LoadOptions options);

// Of a file: without the byte order mark that it may begin with.
std::string_view without_mark(std::string_view text);

}  // namespace lingate::config
