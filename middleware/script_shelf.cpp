#include "middleware/script_shelf.h"

#include <openssl/sha.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <thread>

#include "base/read_file.h"

namespace lingate::middleware {
namespace {

using Time = std::chrono::system_clock::time_point;

constexpr std::chrono::microseconds kLook{500};
constexpr std::chrono::milliseconds kSeveralTicks{30};    // of the clock that files are stamped by: 1 to 10 ms each
constexpr std::size_t kMostRequired = 16U * 1024 * 1024;  // of one file

// Empty: it cannot be read.
std::string digest_of(const std::string& path) {
  const auto bytes = read_file(path, kMostRequired);
  if (!bytes) return {};
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256(reinterpret_cast<const unsigned char*>(bytes->data()), bytes->size(), digest.data());
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

Time time_of(const timespec& time) {
  const auto since_epoch = std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  return Time(std::chrono::duration_cast<Time::duration>(since_epoch));
}

Time file_time() {
  timespec time{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &time);
  return time_of(time);
}

// Of the file or of its place: one that was moved here with its old time is new, too.
Time last_change(const std::string& path) {
  struct stat about {};
  return ::stat(path.c_str(), &about) == 0 ? time_of(about.st_ctim) : Time::max();
}

bool is_unchanged(const RequiredFile& file) {
  return !file.digest.empty() && digest_of(file.path) == file.digest;
}

}  // namespace

bool is_on_disk(const ScriptPool& pool) {
  const runtimes::Script& script = pool.pool->script();
  const auto source = read_file(script.path, std::max(script.source.size(), kMostRequired));
  return source && *source == script.source && std::all_of(pool.required.begin(), pool.required.end(), is_unchanged);
}

Time next_file_time() {
  using std::chrono::steady_clock;
  const Time now = std::chrono::system_clock::now();
  const auto enough = steady_clock::now() + kSeveralTicks;  // a calendar that is set back meanwhile is not waited for
  while (file_time() <= now && steady_clock::now() < enough)
    std::this_thread::sleep_for(kLook);
  return file_time();
}

std::vector<RequiredFile> describe_required(const std::vector<std::string>& paths, Time since) {
  std::vector<RequiredFile> files;
  for (const std::string& path : paths)
    files.push_back({path, last_change(path) >= since ? std::string() : digest_of(path)});
  return files;
}

std::shared_ptr<ScriptPool> ScriptShelf::find(std::string_view key, std::string_view source) const {
  for (const auto& each : pools_) {
    if (each->key != key || each->pool->script().source != source || each->pool->counters().demoted) continue;
    if (std::all_of(each->required.begin(), each->required.end(), is_unchanged)) return each;
  }
  return nullptr;
}

// Whoever else holds one is a snapshot, and those go on this thread.
std::vector<std::shared_ptr<ScriptPool>> ScriptShelf::take_unused() {
  const auto unused =
      std::stable_partition(pools_.begin(), pools_.end(), [](const auto& each) { return each.use_count() > 1; });
  std::vector<std::shared_ptr<ScriptPool>> taken(std::make_move_iterator(unused),
                                                 std::make_move_iterator(pools_.end()));
  pools_.erase(unused, pools_.end());
  return taken;
}

void ScriptShelf::close() const noexcept {
  for (const auto& each : pools_)
    each->pool->close();
}

}  // namespace lingate::middleware
