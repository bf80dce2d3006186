#include "gateway/admin/if_match.h"

#include <gtest/gtest.h>

namespace lingate::admin {
namespace {

TEST(IfMatch, HoldsForTheTagForAListThatHasItAndForAnything) {
  for (const char* value :
       {R"("a-1")", "*", " * ", R"("x-1", "a-1")", R"("a-1","x-1")", R"(, "x",, "a-1" ,)", R"("x, y", "a-1")"})
    EXPECT_TRUE(if_match_holds(value, R"("a-1")")) << value;
}

TEST(IfMatch, DoesNotHoldForOtherTagsNorForWeakOnes) {
  for (const char* value : {R"("a-2")", R"("A-1")", "a-1", R"(W/"a-1")", R"("x", "y")", R"("x, "a-1")", R"("a-1 ")"})
    EXPECT_FALSE(if_match_holds(value, R"("a-1")")) << value;
}

TEST(IfMatch, DoesNotHoldForWhatIsNoList) {
  for (const char* value :
       {"", ",", R"("a-1" "x")", R"("a-1", x)", R"("a-1", *)", R"("a-1", ")", R"("a-1", W/)", R"("a-1")x)"})
    EXPECT_FALSE(if_match_holds(value, R"("a-1")")) << value;
}

}  // namespace
}  // namespace lingate::admin
