#include "gateway/http2/server.h"

#include <nghttp2/nghttp2.h>

#include <array>
#include <charconv>
#include <vector>

#include "gateway/http2/pairs.h"

namespace lingate::http2 {
namespace {

// What a client may do for nothing: at once, and in a second. A page full of pictures that is left early resets all of
// its streams; a client that measures its line pings once for each piece of a large answer, so content earns pings.
constexpr double kResets = 400, kResetsASecond = 100;
constexpr double kControl = 1000, kControlASecond = 100;
constexpr double kUpdates = 4000, kUpdatesASecond = 400, kUpdatesForData = 4;
constexpr double kEmpty = 100, kEmptyASecond = 10;
constexpr std::size_t kWorstHeads = 8;   // times the limit: beyond it is no mistake
constexpr std::size_t kFed = 16 * 1024;  // between two looks at what it cost
constexpr std::uint64_t kNever = 1U << 30U;

StreamUser* user_of(nghttp2_session* session, std::int32_t stream) noexcept {
  return static_cast<StreamUser*>(nghttp2_session_get_stream_user_data(session, stream));
}

}  // namespace

std::string_view describe(Complaint complaint) noexcept {
  switch (complaint) {
    case Complaint::none: break;
    case Complaint::protocol: return "a breach of the protocol";
    case Complaint::resets: return "streams opened and reset without end";
    case Complaint::control_frames: return "pings, settings or window updates without end";
    case Complaint::empty_frames: return "empty DATA frames without end";
    case Complaint::header_list: return "a head far above the limit";
    case Complaint::continuations: return "CONTINUATION frames without end";
    case Complaint::slow_head: return "a head that did not come to its end in time";
  }
  return "";
}

struct ServerConversation::Callbacks {
  using Self = ServerConversation;

  static Self& self(void* user) noexcept { return *static_cast<Self*>(user); }

  static int on_begin_headers(nghttp2_session*, const nghttp2_frame*, void* user) {
    Self& me = self(user);
    me.head_.begin(me.limits_.head);
    me.head_malformed_ = false;
    return 0;
  }

  static int on_header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name, std::size_t name_size,
                       const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* user) {
    Self& me = self(user);
    if (me.dead_) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    if (!me.head_.add(text_of(name, name_size), text_of(value, value_size))) me.head_malformed_ = true;
    if (me.head_.size() <= me.limits_.head * kWorstHeads) return 0;
    me.give_up(Complaint::header_list);
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }

