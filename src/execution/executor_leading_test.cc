// An executor whose disk does not keep up leads no view: E13.
#include <gtest/gtest.h>

#include "execution/executor_testing.h"

namespace eve::execution::executor_testing {
namespace {

class E13Leading : public ::testing::TestWithParam<uint32_t> {
 protected:
  explicit E13Leading(uint16_t index = 0) : replica(options(1, GetParam(), index)) {
    replica.receive(Address::client(0), wire::BundleMessage{open(9)});
    replica.idle();
    if (index != 0) replica.receive(Address::executor(0), batch(0, 1, {open(9)}));
    tell(replica, GetParam() + 1, commit(1, replica.runner.token(1)));
    EXPECT_EQ(replica.executor->status().committed, BatchNumber(1));
    forget();
  }
  void forget() { replica.outgoing.clear(); }
  void may_lead(bool able) {
    Outbox out;
    replica.executor->may_lead(able, replica.now, out);
    for (const wire::Send& send : out.sends) {
      for (const Address to : send.to) replica.outgoing.emplace_back(to, send.message);
    }
  }
  size_t asked() {
    size_t asked = 0;
    for (const auto& [to, hello] : replica.sent<wire::Hello>()) {
      asked += to == Address::verifier(0) && hello.restarted ? 1 : 0;
    }
    return asked;
  }

  Replica replica;
};

class E13Following : public E13Leading {
 protected:
  E13Following() : E13Leading(1) {}
};

TEST_P(E13Leading, ProposesNothingAndAsksForAViewAtOnceAndAgain) {
  may_lead(false);
  EXPECT_EQ(asked(), 1u);
  may_lead(false);
  EXPECT_EQ(asked(), 0u) << "said once";
  replica.receive(Address::client(0), wire::BundleMessage{call(1)});
  replica.idle();
  EXPECT_TRUE(replica.sent<wire::BatchMessage>().empty());
  EXPECT_NE(replica.executor->status().waiting_for.find("disk"), std::string::npos);
  replica.pass(1'000'000);
  EXPECT_GE(asked(), 1u);
  EXPECT_LE(asked(), 2u) << "once in suspect_after_us";
}

// What others commit meanwhile is more than it has run: that is what a stalled disk looks like.
TEST_P(E13Leading, AsksThoughOthersAreAheadOfItsDisk) {
  replica.eager = false;  // what runs waits for the disk
  replica.receive(Address::client(0), wire::BundleMessage{call(1)});
  replica.idle();
  ASSERT_FALSE(replica.sent<wire::BatchMessage>().empty());
  tell(replica, GetParam() + 1, commit(2, digest_of("of the others")));
  replica.pass(500'000);
  (void)asked();
  may_lead(false);
  EXPECT_EQ(asked(), 1u);
}

// Nothing is missing but what it fetches, and that waits for its disk.
TEST_P(E13Leading, AsksAgainWhileWhatItFetchesWaitsForItsDisk) {
  Replica ahead(options(1, GetParam(), 1));
  ahead.receive(Address::executor(0), batch(0, 1, {open(9)}));
  ahead.receive(Address::executor(0), batch(0, 2, {open(8)}));
  const crypto::Digest token = ahead.runner.token(2);
  for (Replica* one : {&ahead, &replica}) tell(*one, GetParam() + 1, commit(2, token));
  replica.eager = false;
  replica.pass(500'000);
  ASSERT_TRUE(replica.executor->status().fetching);
  for (const auto& [to, request] : replica.sent<wire::StateRequest>()) {
    if (to == Address::executor(1)) ahead.receive(Address::executor(0), request);
  }
  for (const auto& [to, reply] : ahead.sent<wire::StateReply>()) {
    replica.receive(Address::executor(1), reply);
  }
  replica.pass(1'000'000);
  forget();
  may_lead(false);
  EXPECT_EQ(asked(), 1u);
  replica.pass(1'000'000);
  EXPECT_TRUE(replica.executor->status().fetching);
  EXPECT_GE(asked(), 1u);
}

TEST_P(E13Leading, LeadsOnWhenItsDiskKeepsUpAgain) {
  may_lead(false);
  replica.receive(Address::client(0), wire::BundleMessage{call(1)});
  may_lead(true);
  replica.idle();
  EXPECT_FALSE(replica.sent<wire::BatchMessage>().empty());
  (void)asked();
  replica.pass(3'000'000);
  EXPECT_EQ(asked(), 0u);
}

TEST_P(E13Leading, VotesOnInTheNextView) {
  may_lead(false);
  tell(replica, GetParam() + 1, rollback(1, 1, replica.runner.token(1)));
  (void)asked();
  replica.receive(Address::executor(1), batch(1, 2, {call(1)}));
  EXPECT_FALSE(replica.sent<wire::Token>().empty());
  replica.pass(3'000'000);
  EXPECT_EQ(asked(), 0u) << "another leads";
}

TEST_P(E13Following, AsksForNothingUntilItIsItsTurn) {
  may_lead(false);
  replica.pass(3'000'000);
  EXPECT_EQ(asked(), 0u);
  replica.receive(Address::executor(0), batch(0, 2, {call(1)}));
  EXPECT_FALSE(replica.sent<wire::Token>().empty());
  tell(replica, GetParam() + 1, rollback(1, 1, replica.runner.token(1)));
  replica.pass(500'000);
  EXPECT_GE(asked(), 1u);
  EXPECT_TRUE(replica.sent<wire::BatchMessage>().empty());
}

INSTANTIATE_TEST_SUITE_P(Models, E13Leading, ::testing::Values(0u, 1u));
INSTANTIATE_TEST_SUITE_P(Models, E13Following, ::testing::Values(0u, 1u));

}  // namespace
}  // namespace eve::execution::executor_testing
