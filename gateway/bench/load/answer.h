// Answer: Beast's parser of one response of which only the status matters: fields and body are checked and dropped, so
// a response costs the generator no allocation.
//
// Thread: its client's. Lifetime: one response.
#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <limits>

namespace lingate::bench {

class Answer final : public boost::beast::http::basic_parser<false> {
 public:
  static constexpr std::uint32_t kMostHead = 64 * 1024;

  explicit Answer(bool bodiless) {
    eager(true);
    skip(bodiless);
    header_limit(kMostHead);
    body_limit(boost::none);
  }

  int status() const noexcept { return status_; }

 private:
  using Text = boost::beast::string_view;
  using Failed = boost::beast::error_code;

  void on_request_impl(boost::beast::http::verb, Text, Text, int, Failed& failed) override { failed = {}; }
  void on_response_impl(int status, Text, int, Failed& failed) override {
    status_ = status;
    failed = {};
  }
  void on_field_impl(boost::beast::http::field, Text, Text, Failed& failed) override { failed = {}; }
  void on_header_impl(Failed& failed) override { failed = {}; }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, Failed& failed) override { failed = {}; }
  std::size_t on_body_impl(Text body, Failed& failed) override {
    failed = {};
    return body.size();
  }
  void on_chunk_header_impl(std::uint64_t, Text, Failed& failed) override { failed = {}; }
  std::size_t on_chunk_body_impl(std::uint64_t, Text body, Failed& failed) override {
    failed = {};
    return body.size();
  }
  void on_finish_impl(Failed& failed) override { failed = {}; }

  int status_ = 0;
};

}  // namespace lingate::bench
