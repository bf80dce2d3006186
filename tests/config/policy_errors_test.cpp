// Mistakes in the steps that let pass or refuse.
#include "tests/config/support.h"

namespace lingate::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Mistakes, ALimitOfItsOwnWhereNoSessionHasOne) {
  EXPECT_THAT(mistakes_in_step("rate-limit: {by: route}"),
              ElementsAre(testing::HasSubstr("LG2005 step 'rate-limit' by route has no 'rate' | add 'rate'; only "
                                             "sessions can have one of their own")));
  EXPECT_THAT(mistakes_in_step("quota: {by: client.ip, every: 1h}"),
              ElementsAre(testing::HasSubstr("LG2005 step 'quota' by client.ip has no 'max'")));
  EXPECT_THAT(mistakes_in_step("quota: {max: 5}"),
              ElementsAre(testing::HasSubstr("LG2005 step 'quota' has 'max' and no 'every'")));
  EXPECT_THAT(mistakes_in_step("rate-limit"), IsEmpty());
  EXPECT_THAT(mistakes_in_step("rate-limit: 100/1s"), IsEmpty());
  EXPECT_THAT(mistakes_in_step("concurrency-limit: 10"), IsEmpty());
  EXPECT_THAT(mistakes_in_step("quota"), IsEmpty());
}

TEST(Mistakes, ARateOrAKeyThatIsNone) {
  EXPECT_THAT(mistakes_in_step("rate-limit: {rate: 100, by: route}"),
              ElementsAre(testing::HasSubstr("LG2029 'rate' in step 'rate-limit' of route 'r': '100' is no rate")));
  EXPECT_THAT(mistakes_in_step("rate-limit: {rate: 1/1s, by: session}"),
              ElementsAre(testing::HasSubstr(
                  "LG2006 'by' in step 'rate-limit' of route 'r': 'session' is nothing to count by")));
  EXPECT_THAT(mistakes_in_step("rate-limit: {rate: 1/1s, burst: 0}"), ElementsAre(testing::HasSubstr("LG2007")));
  EXPECT_THAT(mistakes_in_step("ip: {allow: [10.1.2.3/8]}"), ElementsAre(testing::HasSubstr("LG2018")));
}

TEST(Mistakes, UsersWithoutAHashThatIsSlow) {
  constexpr std::string_view kHash = "$2y$04$Ci7aTyk08rN9LKVH44Wkfe4aycvMJZVDFRYE5AGNTPhE4yvKxLMby";
  const auto users = [](std::string_view text) {
    return mistakes_in_step(fmt::format("basic-auth: {{users: {}}}", text));
  };
  EXPECT_THAT(
      users(fmt::format("{{ann: \"{}\", bo: {{file: key.txt}}}}", kHash)),
      ElementsAre(testing::HasSubstr("LG2029 'users' in step 'basic-auth' of route 'r': this is no password hash")));
  EXPECT_THAT(users(fmt::format("[\"ann:{0}\", \"ann:{0}\"]", kHash)), ElementsAre(testing::HasSubstr("LG2002")));
  EXPECT_THAT(users("{file: users.htpasswd}"), IsEmpty());
  EXPECT_THAT(users("{file: key.txt}"), ElementsAre(testing::HasSubstr("line 1: there is no ':' between")));
  EXPECT_THAT(users("{file: none}"), ElementsAre(testing::HasSubstr("LG2019")));
  EXPECT_THAT(users("{}"), ElementsAre(testing::HasSubstr("there is no user")));
  EXPECT_THAT(users("ann"), ElementsAre(testing::HasSubstr("LG2004")));
  EXPECT_THAT(mistakes_in_step("basic-auth"), ElementsAre(testing::HasSubstr("LG2005")));
}

TEST(Warnings, LimitsWithoutEffect) {
  EXPECT_THAT(mistakes_in_step("rate-limit: {burst: 5}"),
              ElementsAre(testing::HasSubstr("LG2103 'burst' has no effect without 'rate'")));
  EXPECT_THAT(mistakes_in_step("ip"), ElementsAre(testing::HasSubstr("LG2103 step 'ip' lets everybody pass")));
}

}  // namespace
}  // namespace lingate::config
