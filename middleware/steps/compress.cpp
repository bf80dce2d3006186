// compress: codes responses on their way to clients that accept it (RFC 9110, 12.5.3), while they stream. What is coded
// already, partial, small, of a type that gains nothing, or not to be transformed passes as it is.
#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/codes.h"
#include "base/fields.h"
#include "base/pairs.h"
#include "middleware/body_filter.h"
#include "middleware/coding/coder.h"
#include "middleware/coding/media_types.h"
#include "middleware/coding/negotiation.h"
#include "middleware/settings_value.h"
#include "middleware/steps/steps.h"

namespace lingate::middleware::steps {
namespace {

using coding::Coder;
using coding::Coding;

constexpr std::size_t kMostAtOnce = 128;  // coders of a worker
constexpr std::size_t kMostResting = 8;   // of a kind, that are kept for later

// Whether an element of the list that lines of this name make up is this word.
bool lists(const Headers& headers, std::string_view name, std::string_view word) noexcept {
  for (const Field& field : headers.all()) {
    if (field.removed || !fields::same_name(field.name, name)) continue;
    for (std::string_view rest = field.value; !rest.empty();)
      if (fields::same_name(fields::without_ows(take_until(rest, ',')), word)) return true;
  }
  return false;
}

bool is_coded(const Headers& headers) noexcept {
  for (const Field& field : headers.all())
    if (!field.removed && field.id == FieldId::content_encoding && !fields::same_name(field.value, "identity"))
      return true;
  return false;
}

// Of the content; UINT64_MAX: not known.
std::uint64_t size_of(const Response& response) noexcept {
  if (response.body.kind == Body::Kind::bytes) return response.body.bytes.size();
  const Field* const length = response.headers.find(FieldId::content_length);
  std::uint64_t size = UINT64_MAX;
  if (length) std::from_chars(length->value.data(), length->value.data() + length->value.size(), size);
  return size;
}

bool may_be_coded(const Request& request, const Response& response) noexcept {
  const std::uint16_t status = response.status;
  if (status < 200 || status == 204 || status == 205 || status == 206 || status == 304) return false;
  const bool only_head = request.only_head && response.source == Response::Source::upstream;
  if (response.body.kind == Body::Kind::none && (!only_head || size_of(response) == 0)) return false;
  return !response.filter && !is_coded(response.headers) && !response.headers.find("content-range") &&
         !lists(response.headers, "cache-control", "no-transform") &&
         !lists(request.headers, "cache-control", "no-transform");
}

// What stands in for a coder in the answer to HEAD, so that whoever replaces the response drops its coding, as with
// GET.
class NoContent final : public BodyFilter {
 public:
  void feed(std::string_view) noexcept override {}
  std::optional<std::string_view> take(Until) noexcept override { return std::string_view(); }
};

// The head describes the coded content. A strong ETag would promise bytes that no other coder makes.
void describe(Response& response, std::string_view name, Arena& arena) {
  Headers& headers = response.headers;
  for (const FieldId id :
       {FieldId::content_length, FieldId::content_digest, FieldId::repr_digest, FieldId::digest, FieldId::content_md5})
    headers.remove(id);
  headers.remove("Accept-Ranges");
  if (const Field* const tag = headers.find(FieldId::etag); tag && !tag->value.starts_with("W/"))
    headers.set_lasting(field_key("ETag"), "ETag", response.filtered_tag = arena.join({"W/", tag->value}));
  headers.set("Content-Encoding", name);
}

class Compress final : public Middleware {
 public:
  struct Options {
    coding::MediaTypes types;
    std::vector<Coding> offered;
    std::uint64_t min = 0;
  };

  Compress(Options options, std::uint32_t workers)
      : options_(std::move(options)), lanes_(std::make_unique<Lane[]>(workers)) {}

  std::string_view kind() const noexcept override { return "compress"; }
  std::string_view label() const noexcept override { return kind(); }
  StepNeeds needs() const noexcept override { return {.request = true, .response = true}; }

