#include "gateway/gateway.h"

#include <pthread.h>
#include <unistd.h>

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
#include "gateway/check_process.h"
#include "gateway/cli/cli.h"
#include "gateway/http/address_counts.h"
#include "gateway/http/drains.h"
#include "gateway/http/resolver.h"
#include "gateway/http/worker.h"
#include "gateway/metrics_page.h"
#include "gateway/open_store.h"
#include "gateway/reload/changes.h"
#include "gateway/reload/config_watch.h"
#include "gateway/reload/housekeeper.h"
#include "gateway/reload/reloader.h"
#include "gateway/reload/retirement.h"
#include "gateway/service_manager.h"
#include "gateway/upgrade/succession.h"
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

sigset_t all_signals() {
  sigset_t set = ending_signals();
  sigaddset(&set, SIGHUP);
  sigaddset(&set, SIGUSR1);
  sigaddset(&set, SIGUSR2);
  return set;
}

// Threads made from here on inherit the mask: only run() takes these signals.
void block_signals() {
  const sigset_t set = all_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a file over its limit is a write that fails
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

}  // namespace

// In the order of making; destroyed the other way round: threads first, then what they use.
struct Gateway::Parts {
  explicit Parts(std::uint32_t its_workers) : worker_count(its_workers), logs(its_workers) {}
  ~Parts();

  const std::uint32_t worker_count;
  middleware::LogFiles logs;
  std::unique_ptr<middleware::JsonAppLog> log;
  std::unique_ptr<middleware::SessionDirectory> sessions;  // hears of the store's changes until that is gone
  std::unique_ptr<store::Store> store;                     // nothing uses one: none
  runtimes::Watchdog watchdog;
  std::vector<std::unique_ptr<runtimes::Runtime>> runtimes;
  std::unique_ptr<middleware::limits::Limits> limits;
  middleware::auth::PasswordCrew passwords{std::clamp<std::size_t>(usable_cores() / 2, 1, 8)};
  std::unique_ptr<middleware::auth::JwksFetcher> fetcher;
  std::unique_ptr<middleware::tracing::Exporter> exporter;  // nothing is traced: none
  Housekeeper housekeeper;
  Retirement retirement{housekeeper};
  std::unique_ptr<Reloader> reloader;
  http::Resolver resolver;
  http::AddressCounts addresses;
  http::Drains drains;
  std::vector<std::unique_ptr<http::Worker>> workers;
  std::vector<std::string> listening;  // at the start
  std::atomic<bool> draining{false};
  CheckProcess checker;
  std::unique_ptr<ConfigWatch> watch;
  std::unique_ptr<admin::Server> admin;
  std::unique_ptr<Succession> succession;
  std::vector<std::thread> threads;
  std::atomic<bool> threads_ended{false};

  Result<void> open_logs(const config::Log& options);
  Result<void> take_store(const config::Model& model, const StoreHandedOver& handed_over);
  Result<void> load(const config::Model& model);
  Result<void> open_admin(const config::Model& model, const Estate& estate);
  Result<void> start_watch();
  Result<void> open_listeners(std::vector<Listeners::Shared> inherited);
  admin::Subject subject_of(const config::Model& model);
  std::string metrics() const;
  void reopen_logs();
  void serve();
  void prepare_succession(Launch launch);
  std::optional<Estate> share();
  int serve_until_the_end();
  void hand_over();
};

Result<void> Gateway::Parts::open_logs(const config::Log& options) {
  auto writer = logs.open(options.file);
  if (!writer) return fail(std::move(writer.error()));
  log = std::make_unique<middleware::JsonAppLog>(**writer, level_of(options.level));
  return {};
}

Result<void> Gateway::Parts::take_store(const config::Model& model, const StoreHandedOver& handed_over) {
  if (!uses_store(model)) return {};
  auto opened = open_store(model, log.get(), handed_over);
  if (!opened) return fail(std::move(opened.error()));
  store = std::move(*opened);
  sessions = std::make_unique<middleware::SessionDirectory>(
      *store, *log, middleware::SessionDirectory::Options{.workers = worker_count, .stale = model.store.stale});
  return {};
}

Result<void> Gateway::Parts::load(const config::Model& model) {
  limits = std::make_unique<middleware::limits::Limits>(middleware::limits::LimitsOptions{
      .quotas = {.store = store.get(), .log = log.get()}, .budget = model.store.redis.budget});
  fetcher = std::make_unique<middleware::auth::JwksFetcher>(*log);
  if (model.tracing)
    exporter = std::make_unique<middleware::tracing::Exporter>(model.tracing->otlp, *log, worker_count);
  Surroundings surroundings{.workers = worker_count,
                            .logs = &logs,
                            .log = log.get(),
                            .runtimes = {},
                            .watchdog = &watchdog,
                            .sessions = sessions.get(),
                            .limits = limits.get(),
                            .passwords = &passwords,
                            .fetcher = fetcher.get(),
                            .exporter = exporter.get()};
  for (const runtimes::Room& room : runtimes::builtin_rooms()) {
    runtimes.push_back(room.make(watchdog));
    surroundings.runtimes.push_back(runtimes.back().get());
  }
  reloader =
      std::make_unique<Reloader>(ReloaderOptions{housekeeper, retirement, drains, std::move(surroundings), *log});
  auto snapshot = reloader->begin(model);
  if (!snapshot) return fail(std::move(snapshot.error()));
  for (std::uint32_t index = 0; index < worker_count; ++index)
    workers.push_back(std::make_unique<http::Worker>(
        http::WorkerOptions{
            .index = index, .resolver = resolver, .log = *log, .addresses = &addresses, .drains = &drains},
        *snapshot));
  return {};
}

