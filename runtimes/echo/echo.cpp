#include "runtimes/echo/echo.h"

#include <atomic>
#include <utility>

#include "base/loop.h"
#include "runtimes/call_view.h"
#include "runtimes/echo/program.h"

namespace lingate::runtimes::echo {
namespace {

using Kind = Step::Kind;

// One call in flight: where it stands in its hook.
struct Running {
  CallView* view = nullptr;
  Hook hook = Hook::request;
  std::size_t next = 0;
  void* tag = nullptr;
};

class EchoInstance final : public Instance {
 public:
  EchoInstance(Program program, const Script& script, Host& host)
      : program_(std::move(program)), path_(script.path), memory_(script.memory), host_(host) {}

  const HookSet& hooks() const noexcept override { return program_.hooks; }
  std::vector<std::string> dependencies() const override { return {}; }

  Progress start(CallId id, CallView& call, void* tag) noexcept override {
    if (program_.of(call.hook()).empty()) return {};
    while (calls_.size() <= id)
      calls_.push_back(std::make_unique<Running>());
    Running& running = *calls_[id];
    running.view = &call;
    running.hook = call.hook();
    running.next = 0;
    running.tag = tag;
    return go_on(running);
  }

  Progress resume(CallId id, const HostResult& result) noexcept override {
    Running& running = *calls_[id];
    if (!result.error.empty()) return failed(running, FailureKind::exception, result.error, 0);
    return go_on(running);
  }

  // Nothing is held for a suspended call but its place.
  void cancel(CallId) noexcept override {}

  void interrupt() noexcept override { interrupted_.store(true, std::memory_order_relaxed); }
  void settle() noexcept override { interrupted_.store(false, std::memory_order_relaxed); }
  bool usable() const noexcept override { return true; }
  InstanceMemory memory() const noexcept override { return {calls_.size() * sizeof(Running), memory_}; }
  bool idle_step() noexcept override { return false; }

 private:
  Progress go_on(Running& running) noexcept {
    const std::vector<Step>& steps = program_.of(running.hook);
    while (running.next < steps.size()) {
      const Step& step = steps[running.next++];
      if (step.kind == Kind::sleep) return {Progress::State::suspended, {HostOperation::Kind::sleep, step.number}};
      if (step.kind == Kind::spin && !spin(step))
        return failed(running, FailureKind::timeout, "interrupted", step.line);
      if (step.kind == Kind::fail) return failed(running, FailureKind::exception, step.rest, step.line);
      if (const Refusal refusal = take(running, step))
        return failed(running, FailureKind::exception, *refusal, step.line);
    }
    return {};
  }

  Progress failed(Running& running, FailureKind kind, std::string_view message, std::uint32_t line) {
    running.view->fail(kind, message, path_, line);
    return {};
  }

  // False: interrupted.
  bool spin(const Step& step) const noexcept {
    const auto most = step.first.empty()
                          ? Clock::duration::max()
                          : std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(step.number));
    const Clock::time_point begin = Clock::now();
    while (Clock::now() - begin < most)
      if (interrupted_.load(std::memory_order_relaxed)) return false;
    return true;
  }

  static HeadView& head(Running& running) {
    return running.hook == Hook::request ? running.view->request_head() : running.view->response_head();
  }

  static Side side(const Running& running) { return running.hook == Hook::request ? Side::request : Side::response; }

  Refusal take(Running& running, const Step& step) {
    CallView& view = *running.view;
    const std::string_view value = step.rest;
    switch (step.kind) {
      case Kind::set_header: return head(running).set(step.first, {&value, 1});
      case Kind::add_header: return head(running).add(step.first, value);
      case Kind::remove_header: return head(running).remove(value);
      case Kind::copy_header: {
        const std::string_view* const from = head(running).get(step.first);
        if (!from) return std::nullopt;
        const std::string_view copied = *from;
        return head(running).set(value, {&copied, 1});
      }
      case Kind::set_path: return view.set_path(value);
      case Kind::set_status: return view.set_status(step.number);
      case Kind::set_body: return view.set_body(side(running), value);
      case Kind::set_context: return set_context(view, value);
      case Kind::echo_body: return echo_body(running);
      case Kind::respond: return respond(view, step);
      case Kind::read_all: return read_all(running);
      case Kind::log: host_.log(LogLevel::info, value, {}, running.tag); return std::nullopt;
      case Kind::sleep:
      case Kind::spin:
      case Kind::fail: break;
    }
    return std::nullopt;
  }

  Refusal set_context(CallView& view, std::string_view json) {
    writer_.reset({});
    if (const auto parsed = parse_json(json, writer_); !parsed)
      return writer_.failed() ? writer_.error().message : parsed.error().message;
    view.keep_context(writer_.members());
    return std::nullopt;
  }

  static Refusal echo_body(Running& running) {
    const CallView::BodyRead body = running.view->body(side(running));
    if (body.refusal) return body.refusal;
    return running.view->set_body(side(running), std::string(body.bytes));
  }

  static Refusal respond(CallView& view, const Step& step) {
    const auto kind = step.rest.empty() ? AnswerParts::Body::none : AnswerParts::Body::text;
    return view.answer({.status = step.number, .kind = kind, .body = step.rest, .headers = {}});
  }

  // Touches everything that a script could read.
  static Refusal read_all(Running& running) {
    CallView& view = *running.view;
    std::size_t seen = view.request_text(CallView::RequestText::path).size() + view.params().size() +
                       view.request_head().lines().size() + view.session_metadata().size() + view.context().size();
    if (running.hook != Hook::request) seen += view.response_head().lines().size() + view.status();
    return seen == SIZE_MAX ? Refusal("no call is that large") : std::nullopt;
  }

  const Program program_;
  const std::string path_;
  const std::uint64_t memory_;
  Host& host_;
  std::vector<std::unique_ptr<Running>> calls_;  // by CallId
  WireWriter writer_;
  std::atomic<bool> interrupted_{false};
};

class EchoRuntime final : public Runtime {
 public:
  std::string_view name() const noexcept override { return "echo"; }
  std::string version() const override { return "echo 1"; }
  std::vector<std::string_view> extensions() const override { return {".echo"}; }

  Result<std::unique_ptr<Instance>, LoadError> load(const Script& script, Host& host) override {
    auto program = parse(script);
    if (!program) return lingate::fail(std::move(program.error()));
    for (const Step& step : program->of(Hook::init)) {
      if (step.kind == Kind::log) host.log(LogLevel::info, step.rest, {}, nullptr);
      if (step.kind == Kind::fail)
        return lingate::fail(LoadError{FailureKind::exception, step.rest, script.path, step.line, {}});
    }
    return std::make_unique<EchoInstance>(std::move(*program), script, host);
  }
};

}  // namespace

std::unique_ptr<Runtime> make_echo(Watchdog&) {
  return std::make_unique<EchoRuntime>();
}

}  // namespace lingate::runtimes::echo
