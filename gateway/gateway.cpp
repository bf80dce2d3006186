#include "gateway/gateway.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <thread>
#include <utility>

#include "base/codes.h"
#include "base/cores.h"
#include "gateway/admin/server.h"
#include "gateway/admin/token.h"
#include "gateway/assembly.h"
#include "gateway/check_process.h"
#include "gateway/data_path_options.h"
#include "gateway/http/address_counts.h"
#include "gateway/http/resolver.h"
#include "gateway/http/worker.h"
#include "gateway/metrics_page.h"
#include "gateway/open_store.h"
#include "middleware/sessions/directory.h"
#include "runtimes/builtin.h"
#include "store/store.h"

namespace lingate {
namespace {

sigset_t ending_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

// Threads made from here on inherit the mask: only run() takes these signals.
void block_signals() {
  const sigset_t set = ending_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a file over its limit is a write that fails
}

middleware::LogLevel level_of(config::Log::Level level) {
  switch (level) {
    case config::Log::Level::debug: return middleware::LogLevel::debug;
    case config::Log::Level::warn: return middleware::LogLevel::warn;
    case config::Log::Level::error: return middleware::LogLevel::error;
    case config::Log::Level::info: break;
  }
  return middleware::LogLevel::info;
}

std::string url_of(const http::Address& address) {
  if (address.kind == http::Address::Kind::unix_socket) return "unix:" + address.path;
  const bool v6 = address.host.find(':') != std::string::npos;
  return "http://" + (v6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

// How long after the drain a script may keep its worker from ending.
constexpr std::chrono::milliseconds kAfterDrain{300};

// False: none came in that time.
bool wait_for_signal(const sigset_t& set, std::chrono::nanoseconds longest) {
  const auto until = std::chrono::steady_clock::now() + longest;
  for (;;) {
    const auto left = std::max<std::chrono::nanoseconds>(until - std::chrono::steady_clock::now(), {});
    const auto seconds = std::chrono::floor<std::chrono::seconds>(left);
    const timespec time{.tv_sec = seconds.count(), .tv_nsec = (left - seconds).count()};
    if (sigtimedwait(&set, nullptr, &time) >= 0) return true;
    if (errno != EINTR) return false;
  }
}

std::string describe(const AssemblyError& problem) {
  const config::Place& place = problem.place;
  return place.file + ":" + std::to_string(place.line) + ":" + std::to_string(place.column) + ": " +
         problem.error.message;
}

}  // namespace

// In the order of making; destroyed the other way round: threads first, then what they use.
struct Gateway::Parts {
  explicit Parts(std::uint32_t its_workers) : worker_count(its_workers), logs(its_workers) {}

  const std::uint32_t worker_count;
  middleware::LogFiles logs;
  std::unique_ptr<middleware::JsonAppLog> log;
  std::unique_ptr<middleware::SessionDirectory> sessions;  // hears of the store's changes until that is gone
  std::unique_ptr<store::Store> store;                     // nothing uses one: none
  runtimes::Watchdog watchdog;
  std::vector<std::unique_ptr<runtimes::Runtime>> runtimes;
  std::unique_ptr<middleware::limits::Limits> limits;
  Assembled assembled;
  http::Resolver resolver;
  http::AddressCounts addresses;
  std::vector<std::unique_ptr<http::Worker>> workers;
  std::vector<std::string> listening;
  std::chrono::nanoseconds drain_time{};
  std::atomic<bool> draining{false};
  std::unique_ptr<admin::Server> admin;
  std::vector<std::thread> threads;

  Result<void> open_logs(const config::Log& options);
  Result<void> take_store(const config::Model& model);
  Result<void> load(const config::Model& model);
  Result<void> listen(const config::Model& model);
  Result<void> start_admin(const config::Model& model);
  admin::Subject subject_of(const config::Model& model);
  void serve();
  void stop_threads();
};

Result<void> Gateway::Parts::open_logs(const config::Log& options) {
  auto writer = logs.open(options.file);
  if (!writer) return fail(std::move(writer.error()));
  log = std::make_unique<middleware::JsonAppLog>(**writer, level_of(options.level));
  return {};
}

Result<void> Gateway::Parts::take_store(const config::Model& model) {
  if (!uses_store(model)) return {};
  auto opened = open_store(model);
  if (!opened) return fail(std::move(opened.error()));
  store = std::move(*opened);
  sessions = std::make_unique<middleware::SessionDirectory>(
      *store, *log, middleware::SessionDirectory::Options{.workers = worker_count});
  return {};
}

Result<void> Gateway::Parts::load(const config::Model& model) {
  limits = std::make_unique<middleware::limits::Limits>(
      middleware::limits::LimitsOptions{.quotas = {.store = store.get(), .log = log.get()}});
  Surroundings surroundings{.workers = worker_count,
                            .logs = &logs,
                            .log = log.get(),
                            .runtimes = {},
                            .watchdog = &watchdog,
                            .sessions = sessions.get(),
                            .limits = limits.get()};
  for (const runtimes::Room& room : runtimes::builtin_rooms()) {
    runtimes.push_back(room.make(watchdog));
    surroundings.runtimes.push_back(runtimes.back().get());
  }
  auto made = assemble(model, surroundings);
  if (!made) return fail(made.error().error.code, describe(made.error()));
  assembled = std::move(*made);
  return {};
}

Result<void> Gateway::Parts::listen(const config::Model& model) {
  for (std::uint32_t index = 0; index < worker_count; ++index)
    workers.push_back(std::make_unique<http::Worker>(
        http::WorkerOptions{.index = index, .resolver = resolver, .log = *log, .addresses = &addresses},
        assembled.snapshot));
  for (const config::Listener& listener : model.listen) {
    http::ListenerOptions options = data_path_options(listener);
    for (auto& worker : workers) {
      auto opened = worker->listen(options);
      if (!opened) return fail(std::move(opened.error()));
      if (options.join) continue;
      options.join = true;
      options.address = opened->address;  // with the port that the first one was given
      if (options.address.kind == http::Address::Kind::unix_socket) options.joined_path = opened->fd;
    }
    listening.push_back(url_of(options.address));
  }
  return {};
}

admin::Subject Gateway::Parts::subject_of(const config::Model& model) {
  std::vector<const http::Worker*> all;
  for (const auto& worker : workers)
    all.push_back(worker.get());
  std::vector<std::pair<std::string, std::string>> engines;
  const auto rooms = runtimes::builtin_rooms();
  for (std::size_t i = 0; i < rooms.size(); ++i)
    engines.emplace_back(rooms[i].name, runtimes[i]->version());
  return {.model = model,
          .store = *store,
          .log = *log,
          .scripts = *assembled.scripts,
          .workers = all,
          .engines = std::move(engines),
          .metrics = [this, all] { return metrics_page(all, *assembled.scripts, logs.dropped()); },
          .draining = [this] { return draining.load(); },
          .check = [folder = model.written.folder](const std::string& text) { return check_in_process(text, folder); }};
}

Result<void> Gateway::Parts::start_admin(const config::Model& model) {
  auto token = admin::find_or_make_token(model.admin->token);
  if (!token) return fail(std::move(token.error()));
  const config::Address& address = model.admin->address;
  auto server = admin::Server::start(
      {.host = address.host, .port = address.port, .token = *std::move(token), .hosts = model.admin->hosts},
      subject_of(model));
  if (!server) return fail(std::move(server.error()));
  admin = std::move(*server);
  return {};
}

void Gateway::Parts::serve() {
  for (auto& worker : workers)
    threads.emplace_back([&worker = *worker] { worker.run(); });
}

void Gateway::Parts::stop_threads() {
  for (auto& worker : workers)
    worker->stop();
  for (std::thread& thread : threads)
    thread.join();
  threads.clear();
}

Gateway::Gateway(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

// Calls that are cancelled here come home through the loops of their workers, so these go last.
Gateway::~Gateway() {
  parts_->stop_threads();
  for (auto& worker : parts_->workers)
    worker->drop_all();
  parts_->assembled.scripts->close();
}

Result<std::unique_ptr<Gateway>> Gateway::start(const config::Model& model) {
  block_signals();
  auto parts = std::make_unique<Parts>(model.workers ? model.workers : usable_cores());
  parts->drain_time = model.limits.drain;
  auto ready = parts->open_logs(model.log);
  if (ready) ready = parts->take_store(model);
  if (ready) ready = parts->load(model);
  if (ready) ready = parts->listen(model);
  if (ready && model.admin) ready = parts->start_admin(model);
  if (!ready) return fail(std::move(ready.error()));
  parts->serve();
  return std::unique_ptr<Gateway>(new Gateway(std::move(parts)));
}

const std::vector<std::string>& Gateway::listening() const noexcept {
  return parts_->listening;
}

std::string Gateway::admin() const {
  return parts_->admin ? "http://" + parts_->admin->address() : std::string();
}

int Gateway::run() {
  const sigset_t set = ending_signals();
  int signal = 0;
  sigwait(&set, &signal);
  const int ended_by = signal;
  parts_->draining = true;
  parts_->log->write({.level = middleware::LogLevel::info, .message = "draining: no new connections are accepted"});
  for (auto& worker : parts_->workers)
    worker->drain(parts_->drain_time);

  // A second signal ends the drain: a thread waits for the workers and then wakes this one with the same signal.
  std::thread waiter([this, main = pthread_self()] {
    for (std::thread& thread : parts_->threads)
      thread.join();
    parts_->threads.clear();
    pthread_kill(main, SIGTERM);
  });
  if (!wait_for_signal(set, parts_->drain_time + kAfterDrain)) {
    parts_->watchdog.end_all();
    sigwait(&set, &signal);
  }
  for (auto& worker : parts_->workers)
    worker->stop();
  parts_->watchdog.end_all();
  waiter.join();
  return ended_by;
}

}  // namespace lingate
