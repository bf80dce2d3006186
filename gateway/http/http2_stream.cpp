#include "gateway/http/http2_stream.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/codes.h"
#include "gateway/http/http2_session.h"

namespace lingate::http {

using http2::Code;

Http2Stream::Http2Stream(Http2Session& session, std::int32_t id, const http2::RequestText& head, std::string text)
    : session_(session),
      id_(id),
      head_(std::move(text)),
      progress_(session.now()),
      has_length_(head.has_length()),
      too_large_(head.too_large()),
      is_head_(head.is_head()) {}

void Http2Stream::attach(Connection& connection, Watch& watch) noexcept {
  connection_ = &connection;
  watch_ = &watch;
}

// One request is all that comes this way, so nothing is kept open for another.
Scan Http2Stream::settle(RequestHead& head, Scan outcome, Refusal& refusal) noexcept {
  if (too_large_) {
    refusal = {code::kHeadTooLarge, "the header list is larger than the limit"};
    return Scan::refused;
  }
  if (outcome != Scan::done) return outcome;
  head.connection = {.close = true};
  head.upgrade_websocket = false;
  const bool has_content = !in_.over() || !in_.empty();
  in_.set_chunked(has_content && !has_length_);
  if (in_.chunked()) head.framing = {Framing::Kind::chunked, 0};
  return outcome;
}

// ---- the request ----

void Http2Stream::content(std::string_view bytes) noexcept {
  if (!connection_ || closed_) return session_.conversation().consume(id_, bytes.size());
  if (!in_.add(bytes, session_.large_blocks())) return session_.conversation().reset(id_, Code::internal);
  if (watch_) watch_->tell_read();
}

void Http2Stream::content_over() noexcept {
  in_.end();
  if (watch_) watch_->tell_read();
}

Received Http2Stream::read(char* space, std::size_t room) noexcept {
  if (closed_ && !sent_) return {Received::kFailed, false};
  if (head_given_ < head_.size()) {
    const std::size_t part = std::min(room, head_.size() - head_given_);
    std::memcpy(space, head_.data() + head_given_, part);
    head_given_ += static_cast<std::uint32_t>(part);
    if (head_given_ == head_.size()) {
      head_.clear();
      head_given_ = 0;
    }
    return {static_cast<std::ptrdiff_t>(part), true};
  }
  std::size_t used = 0;
  const std::size_t got = in_.read(space, room, used);
  if (used > 0) {
    session_.conversation().consume(id_, used);
    session_.want_flush();  // windows
  }
  if (got > 0) return {static_cast<std::ptrdiff_t>(got), true};
  return {in_.over() ? Received::kClosed : 0, false};
}

bool Http2Stream::has_input() const noexcept {
  return in_.over() || closed_ || !in_.empty();
}

// ---- the response ----

// Heads come whole, each as a piece of its own; but nothing here counts on it.
bool Http2Stream::take_head(std::string_view piece, std::size_t& used) noexcept {
  constexpr std::string_view kEnd = "\r\n\r\n";
  const std::size_t before = reply_.size();
  reply_.append(piece);
  const std::size_t end = reply_.find(kEnd, before < kEnd.size() ? 0 : before - kEnd.size());
  if (end == std::string::npos) {
    used = piece.size();
    return true;
  }
  used = end + kEnd.size() - before;
  reply_.resize(end + kEnd.size());
  const bool passed = respond();
  reply_.clear();
  return passed;
}

bool Http2Stream::respond() noexcept {
  http2::ResponseFields response;
  if (!http2::read_response(reply_, response)) return false;
  const bool interim = response.status < 200;
  const bool no_content = is_head_ || response.status == 204 || response.status == 304;
  const bool empty = no_content || (response.length == 0U && trailers_.fields.empty());
  using Content = http2::ServerConversation::Content;
  if (!session_.conversation().respond(id_, response, empty || interim ? Content::none : Content::follows))
    return false;
  progress_ = session_.now();
  if (interim) return true;
  responding_ = true;
  ended_ = no_content || response.length == 0U;
  if (!ended_) left_ = response.length;
  return true;
}

std::size_t Http2Stream::add_content(std::string_view bytes) noexcept {
  if (ended_) return bytes.size();  // none was announced
  if (!out_) out_ = session_.take_small();
  if (out_.room() < bytes.size()) out_.compact();
  const std::size_t part = std::min<std::uint64_t>(std::min(bytes.size(), out_.room()), left_.value_or(UINT64_MAX));
  std::memcpy(out_.space(), bytes.data(), part);
  out_.end += static_cast<std::uint32_t>(part);
  if (left_ && (*left_ -= part) == 0) end_response();
  return part;
}

void Http2Stream::end_response() noexcept {
  ended_ = true;
  if (std::exchange(deferred_, false)) session_.conversation().resume(id_);
}

std::ptrdiff_t Http2Stream::write(std::span<const iovec> pieces) noexcept {
  if (closed_) return -1;
  std::size_t sum = 0;
  for (const iovec& each : pieces) {
    std::string_view piece(static_cast<const char*>(each.iov_base), each.iov_len);
    while (!piece.empty() && !responding_) {
      std::size_t used = 0;
      if (!take_head(piece, used)) return -1;
      piece.remove_prefix(used);
      sum += used;
    }
    const std::size_t taken = piece.empty() ? 0 : add_content(piece);
    sum += taken;
    if (taken < piece.size()) {
      fell_short_ = true;
      break;
    }
  }
  if (out_ && !out_.empty() && std::exchange(deferred_, false)) session_.conversation().resume(id_);
  session_.want_flush();
  return static_cast<std::ptrdiff_t>(sum);
}

void Http2Stream::add_trailers(std::string text) noexcept {
  if (ended_ || !trailers_text_.empty() || text.empty()) return;
  trailers_text_ = std::move(text);
  if (!http2::read_fields(trailers_text_, 0, trailers_)) trailers_.fields.clear();
}

// What gave no length is whole now; what gave one, if all of it came.
void Http2Stream::say_end() noexcept {
  if (responding_ && !ended_ && !left_) end_response();
}

Http2Stream::Portion Http2Stream::take_content(char* space, std::size_t room) noexcept {
  const std::size_t part = out_ ? std::min(out_.bytes().size(), room) : 0;
  if (part > 0) {
    std::memcpy(space, out_.bytes().data(), part);
    out_.begin += static_cast<std::uint32_t>(part);
    progress_ = session_.now();
    if (out_.empty()) out_.release();
    if (std::exchange(fell_short_, false) && watch_) watch_->tell_write();
  }
  const bool end = ended_ && (!out_ || out_.empty());
  deferred_ = part == 0 && !end;
  return {part, end, end && !trailers_.fields.empty() ? &trailers_.fields : nullptr};
}

// ---- the end ----

// Who sends on does so for nobody (RFC 9113 section 8.1).
void Http2Stream::response_sent() noexcept {
  sent_ = true;
  if (!in_.over()) session_.conversation().reset(id_, Code::no_error);
}

void Http2Stream::let_go_of_content() noexcept {
  if (!in_.empty()) session_.conversation().consume(id_, in_.size());
  in_.drop();
}

void Http2Stream::closed() noexcept {
  closed_ = true;
  let_go_of_content();
  out_.release();
  session_.stream_closed(*this);
}

void Http2Stream::detach() noexcept {
  connection_ = nullptr;
  watch_ = nullptr;
  if (closed_) return session_.drop(*this);
  let_go_of_content();
  progress_ = session_.now();
  if (!ended_) session_.conversation().reset(id_, Code::internal);
  session_.want_flush();
}

}  // namespace lingate::http