  // nghttp2 would leave the field out and go on.
  static int on_invalid_header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t*, std::size_t,
                               const std::uint8_t*, std::size_t, std::uint8_t, void* user) {
    self(user).head_malformed_ = true;
    return 0;
  }

  static int on_frame(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    Self& me = self(user);
    const std::int32_t stream = frame->hd.stream_id;
    const bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS: return take_headers(me, session, frame);
      case NGHTTP2_DATA: {
        StreamUser* const stream_user = user_of(session, stream);
        if (ends && stream_user) stream_user->content_over();
        if (!ends && frame->hd.length == frame->data.padlen) me.spend(me.empty_, Complaint::empty_frames);
        return 0;
      }
      case NGHTTP2_PING:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0)
          me.user_.ping_answered();
        else
          me.spend(me.control_, Complaint::control_frames);
        return 0;
      case NGHTTP2_SETTINGS:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) == 0) me.spend(me.control_, Complaint::control_frames);
        return 0;
      case NGHTTP2_WINDOW_UPDATE: me.spend(me.updates_, Complaint::control_frames); return 0;
      case NGHTTP2_RST_STREAM: me.spend(me.resets_, Complaint::resets); return 0;
      default: return 0;
    }
  }

  static int take_headers(Self& me, nghttp2_session* session, const nghttp2_frame* frame) {
    const std::int32_t stream = frame->hd.stream_id;
    if (me.dead_) return 0;
    if (me.head_malformed_) return refuse(me, session, stream);
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) {  // trailers: checked, and dropped
      StreamUser* const stream_user = user_of(session, stream);
      if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 && stream_user) stream_user->content_over();
      return 0;
    }
    std::string text = me.head_.take();
    if (text.empty()) return refuse(me, session, stream);
    StreamUser* const stream_user = me.user_.request(stream, me.head_, std::move(text));
    if (!stream_user) return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, stream, NGHTTP2_REFUSED_STREAM), 0;
    nghttp2_session_set_stream_user_data(session, stream, stream_user);
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) stream_user->content_over();
    return 0;
  }

  static int refuse(Self& me, nghttp2_session* session, std::int32_t stream) {
    me.user_.malformed();
    nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, stream, NGHTTP2_PROTOCOL_ERROR);
    return 0;
  }

  static int on_data(nghttp2_session* session, std::uint8_t, std::int32_t stream, const std::uint8_t* data,
                     std::size_t size, void* user) {
    StreamUser* const stream_user = user_of(session, stream);
    if (!stream_user || self(user).dead_)
      nghttp2_session_consume(session, stream, size);
    else
      stream_user->content(text_of(data, size));
    return 0;
  }

  static int on_stream_close(nghttp2_session* session, std::int32_t stream, std::uint32_t, void*) {
    if (StreamUser* const stream_user = user_of(session, stream)) {
      nghttp2_session_set_stream_user_data(session, stream, nullptr);
      stream_user->closed();
    }
    return 0;
  }

  // A stream that is reset for what the client sent costs as much as one that it resets itself.
  static int on_frame_send(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    Self& me = self(user);
    const bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    switch (frame->hd.type) {
      case NGHTTP2_DATA:
        me.updates_.earn(kUpdatesForData);
        me.control_.earn(1);
        [[fallthrough]];
      case NGHTTP2_HEADERS:
        if (StreamUser* const stream_user = ends ? user_of(session, frame->hd.stream_id) : nullptr)
          stream_user->response_sent();
        return 0;
      case NGHTTP2_RST_STREAM:
        if (frame->rst_stream.error_code != NGHTTP2_NO_ERROR && frame->rst_stream.error_code != NGHTTP2_INTERNAL_ERROR)
          me.spend(me.resets_, Complaint::resets);
        return 0;
      case NGHTTP2_GOAWAY:
        if (frame->goaway.error_code != NGHTTP2_NO_ERROR && me.complaint_ == Complaint::none)
          me.complaint_ = Complaint::protocol;
        return 0;
      default: return 0;
    }
  }

  // What was to be a head or trailers cannot be: no end of the stream would follow. One that is closed has its end.
  static int on_frame_not_send(nghttp2_session* session, const nghttp2_frame* frame, int error, void*) {
    const bool closed = error == NGHTTP2_ERR_STREAM_CLOSED || error == NGHTTP2_ERR_STREAM_CLOSING;
    if (frame->hd.type == NGHTTP2_HEADERS && !closed)
      nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_INTERNAL_ERROR);
    return 0;
  }

  static int on_invalid_frame(nghttp2_session*, const nghttp2_frame* frame, int, void* user) {
    if (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) self(user).user_.malformed();
    return 0;
  }

  static ssize_t read_content(nghttp2_session* session, std::int32_t stream, std::uint8_t* space, std::size_t room,
                              std::uint32_t* flags, nghttp2_data_source* source, void*) {
    const StreamUser::Portion portion =
        static_cast<StreamUser*>(source->ptr)->take_content(reinterpret_cast<char*>(space), room);
    if (portion.end) *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (portion.trailers) {
      std::vector<nghttp2_nv> pairs;
      for (const OutField& field : *portion.trailers)
        pairs.push_back(pair_of(field.name, field.value));
      if (nghttp2_submit_trailer(session, stream, pairs.data(), pairs.size()) == 0)
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    }
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
      nghttp2_session_callbacks_set_on_data_chunk_recv_callback(calls, on_data);
      nghttp2_session_callbacks_set_on_stream_close_callback(calls, on_stream_close);
      nghttp2_session_callbacks_set_on_frame_send_callback(calls, on_frame_send);
      nghttp2_session_callbacks_set_on_frame_not_send_callback(calls, on_frame_not_send);
      nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(calls, on_invalid_frame);
      nghttp2_option_set_no_auto_window_update(options, 1);
      nghttp2_option_set_no_closed_streams(options, 1);
      nghttp2_option_set_max_send_header_block_length(options, kMostSentHead);
      nghttp2_option_set_stream_reset_rate_limit(options, kNever, kNever);  // see kResets
      nghttp2_session_server_new2(&session, calls, &me, options);
    }
    nghttp2_option_del(options);
    nghttp2_session_callbacks_del(calls);
    return session;
  }
};

void ServerConversation::Free::operator()(nghttp2_session* session) const noexcept {
  nghttp2_session_del(session);
}

ServerConversation::ServerConversation(ServerUser& user, const ServerLimits& limits)
    : user_(user),
      limits_(limits),
      resets_(kResets, kResetsASecond),
      control_(kControl, kControlASecond),
      updates_(kUpdates, kUpdatesASecond),
      empty_(kEmpty, kEmptyASecond),
      session_(Callbacks::make(*this)) {
  dead_ = !session_;
  if (dead_) return;
  const std::array settings{
      nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits.streams},
      nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, static_cast<std::uint32_t>(limits.head)},
      nghttp2_settings_entry{NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1}};
  nghttp2_submit_settings(session_.get(), NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  nghttp2_session_set_local_window_size(session_.get(), NGHTTP2_FLAG_NONE, 0, kConnectionWindow);
}

