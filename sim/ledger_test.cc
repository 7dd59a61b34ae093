// The checkers must see what they are there to see.
#include "sim/ledger.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "sim/checkers.h"
#include "sim/violation.h"
#include "wire/codec.h"

namespace eve::sim {
namespace {

const crypto::Digester kDigester(crypto::DigestAlgorithm::kXxh3, crypto::Secret{});
const Address kOne = Address::executor(1);
const Address kTwo = Address::verifier(2);

crypto::Digest digest(const char* text) {
  return kDigester.digest(text);
}

/// A history of batches that anybody may compute.
class LedgerTest : public ::testing::Test {
 protected:
  /// Somebody ran a batch after `previous` and came to `state`.
  execution::BatchExecuted run(uint64_t number, const crypto::Digest& previous, const char* state,
                               const Bytes& payload = "", SessionId session = SessionId(1),
                               TimeUs time_us = 1) {
    const auto batch = wire::make_batch(View(), BatchNumber(number), time_us, 1, {}, kDigester);
    ledger_.saw_batch(batch);
    execution::BatchExecuted executed;
    executed.parts = {BatchNumber(number), previous, batch->digest, digest(state), {}};
    executed.token = wire::token_of(executed.parts, kDigester);
    execution::BundleReply reply;
    reply.session = session;
    reply.first = RequestNumber(1);
    reply.payload = SharedBytes(payload);
    reply.digest = wire::reply_digest(reply.status, payload, kDigester);
    executed.replies.push_back(reply);
    ledger_.saw_executed(executed);
    return executed;
  }

  Ledger ledger_{digest("genesis")};
};

TEST_F(LedgerTest, ACommitCarriesAllBeforeIt) {
  const auto first = run(1, digest("genesis"), "a");
  const auto second = run(2, first.token, "b");
  ledger_.committed(kOne, BatchNumber(2), second.token);
  EXPECT_EQ(ledger_.last(), BatchNumber(2));
  EXPECT_EQ(ledger_.token(BatchNumber(1)), first.token);
  ledger_.committed(kTwo, BatchNumber(1), first.token);
  EXPECT_EQ(ledger_.divergences(), 0u);
}

TEST_F(LedgerTest, TwoTokensForOneNumber) {
  const auto mine = run(1, digest("genesis"), "a");
  const auto other = run(1, digest("genesis"), "b");
  EXPECT_EQ(ledger_.divergences(), 1u);
  ledger_.committed(kOne, BatchNumber(1), mine.token);
  EXPECT_THROW(ledger_.committed(kTwo, BatchNumber(1), other.token), Violation);
}

TEST_F(LedgerTest, ACommitThatDoesNotFollow) {
  const auto first = run(1, digest("genesis"), "a");
  const auto other = run(1, digest("genesis"), "b");
  const auto second = run(2, other.token, "c");
  ledger_.committed(kOne, BatchNumber(1), first.token);
  EXPECT_THROW(ledger_.committed(kOne, BatchNumber(2), second.token), Violation);
}

TEST_F(LedgerTest, ACommitThatNobodyComputed) {
  EXPECT_THROW(ledger_.committed(kOne, BatchNumber(1), digest("made up")), Violation);
}

TEST_F(LedgerTest, ANodeGoesBackOnlyByLosingItsMemory) {
  const auto first = run(1, digest("genesis"), "a");
  ledger_.committed(kOne, BatchNumber(1), first.token);
  EXPECT_THROW(ledger_.committed(kOne, BatchNumber(), digest("genesis")), Violation);
  ledger_.restarted(kOne);
  EXPECT_NO_THROW(ledger_.committed(kOne, BatchNumber(), digest("genesis")));
}

TEST_F(LedgerTest, AcceptedRepliesAreCommittedOnes) {
  ReplyChecker replies(ledger_);
  const BundleName bundle{0, SessionId(1), RequestNumber(1)};
  const auto first = run(1, digest("genesis"), "a", "yes");
  replies.follow();
  EXPECT_THROW(replies.accepted(bundle, "yes"), Violation) << "nothing is committed yet";
  ledger_.committed(kOne, BatchNumber(1), first.token);
  replies.follow();
  EXPECT_NO_THROW(replies.accepted(bundle, "yes"));
  EXPECT_THROW(replies.accepted(bundle, "no"), Violation);
}

TEST_F(LedgerTest, ARepeatedBundleIsAnsweredTheSame) {
  ReplyChecker replies(ledger_);
  const auto first = run(1, digest("genesis"), "a", "yes");
  const auto again = run(2, first.token, "b", "yes");
  const auto wrong = run(3, again.token, "c", "no");
  ledger_.committed(kOne, BatchNumber(2), again.token);
  EXPECT_NO_THROW(replies.follow());
  ledger_.committed(kOne, BatchNumber(3), wrong.token);
  EXPECT_THROW(replies.follow(), Violation);
}

// Found by the simulator (bft, seed 1012514): a node that was behind when an hour had passed
// answered an opening as it had committed it.
TEST_F(LedgerTest, AnOpeningAfterItsSessionExpiredHasTwoAnswers) {
  ReplyChecker replies(ledger_);
  const BundleName opening{0, SessionId(), RequestNumber(1)};
  const TimeUs later = limits::kSessionExpiryUs + 2;
  const auto first = run(1, digest("genesis"), "a", "one", SessionId());
  const auto second = run(2, first.token, "b", "two", SessionId(), later);
  const auto soon = run(3, second.token, "c", "three", SessionId(), later + 1);
  ledger_.committed(kOne, BatchNumber(2), second.token);
  replies.follow();
  ASSERT_NE(replies.find(opening, BatchNumber(1)), nullptr);
  EXPECT_EQ(replies.find(opening, BatchNumber(1))->payload.view(), "one");
  EXPECT_EQ(replies.find(opening, BatchNumber(2))->payload.view(), "two");
  EXPECT_EQ(replies.find(opening, BatchNumber(0)), nullptr);
  for (const auto* payload : {"one", "two"}) EXPECT_NO_THROW(replies.accepted(opening, payload));
  EXPECT_THROW(replies.accepted(opening, "three"), Violation);
  ledger_.committed(kOne, BatchNumber(3), soon.token);
  EXPECT_THROW(replies.follow(), Violation) << "its session has not expired";
}

}  // namespace
}  // namespace eve::sim
