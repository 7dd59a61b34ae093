// The checkers must see what they are there to see.
#include "sim/conduct.h"

#include <gtest/gtest.h>

#include <vector>

#include "execution/executor.h"
#include "sim/authenticity.h"
#include "sim/blame.h"
#include "sim/light_authenticator.h"
#include "sim/reply_gate.h"
#include "sim/rollback_checker.h"
#include "sim/violation.h"
#include "wire/codec.h"

namespace eve::sim {
namespace {

const crypto::Digester kDigester(crypto::DigestAlgorithm::kXxh3, crypto::Secret{});
const FaultModel kModel(1, 1);
const crypto::Digest kGenesis = kDigester.digest("genesis");
const crypto::Digest kA = kDigester.digest("a");
const crypto::Digest kB = kDigester.digest("b");
const Ledger kLedger(kGenesis);
const Address kExecutor = Address::executor(1);
const Address kVerifier = Address::verifier(2);

/// The invariant that breaks when these send that, one after the other; "" if none does.
std::string broken(Listener& listener, const std::vector<std::pair<Address, wire::Message>>& sent) {
  try {
    for (const auto& [from, message] : sent) {
      listener.sent(from, {{Address::client(0)}, std::make_shared<const wire::Message>(message)});
    }
  } catch (const Violation& violation) {
    return violation.invariant();
  }
  return "";
}

wire::Token token(uint64_t view, uint64_t number, const crypto::Digest& state) {
  const wire::TokenParts parts{BatchNumber(number), kGenesis, kA, state, {}};
  return {View(view), parts, wire::token_of(parts, kDigester)};
}

TEST(TokenConduct, OneTokenForEachBatchOfAView) {
  TokenConduct once;
  EXPECT_EQ(broken(once, {{kExecutor, token(0, 1, kA)},
                          {kExecutor, token(0, 1, kA)},
                          {Address::executor(2), token(0, 1, kB)},
                          {kExecutor, token(1, 1, kB)}}),
            "");
  EXPECT_EQ(broken(once, {{kExecutor, token(0, 1, kB)}}), "one token");
  const auto batch = wire::make_batch(View(1), BatchNumber(2), 1, 0, {}, kDigester);
  wire::Token of_it = token(2, 2, kA);
  of_it.parts.batch = batch->digest;
  EXPECT_EQ(broken(once, {{kExecutor, wire::BatchMessage{batch}}, {kExecutor, of_it}}),
            "one token");
  TokenConduct among_liars;
  among_liars.expect_liars();
  EXPECT_EQ(broken(among_liars, {{kExecutor, wire::BatchMessage{batch}}, {kExecutor, of_it}}), "");
  of_it.view = View(1);
  EXPECT_EQ(broken(once, {{kExecutor, of_it}}), "");
  TokenConduct twins;
  twins.excuse(kExecutor);
  EXPECT_EQ(broken(twins, {{kExecutor, token(0, 1, kA)}, {kExecutor, token(0, 1, kB)}}), "");
}

TEST(SilenceConduct, NothingInAViewInWhichItSpokeBeforeItsRestart) {
  SilenceConduct silence;
  const wire::Token said = token(2, 7, kA);
  silence.restarted(kExecutor);
  EXPECT_EQ(broken(silence, {{kExecutor, said}, {kExecutor, token(1, 8, kA)}}), "");
  silence.restarted(kExecutor);
  EXPECT_EQ(broken(silence, {{Address::executor(2), said}, {kExecutor, token(3, 8, kA)}}), "");
  const auto batch = wire::make_batch(View(1), BatchNumber(9), 1, 0, {}, kDigester);
  const std::vector<wire::Message> late = {said, wire::Suspect{View(2)}, wire::BatchMessage{batch}};
  for (const wire::Message& message : late) {
    EXPECT_EQ(broken(silence, {{kExecutor, message}}), "silent after restart");
  }
  silence.excuse(kExecutor);
  EXPECT_EQ(broken(silence, {{kExecutor, said}}), "");
}

TEST(PrimaryConduct, OnePrimaryAViewAndOneBatchOfIt) {
  const auto batch = [](uint64_t view, uint64_t seed) {
    return wire::BatchMessage{wire::make_batch(View(view), BatchNumber(1), 1, seed, {}, kDigester)};
  };
  PrimaryConduct conduct(kModel);
  EXPECT_EQ(broken(conduct, {{Address::executor(0), batch(0, 1)},
                             {Address::executor(0), batch(0, 1)},
                             {Address::executor(1), batch(1, 2)}}),
            "");
  EXPECT_EQ(broken(conduct, {{Address::executor(0), batch(0, 2)}}), "one batch");
  EXPECT_EQ(broken(conduct, {{Address::executor(0), batch(1, 2)}}), "one primary");
}

wire::Prepare prepare(uint64_t view, uint64_t number, const crypto::Digest& token) {
  return {View(view), BatchNumber(number), token, kGenesis, 0, {}};
}
wire::Commit commit(uint64_t view, uint64_t number, const crypto::Digest& token) {
  return {View(view), BatchNumber(number), token};
}
wire::ViewChange asks(uint64_t view) {
  return {View(view), {}, 0, {}};
}

TEST(VoteConduct, OneVoteForEachBatchOfAView) {
  VoteConduct conduct(kModel, kLedger);
  EXPECT_EQ(broken(conduct, {{kVerifier, prepare(0, 1, kA)}, {kVerifier, prepare(0, 1, kA)}}), "");
  EXPECT_EQ(broken(conduct, {{kVerifier, prepare(0, 1, kB)}}), "one vote");
}

TEST(VoteConduct, AVoteExtendsTheOwnHistory) {
  const auto after = [](uint64_t view, uint64_t number, const crypto::Digest& previous) {
    wire::Prepare vote = prepare(view, number, kB);
    vote.previous = previous;
    return vote;
  };
  VoteConduct conduct(kModel, kLedger);
  EXPECT_EQ(broken(conduct, {{kVerifier, prepare(0, 1, kA)}, {kVerifier, after(0, 2, kA)}}), "");
  EXPECT_EQ(broken(conduct, {{kVerifier, after(0, 3, kA)}}), "one history");
  EXPECT_EQ(broken(conduct, {{Address::verifier(1), after(0, 1, kA)}}), "one history")
      << "view 0 starts at genesis";
  EXPECT_EQ(broken(conduct, {{kVerifier, after(4, 9, kA)}}), "") << "a start point";
  EXPECT_EQ(broken(conduct, {{kVerifier, after(4, 10, kA)}}), "one history");

  VoteConduct certified(kModel, kLedger);
  certified.distrust(Address::verifier(3));
  EXPECT_EQ(broken(certified, {{Address::verifier(0), prepare(0, 1, kA)},
                               {Address::verifier(1), prepare(0, 1, kB)},
                               {Address::verifier(1), after(0, 2, kA)}}),
            "one history");
  EXPECT_EQ(
      broken(certified, {{kVerifier, prepare(0, 1, kA)}, {Address::verifier(1), after(0, 2, kA)}}),
      "")
      << "a certificate outranks the own vote, and a liar may be the third";
}

TEST(QuarantineConduct, OneListAViewWithItsCertificate) {
  const wire::Names poison = {kB};
  const wire::Verdict start{wire::VerdictKind::kRollback, View(1), BatchNumber(3), kA, poison};
  wire::Verdict nothing = start;
  nothing.quarantine.clear();
  wire::Prepare vote = prepare(1, 3, kA);
  vote.previous = wire::quarantine_digest(poison, kDigester);
  std::vector<std::pair<Address, wire::Message>> votes;
  for (uint16_t i = 0; i < 2; ++i) votes.emplace_back(Address::verifier(i), vote);

  QuarantineConduct conduct(kModel, kDigester);
  EXPECT_EQ(broken(conduct, votes), "");
  EXPECT_EQ(broken(conduct, {{kVerifier, start}}), "one quarantine") << "two PREPAREs";
  EXPECT_EQ(broken(conduct, {{kVerifier, vote}, {kVerifier, start}}), "");
  EXPECT_EQ(broken(conduct, {{kVerifier, wire::Welcome{View(1), start, {}}}}), "");
  EXPECT_EQ(broken(conduct, {{Address::verifier(1), nothing}}), "one quarantine");

  QuarantineConduct with_liar(kModel, kDigester);
  with_liar.distrust(Address::verifier(3));
  EXPECT_EQ(broken(with_liar, votes), "");
  EXPECT_EQ(broken(with_liar, {{kVerifier, start}, {Address::verifier(1), nothing}}), "");
  wire::Verdict other = start;
  other.quarantine = {kA};
  EXPECT_EQ(broken(with_liar, {{Address::verifier(1), other}}), "one quarantine");
}

TEST(VoteConduct, ACommitNeedsAQuorumOfVotes) {
  const std::vector<std::pair<Address, wire::Message>> two_votes = {
      {kVerifier, prepare(0, 1, kA)},
      {Address::verifier(1), prepare(0, 1, kA)},
      {kVerifier, commit(0, 1, kA)}};
  VoteConduct conduct(kModel, kLedger);
  EXPECT_EQ(broken(conduct, two_votes), "certificates");
  EXPECT_EQ(
      broken(conduct, {{Address::verifier(0), prepare(0, 1, kA)}, {kVerifier, commit(0, 1, kA)}}),
      "");
  VoteConduct with_liar(kModel, kLedger);
  with_liar.distrust(Address::verifier(3));
  EXPECT_EQ(broken(with_liar, two_votes), "") << "a liar may be the third";
}

TEST(VoteConduct, SilenceBelowAViewAskedFor) {
  VoteConduct conduct(kModel, kLedger);
  EXPECT_EQ(broken(conduct, {{kVerifier, asks(3)}, {kVerifier, prepare(3, 1, kA)}}), "");
  EXPECT_EQ(broken(conduct, {{kVerifier, prepare(2, 1, kA)}}), "silence below");
  EXPECT_EQ(broken(conduct, {{kVerifier, commit(2, 1, kA)}}), "silence below");
}

/// A NEW-VIEW 1 at genesis that verifier 1 leads.
wire::NewView new_view(size_t asking, uint64_t number) {
  wire::NewView made;
  made.view = View(1);
  made.number = BatchNumber(number);
  made.token = number == 0 ? kGenesis : kA;
  for (uint16_t i = 0; i < asking; ++i) {
    const LightAuthenticator authenticator(Address::verifier(i), kDigester);
    const verification::Notary notary(kModel, i, kGenesis, authenticator);
    wire::ViewChange change = asks(1);
    change.prepared.token = kGenesis;
    notary.sign(change);
    made.proof.push_back(change);
  }
  const LightAuthenticator leader(Address::verifier(1), kDigester);
  verification::Notary(kModel, 1, kGenesis, leader).sign(made);
  return made;
}

TEST(ViewConduct, AStartPointThatItsProofGives) {
  const LightAuthenticator anybody(Address::verifier(0), kDigester);
  const auto says = [&anybody](const std::vector<std::pair<Address, wire::Message>>& sent) {
    ViewConduct conduct(kModel, kGenesis, anybody);
    return broken(conduct, sent);
  };
  const Address leader = Address::verifier(1);
  EXPECT_EQ(says({{leader, new_view(3, 0)}, {kVerifier, new_view(3, 0)}}), "");
  EXPECT_EQ(says({{leader, new_view(2, 0)}}), "certificates") << "too few ask";
  EXPECT_EQ(says({{leader, new_view(3, 1)}}), "certificates") << "another choice";
  EXPECT_EQ(says({{leader, new_view(3, 0)}, {leader, new_view(3, 1)}}), "one start");
  EXPECT_EQ(says({{leader, new_view(3, 0)}, {kVerifier, new_view(3, 1)}}), "certificates")
      << "what is passed on has to be right as well";
  wire::NewView forged = new_view(3, 0);
  forged.proof.front().signature = "forged";
  EXPECT_EQ(says({{leader, forged}}), "certificates");
}

TEST(ViewChecker, ViewsGrowAsLongAsANodeLives) {
  ViewChecker checker;
  checker.stands(kVerifier, View(2));
  checker.stands(kVerifier, View(2));
  EXPECT_THROW(checker.stands(kVerifier, View(1)), Violation);
  checker.restarted(kVerifier);
  EXPECT_NO_THROW(checker.stands(kVerifier, View(0)));
}

TEST(SequentialChecker, RunsInOrderGiveOneToken) {
  SequentialChecker checker;
  const wire::TokenParts parts{BatchNumber(1), kGenesis, kA, kA, {}};
  checker.ran(kExecutor, parts, kA);
  EXPECT_NO_THROW(checker.ran(Address::executor(2), parts, kA));
  EXPECT_THROW(checker.ran(Address::executor(2), parts, kB), Violation);
}

TEST(RollbackChecker, TheRootIsThatOfBefore) {
  const auto ran = [](uint64_t number, const crypto::Digest& state) {
    return wire::TokenParts{BatchNumber(number), {}, {}, state, {}};
  };
  RollbackChecker checker;
  checker.fetched(ran(4, kGenesis));
  checker.ran(ran(5, kA), execution::RunMode::kParallel);
  checker.ran(ran(6, kB), execution::RunMode::kSequential);
  EXPECT_TRUE(checker.undoes_parallel(BatchNumber(4)));
  EXPECT_FALSE(checker.undoes_parallel(BatchNumber(5)));
  EXPECT_NO_THROW(checker.rolled_back(kExecutor, BatchNumber(5), kA));
  EXPECT_THROW(checker.rolled_back(kExecutor, BatchNumber(4), kA), Violation);
}

wire::BundlePtr bundle_of_client_0() {
  const wire::BundleFields fields{wire::BundleKind::kCall, 0, SessionId(1), RequestNumber(1), {}};
  return wire::make_bundle(fields, {"please"}, [](ByteView) { return Bytes("signature"); });
}

TEST(BlameChecker, CorrectNodesRefuseNothingOfCorrectNodes) {
  BlameChecker checker;
  Refusals refusals;
  BlameChecker::Seen seen;
  refusals.overflow();
  refusals.add(kExecutor, execution::kFarFromClock);
  EXPECT_NO_THROW(checker.look(kVerifier, refusals, seen));
  refusals.add(kExecutor, "a lie");
  EXPECT_THROW(checker.look(kVerifier, refusals, seen), Violation);
  EXPECT_NO_THROW(checker.look(kVerifier, refusals, seen)) << "nothing new";
  refusals.add(kExecutor, "a lie");
  checker.excuse(kExecutor);
  EXPECT_NO_THROW(checker.look(kVerifier, refusals, seen));
  refusals.add(Address::executor(2), "a lie");
  EXPECT_THROW(checker.look(kVerifier, refusals, seen), Violation);
  refusals.add(Address::executor(2), "a lie");
  checker.excuse(kVerifier);
  EXPECT_NO_THROW(checker.look(kVerifier, refusals, seen)) << "who lies may blame anybody";
}

/// One batch of one bundle of client 0, whose answer is "yes".
class CommittedBundle : public ::testing::Test {
 protected:
  void run(const wire::BundlePtr& bundle) {
    const auto batch = wire::make_batch(View(), BatchNumber(1), 1, 1, {bundle}, kDigester);
    ledger_.saw_batch(batch);
    execution::BatchExecuted executed;
    executed.parts = {BatchNumber(1), kGenesis, batch->digest, kA, {}};
    executed.token = wire::token_of(executed.parts, kDigester);
    execution::BundleReply reply;
    reply.session = SessionId(1);
    reply.first = RequestNumber(1);
    reply.payload = SharedBytes(Bytes("yes"));
    reply.digest = kA;
    executed.replies.push_back(reply);
    ledger_.saw_executed(executed);
    token_ = executed.token;
  }
  static wire::BundlePtr bundle() { return bundle_of_client_0(); }

