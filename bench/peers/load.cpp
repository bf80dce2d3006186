// load: the clients and the upstream of the peer comparison in one epoll loop on one core, so that the gateway between
// them is all that differs. It prints "upstream PORT" and then serves; commands are lines of standard input:
//
//   open PORT CONNECTIONS WARM_MS STATUS LENGTH FILE
//       makes a job, number 0 for the first: connections that each send the bytes of FILE, wait for the whole response
//       and send again. Warms it up, then says "warm".
//   go JOB MS
//       so for a while; says "went" when nothing is in flight any more, so that whoever reads counters around it reads
//       them of exactly its `requests` requests.
//   tell JOB
//       says what all of its times counted together.
//   hold PORT CONNECTIONS STATUS LENGTH FILE
//       one connection after the other sends one request; says what it counted, and keeps them open.
//   close
//       ends all connections of clients, and the jobs.
//
// A response is `wrong` unless its status is STATUS and its body has LENGTH bytes. The upstream answers …/N with N
// bytes and …/echo with the request that it received.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/peers/counts.h"
#include "bench/peers/message.h"

using namespace lingate::peers;

namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;

constexpr Milliseconds kPatience(5000);  // for the last responses, and for each of `hold`

[[noreturn]] void give_up(const std::string& what) {
  std::cerr << "load: " << what << '\n';
  std::_Exit(1);
}

enum class Role { commands, listener, upstream, client };

struct Job {
  in_port_t port = 0;
  std::size_t connections = 0;
  int status = 0;
  std::size_t body = 0;
  std::string request;
  Counts counts;
  std::chrono::duration<double> length{};  // of what was counted
};

struct Connection {
  int fd;
  Role role;
  Job* job = nullptr;  // a client's
  Message message;
  std::string_view out{};  // what is still to be sent
  std::string own{};       // where `out` points if the answer is an echo
  Clock::time_point sent{};
  bool waits = false;  // a client, for its response
};

