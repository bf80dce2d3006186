// Runs a fuzz target over files, or over every file of a folder, without libFuzzer: what the seeds and kept findings
// need to be tests in any build.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/fuzz/target.h"

namespace {

void replay(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
}

}  // namespace

int main(int count, char** arguments) {
  std::size_t files = 0;
  for (const std::filesystem::path path : std::vector<std::string>(arguments + 1, arguments + count)) {
    if (!std::filesystem::is_directory(path)) {
      replay(path);
      ++files;
      continue;
    }
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
      std::printf("%s\n", entry.path().c_str());
      std::fflush(stdout);  // the last line names the input that broke a property
      replay(entry.path());
      ++files;
    }
  }
  return files > 0 ? 0 : 1;
}
