#include "gateway/admin/token.h"

#include <fcntl.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fmt/format.h>

#include "base/codes.h"
#include "base/descriptor.h"
#include "gateway/config/secret.h"

namespace lingate::admin {
namespace {

constexpr std::size_t kBytes = 32;
constexpr std::size_t kMostBytes = 4096;
constexpr mode_t kOthers = S_IRWXG | S_IRWXO;

tl::unexpected<Error> refuse(const std::string& path, std::string_view what) {
  return fail(code::kBadAdminToken, fmt::format("admin token: {}: {}", path, what));
}

std::string reason() {
  return std::error_code(errno, std::generic_category()).message();
}

Result<std::string> random_hex() {
  std::array<unsigned char, kBytes> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
    return fail(code::kBadAdminToken, "admin token: the system has no random numbers");
  std::string text;
  for (const unsigned char byte : bytes)
    text += fmt::format("{:02x}", byte);
  return text;
}

// Folders that are missing are made for this user alone.
Result<void> make_folders(const std::filesystem::path& folder) {
  std::error_code problem;
  if (folder.empty() || std::filesystem::is_directory(folder, problem)) return {};
  if (auto above = make_folders(folder.parent_path()); !above) return above;
  if (::mkdir(folder.c_str(), S_IRWXU) == 0 || errno == EEXIST) return {};
  return refuse(folder.string(), fmt::format("the folder cannot be made: {}; make it, or name another file in "
                                             "`admin.token`, or {{env: NAME}}",
                                             reason()));
}

// Written under another name and linked into place, so that nobody ever reads half a token, and of two starts at once
// one makes it and both use it.
Result<std::string> make_file(const std::string& path) {
  auto made = make_folders(std::filesystem::path(path).parent_path());
  if (!made) return fail(std::move(made.error()));
  auto token = random_hex();
  if (!token) return token;
  const std::string draft = fmt::format("{}.{}.{}", path, ::getpid(), ::gettid());
  ::unlink(draft.c_str());
  const Descriptor file(::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR));
  if (!file)
    return refuse(path,
                  fmt::format("it cannot be made: {}; name another file in `admin.token`, or {{env: NAME}}", reason()));
  const std::string line = *token + "\n";
  const bool written =
      ::write(file.get(), line.data(), line.size()) == static_cast<ssize_t>(line.size()) && ::fsync(file.get()) == 0;
  const std::string why = written ? "" : reason();
  const bool linked = written && ::link(draft.c_str(), path.c_str()) == 0;
  const int link_problem = linked ? 0 : errno;
  ::unlink(draft.c_str());
  if (linked) return token;
  if (!written) return refuse(path, fmt::format("it cannot be written: {}", why));
  if (link_problem == EEXIST) return read_token_file(path);
  return refuse(path,
                fmt::format("it cannot be made: {}", std::error_code(link_problem, std::generic_category()).message()));
}

}  // namespace

Result<std::string> read_token_file(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return refuse(path, fmt::format("it cannot be read: {}", reason()));
  struct stat about {};
  if (::fstat(file.get(), &about) != 0 || !S_ISREG(about.st_mode)) return refuse(path, "it is no file");
  if ((about.st_mode & kOthers) != 0)
    return refuse(path, fmt::format("others than its owner can read it (mode {:04o}): remove it, and the next start "
                                    "makes a new one, or chmod 600 it if nobody has",
                                    about.st_mode & 07777U));
  std::array<char, kMostBytes + 1> room{};
  const ssize_t size = ::read(file.get(), room.data(), room.size());
  if (size < 0) return refuse(path, fmt::format("it cannot be read: {}", reason()));
  std::string text(room.data(), static_cast<std::size_t>(size));
  while (text.ends_with('\n') || text.ends_with('\r'))
    text.pop_back();
  if (text.size() <= kMostBytes && config::is_token(text)) return text;
  return refuse(path, fmt::format("it holds no token: one line of at least {} visible characters; remove it, and the "
                                  "next start makes a new one",
                                  config::kShortestToken));
}

Result<std::string> find_token(const config::AdminToken& token) {
  return token.file.empty() ? Result<std::string>(token.text.text) : read_token_file(token.file);
}

Result<std::string> find_or_make_token(const config::AdminToken& token) {
  if (!token.file.empty() && ::access(token.file.c_str(), F_OK) != 0 && errno == ENOENT) return make_file(token.file);
  return find_token(token);
}

}  // namespace lingate::admin