  Ledger ledger_{kGenesis};
  crypto::Digest token_;
};

TEST_F(CommittedBundle, NoReplyLeavesBeforeItsVerdict) {
  run(bundle());
  ReplyChecker replies(ledger_);
  ReplyGate gate(kModel, ledger_, replies);
  const wire::Reply yes{SessionId(1), RequestNumber(1), wire::ReplyStatus::kExecuted, {}, kA, {}};
  wire::Reply no = yes;
  no.digest = kB;
  EXPECT_EQ(broken(gate, {{kExecutor, yes}}), "verdict first") << "nobody has committed it";
  ledger_.committed(Address::executor(0), BatchNumber(1), token_);
  EXPECT_EQ(broken(gate, {{Address::executor(0), yes}}), "");
  EXPECT_EQ(broken(gate, {{kExecutor, yes}}), "verdict first") << "another has";
  EXPECT_EQ(broken(gate, {{Address::executor(0), no}}), "verdict first") << "something else";
}

TEST_F(CommittedBundle, AClientNeedsAQuorum) {
  ReplyChecker replies(ledger_);
  ReplyGate gate(kModel, ledger_, replies);
  const BundleName bundle{0, SessionId(1), RequestNumber(1)};
  const wire::Reply yes{SessionId(1), RequestNumber(1), wire::ReplyStatus::kExecuted, {}, kA, {}};
  gate.arrived(kExecutor, 0, yes);
  gate.arrived(kExecutor, 0, yes);
  EXPECT_THROW(gate.accepted(bundle, kA), Violation);
  gate.arrived(Address::executor(2), 0, yes);
  EXPECT_NO_THROW(gate.accepted(bundle, kA));
}

TEST_F(CommittedBundle, WhatRunsIsWhatTheClientSigned) {
  run(bundle());
  ledger_.committed(kExecutor, BatchNumber(1), token_);
  AuthenticityChecker right(ledger_, kDigester);
  EXPECT_EQ(broken(right, {{Address::client(0), wire::BundleMessage{bundle(), false}}}), "");
  EXPECT_NO_THROW(right.follow());
  AuthenticityChecker wrong(ledger_, kDigester);
  EXPECT_EQ(broken(wrong, {{kExecutor, wire::BundleMessage{bundle(), false}}}), "");
  EXPECT_THROW(wrong.follow(), Violation) << "an executor's word is not the client's";
  AuthenticityChecker liar(ledger_, kDigester);
  liar.ignore(0);
  EXPECT_NO_THROW(liar.follow());
}

}  // namespace
}  // namespace eve::sim
