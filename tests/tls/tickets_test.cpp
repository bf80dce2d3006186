#include "gateway/tls/tickets.h"

#include <gtest/gtest.h>

namespace lingate::tls {
namespace {

const TicketKeys::Clock::time_point kStart{};

TEST(TicketKeys, OneKeySealsForItsWholeLife) {
  TicketKeys keys;
  const auto key = keys.sealing(kStart);
  ASSERT_TRUE(key);
  EXPECT_EQ(keys.sealing(kStart + TicketKeys::kLife - std::chrono::seconds(1))->name, key->name);
  const auto found = keys.opening(key->name, kStart + std::chrono::hours(1));
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->current);
  EXPECT_EQ(found->key.cipher, key->cipher);
}

TEST(TicketKeys, AKeyThatNoLongerSealsStillOpensAndTheTicketIsRenewed) {
  TicketKeys keys;
  const auto old = keys.sealing(kStart);
  const auto fresh = keys.sealing(kStart + TicketKeys::kLife);
  EXPECT_NE(fresh->name, old->name);
  const auto found = keys.opening(old->name, kStart + TicketKeys::kLife);
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->current);
}

TEST(TicketKeys, AKeyOfTheDayBeforeOpensNothing) {
  TicketKeys keys;
  const auto old = keys.sealing(kStart);
  EXPECT_FALSE(keys.opening(old->name, kStart + 2 * TicketKeys::kLife));
}

TEST(TicketKeys, AnotherNameOpensNothing) {
  TicketKeys keys;
  auto key = keys.sealing(kStart);
  key->name[0] ^= 1;
  EXPECT_FALSE(keys.opening(key->name, kStart));
}

}  // namespace
}  // namespace lingate::tls
