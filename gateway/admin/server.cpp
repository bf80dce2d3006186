#include "gateway/admin/server.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <thread>

#include "base/codes.h"
#include "gateway/admin/connection.h"

namespace lingate::admin {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using tcp = asio::ip::tcp;

constexpr std::size_t kMaxConnections = 256;
constexpr int kNiceness = 10;                        // of the threads: clients come first
constexpr std::chrono::milliseconds kFarewell{500};  // for whoever is being answered at the end

void step_back() {
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNiceness);
}

}  // namespace

struct Server::State {
  State(const ServerOptions& options, Subject its_subject)
      : shared{std::move(its_subject), Gate(options.token, options.hosts), {}} {}

  // The acceptor is given even its own socket from outside: so it knows that others may have it, and that closing it
  // does not make the kernel forget it.
  void listen(const tcp::endpoint& endpoint, int inherited, beast::error_code& error) {
    Descriptor socket(inherited >= 0 ? ::fcntl(inherited, F_DUPFD_CLOEXEC, 0) : bind(endpoint, error));
    if (!error) acceptor.assign(endpoint.protocol(), socket.get(), error);
    if (!error) static_cast<void>(socket.release());
  }

  int bind(const tcp::endpoint& endpoint, beast::error_code& error) {
    tcp::acceptor fresh(context);
    fresh.open(endpoint.protocol(), error);
    if (!error) fresh.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) fresh.bind(endpoint, error);
    if (!error) fresh.listen(asio::socket_base::max_listen_connections, error);
    return error ? -1 : fresh.release(error);
  }

  void accept() {
    acceptor.async_accept([this](beast::error_code error, tcp::socket socket) {
      if (error == asio::error::operation_aborted) return;
      if (!error && make_room()) std::make_shared<Connection>(std::move(socket), shared, patient)->take_place();
      accept();
    });
  }

  // Whoever has been silent for longest gives way; where all are being answered, the new one does.
  bool make_room() {
    if (shared.open < kMaxConnections) return true;
    if (shared.silent.empty()) return false;
    shared.silent.front()->drop();
    return true;
  }

  void run() {
    asio::post(patient, step_back);
    thread = std::thread([this] {
      step_back();
      context.run();
    });
  }

  // Ends the I/O thread once nobody is being answered.
  void end() {
    beast::error_code ignored;
    acceptor.close(ignored);
    shared.quiet = [this] { context.stop(); };
    if (shared.answering == 0) return context.stop();
    farewell.expires_after(kFarewell);
    farewell.async_wait([this](beast::error_code) { context.stop(); });
  }

  Shared shared;
  asio::io_context context{1};
  // An operation that runs on the other thread is nothing that the context knows of.
  asio::executor_work_guard<asio::io_context::executor_type> guard = asio::make_work_guard(context);
  asio::steady_timer farewell{context};
  tcp::acceptor acceptor{context};
  std::thread thread;
  asio::thread_pool patient{1};
};

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}

Server::~Server() {
  if (state_->thread.joinable()) {
    asio::post(state_->context, [this] { state_->end(); });
    state_->thread.join();
    state_->shared.quiet = nullptr;
  }
  state_->patient.stop();
  state_->patient.join();
}

Descriptor Server::copy_listener() const noexcept {
  return Descriptor(::fcntl(state_->acceptor.native_handle(), F_DUPFD_CLOEXEC, 0));
}

void Server::stop_accepting() {
  asio::post(state_->context, [state = state_.get()] {
    beast::error_code ignored;
    state->acceptor.close(ignored);
  });
}

Result<std::unique_ptr<Server>> Server::open(const ServerOptions& options, Subject subject) {
  const std::string& host = options.host;
  const std::uint16_t port = options.port;
  auto state = std::make_unique<State>(options, std::move(subject));
  beast::error_code error;
  const tcp::endpoint endpoint(asio::ip::make_address(host, error), port);
  if (!error) state->listen(endpoint, options.inherited, error);
  if (error)
    return fail(code::kCannotListen, "admin: cannot listen on " + host + ":" + std::to_string(port) + ": " +
                                         error.message() + "; free the port or choose another in `admin.address`");
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

void Server::serve() {
  state_->accept();
  state_->run();
}

std::string Server::address() const {
  const tcp::endpoint endpoint = state_->acceptor.local_endpoint();
  const std::string host = endpoint.address().to_string();
  return (endpoint.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(endpoint.port());
}

}  // namespace lingate::admin
