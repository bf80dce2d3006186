// Writes the pages that browser_test.py looks at into a folder.
#include <fstream>
#include <iostream>
#include <string>

#include "gateway/bench/page/page.h"
#include "tests/bench_page/sample.h"

using namespace lingate::bench;

namespace {

bool write(const std::string& path, const std::vector<Record>& records) {
  std::ofstream file(path, std::ios::binary);
  file << page_of(records);
  file.close();
  if (!file) std::cerr << path << ": could not be written\n";
  return file.good();
}

}  // namespace

int main(int count, char** words) {
  if (count != 2) {
    std::cerr << "usage: bench_page_render FOLDER\n";
    return 2;
  }
  const std::string folder = std::string(words[1]) + "/";
  const bool written = write(folder + "one.html", {sample_runtimes()}) &&
                       write(folder + "two.html", {sample_runtimes(), sample_runtimes(1.08, 2)}) &&
                       write(folder + "http.html", {sample_http()}) && write(folder + "peers.html", {sample_peers()}) &&
                       write(folder + "hostile.html", {sample_hostile()}) &&
                       write(folder + "mixed.html", {sample_hostile(), sample_http(), sample_runtimes()});
  return written ? 0 : 1;
}
