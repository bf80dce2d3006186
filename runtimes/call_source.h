// CallSource: where a CallView finds its call, part by part, each an encoded piece of a Call of proto/plugin.proto.
// What a script does not look at is never asked for, so a source in this process encodes nothing that nobody reads.
// EncodedCall is the source that has the bytes of a whole Call, which is how one comes from another process or thread.
//
// Thread: the instance's, while a call runs. Lifetime: what is answered lives, and stays the same, until the call is
// over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace lingate::runtimes {

enum class Side : std::uint8_t { request, response };

class CallSource {
 public:
  // What the lines of a head come to at most: known without encoding them.
  struct Size {
    std::size_t lines = 0;
    std::size_t bytes = 0;
  };

  virtual std::string_view request_texts() = 0;   // the fields of the Request up to its params
  virtual std::string_view request_lines() = 0;   // those of its headers
  virtual std::uint32_t status() = 0;             // of the Response
  virtual std::string_view response_lines() = 0;  // its headers
  virtual Size most_of(Side side) = 0;
  // The first Header of that name, empty where there is none, if it can be had without the others: until the next call.
  virtual std::optional<std::string_view> header(Side, std::string_view) { return std::nullopt; }
  virtual std::string_view body(Side side) = 0;
  virtual std::optional<std::string_view> session() = 0;  // a Session; nothing: anonymous
  virtual std::string_view context() = 0;                 // Members

 protected:
  ~CallSource() = default;
};

class EncodedCall final : public CallSource {
 public:
  // `call` is borrowed until the call is over.
  void begin(std::string_view call) noexcept;

  std::string_view request_texts() override { return request_texts_; }
  std::string_view request_lines() override { return request_lines_; }
  std::uint32_t status() override { return status_; }
  std::string_view response_lines() override { return response_lines_; }
  Size most_of(Side side) override;
  std::string_view body(Side side) override;
  std::optional<std::string_view> session() override { return session_; }
  std::string_view context() override { return context_; }

 private:
  void take_request(std::string_view request) noexcept;
  void take_response(std::string_view response) noexcept;

  std::string_view request_texts_, request_lines_;  // the lines with the body behind them
  std::string_view response_lines_;                 // the same
  std::uint32_t status_ = 0;
  std::optional<std::string_view> session_;
  std::string_view context_;
};

// The first field of `number` that is bytes; empty: there is none. Messages have their fields in the order of their
// numbers.
std::string_view find_bytes(std::string_view message, std::uint32_t number) noexcept;

}  // namespace lingate::runtimes
