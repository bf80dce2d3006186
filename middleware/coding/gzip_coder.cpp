// gzip (RFC 1952) by zlib.
#include <array>

#define ZLIB_CONST
#include <zlib.h>

#include "middleware/coding/coder.h"

namespace lingate::middleware::coding {
namespace {

constexpr int kLevel = 5;
constexpr int kGzip = 16 + 15;  // the format, and a window of 32 KiB
constexpr int kMemory = 8;

class GzipCoder final : public Coder {
 public:
  ~GzipCoder() override {
    if (ready_) deflateEnd(&stream_);
  }
  Coding coding() const noexcept override { return Coding::gzip; }

 protected:
  bool restart() noexcept override {
    if (ready_) return deflateReset(&stream_) == Z_OK;
    ready_ = deflateInit2(&stream_, kLevel, Z_DEFLATED, kGzip, kMemory, Z_DEFAULT_STRATEGY) == Z_OK;
    return ready_;
  }

  bool code(std::string_view content, Until until, std::string& out) noexcept override {
    const int how = until == Until::end ? Z_FINISH : until == Until::pause ? Z_SYNC_FLUSH : Z_NO_FLUSH;
    std::array<unsigned char, 16 * 1024> room;
    stream_.next_in = reinterpret_cast<const unsigned char*>(content.data());
    stream_.avail_in = static_cast<unsigned>(content.size());
    do {
      stream_.next_out = room.data();
      stream_.avail_out = room.size();
      const int outcome = deflate(&stream_, how);
      if (outcome == Z_STREAM_ERROR) return false;
      out.append(reinterpret_cast<const char*>(room.data()), room.size() - stream_.avail_out);
    } while (stream_.avail_out == 0);
    return stream_.avail_in == 0;
  }

 private:
  z_stream stream_{};
  bool ready_ = false;
};

}  // namespace

std::unique_ptr<Coder> make_gzip_coder() {
  return std::make_unique<GzipCoder>();
}

}  // namespace lingate::middleware::coding
