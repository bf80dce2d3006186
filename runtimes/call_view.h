// CallView: one call as its script sees it, without an engine. Reads are lazy views of the encoded parts of the Call
// (call_source.h); writes are validated here, seen by later reads, and collected as edits: the Verdict. Rooms bind
// these functions to native objects and add nothing of their own: a rule, its limits and its error text stand here
// once, so a script gets the same answer in every language. (Headers: head_view.h; their rules: header_rules.h; unknown
// names: attributes.h.)
//
// Reading pays for what it touches: a head is asked for with the first header that is read, ctx and metadata are
// decoded by the room when the script first reads them.
//
// Thread: the instance's while the call runs, its owner's before and after. Lifetime: a view belongs to whoever makes
// the call, who keeps it until the call is over, and is reused (begin() resets it without freeing). Text returned by
// reads lives until the call ends, a body until the script assigns another; the verdict until the next begin(), but for
// the texts in an arena that begin() was given.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "runtimes/call_source.h"
#include "runtimes/head_view.h"
#include "runtimes/header_rules.h"
#include "runtimes/runtime.h"
#include "runtimes/value.h"
#include "runtimes/wire_verdict.h"

namespace lingate::runtimes {

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

// A Failure, for who has no call to speak for (the pool).
struct FailureParts {
  FailureKind kind = FailureKind::exception;
  std::string_view message;
  std::string_view file{};
  std::uint32_t line = 0;
  std::span<const std::string> stack{};
};

// Writes that Failure, or a Verdict with it; texts are cut to what one log line may hold, at most 20 frames.
void encode_failure(std::string& failure, const FailureParts& parts);
void write_failure(std::string& verdict, const FailureParts& parts);

class CallView {
 public:
  CallView() = default;
  CallView(const CallView&) = delete;
  CallView& operator=(const CallView&) = delete;

  // Starts on a new call, which is read from `source`; what the script writes goes to `room`. Both are borrowed until
  // the verdict was applied; `limits` belongs to the script.
  void begin(Hook hook, CallSource& source, Arena& room, const ScriptLimits& limits);
  // The same from the bytes of a Call, with room of its own.
  void begin(Hook hook, std::string_view call, const ScriptLimits& limits);
  // The call is over and its verdict applied: one that carried a lot does not keep its room.
  void give_back_room() noexcept;

  Hook hook() const noexcept { return hook_; }

  // ---- req ----
  enum class RequestText : std::uint8_t { id, method, scheme, host, path, query, version, route, client_ip };
  std::string_view request_text(RequestText which);
  std::uint32_t client_port();
  std::string_view client_tls();  // encoded Members; empty: plain
  const std::string_view* param(std::string_view name);
  std::span<const HeadView::Line> params();  // pairs in order
  HeadView& request_head();
  [[nodiscard]] Refusal set_method(std::string_view method);
  [[nodiscard]] Refusal set_path(std::string_view path);
  [[nodiscard]] Refusal set_query(std::string_view query);  // without '?'

  // ---- res ----
  std::uint32_t status();
  HeadView& response_head();
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
  void session_tags(std::vector<std::string_view>& out);  // replaces what `out` holds
  std::string_view session_metadata();                    // encoded Members, for the room to decode once

  // Assigns a whole session from a value walked into the sink that begin_session() returns; end_session() checks it
  // (`id` present, no unknown field, types) and makes it the session that the script and later steps see.
  WireWriter& begin_session();
  [[nodiscard]] Refusal end_session();
  [[nodiscard]] Refusal clear_session();  // nil: anonymous
  // What the room's tags and metadata hold when the hook returns, if the script touched them. An unchanged value adds
  // no edit. `metadata` is encoded Members.
  [[nodiscard]] static Refusal check_tag_count(std::size_t count);  // before a room collects them
  [[nodiscard]] Refusal keep_tags(std::span<const std::string_view> tags);
  [[nodiscard]] Refusal keep_metadata(std::string_view metadata);

  // ---- ctx ----
  std::string_view context();  // encoded Members
  // What it holds when the hook returns; unchanged adds no edit, and in `log` nothing does.
  void keep_context(std::string_view members);

  // ---- the end ----
  // Checks respond()'s arguments at the place of the call and copies them; the last one counts, unless it is dropped.
  [[nodiscard]] Refusal answer(const AnswerParts& parts);
  void drop_answer() noexcept { answered_ = false; }  // the respond() result was not returned

  // A Failure is the verdict; everything collected is dropped. Texts are cut to what one log line may hold.
  void fail(FailureKind kind, std::string_view message, std::string_view file = {}, std::uint32_t line = 0,
            std::span<const std::string> stack = {});
  const Verdict& verdict();   // once the call is over
  std::string_view finish();  // its bytes; empty where nothing changed

 private:
  static constexpr std::size_t kSessionNumbers = 7;
  enum class SessionEdit : std::uint8_t { none, assigned, cleared };

  std::string_view texts();  // of the request, encoded
  void find_session();
  void index_session();
  std::string_view client();  // encoded
  std::string_view read_only(Side side) const noexcept;
  [[nodiscard]] Refusal set_text(std::string_view text, std::optional<std::string_view>& place);
  [[nodiscard]] Refusal target_fits(std::size_t path, std::size_t query);
  [[nodiscard]] Refusal session_writable(std::string_view what);
  void forget_session_details();
  void compare_metadata(std::string_view before, std::string_view after);
  void conclude();
  void conclude_edits();
  std::size_t tags_size() const noexcept;
  std::size_t session_edits_size() const noexcept;
  char* put_session_edits(char* to) const noexcept;

  Hook hook_ = Hook::request;
  CallSource* source_ = nullptr;
  const ScriptLimits* limits_ = nullptr;
  WriteRoom room_;
  EncodedCall encoded_;  // where bytes were given
  Arena own_room_;

  // What was found in the call so far.
  bool texts_found_ = false, request_indexed_ = false, response_indexed_ = false, session_indexed_ = false;
  bool params_indexed_ = false;
  bool session_found_ = false;
  bool anonymous_ = true;
  std::string_view texts_, session_;
  std::vector<HeadView::Line> params_;
  HeadView request_head_;
  HeadView response_head_;
  std::array<std::string_view, 3> session_texts_;
  std::string_view session_metadata_;
  std::array<std::optional<double>, kSessionNumbers> session_numbers_;

  // Edits so far; views into room_. Those of the one head that may be written are in verdict_.
  std::optional<std::string_view> method_, path_, query_;
  std::optional<std::uint32_t> status_edit_;
  std::array<bool, 2> body_edited_{};
  std::array<std::string, 2> bodies_;
  WireWriter session_writer_;
  SessionEdit session_edit_ = SessionEdit::none;
  std::optional<std::vector<std::string_view>> tags_edit_;
  std::vector<std::string_view> metadata_set_;      // encoded Member each
  std::vector<std::string_view> metadata_removed_;  // names
  std::optional<std::string_view> context_edit_;
  std::string context_bytes_;
  bool answered_ = false;
  bool failed_ = false;
  bool large_ = false;           // some buffer may be
  bool concluded_ = false;       // verdict_ is whole
  std::string answer_;           // encoded Answer
  std::string failure_;          // encoded Failure
  std::string session_changes_;  // encoded SessionEdits
  std::string bytes_;            // encoded Verdict
  Verdict verdict_;
  HeaderEdits no_edits_;  // of a head that is only read
};

}  // namespace lingate::runtimes
