#include "gateway/http2/client.h"

#include <nghttp2/nghttp2.h>

#include <array>
#include <charconv>
#include <utility>
#include <vector>

#include "base/fields.h"
#include "gateway/http2/pairs.h"
#include "gateway/http2/request_text.h"

namespace lingate::http2 {

struct ClientConversation::Callbacks {
  using Self = ClientConversation;
  using Fault = ClientUser::Fault;

  static Self& self(void* user) noexcept { return *static_cast<Self*>(user); }

  static int on_begin_headers(nghttp2_session*, const nghttp2_frame*, void* user) {
    Self& me = self(user);
    me.fields_.clear();
    me.status_ = 0;
    me.bad_ = me.has_length_ = false;
    return 0;
  }

  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name_at, std::size_t name_size,
                       const std::uint8_t* value_at, std::size_t value_size, std::uint8_t, void* user) {
    Self& me = self(user);
    if (frame->hd.stream_id != me.stream_) return 0;
    const std::string_view name = text_of(name_at, name_size);
    const std::string_view value = text_of(value_at, value_size);
    if (name == ":status") {
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), me.status_);
      if (error != std::errc() || end != value.data() + 3 || value.size() != 3) me.bad_ = true;
      return 0;
    }
    if (!fields::is_token(name) || !fields::is_value(value) || is_connection_specific(name)) me.bad_ = true;
    if (me.fields_.size() + name.size() + value.size() > me.limit_) me.bad_ = true;
    if (me.bad_) return 0;
    if (name == "content-length") me.has_length_ = true;
    me.fields_.append(name).append(": ").append(value).append("\r\n");
    return 0;
  }

  static int on_invalid_header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t*, std::size_t,
                               const std::uint8_t*, std::size_t, std::uint8_t, void* user) {
    self(user).bad_ = true;
    return 0;
  }

  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    Self& me = self(user);
    if (frame->hd.stream_id == 0 || frame->hd.stream_id != me.stream_) return 0;
    const bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (frame->hd.type == NGHTTP2_HEADERS) {
      if (me.bad_ || !me.take_head(ends)) {
        me.reset_stream(NGHTTP2_PROTOCOL_ERROR);
        return me.give_up(Fault::malformed), 0;
      }
    } else if (frame->hd.type != NGHTTP2_DATA) {
      return 0;
    }
    if (ends && std::exchange(me.stream_, 0) != 0) me.user_.over();
    return 0;
  }

  static int on_invalid_frame(nghttp2_session*, const nghttp2_frame* frame, int, void* user) {
    if (frame->hd.stream_id == self(user).stream_) self(user).bad_ = true;  // it is closed next
    return 0;
  }

  static int on_data(nghttp2_session* session, std::uint8_t, std::int32_t stream, const std::uint8_t* data,
                     std::size_t size, void* user) {
    Self& me = self(user);
    if (stream == me.stream_ && me.final_ && !me.head_only_)
      me.user_.content(text_of(data, size));
    else
      nghttp2_session_consume(session, stream, size);
    return 0;
  }

  static int on_stream_close(nghttp2_session*, std::int32_t stream, std::uint32_t, void* user) {
    Self& me = self(user);
    if (stream == me.stream_) me.give_up(me.bad_ ? Fault::malformed : Fault::reset);
    return 0;
  }

  static int on_frame_not_sent(nghttp2_session*, const nghttp2_frame* frame, int, void* user) {
    if (frame->hd.type == NGHTTP2_HEADERS && frame->hd.stream_id == self(user).stream_)
      self(user).give_up(Fault::reset);
    return 0;
  }

  static ssize_t read_content(nghttp2_session*, std::int32_t stream, std::uint8_t* space, std::size_t room,
                              std::uint32_t* flags, nghttp2_data_source*, void* user) {
    Self& me = self(user);
    if (stream != me.stream_) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;  // its response is over: nobody waits
    const ClientUser::Portion portion = me.user_.take_content(reinterpret_cast<char*>(space), room);
    if (portion.end) *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (portion.size == 0 && !portion.end) return NGHTTP2_ERR_DEFERRED;
    return static_cast<ssize_t>(portion.size);
  }

  static nghttp2_session* make(Self& me) {
    nghttp2_session_callbacks* calls = nullptr;
    nghttp2_option* options = nullptr;
    nghttp2_session* session = nullptr;
    if (nghttp2_session_callbacks_new(&calls) == 0 && nghttp2_option_new(&options) == 0) {
      nghttp2_session_callbacks_set_on_begin_headers_callback(calls, on_begin_headers);
      nghttp2_session_callbacks_set_on_header_callback(calls, on_header);
      nghttp2_session_callbacks_set_on_invalid_header_callback(calls, on_invalid_header);
      nghttp2_session_callbacks_set_on_frame_recv_callback(calls, on_frame);
      nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(calls, on_invalid_frame);
      nghttp2_session_callbacks_set_on_data_chunk_recv_callback(calls, on_data);
      nghttp2_session_callbacks_set_on_stream_close_callback(calls, on_stream_close);
      nghttp2_session_callbacks_set_on_frame_not_send_callback(calls, on_frame_not_sent);
      nghttp2_option_set_no_auto_window_update(options, 1);
      nghttp2_option_set_no_closed_streams(options, 1);
      nghttp2_option_set_max_send_header_block_length(options, kMostSentHead);
      nghttp2_session_client_new2(&session, calls, &me, options);
    }
    nghttp2_option_del(options);
    nghttp2_session_callbacks_del(calls);
    return session;
  }
};

