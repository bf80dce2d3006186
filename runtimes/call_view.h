// CallView: one call as its script sees it, without an engine. Reads are lazy views of the encoded Call; writes are
// validated here, seen by later reads, and collected as edits; finish() turns them into the Verdict. Rooms bind these
// functions to native objects and add nothing of their own: a rule, its limits and its error text stand here once, so a
// script gets the same answer in every language.
//
// Reading pays for what it touches: a head is indexed when the first header is asked for, ctx and metadata are decoded
// by the room when the script first reads them.
//
// Thread: the instance's. Lifetime: a view belongs to a room's call and is reused (begin() resets it without freeing);
// text returned by reads lives until the call ends.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "runtimes/runtime.h"
#include "runtimes/value.h"

namespace lingate::runtimes {

// What a write or a forbidden read answers: nullopt, or the text of the catchable script error to raise.
using Refusal = std::optional<std::string>;

enum class Side : std::uint8_t { request, response };

// Lines of one head, in order, with the script's edits already in them.
class HeadView {
 public:
  struct Line {
    std::string_view name;
    std::string_view value;
  };

  // The first line's value; names compare without case.
  const std::string_view* get(std::string_view name);
  void values(std::string_view name, std::vector<std::string_view>& out);
  std::span<const Line> lines();                        // all, in order
  void names(std::vector<std::string_view>& distinct);  // first spelling of each, in order

  // Replaces the first such line in place and drops the others, or appends; no values: removes. Copies what it keeps.
  [[nodiscard]] Refusal set(std::string_view name, std::span<const std::string_view> values);
  [[nodiscard]] Refusal add(std::string_view name, std::string_view value);
  [[nodiscard]] Refusal remove(std::string_view name);

 private:
  friend class CallView;
  void begin(std::string_view encoded_message, std::uint32_t header_field, const ScriptLimits& limits, Arena& arena);
  void index();
  Refusal writable(std::string_view name) const;
  Refusal fits(std::string_view name, std::string_view value) const;
  void record(std::string_view name, std::span<const std::string_view> values, bool append);

  struct Edit {
    std::string_view name;
    std::uint32_t first_value;
    std::uint32_t value_count;
    bool append;
  };

  std::string_view encoded_;
  std::uint32_t header_field_ = 0;
  bool indexed_ = false;
  bool read_only_ = false;
  std::string_view read_only_reason_;
  std::size_t bytes_ = 0;
  std::vector<Line> lines_;
  std::vector<Edit> edits_;
  std::vector<std::string_view> edit_values_;
  const ScriptLimits* limits_ = nullptr;
  Arena* arena_ = nullptr;
};

// A response made by lingate.respond(), checked as it is built.
struct AnswerParts {
  struct Line {
    std::string_view name;
    std::string_view value;
  };
  double status = 200;
  enum class Body : std::uint8_t { none, text, bytes, json } kind = Body::none;
  std::string_view body;
  std::span<const Line> headers;
};

class CallView {
 public:
  // Starts on a new call. `call` is borrowed until finish() or fail(); `limits` belongs to the script.
  void begin(Hook hook, std::string_view call, const ScriptLimits& limits);

  Hook hook() const noexcept { return hook_; }

  // ---- req ----
  enum class RequestText : std::uint8_t { id, method, scheme, host, path, query, version, route, client_ip };
  std::string_view request_text(RequestText which);
  std::uint32_t client_port();
  const std::string_view* param(std::string_view name);
  std::span<const HeadView::Line> params();  // pairs in order
  HeadView& request_head() { return request_head_; }
  [[nodiscard]] Refusal set_method(std::string_view method);
  [[nodiscard]] Refusal set_path(std::string_view path);
  [[nodiscard]] Refusal set_query(std::string_view query);

  // ---- res ----
  std::uint32_t status();
  HeadView& response_head() { return response_head_; }
  [[nodiscard]] Refusal set_status(double status);

  // ---- bodies ----
  struct BodyRead {
    Refusal refusal;  // the step has no `body:`
    std::string_view bytes;
  };
  BodyRead body(Side side);
  [[nodiscard]] Refusal set_body(Side side, std::string_view bytes);

  // ---- session ----
  bool has_session();
  enum class SessionText : std::uint8_t { id, alias, org };
  std::string_view session_text(SessionText which);
  enum class SessionNumber : std::uint8_t { rate, per, burst, quota_max, quota_remaining, quota_renews, expires };
  std::optional<double> session_number(SessionNumber which);
  void session_tags(std::vector<std::string_view>& out);
  std::string_view session_metadata();  // encoded Members, for the room to decode once

  // Assigns a whole session from a value walked into the sink that begin_session() returns; end_session() checks it
  // (`id` present, no unknown field, types) and makes it the session that the script and later steps see.
  WireWriter& begin_session();
  [[nodiscard]] Refusal end_session();
  [[nodiscard]] Refusal clear_session();  // nil: anonymous
  // What the room's tags and metadata hold when the hook returns, if the script touched them. An unchanged value adds
  // no edit. `metadata` is encoded Members.
  [[nodiscard]] Refusal keep_tags(std::span<const std::string_view> tags);
  [[nodiscard]] Refusal keep_metadata(std::string_view metadata);

  // ---- ctx ----
  std::string_view context();  // encoded Members
  void keep_context(std::string_view members);  // what it holds when the hook returns; unchanged adds no edit

  // ---- the end ----
  // Checks respond()'s arguments at the place of the call and copies them; at most one is kept as the hook's return.
  [[nodiscard]] Refusal answer(const AnswerParts& parts);
  void drop_answer() noexcept;  // the respond() result was not returned

  std::string_view finish();  // the Verdict; bytes live until the next begin()
  // A Failure instead; everything collected is dropped. Texts are cut to what one log line may hold.
  std::string_view fail(FailureKind kind, std::string_view message, std::string_view file = {}, std::uint32_t line = 0,
                        std::span<const std::string> stack = {});

 private:
  struct Parts;  // where the submessages of the Call lie
  void split();

  Hook hook_ = Hook::request;
  std::string_view call_;
  bool split_ = false;
  std::string_view request_, response_, session_, context_;
  bool anonymous_ = true;
  const ScriptLimits* limits_ = nullptr;
  Arena arena_;
  HeadView request_head_;
  HeadView response_head_;
  std::vector<HeadView::Line> params_;
  bool params_indexed_ = false;
  // Edits so far; views into arena_.
  std::optional<std::string_view> method_, path_, query_, request_body_, response_body_;
  std::optional<std::uint32_t> status_;
  enum class SessionEdit : std::uint8_t { none, assigned, cleared } session_edit_ = SessionEdit::none;
  WireWriter session_writer_;
  std::optional<std::string_view> tags_edit_, metadata_edit_, context_edit_;
  std::optional<std::string_view> answer_;
  std::string verdict_;
};

}  // namespace lingate::runtimes
