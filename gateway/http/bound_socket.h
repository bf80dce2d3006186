// BoundSocket: a socket that listens and that nobody serves yet. Binding is what can fail of a listener, so it is done
// before anything of a new configuration is applied, and a worker takes the socket over later.
//
// Thread: any. Lifetime: closes the socket, unless it was taken.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>

#include "base/descriptor.h"
#include "base/result.h"
#include "gateway/http/options.h"

namespace lingate::http {

// A path that is this process's to remove, as long as nobody else has put another socket there.
struct SocketFile {
  std::string path;
  dev_t device = 0;
  ino_t inode = 0;

  static SocketFile of(const std::string& path);
  void remove() const noexcept;
};

class BoundSocket {
 public:
  BoundSocket(int fd, Address address, std::optional<SocketFile> file)
      : fd_(fd), address_(std::move(address)), file_(std::move(file)) {}
  BoundSocket(BoundSocket&& other) noexcept;
  BoundSocket& operator=(BoundSocket&&) = delete;
  ~BoundSocket();

  int fd() const noexcept { return fd_; }
  const Address& address() const noexcept { return address_; }  // with the port that the kernel gave
  int release() noexcept { return std::exchange(fd_, -1); }
  std::optional<SocketFile> release_file() noexcept { return std::exchange(file_, std::nullopt); }

 private:
  int fd_;
  Address address_;
  std::optional<SocketFile> file_;  // of a `unix:` address
};

// A socket that listens on this address already, as another process has bound it. Its file, if it has one, stays that
// process's.
BoundSocket adopt_socket(Descriptor socket, Address address);

// Fails with kCannotListen.
Result<BoundSocket> bind_socket(const ListenerOptions& options);

}  // namespace lingate::http
