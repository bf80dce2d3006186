// Raw sockets for tests: a client that says exactly the bytes it is told, and an origin that is driven step by step
// from the test itself. Every read has a deadline, so a hang is a failure and not a hang.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace lingate::http::test {

class Socket {
 public:
  explicit Socket(int fd = -1) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(other.fd_), buffer_(std::move(other.buffer_)) { other.fd_ = -1; }
  Socket& operator=(Socket&& other) noexcept;
  ~Socket() { close(); }

  static Socket connect(std::uint16_t port);

  int fd() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  void send(std::string_view text);
  std::size_t send_some(std::string_view text);  // without waiting; 0: the other side takes nothing
  void shutdown_write();
  void close();
  void reset();  // closes with a reset

  std::string read_head();                     // up to and with the empty line; what follows stays
  std::string read_exactly(std::size_t size);  // fewer bytes: the end came first
  std::string read_all();                      // to the end
  std::string read_chunked();                  // the content; "<cut>" is appended if the last chunk is missing
  // Drops `size` bytes, for bodies too large to keep. Returns how many came.
  std::uint64_t skip(std::uint64_t size);
  bool is_quiet();  // nothing comes within a moment
  bool was_reset() const { return reset_; }

 private:
  bool fill();

  int fd_;
  bool reset_ = false;
  std::string buffer_;
};

class Origin {
 public:
  explicit Origin(std::uint16_t port = 0);
  ~Origin();
  std::uint16_t port() const { return port_; }
  Socket accept();      // invalid: nobody came in time
  bool nobody_comes();  // within a moment
  void close();

 private:
  int fd_;
  std::uint16_t port_ = 0;
};

std::string field_of(const std::string& head, const std::string& name);  // first value; "" where missing
int status_of(const std::string& head);

}  // namespace lingate::http::test
