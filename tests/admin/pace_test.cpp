#include "gateway/admin/pace.h"

#include <gtest/gtest.h>

namespace lingate::admin {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Pace::Moment kBegin{std::chrono::hours(1)};

int waited(Pace& pace, Pace::Moment now, int times) {
  int count = 0;
  for (int i = 0; i < times; ++i)
    count += pace.take(now) > Pace::Span::zero();
  return count;
}

TEST(Pace, LetsSomeInAtOnce) {
  Pace pace;
  EXPECT_EQ(waited(pace, kBegin, Pace::kAtOnce), 0);
  EXPECT_EQ(pace.take(kBegin), Pace::kPlace);
}

TEST(Pace, GivesEachWhoWaitsAPlaceOfItsOwn) {
  Pace pace;
  waited(pace, kBegin, Pace::kAtOnce);
  EXPECT_EQ(pace.take(kBegin), milliseconds(1));
  EXPECT_EQ(pace.take(kBegin), milliseconds(2));
  EXPECT_EQ(pace.take(kBegin + milliseconds(2)), milliseconds(1));
}

TEST(Pace, MovesAThousandTimesASecond) {
  Pace pace;
  waited(pace, kBegin, Pace::kAtOnce);
  EXPECT_EQ(waited(pace, kBegin + milliseconds(100), 100), 0);
  EXPECT_EQ(waited(pace, kBegin + milliseconds(100), 1), 1);
}

TEST(Pace, SavesNoMoreThanThatForLater) {
  Pace pace;
  waited(pace, kBegin, 1);
  EXPECT_EQ(waited(pace, kBegin + seconds(1000), 2 * Pace::kAtOnce), Pace::kAtOnce);
}

}  // namespace
}  // namespace lingate::admin