void ClientConversation::Free::operator()(nghttp2_session* session) const noexcept {
  nghttp2_session_del(session);
}

ClientConversation::ClientConversation(ClientUser& user, std::size_t head)
    : user_(user), limit_(head), session_(Callbacks::make(*this)) {
  broken_ = !session_;
  if (broken_) return;
  const std::array settings{
      nghttp2_settings_entry{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
      nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, static_cast<std::uint32_t>(head)}};
  nghttp2_submit_settings(session_.get(), NGHTTP2_FLAG_NONE, settings.data(), settings.size());
}

ClientConversation::~ClientConversation() = default;

bool ClientConversation::feed(std::string_view bytes) noexcept {
  if (broken_) return false;
  const ssize_t used =
      nghttp2_session_mem_recv(session_.get(), reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  if (used < 0) {
    broken_ = true;
    give_up(ClientUser::Fault::malformed);
  }
  return !broken_;
}

std::string_view ClientConversation::output() noexcept {
  if (broken_) return {};
  const std::uint8_t* bytes = nullptr;
  const ssize_t size = nghttp2_session_mem_send(session_.get(), &bytes);
  return size > 0 ? text_of(bytes, static_cast<std::size_t>(size)) : std::string_view();
}

bool ClientConversation::usable() const noexcept {
  return !broken_ && nghttp2_session_check_request_allowed(session_.get()) != 0 &&
         nghttp2_session_want_read(session_.get()) != 0;
}

bool ClientConversation::over() const noexcept {
  return broken_ || (nghttp2_session_want_read(session_.get()) == 0 && nghttp2_session_want_write(session_.get()) == 0);
}

bool ClientConversation::request(const Request& request) noexcept {
  if (broken_) return false;
  std::vector<nghttp2_nv> pairs;
  pairs.reserve(request.fields.fields.size() + 5);
  pairs.push_back(pair_of(":method", request.method));
  pairs.push_back(pair_of(":scheme", request.scheme));
  pairs.push_back(pair_of(":authority", request.authority));
  pairs.push_back(pair_of(":path", request.path));
  for (const OutField& field : request.fields.fields)
    if (field.name != "host" && field.name != "te") pairs.push_back(pair_of(field.name, field.value));
  pairs.push_back(pair_of("te", "trailers"));
  nghttp2_data_provider source{{.ptr = nullptr}, Callbacks::read_content};
  const std::int32_t stream = nghttp2_submit_request(session_.get(), nullptr, pairs.data(), pairs.size(),
                                                     request.content ? &source : nullptr, nullptr);
  if (stream <= 0) return false;
  if (stream_ != 0) reset_stream(NGHTTP2_CANCEL);  // its content was whole by its length; its end never came
  stream_ = stream;
  final_ = bad_ = false;
  head_only_ = request.method == "HEAD";
  return true;
}

bool ClientConversation::take_head(bool ends) noexcept {
  if (final_) return user_.trailers(std::exchange(fields_, {}) + "\r\n"), true;
  std::string text = "HTTP/1.1 " + std::to_string(status_) + " \r\n" + fields_;
  using Content = ClientUser::Content;
  if (status_ < 200) return user_.head(std::move(text), status_, Content::none);
  final_ = true;
  head_only_ = head_only_ || status_ == 204 || status_ == 304;
  if (head_only_) return user_.head(std::move(text), status_, Content::none);
  if (ends && !has_length_) text += "content-length: 0\r\n";
  if (!ends && !has_length_) text += "transfer-encoding: chunked\r\n";
  return user_.head(std::move(text), status_, ends ? Content::none : has_length_ ? Content::length : Content::unknown);
}

void ClientConversation::give_up(ClientUser::Fault fault) noexcept {
  if (std::exchange(stream_, 0) != 0) user_.failed(fault);
}

void ClientConversation::reset_stream(std::uint32_t code) noexcept {
  nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, stream_, code);
}

void ClientConversation::resume() noexcept {
  if (stream_ != 0) nghttp2_session_resume_data(session_.get(), stream_);
}

// What is used after the response's end opens the connection's window alone.
void ClientConversation::consume(std::size_t size) noexcept {
  if (broken_) return;
  if (stream_ != 0)
    nghttp2_session_consume(session_.get(), stream_, size);
  else
    nghttp2_session_consume_connection(session_.get(), size);
}

}  // namespace lingate::http2
