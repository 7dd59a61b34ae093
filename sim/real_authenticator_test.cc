#include "sim/real_authenticator.h"

#include <gtest/gtest.h>

namespace eve::sim {
namespace {

TEST(RealKeys, WhatIsCheckedOnceHoldsForAllAndForNothingElse) {
  const Roster roster(FaultModel(1, 1), 1);
  const RealKeys keys(7, roster);
  const Address signer = Address::verifier(0);
  const Address other = Address::verifier(1);
  const auto one = keys.authenticator(signer);
  const auto two = keys.authenticator(other);
  const auto three = keys.authenticator(Address::executor(0));
  const Bytes signature = one->sign(crypto::Domain::kPrepare, "promise");
  EXPECT_EQ(signature.size(), 64u);
  for (const auto* node : {one.get(), two.get(), three.get()}) {
    EXPECT_TRUE(node->verify(signer, crypto::Domain::kPrepare, "promise", signature));
    EXPECT_FALSE(node->verify(other, crypto::Domain::kPrepare, "promise", signature));
    EXPECT_FALSE(node->verify(signer, crypto::Domain::kViewChange, "promise", signature));
    EXPECT_FALSE(node->verify(signer, crypto::Domain::kPrepare, "promises", signature));
    EXPECT_FALSE(node->verify(signer, crypto::Domain::kPrepare, "promise", signature + 's'));
    EXPECT_FALSE(node->verify(signer, crypto::Domain::kPrepare, "", signature + "promise"));
    EXPECT_FALSE(node->verify(signer, crypto::Domain::kPrepare, "promise", Bytes(64, 's')));
  }
}

}  // namespace
}  // namespace eve::sim
