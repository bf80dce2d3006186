#include "middleware/script_shelf.h"

#include <gtest/gtest.h>

#include "middleware/script_pools.h"
#include "runtimes/echo/echo.h"
#include "tests/middleware/recorder.h"
#include "tests/middleware/script_stage.h"

namespace lingate::middleware {
namespace {

// Snapshots of one process, as far as their script pools go.
class Shelf : public ::testing::Test {
 protected:
  std::unique_ptr<ScriptPools> snapshot() {
    return std::make_unique<ScriptPools>(ScriptPoolsOptions{
        .runtimes = {echo_.get()}, .watchdog = &watchdog_, .log = &log_, .workers = 1, .limits = {}, .shelf = &shelf_});
  }
  const ScriptPool* pool_of(ScriptPools& pools, const std::string& file, const std::string& config = {}) {
    Settings::Map map{{"file", Settings(file)},
                      {"runtime", Settings(std::string("echo"))},
                      {"isolation", Settings(std::string("inline"))}};
    if (!config.empty()) map.emplace_back("config", Settings(config));
    auto made = pools.pool(Settings(std::move(map)));
    EXPECT_TRUE(made) << (made ? "" : made.error().message);
    return made ? *made : nullptr;
  }

  ScriptFolder folder_;
  MemoryLog log_;
  runtimes::Watchdog watchdog_;
  std::unique_ptr<runtimes::Runtime> echo_ = runtimes::echo::make_echo(watchdog_);
  ScriptShelf shelf_;
};

TEST_F(Shelf, TheNextSnapshotTakesOverWhatDidNotChange) {
  const std::string file = folder_.write("a.echo", "read-all\n");
  auto first = snapshot();
  auto second = snapshot();
  EXPECT_EQ(pool_of(*first, file), pool_of(*second, file));
}

TEST_F(Shelf, AScriptOrConfigurationThatChangedIsAnotherPool) {
  const std::string file = folder_.write("a.echo", "read-all\n");
  auto first = snapshot();
  const ScriptPool* const old = pool_of(*first, file);
  auto second = snapshot();
  EXPECT_NE(pool_of(*second, file, "other"), old);
  folder_.write("a.echo", "read-all\nread-all\n");
  EXPECT_NE(pool_of(*second, file), old);
}

TEST_F(Shelf, HandsOutWhatNoSnapshotUses) {
  const std::string file = folder_.write("a.echo", "read-all\n");
  auto first = snapshot();
  auto second = snapshot();
  pool_of(*first, file);
  pool_of(*second, file);
  const ScriptPool* const own = pool_of(*first, file, "own");
  EXPECT_TRUE(shelf_.take_unused().empty());
  first.reset();
  const auto unused = shelf_.take_unused();
  ASSERT_EQ(unused.size(), 1U);
  EXPECT_EQ(unused[0].get(), own);
  second.reset();
  ASSERT_EQ(shelf_.take_unused().size(), 1U);
  EXPECT_TRUE(shelf_.take_unused().empty());
}

TEST_F(Shelf, ARequiredFileOfAnotherContentIsAChange) {
  const std::string before = folder_.write("r.txt", "one");
  const auto later = std::chrono::system_clock::now() + std::chrono::hours(1);
  const auto described = describe_required({before, "/nonexistent/x"}, later);
  ASSERT_EQ(described.size(), 2U);
  EXPECT_EQ(described[0].digest.size(), 32U);
  EXPECT_EQ(described[1].digest, "");
  folder_.write("r.txt", "two");
  EXPECT_NE(describe_required({before}, later)[0].digest, described[0].digest);
}

TEST_F(Shelf, AFileThatMayHaveChangedWhileItWasReadIsNotTrusted) {
  const auto began = next_file_time();
  const std::string file = folder_.write("r.txt", "one");
  EXPECT_EQ(describe_required({file}, began)[0].digest, "");
}

}  // namespace
}  // namespace lingate::middleware