  // What the client accepts is noted before steps nearer the upstream change what that is told.
  Flow on_request(Exchange& exchange, StepRecord& record) const override {
    coding::Accepted accepted;
    for (const Field& field : exchange.request.headers.all())
      if (!field.removed && field.id == FieldId::accept_encoding) accepted.read(field.value);
    if (const auto best = accepted.best_of(options_.offered))
      record.state = &take(exchange.host().loop().index(), *best);
    return Flow::next;
  }

  Flow on_response(Exchange& exchange, StepRecord& record) const override {
    Response& response = exchange.response;
    const Field* const type = response.headers.find(FieldId::content_type);
    if (!type || !options_.types.has(type->value) || !may_be_coded(exchange.request, response)) return Flow::next;
    if (size_of(response) < options_.min) return Flow::next;
    if (!lists(response.headers, "vary", "accept-encoding") && !lists(response.headers, "vary", "*"))
      response.headers.add("Vary", "Accept-Encoding");
    auto* const flight = static_cast<Flight*>(record.state);
    if (!flight) return Flow::next;
    if (response.body.kind == Body::Kind::none) {
      static NoContent no_content;
      response.filter = &no_content;
    } else {
      flight->coder = coder_for(*flight, exchange.host().loop().index());
      if (!flight->coder) return Flow::next;
      response.filter = flight->coder.get();
    }
    describe(response, coding::name_of(flight->coding), exchange.arena);
    return Flow::next;
  }

  void release(Exchange& exchange, StepRecord& record) const noexcept override {
    auto* const flight = static_cast<Flight*>(std::exchange(record.state, nullptr));
    if (!flight) return;
    Lane& lane = lanes_[exchange.host().loop().index()];
    if (flight->coder) {
      exchange.response.filter = nullptr;
      --lane.coding;
      auto& resting = lane.resting[static_cast<std::size_t>(flight->coding)];
      if (resting.size() < kMostResting) resting.push_back(std::move(flight->coder));
      flight->coder.reset();
    }
    lane.free.push_back(flight);
  }

 private:
  struct Flight {
    Coding coding = Coding::gzip;
    std::unique_ptr<Coder> coder;  // once its response is being coded
  };
  // Touched by its worker only; aligned so that workers do not share a cache line.
  struct alignas(64) Lane {
    std::vector<std::unique_ptr<Flight>> all;
    std::vector<Flight*> free;
    std::array<std::vector<std::unique_ptr<Coder>>, coding::kCodings> resting;
    std::size_t coding = 0;  // coders at work
  };

  Flight& take(std::uint32_t worker, Coding coding) const {
    Lane& lane = lanes_[worker];
    if (lane.free.empty()) {
      lane.all.push_back(std::make_unique<Flight>());
      lane.free.reserve(lane.all.size());
      lane.free.push_back(lane.all.back().get());
    }
    Flight& flight = *lane.free.back();
    lane.free.pop_back();
    flight.coding = coding;
    return flight;
  }

  // nullptr: as many as may be are at work, or there is no memory.
  std::unique_ptr<Coder> coder_for(const Flight& flight, std::uint32_t worker) const {
    Lane& lane = lanes_[worker];
    if (lane.coding >= kMostAtOnce) return nullptr;
    auto& resting = lane.resting[static_cast<std::size_t>(flight.coding)];
    std::unique_ptr<Coder> coder;
    if (resting.empty()) {
      coder = coding::make_coder(flight.coding);
    } else {
      coder = std::move(resting.back());
      resting.pop_back();
    }
    if (!coder || !coder->begin()) return nullptr;
    ++lane.coding;
    return coder;
  }

  const Options options_;
  std::unique_ptr<Lane[]> lanes_;
};

}  // namespace

MadeStep make_compress(const Settings& settings, const StepSurroundings& surroundings) {
  Compress::Options options{.types = {}, .offered = {}, .min = settings.size("min", 1024)};
  for (const std::string& pattern : texts_of(settings, "types")) {
    if (!coding::MediaTypes::is_pattern(pattern))
      return fail(code::kBadValue, "compress: '" + pattern + "' is no media type: write text/html, text/* or +json");
    options.types.add(pattern);
  }
  for (const std::string& name : texts_of(settings, "algorithms"))
    if (const auto coding = coding::find_coding(name)) options.offered.push_back(*coding);
  return std::make_unique<Compress>(std::move(options), surroundings.workers);
}

}  // namespace lingate::middleware::steps
