#include "gateway/bench/rooms/fleet.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include <fmt/format.h>

#include "base/codes.h"

namespace lingate::bench {
namespace {

// A measuring process with both ends of its standard input and output; it ends with this.
class Process {
 public:
  Process(const std::string& program, const std::string& plan) : program_(program) {
    std::array<int, 2> in{-1, -1};
    std::array<int, 2> out{-1, -1};
    // A socket, which can be written to without a signal when the process has ended.
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in.data()) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0) {
      error_ = errno;
      for (const int end : in)
        if (end >= 0) ::close(end);
      return;
    }
    input_ = in[1];
    output_ = out[0];
    posix_spawn_file_actions_t actions{};
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    std::array<std::string, 5> words{program, "bench", "round", "--plan", plan};
    std::array<char*, 6> arguments{};
    for (std::size_t k = 0; k < words.size(); ++k)
      arguments[k] = words[k].data();
    error_ = ::posix_spawn(&child_, program.c_str(), &actions, nullptr, arguments.data(), ::environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(in[0]);
    ::close(out[1]);
    if (error_ != 0) child_ = -1;
  }
  ~Process() {
    for (const int end : {input_, output_})
      if (end >= 0) ::close(end);
    if (child_ <= 0) return;
    ::kill(child_, SIGKILL);  // harmless once it has ended: it is not reaped yet
    ::waitpid(child_, nullptr, 0);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // Until it has its answer, or waits for its next turn.
  Result<void> go_on(const std::function<void(double)>& told) {
    if (error_ != 0)
      return fail(code::kInternal, fmt::format("{} cannot be started: {}", program_, std::strerror(error_)));
    if (waits_) ::send(input_, "\n", 1, MSG_NOSIGNAL);  // one that has ended says so by the end of its output
    while (auto text = line()) {
      Said said = said_from(*text);
      if (said.error) return fail(code::kInternal, std::move(*said.error));
      if (said.done) told(*said.done);
      answer_ = std::move(said.answer);
      waits_ = said.turn;
      if (waits_ || answer_) return {};
    }
    return fail(code::kInternal,
                fmt::format("{} ended before it had measured; is it a lingate with `bench round`?", program_));
  }
  std::optional<Answer>& answer() noexcept { return answer_; }

 private:
  // The next line without its end; nothing: the process has closed its output.
  std::optional<std::string> line() {
    std::size_t end = 0;
    while ((end = held_.find('\n')) == held_.npos) {
      std::array<char, 65536> bytes;
      const ssize_t got = ::read(output_, bytes.data(), bytes.size());
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return std::nullopt;
      held_.append(bytes.data(), static_cast<std::size_t>(got));
    }
    std::string line = held_.substr(0, end);
    held_.erase(0, end + 1);
    return line;
  }

  const std::string program_;
  pid_t child_ = -1;
  int input_ = -1;
  int output_ = -1;
  int error_ = 0;
  bool waits_ = false;
  std::optional<Answer> answer_;
  std::string held_;
};

}  // namespace

Result<Answer> run_process(const std::string& program, const Plan& plan, const std::function<void(double)>& told) {
  Process process(program, plan_text(plan));
  while (!process.answer())
    if (auto done = process.go_on(told); !done) return fail(std::move(done.error()));
  return std::move(*process.answer());
}

Result<std::array<Answer, 2>> run_pair(const std::array<std::string, 2>& programs, const Plan& plan,
                                       const std::function<void(double)>& told) {
  Plan shared = plan;
  shared.in_turns = true;
  const std::string text = plan_text(shared);
  std::array<Process, 2> pair{Process(programs[0], text), Process(programs[1], text)};
  // Who goes second finds a processor that has just done the same: so they change places each time.
  for (std::size_t turn = 0; !pair[0].answer() || !pair[1].answer(); ++turn)
    for (const std::size_t k : {turn % 2, 1 - turn % 2})
      if (!pair[k].answer())
        if (auto done = pair[k].go_on(told); !done) return fail(std::move(done.error()));
  return std::array<Answer, 2>{std::move(*pair[0].answer()), std::move(*pair[1].answer())};
}

void Gathered::add(const Answer& answer) {
  for (const ArmAnswer& arm : answer.arms) {
    Seen& seen = seen_[arm.arm];
    Histogram latency;
    for (const Bucket& bucket : arm.histogram)
      latency.add_bucket(bucket);
    seen.calls += arm.calls;
    seen.cpu.push_back(arm.cpu);
    seen.p50.push_back(latency.quantile(0.5));
    seen.p99.push_back(latency.quantile(0.99));
    seen.p999.push_back(latency.quantile(0.999));
    seen.max.push_back(latency.max());
    seen.latency.add(latency);
    for (const auto& [name, value] : arm.parts)
      seen.parts[name].push_back(value);
  }
  for (const Curve& curve : answer.curves)
    curves.push_back(curve);
}

std::vector<Row> Gathered::rows(const std::vector<ArmName>& arms) const {
  std::vector<Row> rows;
  for (const ArmName& name : arms) {
    const auto found = seen_.find(name.text());
    if (found == seen_.end()) continue;
    const Seen& seen = found->second;
    Row row;
    row.name = name.text();
    row.runtime = name.runtime;
    row.placement = name.placement;
    row.job = name.job;
    row.calls = seen.calls;
    row.histogram = seen.latency.buckets();
    for (const auto& [figure, samples] :
         {std::pair(figure::kCpu, &seen.cpu), std::pair(figure::kP50, &seen.p50), std::pair(figure::kP99, &seen.p99),
          std::pair(figure::kP999, &seen.p999), std::pair(figure::kMax, &seen.max)})
      row.figures[std::string(figure)] = figure_of(*samples);
    for (const auto& [part, values] : seen.parts)
      row.parts[part] = median_of(values);
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace lingate::bench
