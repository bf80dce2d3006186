#include "gateway/reload/config_watch.h"

#include <fnmatch.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

#include "base/codes.h"

namespace lingate {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kQuiet{100};     // after the last change
constexpr milliseconds kLongest{1000};  // after the first, however much goes on
constexpr std::uint32_t kEvents = IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_MOVED_FROM;
constexpr std::array<std::string_view, 3> kScripts{".lua", ".py", ".js"};
constexpr std::string_view kMountedData = "..data";  // what a mounted ConfigMap replaces
constexpr milliseconds kFileClock{20};               // that a file's time may be behind

// Or is gone. The time of the change rather than of the content: that of a file which took its place is its own.
bool has_changed(const std::string& file, std::chrono::system_clock::time_point since) {
  struct stat found {};
  if (::stat(file.c_str(), &found) != 0) return true;
  const auto changed = std::chrono::seconds(found.st_ctim.tv_sec) + std::chrono::nanoseconds(found.st_ctim.tv_nsec);
  return changed >= since.time_since_epoch() - kFileClock;
}

fs::path whole(const std::string& path) {
  std::error_code error;
  return fs::absolute(path, error).lexically_normal();
}

bool fits(const std::string& pattern, const std::string& path) {
  return ::fnmatch(pattern.c_str(), path.c_str(), FNM_PATHNAME | FNM_PERIOD | FNM_NOESCAPE) == 0;
}

}  // namespace

Result<std::unique_ptr<ConfigWatch>> ConfigWatch::start(Reloader& reloader) {
  Descriptor events(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  Descriptor stop(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!events || !stop)
    return fail(code::kCannotRead, std::string("--watch: the system gives no inotify: ") + std::strerror(errno) +
                                       "; raise fs.inotify.max_user_instances, or reload by SIGHUP");
  return std::unique_ptr<ConfigWatch>(new ConfigWatch(reloader, std::move(events), std::move(stop)));
}

ConfigWatch::ConfigWatch(Reloader& reloader, Descriptor events, Descriptor stop)
    : reloader_(reloader), events_(std::move(events)), stop_(std::move(stop)) {
  thread_ = std::thread([this] { run(); });
}

ConfigWatch::~ConfigWatch() {
  ::eventfd_write(stop_.get(), 1);
  thread_.join();
}

void ConfigWatch::run() {
  std::optional<Time> first;
  Time due = steady_clock::now();  // for what has changed since the start
  while (wait_until(due)) {
    const Time now = steady_clock::now();
    if (read_events()) {
      if (!first) first = now;
      due = std::min(now + kQuiet, *first + kLongest);
    }
    if (now < due) continue;
    first.reset();
    due = Time::max();
    if (std::exchange(ways_changed_, false)) {
      watch_folders(FileTime::max());
      scripts_changed_ = scripts_changed_ || !scripts_are_on_disk();
    }
    // It may run already, as after a configuration came by the admin API and was saved.
    if (!std::exchange(scripts_changed_, false) && reloader_.is_on_disk()) continue;
    const auto began = std::chrono::system_clock::now();
    static_cast<void>(reloader_.reload());  // which logs what became of it
    if (!watch_folders(began)) continue;
    scripts_changed_ = true;
    first = steady_clock::now();
    due = *first + kQuiet;
  }
}

bool ConfigWatch::wait_until(Time due) {
  const auto left = std::chrono::ceil<milliseconds>(due - steady_clock::now()).count();
  const int timeout = due == Time::max() ? -1 : static_cast<int>(std::max<std::int64_t>(left, 0));
  std::array<pollfd, 2> both{pollfd{events_.get(), POLLIN, 0}, pollfd{stop_.get(), POLLIN, 0}};
  while (::poll(both.data(), both.size(), timeout) < 0 && errno == EINTR)
    continue;
  return both[1].revents == 0;
}

bool ConfigWatch::read_events() {
  alignas(inotify_event) std::array<char, 16 * 1024> bytes;
  bool any = false;
  for (;;) {
    const ssize_t got = ::read(events_.get(), bytes.data(), bytes.size());
    if (got <= 0) return any;
    for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
      inotify_event event{};
      std::memcpy(&event, bytes.data() + at, sizeof event);
      const std::string name = event.len ? std::string(bytes.data() + at + sizeof event) : std::string();
      if ((event.mask & IN_Q_OVERFLOW) != 0) any = scripts_changed_ = ways_changed_ = true;
      if (const auto found = watches_.find(event.wd); found != watches_.end() && !name.empty())
        for (const fs::path& folder : found->second)
          any = matters(folder, name) || any;
      at += sizeof event + event.len;
    }
  }
}