class Load {
 public:
  Load() : epoll_(::epoll_create1(0)) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    auto* const raw = reinterpret_cast<sockaddr*>(&address);
    if (::bind(fd, raw, size) != 0 || ::listen(fd, 4096) != 0) give_up("cannot listen");
    ::getsockname(fd, raw, &size);
    add(fd, Role::listener);
    add(STDIN_FILENO, Role::commands);
    std::cout << "upstream " << ntohs(address.sin_port) << std::endl;
  }

  void serve() {
    while (!ended_)
      turn(Milliseconds(1000));
  }

 private:
  static sockaddr_in loopback(in_port_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }

  Connection& add(int fd, Role role, Job* job = nullptr) {
    const int one = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);  // is refused by what is no socket
    auto& made = all_[fd] = std::make_unique<Connection>(Connection{fd, role, job, {}});
    watch(*made, EPOLL_CTL_ADD, EPOLLIN);
    return *made;
  }

  void watch(Connection& connection, int how, std::uint32_t events) const {
    epoll_event event{.events = events, .data = {.ptr = &connection}};
    ::epoll_ctl(epoll_, how, connection.fd, &event);
  }

  void drop(Connection& connection) {
    if (connection.waits) --flying_;
    const int fd = connection.fd;
    ::close(fd);
    all_.erase(fd);
  }

  void turn(Milliseconds patience) {
    std::array<epoll_event, 512> events{};
    const int count =
        ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), static_cast<int>(patience.count()));
    for (int k = 0; k < count; ++k) {
      const epoll_event& event = events[static_cast<std::size_t>(k)];
      Connection& connection = *static_cast<Connection*>(event.data.ptr);
      if (connection.role == Role::commands)
        asked_ = true;
      else if (connection.role == Role::listener)
        accept_from(connection.fd);
      else
        serve(connection, event.events);
    }
    if (asked_ && !job_) take_command();  // which has turns of its own
  }

  void accept_from(int listener) {
    for (int fd; (fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK)) >= 0;)
      add(fd, Role::upstream);
  }

  void serve(Connection& connection, std::uint32_t events) {
    if ((events & EPOLLOUT) != 0 && !connection.out.empty()) {
      send(connection);
      if (connection.out.empty()) watch(connection, EPOLL_CTL_MOD, EPOLLIN);
    }
    if ((events & ~std::uint32_t{EPOLLOUT}) == 0) return;
    const ssize_t got = ::recv(connection.fd, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
      if (connection.job) ++connection.job->counts.lost;
      return drop(connection);
    }
    std::string_view bytes(buffer_.data(), static_cast<std::size_t>(got));
    if (!connection.message.take(bytes)) return;
    if (!bytes.empty() && job_) ++job_->counts.wrong;  // nothing may follow before the next message is sent
    complete(connection);
    connection.message.clear();
  }

  void send(Connection& connection) {
    while (!connection.out.empty()) {
      const ssize_t sent =
          ::send(connection.fd, connection.out.data(), connection.out.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0 && errno == EAGAIN) return watch(connection, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
      if (sent <= 0) return;  // the peer is gone, as the next recv will say
      connection.out.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  void complete(Connection& connection) {
    if (connection.role == Role::upstream) {
      if (job_) ++job_->counts.served;
      connection.out = answer_to(connection);
      return send(connection);
    }
    const Message& response = connection.message;
    Counts& counts = connection.job->counts;
    const bool right = response.length == connection.job->body &&
                       number_in(response.head.substr(9, 3)) == static_cast<std::size_t>(connection.job->status);
    if (!right && counts.wrong++ == 0)
      counts.said = std::string(first_line(response.head)) + " with " + std::to_string(response.length) + " bytes";
    ++counts.requests;
    connection.waits = false;
    --flying_;
    if (firing_) {
      const auto took = std::chrono::nanoseconds(Clock::now() - connection.sent).count();
      counts.latencies.push_back(static_cast<std::uint32_t>(std::min<std::int64_t>(took, UINT32_MAX)));
      fire(connection);
    }
  }

  std::string_view answer_to(Connection& connection) {
    const Message& request = connection.message;
    const std::string_view target = last_segment(request.head);
    if (target == "echo") return connection.own = response_of(request.head + request.body);
    const std::size_t bytes = number_in(target);
    std::string& canned = canned_[bytes];
    if (canned.empty()) canned = response_of(std::string(bytes, 'x'));
    return canned;
  }

  static std::string response_of(const std::string& body) {
    return "HTTP/1.1 200 OK\r\nServer: upstream\r\nDate: Sat, 31 Jan 2026 12:00:00 GMT\r\n"
           "Content-Type: application/json\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\nConnection: keep-alive\r\nETag: \"abc-123\"\r\n\r\n" + body;
  }

  // ---- commands ----

  void take_command() {
    asked_ = false;
    std::string line, verb;
    if (!std::getline(std::cin, line)) {
      ended_ = true;
      return;
    }
    std::istringstream words(line);
    words >> verb;
    if (verb == "open" || verb == "hold")
      make_job(words, verb == "open");
    else if (verb == "go" || verb == "tell")
      with_job(words, verb == "go");
    else if (verb == "close")
      close();
    else
      give_up("what is '" + line + "'?");
    job_ = nullptr;
    if (!words) give_up("what is meant by '" + line + "'?");
    asked_ = std::cin.rdbuf()->in_avail() > 0;
  }

  void make_job(std::istringstream& words, bool opens) {
    job_ = jobs_.emplace_back(std::make_unique<Job>()).get();
    std::size_t warm = 0;
    std::string file;
    words >> job_->port >> job_->connections;
    if (opens) words >> warm;
    words >> job_->status >> job_->body >> file;
    std::ifstream input(file, std::ios::binary);
    if (!input) words.setstate(std::ios::failbit);
    if (!words) return;
    job_->request.assign(std::istreambuf_iterator<char>(input), {});
    opens ? open(Milliseconds(warm)) : hold();
  }

  // What went wrong while it warmed up went wrong.
  void open(Milliseconds warm) {
    for (std::size_t k = 0; k < job_->connections; ++k)
      if (!connect()) ++job_->counts.lost;
    run(warm);
    Counts& counts = job_->counts;
    counts.requests = counts.served = 0;
    counts.latencies.clear();
    job_->length = {};
    say("\"warm\"");
  }

  void with_job(std::istringstream& words, bool goes) {
    std::size_t number = 0;
    std::size_t length = 0;
    words >> number;
    if (goes) words >> length;
    if (number >= jobs_.size()) words.setstate(std::ios::failbit);
    if (!words) return;
    job_ = jobs_[number].get();
    if (!goes) return say(job_->counts.json(job_->length.count()));
    run(Milliseconds(length));
    say("\"went\"");
  }

  void hold() {
    for (std::size_t k = 0; k < job_->connections && job_->counts.lost == 0; ++k) {
      if (Connection* const made = connect()) {
        fire(*made);
        drain();
      } else {
        ++job_->counts.lost;
      }
    }
    say(job_->counts.json(0));
  }

  void close() {
    drop_clients([](const Connection&) { return true; });
    jobs_.clear();
  }

  template <class Which>
  void drop_clients(Which which) {
    std::erase_if(all_, [&](const Entry& each) {
      if (!each.second->job || !which(*each.second)) return false;
      ::close(each.first);
      return true;
    });
  }

  Connection* connect() {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    const sockaddr_in address = loopback(job_->port);
    if (fd < 0 || ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return nullptr;
    return &add(fd, Role::client, job_);
  }

  void fire(Connection& connection) {
    ++flying_;
    connection.waits = true;
    connection.sent = Clock::now();
    connection.out = connection.job->request;
    send(connection);
  }

  // Load for a while, then until nothing is in flight.
  void run(Milliseconds length) {
    const auto begin = Clock::now();
    firing_ = true;
    for (const auto& [fd, connection] : all_)
      if (connection->job == job_) fire(*connection);
    while (Clock::now() - begin < length && flying_ > 0)
      turn(Milliseconds(10));
    firing_ = false;
    job_->length += Clock::now() - begin;
    drain();
  }

  void drain() {
    const auto end = Clock::now() + kPatience;
    while (flying_ > 0 && Clock::now() < end)
      turn(Milliseconds(10));
    if (flying_ == 0) return;
    job_->counts.lost += std::exchange(flying_, 0);
    drop_clients([](const Connection& client) { return client.waits; });  // no answer comes too late
  }

  static void say(const std::string& text) { std::cout << text << std::endl; }

  using Entry = std::pair<const int, std::unique_ptr<Connection>>;

  int epoll_;
  std::map<int, std::unique_ptr<Connection>> all_;
  std::map<std::size_t, std::string> canned_;
  std::vector<char> buffer_ = std::vector<char>(1 << 18);
  std::vector<std::unique_ptr<Job>> jobs_;
  Job* job_ = nullptr;      // whose command runs; other commands wait for its end
  std::size_t flying_ = 0;  // requests without their response
  bool firing_ = false;     // a response is followed by the next request
  bool asked_ = false;
  bool ended_ = false;
};

}  // namespace

int main() {
  std::signal(SIGPIPE, SIG_IGN);
  std::ios::sync_with_stdio(false);  // so that `in_avail` tells of what was read
  Load().serve();
}
