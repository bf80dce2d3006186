// Thousands of damaged versions of a good configuration: none crashes the loader, and whatever it refuses it refuses
// with a place.
#include <random>

#include "tests/config/contract_example.h"
#include "tests/config/support.h"

namespace lingate::config {
namespace {

const std::vector<std::string> kTokens = {"{",
                                          "}",
                                          "[",
                                          "]",
                                          ": ",
                                          "- ",
                                          "\n",
                                          "  ",
                                          "\t",
                                          "&a ",
                                          "*a",
                                          "*tenant",
                                          "? ",
                                          "!!str ",
                                          "|\n",
                                          ">\n",
                                          "\"",
                                          "'",
                                          "#",
                                          "%",
                                          "@",
                                          "---\n",
                                          "...",
                                          "<<: ",
                                          "null",
                                          "~",
                                          "0",
                                          "-1",
                                          "99999999999999999999",
                                          "1e999",
                                          ".nan",
                                          "true",
                                          "off",
                                          "\\",
                                          std::string(1, '\0'),
                                          "\xFF",
                                          "\xC3",
                                          "\xEF\xBB\xBF",
                                          "use: base",
                                          "use: secure",
                                          "script: ",
                                          "x-",
                                          "{env: X}",
                                          "{file: /dev/zero}",
                                          "include: '*.yaml'\n"};

class Mutator {
 public:
  explicit Mutator(unsigned seed) : random_(seed) {}

  std::string mutate(std::string text) {
    for (std::size_t times = 1 + below(3); times > 0; --times)
      once(text);
    return text;
  }

 private:
  std::size_t below(std::size_t limit) { return limit == 0 ? 0 : random_() % limit; }

  void once(std::string& text) {
    const std::size_t at = below(text.size());
    const std::size_t length = std::min(below(30), text.size() - at);
    switch (below(8)) {
      case 0: text.erase(at, length); break;
      case 1: text.insert(at, text.substr(below(text.size()), length)); break;
      case 2: text.insert(at, kTokens[below(kTokens.size())]); break;
      case 3: text.replace(at, length, kTokens[below(kTokens.size())]); break;
      case 4:
        if (!text.empty()) text[at] = static_cast<char>(below(256));
        break;
      case 5: text.resize(at); break;
      case 6: swap_lines(text); break;
      default: text.insert(at, 1, static_cast<char>(' ' + below(95))); break;
    }
  }

  void swap_lines(std::string& text) {
    const std::size_t first = text.find('\n', below(text.size()));
    if (first == std::string::npos) return;
    const std::size_t second = text.find('\n', first + 1);
    const std::size_t third = second == std::string::npos ? second : text.find('\n', second + 1);
    if (third == std::string::npos) return;
    text = text.substr(0, first + 1) + text.substr(second + 1, third - second) +
           text.substr(first + 1, second - first) + text.substr(third + 1);
  }

  std::mt19937 random_;
};

void expect_places(const Loaded& loaded, const std::string& text) {
  bool error = false;
  for (const Diagnostic& each : loaded.diagnostics) {
    error = error || each.severity == Severity::error;
    ASSERT_EQ(each.place.file, "gw.yaml") << text;
    ASSERT_GT(each.place.line, 0U) << each.message << "\n" << text;
    ASSERT_GT(each.place.column, 0U) << each.message << "\n" << text;
    ASSERT_FALSE(each.message.empty()) << text;
    ASSERT_FALSE(each.cure.empty()) << each.message << "\n" << text;
    ASSERT_NE(find_code(each.code), nullptr) << each.code;
    ASSERT_FALSE(render(each, Paint::none).empty());
  }
  ASSERT_NE(loaded.model.has_value(), error) << text;
}

TEST(Mutations, NeverCrashTheLoaderAndEveryRefusalHasAPlace) {
  Mutator mutator(5);
  std::size_t refused = 0;
  std::size_t loaded_anyway = 0;
  for (int round = 0; round < 5'000; ++round) {
    const std::string text = mutator.mutate(kContractExample);
    const Loaded loaded = load(text);
    expect_places(loaded, text);
    if (testing::Test::HasFatalFailure()) return;
    ++(loaded.model ? loaded_anyway : refused);
  }
  EXPECT_GT(refused, 3'000U);
  EXPECT_GT(loaded_anyway, 100U);
}

TEST(Mutations, EveryPrefixOfAConfigurationIsHandled) {
  for (std::size_t size = 0; size < kContractExample.size(); size += 7) {
    const std::string text = kContractExample.substr(0, size);
    expect_places(load(text), text);
    if (testing::Test::HasFatalFailure()) return;
  }
}

TEST(LargeInput, ManyRoutesLoad) {
  std::string text = "version: 1\nlisten: :0\nupstreams:\n  u: {targets: \"http://127.0.0.1:9001\"}\nroutes:\n";
  for (int i = 0; i < 5'000; ++i)
    text += fmt::format("  - {{name: r{0}, match: {{path: \"/s{0}/{{id}}\"}}, chain: [request-id], upstream: u}}\n", i);
  const Loaded loaded = load(text);
  ASSERT_TRUE(loaded.model);
  EXPECT_EQ(loaded.model->routes.size(), 5'000U);
}

TEST(LargeInput, TenMegabytesLoad) {
  std::string text = "version: 1\nlisten: :0\nroutes: []\nx-data:\n";
  const std::string line = "  - {name: \"" + std::string(970, 'a') + "\", numbers: [1, 2, 3]}\n";
  while (text.size() < 10'000'000)
    text += line;
  EXPECT_TRUE(load(text).model);
}

TEST(LargeInput, MuchOfAnythingEndsWithAnAnswer) {
  const auto times = [](std::string_view piece) {
    std::string text;
    while (text.size() < 200'000)
      text += piece;
    return text;
  };
  for (const std::string_view piece :
       {"x: y\n", "- ", "[", "a", "\n", "\"", "{a: ", "# c\n", "? a\n", "- &a b\n", "- *a\n"}) {
    const Loaded loaded = load(times(piece));
    EXPECT_FALSE(loaded.model) << piece;
    EXPECT_FALSE(loaded.diagnostics.empty()) << piece;
  }
}

TEST(LargeInput, ManyUnknownKeysEndWithAnAnswer) {
  std::string text = "version: 1\nlisten: :0\nroutes: []\n";
  for (int i = 0; i < 20'000; ++i)
    text += fmt::format("key{}: 1\n", i);
  EXPECT_EQ(load(text).diagnostics.size(), Report::kMost);
}

}  // namespace
}  // namespace lingate::config
