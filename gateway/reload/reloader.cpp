#include "gateway/reload/reloader.h"

#include <algorithm>
#include <random>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/codes.h"
#include "gateway/admin/if_match.h"
#include "gateway/config/loader.h"
#include "gateway/config/yaml.h"
#include "gateway/open_store.h"
#include "gateway/reload/changes.h"
#include "gateway/reload/files.h"

namespace lingate {
namespace {

using admin::NotReplaced;
using admin::Origin;
using config::Diagnostic;

constexpr std::size_t kMostHistory = 20;

std::string random_mark() {
  std::random_device random;
  return fmt::format("{:08x}", random());
}

bool is_error(const Diagnostic& each) {
  return each.severity == config::Severity::error;
}

// A script's mistake stands in the script, and the step that names it beside.
Diagnostic diagnostic_of(const AssemblyError& problem) {
  Diagnostic diagnostic;
  diagnostic.code = problem.error.code;
  diagnostic.place = problem.place;
  diagnostic.message = problem.error.message;
  if (!problem.script) return diagnostic;
  const runtimes::LoadError& error = problem.script->error;
  diagnostic.code = middleware::code_of(error);
  diagnostic.place = {error.file.empty() ? problem.script->file : error.file, std::max(1U, error.line), 1};
  diagnostic.message = error.message;
  diagnostic.notes.push_back({problem.place, 1, {}, "the step is here"});
  return diagnostic;
}

std::string summary(const std::vector<Diagnostic>& diagnostics) {
  const auto first = std::find_if(diagnostics.begin(), diagnostics.end(), is_error);
  const auto errors = std::count_if(diagnostics.begin(), diagnostics.end(), is_error);
  if (first == diagnostics.end()) return "it has errors";
  const config::Place& at = first->place;
  const std::string others = errors > 1 ? fmt::format(", and {} more", errors - 1) : std::string();
  return fmt::format("{}:{}:{}: {} [{}]{}", at.file, at.line, at.column, first->message, code_name(first->code),
                     others);
}

NotReplaced being_replaced() {
  return {code::kEnding, std::string(admin::kBeingReplaced)};
}

NotReplaced invalid(std::vector<Diagnostic> diagnostics) {
  return {code::kConfigRefused, summary(diagnostics), std::move(diagnostics)};
}

}  // namespace

// A configuration that has been loaded, and is still to be made runnable.
struct Reloader::Wanted {
  config::Model model;
  std::vector<Diagnostic> warnings;
  Origin origin = Origin::file;
  admin::Save save = admin::Save::no;
};

Reloader::Reloader(ReloaderOptions options)
    : housekeeper_(options.housekeeper),
      retirement_(options.retirement),
      drains_(options.drains),
      surroundings_(std::move(options.surroundings)),
      log_(options.log),
      mark_(random_mark()) {
  surroundings_.shelf = &retirement_.shelf();
}

Result<std::shared_ptr<const http::Snapshot>> Reloader::begin(const config::Model& model) {
  auto first = make_runnable(model);
  if (!first) return fail(first.error().error.code, summary({diagnostic_of(first.error())}));
  (*first)->model = model;
  on_disk_ = model.written;
  note_files(model.written);
  drains_.keep_only((*first)->snapshot->upstreams);
  now_runs(*first);
  return (*first)->snapshot;
}

void Reloader::stop() noexcept {
  stopped_ = true;
  if (surroundings_.fetcher) surroundings_.fetcher->end_waiting();
}

Result<std::shared_ptr<admin::Running>, AssemblyError> Reloader::make_runnable(const config::Model& model) {
  auto made = assemble(model, surroundings_);
  if (!made) return fail(std::move(made.error()));
  if (surroundings_.fetcher) surroundings_.fetcher->wait_for_first_fetches();  // or its first tokens would be refused
  auto runnable = std::make_shared<admin::Running>();
  runnable->scripts = made->scripts;
  runnable->snapshot = retirement_.own(std::move(made->snapshot));
  return runnable;
}

Result<std::vector<std::string>> Reloader::serve(const std::vector<std::unique_ptr<http::Worker>>& workers,
                                                 std::vector<Listeners::Shared> inherited) {
  for (const auto& each : workers)
    workers_.push_back(each.get());
  retirement_.set_workers(workers_);
  listeners_ = std::make_unique<Listeners>(workers_);
  listeners_->inherit(std::move(inherited));
  auto plan = listeners_->plan(running_->model.listen);
  if (!plan) return fail(std::move(plan.error()));
  listeners_->apply(std::move(*plan));
  std::vector<std::string> urls = listeners_->urls();
  go_on();  // from here on the listeners are the housekeeper's
  return urls;
}

std::shared_ptr<const admin::Running> Reloader::running() const {
  const std::lock_guard lock(mutex_);
  return running_;
}

std::vector<admin::Version> Reloader::history() const {
  const std::lock_guard lock(mutex_);
  return {history_.begin(), history_.end()};
}

template <class Work>
admin::Configurations::Outcome Reloader::wait_for(Work work) {
  Outcome outcome = fail(NotReplaced{code::kEnding, {}});
  housekeeper_.run([&] { outcome = work(); });
  return outcome;
}

std::optional<std::vector<Listeners::Shared>> Reloader::share_listeners() {
  std::optional<std::vector<Listeners::Shared>> shared;
  housekeeper_.run([&] {
    held_ = true;
    shared = listeners_->share();
  });
  return shared;
}

void Reloader::go_on() {
  housekeeper_.post([this] {
    held_ = false;
    if (remembered_) static_cast<void>(reread());
  });
}

bool Reloader::give_away() {
  bool again = false;
  housekeeper_.run([&] {
    listeners_->give_files_away();
    again = std::exchange(remembered_, false);
  });
  return again;
}

void Reloader::settle() {
  housekeeper_.post([this] {
    listeners_->settle();
    if (!is_on_disk()) static_cast<void>(reread());
  });
}

// Asked again before its turn, it is the same reload.
void Reloader::ask_for_reload() {
  if (asked_.exchange(true)) return;
  housekeeper_.post([this] {
    asked_ = false;
    static_cast<void>(reread());
  });
}

admin::Configurations::Outcome Reloader::reload() {
  return wait_for([this] { return reread(); });
}

admin::Configurations::Outcome Reloader::replace(admin::NewText text) {
  return wait_for([&] { return load_text(text, Origin::api); });
}

admin::Configurations::Outcome Reloader::roll_back(std::uint64_t generation, admin::Save save) {
  return wait_for([&]() -> Outcome {
    for (const admin::Version& each : history())
      if (each.generation == generation)
        return load({.text = each.text, .save = save}, Origin::rollback, &each.included);
    return fail(NotReplaced{code::kNoSuchGeneration, {}});
  });
}

// ---- the housekeeper's thread ----

admin::Configurations::Outcome Reloader::reread() {
  remembered_ = held_;
  if (!held_) return load_file();
  log_.write({.level = middleware::LogLevel::info,
              .message = "the configuration is read again once it is known which process serves"});
  return fail(being_replaced());
}

admin::Configurations::Outcome Reloader::load_file() {
  config::Loaded loaded = config::load_file(running_->model.written.file);
  note_files(loaded.written);
  if (!loaded.model) return refused(invalid(std::move(loaded.diagnostics)));
  auto outcome = take_on({std::move(*loaded.model), std::move(loaded.diagnostics), Origin::file, admin::Save::no});
  if (outcome) on_disk_ = std::move(loaded.written);
  return outcome;
}

admin::Configurations::Outcome Reloader::load_text(const admin::NewText& text, Origin origin) {
  return load(text, origin, nullptr);
}

// `included`: what the files that it includes hold, where that is not what they hold now.
admin::Configurations::Outcome Reloader::load(const admin::NewText& text, Origin origin,
                                              const std::vector<config::WrittenFile>* included) {
  if (held_) return fail(being_replaced());
  const config::Written& written = running_->model.written;
  if (text.match && !admin::if_match_holds(*text.match, running_->version.etag))
    return fail(NotReplaced{code::kConfigChanged, fmt::format("{} runs", running_->version.etag)});
  if (text.text.size() > config::Document::kMostBytes)
    return fail(NotReplaced{code::kConfigRefused, "it is larger than a configuration may be"});
  config::Loaded loaded = config::load_text(written.file, text.text, {written.folder, {}, included});
  if (!loaded.model) return refused(invalid(std::move(loaded.diagnostics)));
  Wanted wanted{std::move(*loaded.model), std::move(loaded.diagnostics), origin, text.save};
  if (auto why = check_save(wanted)) return fail(std::move(*why));
  return take_on(std::move(wanted));
}

std::optional<NotReplaced> Reloader::check_save(const Wanted& wanted) const {
  if (wanted.save == admin::Save::no) return std::nullopt;
  return check_files(on_disk_, wanted.model.written);
}

admin::Configurations::Outcome Reloader::refused(NotReplaced why) {
  last_was_good_ = false;
  const std::string message = "the new configuration is not applied: " + why.detail;
  log_.write({.level = middleware::LogLevel::error, .message = message, .code = why.code});
  return fail(std::move(why));
}

admin::Configurations::Outcome Reloader::take_on(Wanted wanted) {
  if (stopped_) return fail(NotReplaced{code::kEnding, {}});
  if (!surroundings_.sessions && steps_use_store(wanted.model))
    return refused({code::kConfigRefused, "it needs the store, which is opened at the start: start the gateway anew"});
  note_scripts(wanted.model);
  auto made = make_runnable(wanted.model);
  if (!made) {
    retirement_.sweep();
    if (stopped_) return fail(NotReplaced{code::kEnding, {}});  // which may be what has stopped a script
    return refused(invalid({diagnostic_of(made.error())}));
  }
  const std::shared_ptr<admin::Running> next = std::move(*made);
  auto plan = listeners_->plan(wanted.model.listen);
  if (!plan) return refused({code::kConfigRefused, plan.error().message});
  if (stopped_) return fail(NotReplaced{code::kEnding, {}});
  if (auto why = check_save(wanted)) return refused(std::move(*why));  // loading has taken its time
  if (wanted.save == admin::Save::yes) {
    if (auto saved = save_files(on_disk_, wanted.model.written); !saved)
      return refused({code::kConfigNotSaved, saved.error()});
    on_disk_ = wanted.model.written;
  }

  std::vector<std::string> notes = what_takes_a_start(running_->model, wanted.model);
  next->model = std::move(wanted.model);
  next->version = {.generation = running_->version.generation + 1,
                   .origin = wanted.origin,
                   .since = {},
                   .etag = {},
                   .text = {},
                   .included = {}};
  for (http::Worker* worker : workers_)
    worker->adopt(next->snapshot);
  drains_.keep_only(next->snapshot->upstreams);
  const std::vector<std::string> before = listeners_->urls();
  listeners_->apply(std::move(*plan));
  tell_listeners(before);
  apply_log_level(running_->model, next->model, log_);
  now_runs(next);
  last_was_good_ = true;
  const std::string message = fmt::format("generation {} of the configuration runs{}{}", next->version.generation,
                                          notes.empty() ? "" : "; with the next start only: ", fmt::join(notes, ", "));
  log_.write({.level = notes.empty() ? middleware::LogLevel::info : middleware::LogLevel::warn, .message = message});
  return admin::Replaced{next->version.generation, next->version.etag, std::move(wanted.warnings), std::move(notes)};
}

// What has come and gone, for who looks for it.
void Reloader::tell_listeners(const std::vector<std::string>& before) {
  const auto tell = [this](std::string_view what, const std::vector<std::string>& of,
                           const std::vector<std::string>& not_of) {
    for (const std::string& url : of) {
      if (std::find(not_of.begin(), not_of.end(), url) != not_of.end()) continue;
      const std::string message = fmt::format("{} {}", what, url);
      log_.write({.level = middleware::LogLevel::info, .message = message});
    }
  };
  const std::vector<std::string> after = listeners_->urls();
  tell("listening", after, before);
  tell("no longer listening", before, after);
}

void Reloader::note_scripts(const config::Model& model) {
  std::vector<std::string> files;
  for (const config::Route& route : model.routes)
    for (const config::Step& step : route.chain)
      if (step.kind == "script") files.emplace_back(step.settings.text("file"));
  const std::lock_guard lock(mutex_);
  tried_scripts_ = std::move(files);
}

std::vector<std::string> Reloader::tried_scripts() const {
  const std::lock_guard lock(mutex_);
  return tried_scripts_;
}

void Reloader::note_files(const config::Written& written) {
  const std::lock_guard lock(mutex_);
  tried_ = written;
}

config::Written Reloader::tried() const {
  const std::lock_guard lock(mutex_);
  return tried_;
}

bool Reloader::is_on_disk() const {
  const auto now = running();
  return config::load_file(now->model.written.file).written == now->model.written;
}

void Reloader::now_runs(std::shared_ptr<admin::Running> next) {
  admin::Version& version = next->version;
  version.since = std::chrono::system_clock::now();
  version.etag = fmt::format("\"{}-{}\"", mark_, version.generation);
  version.text = next->model.written.text;
  version.included = next->model.written.included;
  const std::lock_guard lock(mutex_);
  history_.push_back(version);
  if (history_.size() > kMostHistory) history_.pop_front();
  running_ = std::move(next);
}

}  // namespace lingate
