// Coder: makes one content coding of a body, block by block, and can begin anew with the next. What its library
// allocates it keeps.
//
// Thread: one at a time. Lifetime: its owner's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "middleware/body_filter.h"

namespace lingate::middleware::coding {

enum class Coding : std::uint8_t { zstd, br, gzip };
inline constexpr std::size_t kCodings = 3;

std::string_view name_of(Coding coding) noexcept;                   // as Content-Encoding writes it
std::optional<Coding> find_coding(std::string_view name) noexcept;  // without case; "x-gzip" is gzip

class Coder : public BodyFilter {
 public:
  virtual ~Coder() = default;

  virtual Coding coding() const noexcept = 0;
  // Before each body. False: there is no memory.
  bool begin() noexcept;

  void feed(std::string_view content) noexcept final;
  std::optional<std::string_view> take(Until until) noexcept final;

 protected:
  virtual bool restart() noexcept = 0;
  // Appends what it makes of `content` to `out`; `more` may hold back as much as it likes.
  virtual bool code(std::string_view content, Until until, std::string& out) noexcept = 0;

 private:
  std::string out_;
  bool taken_ = false;  // what is in out_
  bool failed_ = false;
};

// nullptr: there is no memory.
std::unique_ptr<Coder> make_coder(Coding coding);

// Each in its own file.
std::unique_ptr<Coder> make_gzip_coder();
std::unique_ptr<Coder> make_brotli_coder();
std::unique_ptr<Coder> make_zstd_coder();

}  // namespace lingate::middleware::coding
