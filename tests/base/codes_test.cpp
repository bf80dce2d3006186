#include "base/codes.h"

#include <set>

#include <gtest/gtest.h>

namespace lingate {
namespace {

TEST(Codes, AreUniqueAscendingAndInTheirFamilies) {
  int before = 0;
  for (const CodeInfo& info : all_codes()) {
    EXPECT_GT(info.code, before);
    EXPECT_GE(info.code, 1000);
    EXPECT_LE(info.code, 5999);
    before = info.code;
  }
}

TEST(Codes, AreAllExplainedWithACure) {
  std::set<std::string_view> titles;
  for (const CodeInfo& info : all_codes()) {
    EXPECT_TRUE(titles.insert(info.title).second) << info.code;
    EXPECT_TRUE(info.explanation.ends_with(".")) << info.code;
    EXPECT_TRUE(info.cure.ends_with(".")) << info.code;
  }
}

TEST(Codes, HaveAStatusExactlyWhereTheyBecomeResponses) {
  for (const CodeInfo& info : all_codes()) {
    const bool configuration = info.code / 1000 == 2;
    const bool loading = info.code == code::kScriptLoad;
    const bool only_logged =
        info.code == code::kTlsHandshake || info.code == code::kHttp2Closed || info.code == code::kUpgradeFailed;
    EXPECT_EQ(info.status == 0, configuration || loading || only_logged) << info.code;
    if (info.status == 0) continue;
    EXPECT_TRUE(info.status >= 400 && info.status <= 599) << info.code;
  }
}

TEST(Codes, MapFaultsToTheStatusesOfTheContract) {
  EXPECT_EQ(status_of(code::kUnknownTransferCoding), 501);
  EXPECT_EQ(status_of(code::kTargetTooLong), 414);
  EXPECT_EQ(status_of(code::kHeadTooLarge), 431);
  EXPECT_EQ(status_of(code::kVersionNotSupported), 505);
  EXPECT_EQ(status_of(code::kNoRoute), 404);
  EXPECT_EQ(status_of(code::kMethodNotAllowed), 405);
  EXPECT_EQ(status_of(code::kScriptException), 500);
  EXPECT_EQ(status_of(code::kScriptMemory), 500);
  EXPECT_EQ(status_of(code::kScriptInvalid), 500);
  EXPECT_EQ(status_of(code::kScriptTimeout), 504);
  EXPECT_EQ(status_of(code::kScriptUnavailable), 503);
  EXPECT_EQ(status_of(code::kConnectFailed), 502);
  EXPECT_EQ(status_of(code::kResponseTimeout), 504);
  EXPECT_EQ(status_of(code::kNoHealthyUpstream), 503);
}

TEST(Codes, UnknownOnesAreInternalErrors) {
  EXPECT_EQ(find_code(1), nullptr);
  EXPECT_EQ(find_code(9999), nullptr);
  EXPECT_EQ(status_of(9999), 500);
  EXPECT_EQ(code_name(code::kNoRoute), "LG1011");
}

}  // namespace
}  // namespace lingate
