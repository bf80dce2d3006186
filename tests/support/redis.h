// A real redis-server for tests, on a Unix socket in a folder of its own; never the machine's service. It keeps nothing
// on the disk. Debian's package redis-tools has the program, which goes by the name that it is called by.
//
// Thread: one. Lifetime: the server ends with the object.
#pragma once

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "store/redis/options.h"
#include "tests/support/folder.h"

namespace lingate {

class Redis {
 public:
  explicit Redis(std::vector<std::string> more = {}) : more_(std::move(more)) { start(); }
  ~Redis() { kill(); }
  Redis(const Redis&) = delete;
  Redis& operator=(const Redis&) = delete;

  std::string path() const { return folder_.path() + "/socket"; }
  // With a budget that no busy machine exceeds.
  store::RedisOptions options() const {
    store::RedisOptions options;
    options.budget = std::chrono::seconds(5);
    options.servers = {{.host = path()}};
    return options;
  }

  void signal(int number) const { ::kill(process_, number); }
  void kill() {
    if (process_ <= 0) return;
    signal(SIGKILL);
    ::waitpid(process_, nullptr, 0);
    process_ = -1;
  }
  // Returns when it answers.
  void start() {
    std::vector<std::string> words{
        "redis-server", "--port",       "0",         "--unixsocket",         path(), "--save", "", "--appendonly", "no",
        "--dir",        folder_.path(), "--logfile", folder_.path() + "/log"};
    words.insert(words.end(), more_.begin(), more_.end());
    std::vector<char*> arguments;
    for (std::string& word : words)
      arguments.push_back(word.data());
    arguments.push_back(nullptr);
    ::unlink(path().c_str());
    process_ = ::fork();
    if (process_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that is killed leaves none behind
      ::execv("/usr/bin/redis-check-rdb", arguments.data());
      ::_exit(127);
    }
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!answers() && std::chrono::steady_clock::now() < until)
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }

 private:
  bool answers() const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path().c_str(), sizeof address.sun_path - 1);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool good = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(fd);
    return good;
  }

  const std::vector<std::string> more_;
  const Folder folder_;
  pid_t process_ = -1;
};

}  // namespace lingate
