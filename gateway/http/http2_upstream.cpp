#include "gateway/http/http2_upstream.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "gateway/http/worker_parts.h"

namespace lingate::http {
namespace {

constexpr std::size_t kRead = 16 * 1024;
constexpr int kRounds = 8;  // reads in one turn

std::string_view next_word(std::string_view& text) noexcept {
  const std::size_t space = text.find(' ');
  const std::string_view word = text.substr(0, space);
  text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
  return word;
}

}  // namespace

Http2Upstream::Http2Upstream(Stream& stream, WorkerParts& parts, std::size_t head)
    : parts_(parts), most_head_(head), conversation_(*this, head) {
  inner_.take(stream);
}

// ---- what is read ----

void Http2Upstream::pump() noexcept {
  std::array<char, kRead> space;
  for (int round = 0; !closed_ && round < kRounds; ++round) {
    const auto [got, more] = inner_.read(space.data(), space.size());
    if (got < 0) return close();
    if (got > 0 && !conversation_.feed({space.data(), static_cast<std::size_t>(got)})) return close();
    if (!more) break;
    if (round == kRounds - 1) inner_.watch().read_again();
  }
  if (!flush() || conversation_.over()) close();
}

void Http2Upstream::close() noexcept {
  closed_ = true;
  if (std::exchange(awaiting_, false)) failed_ = true;
}

bool Http2Upstream::take_room() noexcept {
  return std::exchange(room_, false);
}

Received Http2Upstream::read(char* space, std::size_t room) noexcept {
  if (heads_read_ == heads_.size() && in_.empty() && !in_.over()) pump();
  if (heads_read_ < heads_.size()) {
    const std::size_t part = std::min(room, heads_.size() - heads_read_);
    std::memcpy(space, heads_.data() + heads_read_, part);
    heads_read_ += part;
    if (heads_read_ == heads_.size()) {
      heads_.clear();
      heads_read_ = 0;
    }
    return {static_cast<std::ptrdiff_t>(part), true};
  }
  std::size_t used = 0;
  const std::size_t got = in_.read(space, room, used);
  if (used > 0) {
    conversation_.consume(used);
    if (!flush()) close();
  }
  if (got > 0) return {static_cast<std::ptrdiff_t>(got), true};
  if (failed_ || closed_) return {Received::kFailed, false};
  return {};
}

// Interim heads may come faster than they are read.
bool Http2Upstream::head(std::string text, std::uint16_t, Content content) noexcept {
  if (const std::size_t unread = heads_.size() - heads_read_; unread > 0 && unread + text.size() > most_head_)
    return false;
  heads_.append(text).append("\r\n");
  in_.set_chunked(content == Content::unknown);
  return true;
}

void Http2Upstream::content(std::string_view bytes) noexcept {
  if (!in_.add(bytes, parts_.large)) failed_ = closed_ = true;  // more than the window
}

void Http2Upstream::trailers(std::string fields) noexcept {
  trailers_ = std::move(fields);
}

void Http2Upstream::over() noexcept {
  in_.end();
  awaiting_ = false;
}

void Http2Upstream::failed(Fault fault) noexcept {
  failed_ = true;
  malformed_ = fault == Fault::malformed;
  awaiting_ = false;
}

// Between two requests: whether the connection has ended, or is about to.
bool Http2Upstream::has_input() noexcept {
  if (awaiting_) pump();
  if (awaiting_ || !heads_.empty() || failed_)
    return closed_ || failed_ || !heads_.empty() || !in_.empty() || in_.over();
  pump();
  return closed_ || !conversation_.usable();
}

// ---- what is written ----

bool Http2Upstream::flush() noexcept {
  for (;;) {
    if (pending_.empty()) pending_ = conversation_.output();
    if (pending_.empty()) return true;
    const iovec piece{const_cast<char*>(pending_.data()), pending_.size()};
    const std::ptrdiff_t sent = inner_.write({&piece, 1});
    if (sent < 0) return false;
    pending_.remove_prefix(static_cast<std::size_t>(sent));
    if (!pending_.empty()) return inner_.watch().await_write(), true;
  }
}

bool Http2Upstream::take_request_head(std::string_view piece, std::size_t& used) noexcept {
  constexpr std::string_view kEnd = "\r\n\r\n";
  const std::size_t before = request_.size();
  request_.append(piece);
  const std::size_t end = request_.find(kEnd, before < kEnd.size() ? 0 : before - kEnd.size());
  if (end == std::string::npos) {
    used = piece.size();
    return true;
  }
  used = end + kEnd.size() - before;
  request_.resize(end + kEnd.size());
  const bool begun = begin_request();
  request_.clear();
  return begun;
}

bool Http2Upstream::begin_request() noexcept {
  const std::size_t end = request_.find("\r\n");
  const bool chunked = request_.find("\r\nTransfer-Encoding: chunked\r\n") != std::string::npos;
  http2::ResponseFields fields;
  if (!http2::read_fields(request_, end + 2, fields)) return false;
  std::string_view line(request_.data(), end);
  const std::string_view method = next_word(line);
  const std::string_view path = next_word(line);
  std::string_view authority;
  for (const http2::OutField& field : fields.fields)
    if (field.name == "host") authority = field.value;
  left_.reset();
  if (!chunked) left_ = fields.length.value_or(0);
  requesting_ = chunked || *left_ > 0;
  sent_all_ = !requesting_;
  out_.release();
  decoder_ = ChunkDecoder();
  if (!in_.empty()) conversation_.consume(in_.size());
  in_.restart();
  heads_.clear();
  heads_read_ = 0;
  trailers_.clear();
  deferred_ = fell_short_ = failed_ = malformed_ = false;
  awaiting_ = true;
  return conversation_.request({.method = method,
                                .scheme = inner_.tls() ? "https" : "http",
                                .authority = authority,
                                .path = path,
                                .fields = fields,
                                .content = requesting_});
}

// How much of `bytes` was taken: content, and what frames it.
std::size_t Http2Upstream::add_content(std::string_view bytes) noexcept {
  if (!out_) out_ = parts_.small.take();
  if (out_.room() < bytes.size()) out_.compact();
  const std::size_t part = std::min(bytes.size(), out_.room());
  if (left_) {
    std::memcpy(out_.space(), bytes.data(), part);
    out_.end += static_cast<std::uint32_t>(part);
    *left_ -= std::min<std::uint64_t>(*left_, part);
    requesting_ = *left_ > 0;
    return part;
  }
  std::string_view rest = bytes.substr(0, part);
  while (!rest.empty()) {
    std::string_view slice;
    const ChunkDecoder::Step step = decoder_.next(rest, slice);
    if (step == ChunkDecoder::Step::data) {
      std::memcpy(out_.space(), slice.data(), slice.size());
      out_.end += static_cast<std::uint32_t>(slice.size());
      continue;
    }
    if (step != ChunkDecoder::Step::more) requesting_ = false;
    break;
  }
  return part - rest.size();
}

std::ptrdiff_t Http2Upstream::write(std::span<const iovec> pieces) noexcept {
  if (closed_) return Stream::kFailed;
  std::size_t sum = 0;
  for (const iovec& each : pieces) {
    std::string_view piece(static_cast<const char*>(each.iov_base), each.iov_len);
    while (!piece.empty()) {
      std::size_t used = 0;
      if (!requesting_) {
        if (!take_request_head(piece, used)) return Stream::kFailed;
      } else {
        used = add_content(piece);
      }
      if (std::exchange(deferred_, false)) conversation_.resume();
      if (used == 0 || (requesting_ && out_ && out_.room() == 0)) {
        if (!flush()) return Stream::kFailed;
      }
      if (used == 0 && out_ && out_.room() == 0 && out_.begin == 0) {
        fell_short_ = true;
        return static_cast<std::ptrdiff_t>(sum);
      }
      piece.remove_prefix(used);
      sum += used;
    }
  }
  if (!flush()) return Stream::kFailed;
  return static_cast<std::ptrdiff_t>(sum);
}

http2::ClientUser::Portion Http2Upstream::take_content(char* space, std::size_t room) noexcept {
  const std::size_t part = out_ ? std::min(out_.bytes().size(), room) : 0;
  if (part > 0) {
    std::memcpy(space, out_.bytes().data(), part);
    out_.begin += static_cast<std::uint32_t>(part);
    if (out_.empty()) out_.release();
    if (std::exchange(fell_short_, false)) {
      room_ = true;
      inner_.watch().read_again();
    }
  }
  const bool end = !requesting_ && (!out_ || out_.empty());
  deferred_ = part == 0 && !end;
  sent_all_ = end;
  return {part, end};
}

}  // namespace lingate::http
