// Walks the whole field table: every key misspelt by every single slip of the hand (a letter left out, doubled, added,
// replaced, two swapped) must be refused with the right suggestion.
#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "base/fields.h"
#include "gateway/config/fields.h"
#include "tests/config/support.h"

namespace lingate::config {
namespace {

// Ways to get a key wrong by one letter.
std::set<std::string> slips(const std::string& key) {
  const std::string letters = "aeinrstxyz_-";
  std::set<std::string> all;
  for (std::size_t at = 0; at <= key.size(); ++at) {
    const std::string before = key.substr(0, at);
    const std::string after = key.substr(at);
    for (const char letter : letters) {
      all.insert(before + letter + after);
      if (!after.empty()) all.insert(before + letter + after.substr(1));
    }
    if (after.empty()) continue;
    all.insert(before + after.substr(1));
    all.insert(before + after[0] + after);
    if (after.size() > 1) all.insert(before + after[1] + after[0] + after.substr(2));
  }
  all.erase(key);
  all.erase("");
  return all;
}

// Whether two words differ by one letter (replaced, added, or left out), in any case.
bool is_one_letter_off(std::string_view a, std::string_view b) {
  if (a.size() > b.size()) std::swap(a, b);
  if (b.size() - a.size() > 1) return false;
  const auto same = [](char x, char y) { return fields::lower(x) == fields::lower(y); };
  const auto begin = static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), same).first - a.begin());
  const std::string_view rest_of_a = a.substr(std::min(begin + (a.size() == b.size() ? 1 : 0), a.size()));
  return fields::same_name(rest_of_a, b.substr(std::min(begin + 1, b.size())));
}

// A configuration with nothing in it but `key: value` where `path` leads: "upstreams.NAME.health.every".
std::string nest(const Located& located, const std::string& key) {
  std::string path = located.path;
  for (const std::string_view step : step_names())
    if (located.field->section.starts_with("step." + std::string(step))) path = "chains.c[]." + path;
  std::vector<std::string> parts;
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t end = std::min(path.find('.', at), path.size());
    parts.push_back(path.substr(at, end - at));
    at = end + 1;
  }
  parts.back() = key;
  std::string text = "x";
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    if (part->ends_with("[]")) text = "[" + text + "]";
    text = "{\"" + part->substr(0, part->find("[]")) + "\": " + text + "}";
  }
  return text;
}

// Slips that hit another key of the section, or are as near to another one, prove nothing.
std::set<std::string> ambiguous_slips(const Located& located) {
  std::set<std::string> all;
  for (const Field& other : fields_of(located.field->section)) {
    if (other.name == located.field->name) continue;
    all.merge(slips(std::string(other.name)));
    all.emplace(other.name);
  }
  return all;
}

TEST(Misspelling, EveryKeyByOneLetterYieldsTheRightSuggestion) {
  std::size_t tried = 0;
  std::size_t ambiguous = 0;
  for (const Located& located : locate_all()) {
    const std::string key(located.field->name);
    const std::set<std::string> proving_nothing = ambiguous_slips(located);
    for (const std::string& slip : slips(key)) {
      if (located.field->section.empty() && slip.starts_with("x-")) continue;
      const auto others = fields_of(located.field->section);
      const bool near_another = std::any_of(others.begin(), others.end(), [&](const Field& other) {
        return other.name != key && is_one_letter_off(slip, other.name);
      });
      if (near_another || proving_nothing.count(slip)) {
        ++ambiguous;
        continue;
      }
      ++tried;
      const auto diagnostics = load(nest(located, slip)).diagnostics;
      const auto unknown = std::find_if(diagnostics.begin(), diagnostics.end(), [&](const Diagnostic& each) {
        return each.message.starts_with("unknown key '" + slip + "'");
      });
      ASSERT_NE(unknown, diagnostics.end()) << located.path << ": " << nest(located, slip);
      // "did you mean 'health'?"; or, where the slip makes a key of another place, "it belongs under 'health'".
      EXPECT_THAT(unknown->cure, testing::HasSubstr("'" + key + "'")) << located.path << ": " << slip;
      EXPECT_EQ(unknown->code, code::kUnknownKey);
    }
  }
  EXPECT_GT(tried, 10'000U);
  EXPECT_LT(ambiguous * 50, tried);
}

TEST(Misspelling, EveryStepByOneLetterYieldsTheRightSuggestion) {
  for (const std::string_view step : step_names())
    for (const std::string& slip : slips(std::string(step))) {
      const auto diagnostics = load("chains: {c: [\"" + slip + "\"]}").diagnostics;
      const auto unknown = std::find_if(diagnostics.begin(), diagnostics.end(), [&](const Diagnostic& each) {
        return each.message == "unknown step '" + slip + "' in chain 'c'";
      });
      ASSERT_NE(unknown, diagnostics.end()) << slip;
      EXPECT_EQ(unknown->cure, "did you mean '" + std::string(step) + "'?") << slip;
    }
}

TEST(Misspelling, EveryChoiceByOneLetterYieldsTheRightSuggestion) {
  for (const Located& located : locate_all()) {
    if (located.field->type != Type::choice) continue;
    const auto words = split_words(located.field->words);
    for (const std::string_view word : words) {
      if (word.find_first_not_of("0123456789.") == std::string_view::npos) continue;
      for (const std::string& slip : slips(std::string(word))) {
        const bool near_another = std::any_of(words.begin(), words.end(), [&](std::string_view other) {
          return other != word && is_one_letter_off(slip, other);
        });
        if (near_another || std::find(words.begin(), words.end(), slip) != words.end()) continue;
        std::string text = nest(located, std::string(located.field->name));
        text.replace(text.find(": x"), 3, ": \"" + slip + "\"");
        const auto lines = show(load(text).diagnostics);
        EXPECT_THAT(lines, testing::Contains(testing::HasSubstr(
                               "'" + slip + "' is none of the choices | did you mean '" + std::string(word) + "'?")))
            << located.path;
      }
    }
  }
}

}  // namespace
}  // namespace lingate::config
