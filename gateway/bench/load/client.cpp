#include "gateway/bench/load/client.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/status.hpp>

#include <fmt/format.h>

namespace lingate::bench {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

constexpr std::size_t kRead = 16 * 1024;
constexpr int kSwitching = 101;
constexpr int kFirstFinal = 200;
constexpr int kFirstRefusal = 400;

}  // namespace

void Client::connect() {
  state_ = State::connecting;
  since_ = LoadClock::now();
  open();
}

void Client::send(Time began) {
  began_ = began;
  since_ = LoadClock::now();
  state_ = State::busy;
  reused_ = open_;
  if (open_)
    write();
  else
    open();
}

void Client::check(Time now) {
  if (state_ == State::idle || now - since_ < target_.timeout) return;
  if (!open_) return give_up(FaultKind::timeout, fmt::format("not connected within {} ms", target_.timeout.count()));
  give_up(FaultKind::timeout,
          fmt::format("no {} within {} ms", heard_ ? "end of the answer" : "answer", target_.timeout.count()));
}

void Client::open() {
  Failed failed;
  socket_.open(target_.endpoint.protocol(), failed);
  if (!failed) socket_.set_option(asio::ip::tcp::no_delay(true), failed);
  if (!failed) socket_.non_blocking(true, failed);
  if (failed) return give_up(FaultKind::connect, failed.message());
  socket_.async_connect(target_.endpoint, [this, epoch = epoch_](Failed result) {
    if (epoch == epoch_) opened(result);
  });
}

void Client::opened(Failed failed) {
  if (failed) return give_up(FaultKind::connect, failed.message());
  open_ = true;
  if (state_ == State::busy) return write();
  rest();
  owner_.connected(*this);
}

// Most requests fit into the socket's buffer: one call, and nothing to wait for. An answer may come before the rest of
// a long one is out, and says more than the error that the rest then meets.
void Client::write() {
  heard_ = false;
  answer_.emplace(target_.bodiless);
  Failed failed;
  const std::size_t sent = socket_.write_some(asio::buffer(target_.request), failed);
  if (failed && failed != asio::error::would_block) return lost(failed);
  if (sent < target_.request.size()) {
    writing_ = true;
    asio::async_write(socket_, asio::buffer(target_.request) + sent,
                      [this, epoch = epoch_](Failed result, std::size_t) {
                        if (epoch == epoch_ && !result) writing_ = false;
                      });
  }
  read();
}

void Client::read() {
  socket_.async_read_some(buffer_.prepare(kRead), [this, epoch = epoch_](Failed failed, std::size_t size) {
    if (epoch == epoch_) took(failed, size);
  });
}

void Client::took(Failed failed, std::size_t size) {
  if (failed == asio::error::eof && heard_ && answer_->is_header_done() && answer_->need_eof()) {
    Failed cut;
    answer_->put_eof(cut);
    if (!cut) return finish();
  }
  if (failed) return lost(failed);
  heard_ = true;
  buffer_.commit(size);
  parse();
}

void Client::parse() {
  while (buffer_.size() != 0) {
    Failed failed;
    const std::size_t used = answer_->put(buffer_.data(), failed);
    buffer_.consume(used);
    if (failed == http::error::need_more) failed = {};
    if (failed) return give_up(FaultKind::malformed, failed.message());
    if (answer_->is_done()) {
      if (complete()) return;
      continue;
    }
    if (used == 0) break;
  }
  if (buffer_.size() > Answer::kMostHead) return give_up(FaultKind::malformed, "a line longer than 64 KiB");
  read();
}

// False: it was an interim answer (100, 103), and the final one is to come.
bool Client::complete() {
  const int status = answer_->status();
  if (status < kFirstFinal && status != kSwitching) {
    answer_.emplace(target_.bodiless);
    return false;
  }
  if (status == kSwitching)
    give_up(FaultKind::malformed, "101 Switching Protocols, which nobody asked for");
  else if (buffer_.size() != 0)
    give_up(FaultKind::malformed, fmt::format("{} bytes after the end of the answer", buffer_.size()));
  else
    finish();
  return true;
}

void Client::finish() {
  if (!answer_->keep_alive() || writing_) close();
  rest();
  const auto status = static_cast<unsigned>(answer_->status());
  if (status < kFirstRefusal) return owner_.answered(*this, began_, since_);
  const auto reason = http::obsolete_reason(http::int_to_status(status));
  owner_.failed(*this,
                {FaultKind::status, fmt::format("{} {}", status, std::string_view(reason.data(), reason.size()))});
}

void Client::lost(Failed failed) {
  if (!reused_ || heard_) {
    const std::string_view when = heard_ ? "within the answer" : "before an answer";
    return give_up(FaultKind::reset, failed == asio::error::eof ? fmt::format("closed {}", when)
                                                                : fmt::format("{} {}", failed.message(), when));
  }
  close();
  ++reconnects_;
  reused_ = false;
  open();
}

void Client::give_up(FaultKind kind, std::string text) {
  close();
  rest();
  owner_.failed(*this, {kind, std::move(text)});
}

void Client::rest() noexcept {
  state_ = State::idle;
  since_ = LoadClock::now();
}

void Client::close() noexcept {
  Failed ignored;
  socket_.close(ignored);
  ++epoch_;
  open_ = false;
  writing_ = false;
  buffer_.clear();
}

}  // namespace lingate::bench
