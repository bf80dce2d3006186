#include "gateway/admin/token.h"

#include <sys/stat.h>

#include <fstream>
#include <set>
#include <thread>

#include "tests/admin/support.h"

namespace lingate::admin {
namespace {

using testing::HasSubstr;

mode_t mode_of(const std::string& path) {
  struct stat about {};
  EXPECT_EQ(::stat(path.c_str(), &about), 0) << path;
  return about.st_mode & 07777U;
}

void write(const std::string& path, std::string_view text, mode_t mode) {
  std::ofstream(path) << text;
  ::chmod(path.c_str(), mode);
}

TEST(TokenFile, IsMadeOnTheFirstStartForItsOwnerAlone) {
  const Folder folder;
  const config::AdminToken where{folder.file("data/deeper/admin.token"), {}};
  const mode_t before = ::umask(0);
  const auto token = find_or_make_token(where);
  ::umask(before);
  ASSERT_TRUE(token) << token.error().message;
  EXPECT_EQ(token->size(), 64U);
  EXPECT_EQ(mode_of(where.file), 0600U);
  EXPECT_EQ(mode_of(folder.file("data")), 0700U);
  EXPECT_EQ(mode_of(folder.file("data/deeper")), 0700U);
  EXPECT_EQ(find_or_make_token(where).value(), *token) << "the second start reads it";
  EXPECT_EQ(find_token(where).value(), *token);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.file("data/deeper")), {}), 1)
      << "no draft is left";
}

TEST(TokenFile, TokensDiffer) {
  const Folder folder;
  EXPECT_NE(find_or_make_token({folder.file("a"), {}}).value(), find_or_make_token({folder.file("b"), {}}).value());
}

TEST(TokenFile, ThatOthersCanReadIsRefused) {
  const Folder folder;
  const std::string path = folder.file("admin.token");
  for (const mode_t mode : {0644U, 0640U, 0604U, 0660U, 0622U}) {
    write(path, std::string(kToken) + "\n", mode);
    const auto token = find_or_make_token({path, {}});
    ASSERT_FALSE(token) << mode;
    EXPECT_EQ(token.error().code, code::kBadAdminToken);
    EXPECT_THAT(token.error().message, HasSubstr("others than its owner can read it"));
    EXPECT_THAT(token.error().message, testing::Not(HasSubstr(kToken)));
  }
  write(path, std::string(kToken) + "\r\n", 0600);
  EXPECT_EQ(find_or_make_token({path, {}}).value(), kToken);
}

TEST(TokenFile, ThatHoldsNoTokenIsRefused) {
  const Folder folder;
  const std::string path = folder.file("admin.token");
  for (const std::string& text :
       {std::string(), std::string("\n"), std::string("short"), std::string("with spaces in between it"),
        std::string("0123456789abcdef\n0123"), std::string(5000, 'x')}) {
    write(path, text, 0600);
    EXPECT_THAT(find_or_make_token({path, {}}).error().message, HasSubstr("it holds no token")) << text.substr(0, 40);
  }
  std::filesystem::create_directory(folder.file("folder"));
  EXPECT_FALSE(find_or_make_token({folder.file("folder"), {}}));
  EXPECT_THAT(find_or_make_token({"/proc/no/such", {}}).error().message, HasSubstr("cannot be made"));
  EXPECT_THAT(find_token({folder.file("missing"), {}}).error().message, HasSubstr("cannot be read"));
}

TEST(TokenFile, OfStartsAtOnceOneMakesItAndAllUseIt) {
  const Folder folder;
  std::set<std::string> tokens;
  std::filesystem::create_directory(folder.file("data"));
  const config::AdminToken where{folder.file("data/admin.token"), {}};
  std::vector<std::thread> threads;
  std::vector<std::string> found(8);
  for (std::string& each : found)
    threads.emplace_back([&each, &where] { each = find_or_make_token(where).value(); });
  for (std::thread& each : threads)
    each.join();
  tokens.insert(found.begin(), found.end());
  EXPECT_THAT(tokens, testing::ElementsAre(*find_token(where)));
}

TEST(Token, MayStandInTheEnvironment) {
  EXPECT_EQ(find_or_make_token({"", Secret{kToken}}).value(), kToken);
}

}  // namespace
}  // namespace lingate::admin
