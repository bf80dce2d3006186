// Folder: an empty folder for one test, gone with it.
//
// Thread: the test's.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace lingate {

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "lingate-test-").string() + "XXXXXX";
    if (::mkdtemp(name.data())) path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const std::string& path() const noexcept { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace lingate
