// ConfigWatch: looks after the files of the configuration, those that it would include once they are there, and the
// scripts that it runs, and reloads when one of them has changed: a moment after the last change, so that a save of
// several files is one reload. It watches their folders (inotify), because editors and deployments replace files rather
// than write them, and the folders that lead there, because deployments replace those too. What nothing can have told
// of, since there was no watch, it finds by comparing what runs with what the files hold.
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
  bool matters(const std::filesystem::path& folder, const std::string& name);
  std::set<std::filesystem::path> find_files();
  // True: in a folder that is new under watch something has changed since, which nothing told of.
  bool watch_folders(FileTime since);
  bool scripts_are_on_disk() const;

  Reloader& reloader_;
  const Descriptor events_;
  const Descriptor stop_;
  std::map<int, std::set<std::filesystem::path>> watches_;  // and the names of each one's folder
  std::set<std::filesystem::path> folders_;                 // of what follows and of scripts, there or not
  std::set<std::filesystem::path> ways_;                    // these folders, and all above them
  std::set<std::filesystem::path> configs_;                 // the files, and what they are links to
  std::set<std::string> patterns_;                          // of files that are included
  bool scripts_changed_ = false;                            // since the last reload
  bool ways_changed_ = true;                                // since they were last looked at
  std::thread thread_;
};

}  // namespace lingate
