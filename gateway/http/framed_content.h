// FramedContent: the content of one message that HTTP/2 brought, on its way to a reader of HTTP/1.1: as it is where its
// length was given, in chunks that are made here where it was not. The window that the sender was given bounds it.
//
// Thread: the worker's. Lifetime: its stream's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "gateway/http/blocks.h"

namespace lingate::http {

class FramedContent {
 public:
  static constexpr std::size_t kWindow = 65'535;  // a large block holds it

  void set_chunked(bool chunked) noexcept { chunked_ = chunked; }
  bool chunked() const noexcept { return chunked_; }
  bool empty() const noexcept { return !block_ || block_.empty(); }
  bool over() const noexcept { return over_; }  // the sender has sent all
  std::size_t size() const noexcept { return block_ ? block_.bytes().size() : 0; }

  // False: more than the window.
  bool add(std::string_view bytes, BlockPool& pool) noexcept;
  void end() noexcept { over_ = true; }
  void drop() noexcept { block_.release(); }
  void restart() noexcept;  // for another message

  // What of it goes into `space`; `used` is the content's own part.
  std::size_t read(char* space, std::size_t room, std::size_t& used) noexcept;

 private:
  void stage(std::string_view framing) noexcept;

  Block block_;
  std::array<char, 24> staged_;  // framing
  std::uint8_t staged_at_ = 0;
  std::uint8_t staged_end_ = 0;
  std::uint32_t chunk_left_ = 0;
  bool chunked_ = false;
  bool over_ = false;
  bool last_staged_ = false;
};

}  // namespace lingate::http