ServerConversation::~ServerConversation() = default;

void ServerConversation::spend(Allowance& allowance, Complaint complaint) noexcept {
  if (!dead_ && !allowance.spend(now_)) give_up(complaint);
}

bool ServerConversation::feed(std::string_view bytes, Clock::time_point now) noexcept {
  now_ = now;
  while (!bytes.empty() && !dead_) {
    const std::string_view part = bytes.substr(0, kFed);
    const ssize_t used =
        nghttp2_session_mem_recv(session_.get(), reinterpret_cast<const std::uint8_t*>(part.data()), part.size());
    if (used < 0) {
      const bool continuations = used == NGHTTP2_ERR_TOO_MANY_CONTINUATIONS;
      const bool flooded = used == NGHTTP2_ERR_FLOODED;
      give_up(continuations ? Complaint::continuations : flooded ? Complaint::control_frames : Complaint::protocol);
      break;
    }
    note_heads(part.substr(0, static_cast<std::size_t>(used)));
    bytes.remove_prefix(static_cast<std::size_t>(used));
    if (nghttp2_session_want_read(session_.get()) == 0) break;
  }
  return !dead_ && nghttp2_session_want_read(session_.get()) != 0;
}

void ServerConversation::note_heads(std::string_view bytes) noexcept {
  const std::uint64_t before = frames_.heads();
  frames_.pass(bytes);
  if (!frames_.in_head())
    head_since_ = {};
  else if (frames_.heads() != before || head_since_ == Clock::time_point{})
    head_since_ = now_;
}

std::string_view ServerConversation::output() noexcept {
  if (!session_) return {};
  const std::uint8_t* bytes = nullptr;
  const ssize_t size = nghttp2_session_mem_send(session_.get(), &bytes);
  return size > 0 ? text_of(bytes, static_cast<std::size_t>(size)) : std::string_view();
}

bool ServerConversation::over() const noexcept {
  return !session_ || dead_ || nghttp2_session_want_read(session_.get()) == 0;
}

bool ServerConversation::respond(std::int32_t stream, const ResponseFields& response, Content content) noexcept {
  std::array<char, 4> status{};
  std::to_chars(status.data(), status.data() + status.size(), response.status);
  std::vector<nghttp2_nv> pairs;
  pairs.reserve(response.fields.size() + 1);
  pairs.push_back(pair_of(":status", {status.data(), 3}));
  for (const OutField& field : response.fields)
    pairs.push_back(pair_of(field.name, field.value));
  if (response.status < 200)
    return nghttp2_submit_headers(session_.get(), NGHTTP2_FLAG_NONE, stream, nullptr, pairs.data(), pairs.size(),
                                  nullptr) == 0;
  nghttp2_data_provider source{{.ptr = user_of(session_.get(), stream)}, Callbacks::read_content};
  return nghttp2_submit_response(session_.get(), stream, pairs.data(), pairs.size(),
                                 content == Content::follows ? &source : nullptr) == 0;
}

void ServerConversation::resume(std::int32_t stream) noexcept {
  nghttp2_session_resume_data(session_.get(), stream);
}

void ServerConversation::consume(std::int32_t stream, std::size_t size) noexcept {
  nghttp2_session_consume(session_.get(), stream, size);
}

void ServerConversation::forget(std::int32_t stream) noexcept {
  nghttp2_session_set_stream_user_data(session_.get(), stream, nullptr);
}

void ServerConversation::reset(std::int32_t stream, Code code) noexcept {
  nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, stream, static_cast<std::uint32_t>(code));
}

void ServerConversation::announce_end() noexcept {
  nghttp2_submit_shutdown_notice(session_.get());
  nghttp2_submit_ping(session_.get(), NGHTTP2_FLAG_NONE, nullptr);
}

void ServerConversation::end() noexcept {
  nghttp2_submit_goaway(session_.get(), NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session_.get()),
                        NGHTTP2_NO_ERROR, nullptr, 0);
}

void ServerConversation::give_up(Complaint complaint) noexcept {
  if (dead_) return;
  dead_ = true;
  complaint_ = complaint;
  const bool calm = complaint != Complaint::protocol;
  if (session_)
    nghttp2_session_terminate_session(session_.get(), calm ? NGHTTP2_ENHANCE_YOUR_CALM : NGHTTP2_PROTOCOL_ERROR);
}

}  // namespace lingate::http2
