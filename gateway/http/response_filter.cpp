// A response's content on its way through the filter that a step has put there.
#include "base/codes.h"
#include "gateway/http/transaction.h"

namespace lingate::http {

using middleware::Body;
using middleware::BodyFilter;
using middleware::Response;

namespace {

constexpr std::size_t kMostAtOnce = 64 * 1024;  // some 2 ms of gzip
constexpr std::size_t kPiece = 32 * 1024;

}  // namespace

// Of a body that is there whole, not of a stream: a small one goes through in one go, so that its length is known.
// False: the filter failed, and a fault stands in the response's place.
bool Transaction::begin_filtering() noexcept {
  Response& response = exchange_.response;
  unfiltered_ = response.body.bytes;
  if (unfiltered_.size() > kMostAtOnce) return true;
  BodyFilter& filter = *response.filter;
  filter.feed(unfiltered_);
  const auto made = filter.take(BodyFilter::Until::end);
  response.filter = nullptr;
  if (made) response.body.bytes = *made;
  if (!made) exchange_.fail({.code = code::kInternal, .detail = kNotFiltered});
  return made.has_value();
}

bool Transaction::filters_whole_body() noexcept {
  const Response& response = exchange_.response;
  return response.filter && response.body.kind == Body::Kind::bytes && !is_head();
}

// A large one goes through piece by piece; others have their turn in between.
void Transaction::pump_filtered() noexcept {
  if (!response_listed_) {
    Slices piece;
    piece.add_stored(unfiltered_.substr(0, kPiece));
    unfiltered_.remove_prefix(piece.total);
    feed_filter(piece);
    response_listed_ = unfiltered_.empty();
    if (!list_filtered(response_listed_ ? BodyFilter::Until::end : BodyFilter::Until::more))
      return cut_response(kNotFiltered);
    if (response_listed_ && chunked_out_) to_client_.add(kLastChunk);
  }
  if (!flush_client()) return;
  if (response_listed_) return response_sent();
  client_->watch().read_again();
}

void Transaction::feed_filter(const Slices& slices) noexcept {
  for (std::size_t k = 0; k < slices.count; ++k)
    exchange_.response.filter->feed(slices.at[k]);
  filter_holds_ = filter_holds_ || slices.total > 0;
}

// Lists what the filter has made; the outbox is empty but for the head, so nothing that is listed moves.
bool Transaction::list_filtered(BodyFilter::Until until) noexcept {
  BodyFilter* const filter = exchange_.response.filter;
  if (!filter) return true;
  if (until != BodyFilter::Until::more) filter_holds_ = false;
  const auto made = filter->take(until);
  if (!made) return false;
  Slices slices;
  slices.add_stored(*made);
  if (!made->empty()) list_content(slices);
  return true;
}

}  // namespace lingate::http