Result<void> Gateway::Parts::open_listeners(std::vector<Listeners::Shared> inherited) {
  auto urls = reloader->serve(workers, std::move(inherited));
  if (!urls) return fail(std::move(urls.error()));
  listening = std::move(*urls);
  return {};
}

std::string Gateway::Parts::metrics() const {
  std::vector<const http::Worker*> all;
  for (const auto& worker : workers)
    all.push_back(worker.get());
  const auto running = reloader->running();
  return metrics_page({.workers = all,
                       .scripts = *running->scripts,
                       .dropped_lines = logs.dropped(),
                       .generation = running->version.generation,
                       .generation_since = running->version.since,
                       .last_reload_good = reloader->last_was_good(),
                       .failed_upgrades = succession->failures(),
                       .exporter = exporter.get(),
                       .store = store.get()});
}

admin::Subject Gateway::Parts::subject_of(const config::Model& model) {
  std::vector<const http::Worker*> all;
  for (const auto& worker : workers)
    all.push_back(worker.get());
  std::vector<std::pair<std::string, std::string>> engines;
  const auto rooms = runtimes::builtin_rooms();
  for (std::size_t i = 0; i < rooms.size(); ++i)
    engines.emplace_back(rooms[i].name, runtimes[i]->version());
  return {.configurations = *reloader,
          .store = *store,
          .log = *log,
          .workers = all,
          .drains = drains,
          .close_drained =
              [this] {
                for (const auto& worker : workers)
                  worker->close_drained();
              },
          .engines = std::move(engines),
          .metrics = [this] { return metrics(); },
          .draining = [this] { return draining.load(); },
          .check = [this, file = model.written.file](const std::string& text) { return checker.run(text, file); }};
}

Result<void> Gateway::Parts::open_admin(const config::Model& model, const Estate& estate) {
  auto token = admin::find_or_make_token(model.admin->token);
  if (!token) return fail(std::move(token.error()));
  const config::Address& address = model.admin->address;
  const bool inherits = estate.admin && estate.admin->first == address;
  auto server = admin::Server::open({.host = address.host,
                                     .port = address.port,
                                     .token = *std::move(token),
                                     .hosts = model.admin->hosts,
                                     .inherited = inherits ? estate.admin->second.get() : -1},
                                    subject_of(model));
  if (!server) return fail(std::move(server.error()));
  admin = std::move(*server);
  return {};
}

Result<void> Gateway::Parts::start_watch() {
  auto made = ConfigWatch::start(*reloader);
  if (!made) return fail(std::move(made.error()));
  watch = std::move(*made);
  return {};
}

void Gateway::Parts::reopen_logs() {
  if (auto done = logs.reopen(); !done)
    log->write({.level = middleware::LogLevel::error, .message = done.error().message, .code = done.error().code});
}

void Gateway::Parts::serve() {
  for (auto& worker : workers)
    threads.emplace_back([&worker = *worker] { worker.run(); });
  if (admin) admin->serve();
}

void Gateway::Parts::prepare_succession(Launch launch) {
  succession =
      std::make_unique<Succession>(SuccessionOptions{.launch = std::move(launch),
                                                     .log = *log,
                                                     .share = [this] { return share(); },
                                                     .wake = [main = pthread_self()] { pthread_kill(main, SIGUSR2); },
                                                     .failed =
                                                         [this] {
                                                           if (store) store->end_sharing();
                                                           drains.thaw();
                                                           reloader->go_on();
                                                         }});
}

std::optional<Estate> Gateway::Parts::share() {
  auto listeners = reloader->share_listeners();
  if (!listeners) return std::nullopt;
  Estate estate{.listeners = std::move(*listeners), .admin = {}, .store = {}, .drained = drains.freeze()};
  if (admin) estate.admin.emplace(reloader->running()->model.admin->address, admin->copy_listener());
  if (limits) limits->quotas().write_now();
  if (!store) return estate;
  if (Descriptor lock = store->begin_sharing()) estate.store = std::move(lock);
  return estate;
}

