#include "gateway/cli/store.h"

#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <iostream>

#include <fmt/format.h>

#include "gateway/cli/commands.h"
#include "gateway/cli/store_lines.h"

namespace lingate::cli {
namespace {

bool is_standard(const std::string& file) {
  return file.empty() || file == "-";
}

int refuse(const std::string& why, Console& console, int exit_code) {
  console.error << "lingate: " << why << "\n";
  return exit_code;
}

// Records lead to who may call: nobody else reads the file, and it is there whole or not at all.
int export_to_file(store::Store& opened, const std::string& file, Console& console) {
  const std::string part = file + ".part";
  ::unlink(part.c_str());
  const int fd = ::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return refuse(fmt::format("cannot write {}: {}", part, std::strerror(errno)), console, kUsage);
  ::close(fd);
  std::ofstream out(part, std::ios::binary);
  const auto count = export_store(opened, out);
  out.close();
  if (count && out && std::rename(part.c_str(), file.c_str()) == 0) {
    console.error << fmt::format("{} record(s)\n", *count);
    return kOk;
  }
  ::unlink(part.c_str());
  return refuse(count ? fmt::format("cannot write {}", file) : count.error().message, console, kInternalError);
}

int export_all(store::Store& opened, const std::string& file, Console& console) {
  if (!is_standard(file)) return export_to_file(opened, file, console);
  const auto count = export_store(opened, console.out);
  if (!count) return refuse(count.error().message, console, kInternalError);
  console.error << fmt::format("{} record(s)\n", *count);
  return kOk;
}

Result<std::vector<StoreLine>, std::string> read_lines(const std::string& file) {
  if (is_standard(file)) return read_store_lines(std::cin);
  std::ifstream in(file, std::ios::binary);
  if (!in) return fail(std::string(std::strerror(errno)));
  return read_store_lines(in);
}

}  // namespace

void describe_store(CLI::App& store, StoreWords& words) {
  store.require_subcommand(1);
  const auto add = [&](const char* name, const char* about) {
    CLI::App* verb = store.add_subcommand(name, about);
    verb->add_option("-c,--config", words.config, "the configuration whose store it is")->required()->type_name("FILE");
    return verb;
  };
  add("export", "Write all that a store keeps as JSON lines")
      ->add_option("FILE", words.file, "where to; standard output if not given")
      ->type_name("");
  add("import", "Put such lines into a store, in place of what has the same keys")
      ->add_option("FILE", words.file, "where from; standard input if not given")
      ->type_name("");
}

int store(const CLI::App& store, const StoreWords& words, Program& program, Console& console) {
  const bool imports = store.get_subcommands().front()->get_name() == "import";
  const auto model = load(words.config, console);
  if (!model) return kConfigurationInvalid;
  if (model->store.kind == config::Store::Kind::memory)
    return refuse("a store of `kind: memory` is gone with its gateway: there is nothing to export or import", console,
                  kUsage);
  auto lines = imports ? read_lines(words.file) : Result<std::vector<StoreLine>, std::string>();
  if (!lines)
    return refuse(fmt::format("{}: {}; nothing was imported", is_standard(words.file) ? "standard input" : words.file,
                              lines.error()),
                  console, kUsage);
  auto opened = program.open_store(*model);
  if (!opened) return refuse(opened.error().message, console, kCannotStart);
  if (!imports) return export_all(**opened, words.file, console);
  const auto count = import_store(**opened, std::move(*lines));
  if (!count) return refuse(count.error().message, console, kInternalError);
  console.error << fmt::format("{} record(s)\n", *count);
  return kOk;
}

}  // namespace lingate::cli