bool ConfigWatch::matters(const fs::path& folder, const std::string& name) {
  const fs::path path = folder / name;
  if (ways_.contains(path)) return ways_changed_ = true;
  if (!folders_.contains(folder)) return false;
  if (configs_.contains(path)) return true;
  if (name.starts_with('.') && name != kMountedData) return false;  // an editor's own
  if (std::any_of(patterns_.begin(), patterns_.end(),
                  [&path](const std::string& each) { return fits(each, path.string()); }))
    return true;
  const bool script = name == kMountedData || std::any_of(kScripts.begin(), kScripts.end(),
                                                          [&name](auto each) { return name.ends_with(each); });
  scripts_changed_ = scripts_changed_ || script;
  return script;
}

// What the configuration that runs now, and the one that was tried last, are made of.
std::set<fs::path> ConfigWatch::find_files() {
  const auto running = reloader_.running();
  const config::Written tried = reloader_.tried();
  std::set<fs::path> files;
  configs_.clear();
  const auto add_config = [&](const std::string& path) {
    std::error_code error;
    configs_.insert(whole(path));
    if (auto behind_links = fs::canonical(path, error); !error) configs_.insert(std::move(behind_links));
  };
  add_config(running->model.written.file);
  for (const config::Written* written : {&running->model.written, &tried})
    for (const config::WrittenFile& each : written->included)
      add_config(each.path);
  files.insert(configs_.begin(), configs_.end());
  patterns_ = {tried.patterns.begin(), tried.patterns.end()};
  for (const std::string& script : reloader_.tried_scripts())
    files.insert(whole(script));
  for (const auto& entry : running->scripts->entries()) {
    files.insert(whole(entry->pool->script().path));
    for (const auto& required : entry->required)
      files.insert(whole(required.path));
  }
  return files;
}

bool ConfigWatch::watch_folders(FileTime since) {
  const std::set<fs::path> files = find_files();
  folders_.clear();
  ways_.clear();
  const auto want = [this](const fs::path& folder) {
    folders_.insert(folder);
    for (fs::path way = folder; ways_.insert(way).second && way.has_relative_path();)
      way = way.parent_path();
  };
  const auto want_folder_of = [&want](const fs::path& path) {
    std::error_code error;
    want(path.parent_path());
    if (const auto behind_links = fs::canonical(path.parent_path(), error); !error) want(behind_links);
  };
  std::for_each(files.begin(), files.end(), want_folder_of);
  std::for_each(patterns_.begin(), patterns_.end(), want_folder_of);

  const auto before = std::exchange(watches_, {});
  std::set<fs::path> added;
  for (const fs::path& way : ways_) {
    const int watch = ::inotify_add_watch(events_.get(), way.c_str(), kEvents | IN_ONLYDIR);
    if (watch < 0) continue;  // it is not there, or not for this user to read
    watches_[watch].insert(way);
    if (!before.contains(watch)) added.insert(way);
  }
  for (const auto& [watch, names] : before)
    if (!watches_.contains(watch)) ::inotify_rm_watch(events_.get(), watch);
  return std::any_of(files.begin(), files.end(), [&](const fs::path& each) {
    return added.contains(each.parent_path()) && has_changed(each.string(), since);
  });
}

bool ConfigWatch::scripts_are_on_disk() const {
  const auto running = reloader_.running();
  const auto entries = running->scripts->entries();
  return std::all_of(entries.begin(), entries.end(), [](const auto& each) { return middleware::is_on_disk(*each); });
}

}  // namespace lingate