// First who asks for work, then who does it. Calls that are cancelled here come home through the loops of their
// workers, so these go last.
Gateway::Parts::~Parts() {
  if (succession) succession->end();
  if (reloader) reloader->stop();
  checker.end();
  watchdog.end_all();  // of scripts that a reload loads, too
  admin.reset();
  watch.reset();
  for (auto& worker : workers)
    worker->stop();
  for (std::thread& thread : threads)
    thread.join();
  housekeeper.end();
  for (auto& worker : workers)
    worker->drop_all();
  retirement.end();
  passwords.close();
  if (sessions) sessions->close();
  if (limits && limits->shared()) limits->shared()->close();
  // What follows may be cut short (last_resort.h).
  if (limits) limits->quotas().write_now();
  logs.settle();
}

Gateway::Gateway(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Gateway::~Gateway() = default;

Result<std::unique_ptr<Gateway>> Gateway::start(const config::Model& model, Options options) {
  block_signals();
  auto parts = std::make_unique<Parts>(model.workers ? model.workers : usable_cores());
  StoreHandedOver store;
  Estate estate;
  if (options.inheritance) {
    estate = std::move(options.inheritance->estate);
    store = {.lock = estate.store ? estate.store->get() : -1, .by = options.inheritance->predecessor};
    for (const auto& [upstream, target] : estate.drained)
      parts->drains.set(upstream, target, true);
  }
  auto ready = parts->open_logs(model.log);
  if (ready) parts->prepare_succession(std::move(options.launch));
  if (ready) ready = parts->take_store(model, store);
  if (ready) ready = parts->load(model);
  if (ready && model.admin) ready = parts->open_admin(model, estate);
  if (ready && options.follow == Follow::file) ready = parts->start_watch();
  // Last: clients come from here on, and whoever has come to a socket is lost with it.
  if (ready) ready = parts->open_listeners(std::move(estate.listeners));
  if (!ready) return fail(std::move(ready.error()));
  parts->serve();
  if (options.inheritance) {
    options.inheritance->tell_serving();
    parts->reloader->settle();
  }
  return std::unique_ptr<Gateway>(new Gateway(std::move(parts)));
}

const std::vector<std::string>& Gateway::listening() const noexcept {
  return parts_->listening;
}

std::string Gateway::admin() const {
  return parts_->admin ? "http://" + parts_->admin->address() : std::string();
}

// The signal that it ends for; SIGUSR2: another process serves in its place.
int Gateway::Parts::serve_until_the_end() {
  const sigset_t all = all_signals();
  for (;;) {
    int signal = 0;
    if (sigwait(&all, &signal) != 0) continue;
    if (signal == SIGHUP) {
      reloader->ask_for_reload();
    } else if (signal == SIGUSR1) {
      reopen_logs();
    } else if (signal == SIGUSR2 && succession->successor() == 0) {
      succession->ask();
    } else {
      return signal;
    }
  }
}

// Whoever comes now comes to the successor: it has the same sockets.
void Gateway::Parts::hand_over() {
  const std::string successor = std::to_string(succession->successor());
  tell_service_manager("MAINPID=" + successor);
  if (reloader->give_away()) ::kill(succession->successor(), SIGHUP);
  if (admin) admin->stop_accepting();
  if (limits) limits->quotas().write_now();
  const std::string message = "upgrade: process " + successor + " serves; this one (" + std::to_string(::getpid()) +
                              ") finishes what it has and ends";
  log->write({.level = middleware::LogLevel::info, .message = message});
}

int Gateway::run() {
  const sigset_t set = ending_signals();
  const int ended_by = parts_->serve_until_the_end();
  const auto began = std::chrono::steady_clock::now();
  const int code = ended_by == SIGINT ? cli::kInterrupted : cli::kOk;
  const bool handed_over = ended_by == SIGUSR2;
  parts_->draining = true;
  parts_->reloader->stop();
  if (handed_over) {
    parts_->hand_over();
  } else {
    parts_->succession->end();
    tell_service_manager("STOPPING=1");
    parts_->log->write({.level = middleware::LogLevel::info, .message = "draining: no new connections are accepted"});
  }
  const auto drain_time = parts_->reloader->running()->model.limits.drain;
  for (auto& worker : parts_->workers)
    worker->drain(drain_time, handed_over ? http::Idle::wait : http::Idle::close);

  // A second signal ends the drain: a thread waits for the workers and then wakes this one with the same signal.
  std::thread waiter([this, main = pthread_self()] {
    for (std::thread& thread : parts_->threads)
      thread.join();
    parts_->threads_ended = true;
    pthread_kill(main, SIGTERM);
  });
  const bool woken = wait_for_signal(set, drain_time + kAfterDrain);
  const auto latest = began + std::chrono::ceil<std::chrono::milliseconds>(drain_time) + LastResort::kGrace;
  last_resort_.arm(code,
                   woken && !parts_->threads_ended ? std::chrono::steady_clock::now() + LastResort::kGrace : latest);
  if (!woken) {
    parts_->watchdog.end_all();
    int signal = 0;
    sigwait(&set, &signal);
  }
  for (auto& worker : parts_->workers)
    worker->stop();
  parts_->watchdog.end_all();
  waiter.join();
  parts_->threads.clear();
  return code;
}

}  // namespace lingate
