// A request as the command line states it: METHOD, URL and header fields, in the form that the router takes.
//
// Lifetime: the router's view of it borrows from it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "gateway/cli/commands.h"
#include "gateway/routing/router.h"

namespace lingate::cli {

// "Name: value" as people give it to -H. The error is for them.
Result<std::pair<std::string_view, std::string_view>, std::string> header_line(std::string_view text);

class Asked final : public routing::HeaderLookup {
 public:
  // The error is for people who typed the request.
  static Result<Asked, std::string> parse(const RouteOptions& options);

  routing::Request request() const noexcept { return {method_, host_, path_, query_, this}; }
  std::optional<std::string_view> first(std::string_view name) const noexcept override;

  const std::string& path() const noexcept { return path_; }          // normalised
  const std::string& raw_path() const noexcept { return raw_path_; }  // as typed

 private:
  Result<void, std::string> read_url(std::string_view url);
  Result<void, std::string> read_header(std::string_view line);

  std::string method_;
  std::string host_;
  std::string raw_path_;
  std::string path_;
  std::string query_;
  std::vector<std::pair<std::string, std::string>> headers_;
};

}  // namespace lingate::cli
