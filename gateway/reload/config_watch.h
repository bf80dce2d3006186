// ConfigWatch: looks after the files of the configuration, those that it would include once
// they are there, and the scripts that it runs, and reloads when one of them has
// changed: a moment after the last change, so that a save of several files is one reload. It watches their folders
// (inotify), because editors and deployments replace files rather than write them.
//
// Thread: its own. Lifetime: ends with its destructor; the reloader outlives it.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>

#include "base/descriptor.h"
#include "base/result.h"
#include "gateway/reload/reloader.h"

namespace lingate {

class ConfigWatch {
 public:
  // Fails with kCannotRead where the system gives no watch.
  static Result<std::unique_ptr<ConfigWatch>> start(Reloader& reloader);
  ~ConfigWatch();
  ConfigWatch(const ConfigWatch&) = delete;
  ConfigWatch& operator=(const ConfigWatch&) = delete;

 private:
  using Time = std::chrono::steady_clock::time_point;
  using FileTime = std::chrono::system_clock::time_point;

  ConfigWatch(Reloader& reloader, Descriptor events, Descriptor stop);

  void run();
  bool wait_until(Time due);  // false: the end
  bool read_events();         // true: one of them matters
  bool matters(const std::string& folder, const std::string& name);
  // True: in a folder that is new under watch something has changed since, which nothing told of.
  bool watch_folders(FileTime since);

  Reloader& reloader_;
  const Descriptor events_;
  const Descriptor stop_;
  std::map<int, std::string> folders_;       // by watch
  std::set<std::filesystem::path> configs_;  // the files, and what they are links to
  std::set<std::string> patterns_;           // of files that are included
  bool scripts_changed_ = false;             // since the last reload
  std::thread thread_;
};

}  // namespace lingate
