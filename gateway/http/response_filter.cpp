// A response's content on its way through the filter that a step has put there.
#include "base/codes.h"
#include "gateway/http/transaction.h"

namespace lingate::http {

using middleware::Body;
using middleware::BodyFilter;
using middleware::Response;

// A body that is there whole goes through in one go, so that its length is known. False: the filter failed, and a fault
// stands in the response's place.
bool Transaction::filter_whole() noexcept {
  Response& response = exchange_.response;
  BodyFilter& filter = *response.filter;
  filter.feed(response.body.bytes);
  const auto made = filter.take(BodyFilter::Until::end);
  response.filter = nullptr;
  if (made) response.body.bytes = *made;
  if (!made) exchange_.fail({.code = code::kInternal, .detail = "the response could not be coded"});
  return made.has_value();
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
