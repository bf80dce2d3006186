#include "middleware/coding/negotiation.h"

#include <algorithm>

#include "base/fields.h"
#include "base/pairs.h"

namespace lingate::middleware::coding {
namespace {

constexpr int kFull = 1000;

// weight = OWS ";" OWS "q=" qvalue. What is no qvalue weighs nothing: such a coding is not used.
int weight_of(std::string_view parameters) noexcept {
  const std::string_view text = fields::without_ows(parameters);
  if (text.empty()) return kFull;
  if (text.size() < 3 || fields::lower(text[0]) != 'q' || text[1] != '=') return 0;
  const std::string_view value = text.substr(2);
  if (value.size() > 5 || (value.size() > 1 && value[1] != '.') || (value[0] != '0' && value[0] != '1')) return 0;
  int weight = value[0] == '1' ? kFull : 0;
  int place = kFull / 10;
  for (const char c : value.substr(std::min<std::size_t>(2, value.size()))) {
    if (c < '0' || c > '9') return 0;
    weight += (c - '0') * place;
    place /= 10;
  }
  return weight > kFull ? 0 : weight;
}

}  // namespace

void Accepted::read(std::string_view value) noexcept {
  while (!value.empty()) {
    std::string_view item = take_until(value, ',');
    const std::string_view name = fields::without_ows(take_until(item, ';'));
    const int weight = weight_of(item);
    if (name == "*")
      others_ = weight;
    else if (fields::same_name(name, "identity"))
      identity_ = weight;
    else if (const auto coding = find_coding(name))
      named_[static_cast<std::size_t>(*coding)] = weight;
  }
}

std::optional<Coding> Accepted::best_of(std::span<const Coding> offered) const noexcept {
  std::optional<Coding> best;
  int most = 0;
  for (const Coding coding : offered) {
    const auto& named = named_[static_cast<std::size_t>(coding)];
    const int weight = named ? *named : others_.value_or(0);
    if (weight <= most) continue;
    best = coding;
    most = weight;
  }
  return identity_.value_or(0) > most ? std::nullopt : best;
}

}  // namespace lingate::middleware::coding
