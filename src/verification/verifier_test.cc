// V1 to V10, rule by rule: one verifier, and peers whose messages the test signs.
#include "verification/verifier.h"

#include "base/limits.h"
#include "verification/testing.h"

namespace eve::verification::testing {
namespace {

const FaultModel kModel(1, 1);

class VerifierTest : public ::testing::Test {
 protected:
  /// Batch `number` becomes committed at the verifier under test.
  void commit_batch(uint64_t number, ByteView name) {
    for (const uint16_t peer : {1, 2, 3}) lone_.commit(peer, 0, number, name);
    ASSERT_EQ(lone_.status().committed, BatchNumber(number));
  }
  void change_from(uint16_t peer, uint64_t view, const wire::Certificate& held) {
    lone_.give(Address::verifier(peer), lone_.signers[peer]->change(view, held));
  }
  /// Views that the verifier asked for since the last call.
  std::vector<uint64_t> asked() {
    std::vector<uint64_t> views;
    for (const auto& change : lone_.sent<wire::ViewChange>()) views.push_back(change.view.value());
    return views;
  }
  std::vector<wire::ViewChange> proof(uint64_t view, const wire::Certificate& held) {
    std::vector<wire::ViewChange> changes;
    for (const uint16_t peer : {1, 2, 3})
      changes.push_back(lone_.signers[peer]->change(view, held));
    return changes;
  }
  void join(uint64_t view, const wire::Certificate& held) {
    const auto leader = static_cast<uint16_t>(view % kModel.verifiers());
    lone_.give(Address::verifier(leader), lone_.signers[leader]->new_view(view, proof(view, held)));
    ASSERT_EQ(lone_.status().view, View(view));
  }
  void start(uint64_t view, uint64_t number, ByteView name) {
    for (const uint16_t peer : {1, 2, 3}) lone_.commit(peer, view, number, name);
    ASSERT_EQ(lone_.status().phase, "normal");
  }
  wire::Certificate certified(uint64_t view, uint64_t number, ByteView name) {
    return make_certificate(kModel, {1, 2, 3}, view, number, digest(name), digest("before"));
  }
  Lone lone_{kModel};
};

TEST_F(VerifierTest, RecordsThatItRunsBeforeItsFirstVote) {
  EXPECT_EQ(highest_view(lone_.out.promises), View(0));
  EXPECT_EQ(lone_.status().phase, "normal");
  EXPECT_EQ(lone_.verifier->deadline(), std::numeric_limits<TimeUs>::max());
}

TEST_F(VerifierTest, V1ALateTokenIsAnsweredWithTheVerdictsThatItsSenderLacks) {
  commit_batch(1, "A1");
  lone_.sent<wire::Verdict>();
  lone_.token(2, 0, 1, "B1", kGenesis);
  EXPECT_TRUE(lone_.sent<wire::Verdict>().empty()) << "it was sent just now";
  lone_.wait(100'000);
  lone_.token(2, 0, 1, "B1", kGenesis);
  const auto told = lone_.sent<wire::Verdict>();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0],
            (wire::Verdict{wire::VerdictKind::kCommit, View(0), BatchNumber(1), digest("A1")}));
}

TEST_F(VerifierTest, V1ATokenOfAnOlderViewIsAnsweredWithTheStart) {
  join(1, certified(0, 3, "A3"));
  start(1, 3, "A3");
  lone_.sent<wire::Verdict>();
  lone_.wait(100'000);
  lone_.token(2, 0, 4, "A4", digest("A3"));
  const auto told = lone_.sent<wire::Verdict>();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0],
            (wire::Verdict{wire::VerdictKind::kRollback, View(1), BatchNumber(3), digest("A3")}));
  EXPECT_EQ(told[1].kind, wire::VerdictKind::kCommit);
}

TEST_F(VerifierTest, V1ASuspicionOfAnOlderViewIsAnsweredWithTheStart) {
  join(1, certified(0, 3, "A3"));
  start(1, 3, "A3");
  lone_.sent<wire::Verdict>();
  lone_.wait(100'000);
  lone_.give(Address::executor(2), wire::Suspect{View(1)});
  EXPECT_TRUE(lone_.sent<wire::Verdict>().empty());
  lone_.give(Address::executor(2), wire::Suspect{View(0)});
  const auto told = lone_.sent<wire::Verdict>();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].kind, wire::VerdictKind::kRollback);
  EXPECT_EQ(told[0].view, View(1));
  lone_.give(Address::executor(2), wire::Suspect{View(5)});
  EXPECT_EQ(lone_.sent<wire::Hello>().size(), 1u) << "the executor knows of a later view";
}

TEST_F(VerifierTest, V1ATokenOfAHigherViewMakesItAskOthersOnceInAResendTime) {
  for (int i = 0; i < 5; ++i) lone_.token(0, 3, 1, "A1", kGenesis);
  EXPECT_EQ(lone_.sent<wire::Hello>().size(), 1u);
  lone_.wait(100'000);
  lone_.token(0, 3, 1, "A1", kGenesis);
  EXPECT_EQ(lone_.sent<wire::Hello>().size(), 1u);
}

TEST_F(VerifierTest, V2V3V4FromTokensToVerdict) {
  lone_.token(0, 0, 1, "A1", kGenesis);
  EXPECT_TRUE(lone_.sent<wire::Prepare>().empty());
  lone_.token(1, 0, 1, "A1", kGenesis);
  ASSERT_EQ(lone_.sent<wire::Prepare>().size(), 1u);
  lone_.prepare(1, 0, 1, "A1", kGenesis);
  EXPECT_TRUE(lone_.sent<wire::Commit>().empty());
  lone_.prepare(2, 0, 1, "A1", kGenesis);
  ASSERT_EQ(lone_.sent<wire::Commit>().size(), 1u);
  lone_.commit(1, 0, 1, "A1");
  EXPECT_TRUE(lone_.sent<wire::Verdict>().empty());
  lone_.commit(2, 0, 1, "A1");
  const auto verdicts = lone_.sent<wire::Verdict>();
  ASSERT_EQ(verdicts.size(), 1u);
  EXPECT_EQ(verdicts[0].token, digest("A1"));
  EXPECT_EQ(lone_.status().committed, BatchNumber(1));
}

TEST_F(VerifierTest, V4ACommitTakesAllBeforeItAlongHoweverFarItIs) {
  commit_batch(7, "A7");
  commit_batch(500, "A500");
  EXPECT_EQ(lone_.status().token, digest("A500"));
  lone_.token(0, 0, 501, "A501", digest("A500"));
  lone_.token(1, 0, 501, "A501", digest("A500"));
  EXPECT_EQ(lone_.sent<wire::Prepare>().size(), 1u) << "the window has moved";
}

TEST_F(VerifierTest, V4VouchedWelcomesTeachACommit) {
  const wire::Verdict genesis{wire::VerdictKind::kRollback, View(0), BatchNumber(0), kGenesis};
  const auto last = [](uint64_t view, ByteView name) {
    return wire::Verdict{wire::VerdictKind::kCommit, View(view), BatchNumber(40), digest(name)};
  };
  lone_.give(Address::verifier(1), wire::Welcome{View(0), genesis, last(0, "A40")});
  lone_.give(Address::verifier(1), wire::Welcome{View(0), genesis, last(0, "A40")});
  lone_.give(Address::verifier(3), wire::Welcome{View(0), genesis, last(0, "B40")});
  EXPECT_EQ(lone_.status().committed, BatchNumber(0));
  lone_.give(Address::verifier(2), wire::Welcome{View(2), genesis, last(2, "A40")});
  EXPECT_EQ(lone_.status().committed, BatchNumber(40));
  EXPECT_EQ(lone_.status().token, digest("A40"));
}

TEST_F(VerifierTest, V4OneVerifierDoesNotChooseTheViewOfACommit) {
  const wire::Verdict genesis{wire::VerdictKind::kRollback, View(0), BatchNumber(0), kGenesis};
  const auto welcome = [&](uint64_t view) {
    return wire::Welcome{
        View(view), genesis,
        wire::Verdict{wire::VerdictKind::kCommit, View(view), BatchNumber(40), digest("A40")}};
  };
  lone_.give(Address::verifier(1), welcome(3));
  lone_.sent<wire::Verdict>();
  lone_.give(Address::verifier(2), welcome(1'000'000));
  const auto told = lone_.sent<wire::Verdict>();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].number, BatchNumber(40));
  EXPECT_EQ(told[0].view, View(3));
}

TEST_F(VerifierTest, V5VotesAreRepeatedUntilProgress) {
  lone_.token(0, 0, 1, "A1", kGenesis);
  lone_.token(1, 0, 1, "A1", kGenesis);
  lone_.prepare(1, 0, 1, "A1", kGenesis);
  lone_.prepare(2, 0, 1, "A1", kGenesis);
  lone_.sent<wire::Prepare>();
  lone_.sent<wire::Commit>();
  lone_.wait(250'000);
  EXPECT_EQ(lone_.sent<wire::Prepare>().size(), 2u);
  EXPECT_EQ(lone_.sent<wire::Commit>().size(), 2u);
  EXPECT_EQ(lone_.sent<wire::Hello>().size(), 2u) << "it may be the one that missed something";
  commit_batch(1, "A1");
  lone_.wait(1'000'000);
  EXPECT_TRUE(lone_.sent<wire::Prepare>().empty());
  EXPECT_TRUE(lone_.sent<wire::Hello>().empty());
}

TEST_F(VerifierTest, V6aAsksAtOnceWhenNoTokenCanReachItsQuorum) {
  lone_.token(0, 0, 1, "A1", kGenesis);
  lone_.token(1, 0, 1, "B1", kGenesis);
  lone_.token(2, 0, 1, "C1", kGenesis);
  EXPECT_EQ(asked(), std::vector<uint64_t>{1});
  EXPECT_EQ(highest_view(lone_.out.promises), View(1));
  EXPECT_EQ(lone_.status().phase, "changing");
}

TEST_F(VerifierTest, V6bAsksSomeTimeAfterTokensDiffered) {
  lone_.token(0, 0, 1, "A1", kGenesis);
  lone_.token(1, 0, 1, "B1", kGenesis);
  lone_.wait(19'999);
  EXPECT_TRUE(asked().empty());
  lone_.wait(1);
  EXPECT_EQ(asked(), std::vector<uint64_t>{1});
}

TEST_F(VerifierTest, V6bACommitInTimeEndsTheDelay) {
  lone_.token(0, 0, 1, "A1", kGenesis);
  lone_.token(1, 0, 1, "B1", kGenesis);
  lone_.wait(19'999);
  commit_batch(1, "A1");
  lone_.wait(1'000'000);
  EXPECT_TRUE(asked().empty());
  EXPECT_EQ(lone_.status().divergences, 1u);
}

TEST_F(VerifierTest, V6cAsksWhenAKnownBatchStaysUnverified) {
  lone_.token(0, 0, 1, "A1", kGenesis);
  lone_.wait(2'000'000);
  EXPECT_TRUE(asked().empty()) << "one executor may lie about a batch";
  lone_.token(1, 0, 1, "A1", kGenesis);
  lone_.wait(499'999);
  EXPECT_TRUE(asked().empty());
  lone_.wait(1);
  EXPECT_EQ(asked().front(), 1u);
}

TEST_F(VerifierTest, V6dAsksWhenEnoughExecutorsSuspectThePrimary) {
  lone_.give(Address::executor(1), wire::Suspect{View(0)});
  lone_.give(Address::executor(1), wire::Suspect{View(0)});
  lone_.give(Address::executor(2), wire::Suspect{View(7)});
  EXPECT_TRUE(asked().empty());
  lone_.give(Address::executor(2), wire::Hello{true, View(0), BatchNumber(0)});
  EXPECT_EQ(asked(), std::vector<uint64_t>{1}) << "a restart counts as suspicion";
}

TEST_F(VerifierTest, V6dSuspicionsThatAreNotRepeatedDoNotAddUp) {
  lone_.give(Address::executor(1), wire::Suspect{View(0)});
  lone_.wait(1'900'000);
  EXPECT_EQ(lone_.status().suspecting, std::vector<uint16_t>{1});
  lone_.wait(200'000);
  lone_.give(Address::executor(2), wire::Suspect{View(0)});
  EXPECT_TRUE(asked().empty());
  EXPECT_EQ(lone_.status().suspecting, std::vector<uint16_t>{2});
  lone_.wait(1'000'000);
  lone_.give(Address::executor(1), wire::Suspect{View(0)});
  EXPECT_EQ(asked(), std::vector<uint64_t>{1});
}

TEST_F(VerifierTest, V6eAsksForARestartedVerifierTogetherWithOthersButNotAllTheTime) {
  const auto restarted = [&](uint64_t view) {
    lone_.give(Address::verifier(2), wire::Hello{true, View(view), BatchNumber(0)});
  };
  const auto others_say = [&](uint64_t view) {
    for (const uint16_t peer : {1, 3}) {
      lone_.give(Address::verifier(peer), wire::Needed{View(view), Address::verifier(2)});
    }
  };
  restarted(0);
  EXPECT_EQ(lone_.sent<wire::Needed>().size(), 1u) << "others are told";
  EXPECT_TRUE(asked().empty()) << "alone it would leave alone";
  others_say(0);
  EXPECT_EQ(asked(), std::vector<uint64_t>{1});
  join(1, genesis_certificate());
  start(1, 0, "genesis");
  restarted(0);
  EXPECT_EQ(lone_.sent<wire::NewView>().size(), 1u);
  EXPECT_TRUE(lone_.sent<wire::Needed>().empty()) << "view 1 is above what it promised";
  restarted(1);
  EXPECT_TRUE(lone_.sent<wire::Needed>().empty()) << "too soon";
  lone_.wait(2'000'000);
  restarted(1);
  others_say(1);
  EXPECT_EQ(asked(), std::vector<uint64_t>{2});
}

TEST_F(VerifierTest, V6TheViewAfterIsAskedForWhenAQuorumAskedAndItsTimeRanOut) {
  lone_.give(Address::executor(1), wire::Suspect{View(0)});
  lone_.give(Address::executor(2), wire::Suspect{View(0)});
  lone_.wait(5'000'000);
  for (const uint64_t view : asked()) EXPECT_EQ(view, 1u) << "alone it waits for ever";
  change_from(2, 1, genesis_certificate());
  lone_.wait(5'000'000);
  for (const uint64_t view : asked()) EXPECT_EQ(view, 1u) << "two are no quorum";
  change_from(3, 1, genesis_certificate());
  lone_.wait(299'999);
  for (const uint64_t view : asked()) EXPECT_EQ(view, 1u);
  lone_.wait(1);
  EXPECT_EQ(lone_.status().promised, View(2));
  asked();

  change_from(2, 2, genesis_certificate());
  change_from(3, 2, genesis_certificate());
  lone_.wait(599'999);
  for (const uint64_t view : asked()) EXPECT_EQ(view, 2u) << "the time doubles";
  lone_.wait(1);
  EXPECT_EQ(lone_.status().promised, View(3));
}

TEST_F(VerifierTest, V6TimeoutsFallBackOnceABatchAfterTheStartPointCommits) {
  join(1, genesis_certificate());
  lone_.wait(300'000);
  EXPECT_EQ(asked(), std::vector<uint64_t>{2});
  join(2, genesis_certificate());
  lone_.wait(599'999);
  EXPECT_TRUE(asked().empty());
  start(2, 0, "genesis");
  for (const uint16_t peer : {1, 2, 3}) lone_.commit(peer, 2, 1, "A1");
  join(3, certified(2, 1, "A1"));
  lone_.wait(299'999);
  EXPECT_TRUE(asked().empty());
  lone_.wait(1);
  EXPECT_EQ(asked(), std::vector<uint64_t>{4});
}

TEST_F(VerifierTest, V6AViewChangeCarriesTheHighestCertificate) {
  lone_.token(0, 0, 1, "A1", kGenesis);
  lone_.token(1, 0, 1, "A1", kGenesis);
  for (const uint16_t peer : {1, 2}) lone_.prepare(peer, 0, 1, "A1", kGenesis);
  for (const uint16_t peer : {1, 2, 3}) lone_.prepare(peer, 0, 2, "A2", digest("A1"));
  lone_.give(Address::executor(1), wire::Suspect{View(0)});
  lone_.give(Address::executor(2), wire::Suspect{View(0)});
  const auto changes = lone_.sent<wire::ViewChange>();
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].prepared.number, BatchNumber(2));
  EXPECT_TRUE(lone_.signers[3]->notary().valid(changes[0]));
}

TEST_F(VerifierTest, V7JoinsAValidNewViewAndPreparesItsStartPointFirst) {
  join(1, certified(0, 3, "A3"));
  const auto prepares = lone_.sent<wire::Prepare>();
  ASSERT_EQ(prepares.size(), 1u);
  EXPECT_EQ(prepares[0].number, BatchNumber(3));
  EXPECT_EQ(prepares[0].previous, crypto::Digest());
  EXPECT_EQ(highest_view(lone_.out.promises), View(1));
  EXPECT_EQ(lone_.status().phase, "starting");

  for (const uint16_t peer : {1, 2}) lone_.prepare(peer, 1, 3, "A3", {});
  EXPECT_EQ(lone_.sent<wire::Commit>().size(), 1u);
  for (const uint16_t peer : {1, 2}) lone_.commit(peer, 1, 3, "A3");
  const auto verdicts = lone_.sent<wire::Verdict>();
  ASSERT_EQ(verdicts.size(), 2u);
  EXPECT_EQ(verdicts[1],
            (wire::Verdict{wire::VerdictKind::kRollback, View(1), BatchNumber(3), digest("A3")}));
  EXPECT_EQ(lone_.status().phase, "normal");
}

TEST_F(VerifierTest, V7RefusesAWrongChoiceAndThenListensToOthersOnly) {
  auto bad = lone_.signers[1]->new_view(1, proof(1, certified(0, 3, "A3")));
  bad.number = BatchNumber(2);
  lone_.signers[1]->notary().sign(bad);
  lone_.give(Address::verifier(1), bad);
  EXPECT_EQ(lone_.status().view, View(0));
  EXPECT_EQ(lone_.status().refused_messages, 1u);
  const auto good = lone_.signers[1]->new_view(1, proof(1, certified(0, 3, "A3")));
  lone_.give(Address::verifier(1), good);
  EXPECT_EQ(lone_.status().view, View(0)) << "a liar's floods are not checked again";
  lone_.give(Address::verifier(3), good);
  EXPECT_EQ(lone_.status().view, View(1)) << "anybody may hand on a NEW-VIEW";
}

TEST_F(VerifierTest, V7RefusesAStartPointBelowWhatIsCommitted) {
  commit_batch(5, "A5");
  lone_.give(Address::verifier(1), lone_.signers[1]->new_view(1, proof(1, certified(0, 4, "A4"))));
  lone_.give(Address::verifier(2), lone_.signers[1]->new_view(1, proof(1, certified(0, 5, "B5"))));
  EXPECT_EQ(lone_.status().view, View(0));
  EXPECT_EQ(lone_.status().refused_messages, 2u);
  join(1, certified(0, 5, "A5"));
}

TEST_F(VerifierTest, V7AnEquivocatingLeaderGetsOneStartPointPrepareAView) {
  join(1, certified(0, 3, "A3"));
  lone_.sent<wire::Prepare>();
  lone_.give(Address::verifier(1), lone_.signers[1]->new_view(1, proof(1, certified(0, 4, "B4"))));
  EXPECT_TRUE(lone_.sent<wire::Prepare>().empty());
  // The others got the second one; what r+1 of them say has started is the truth.
  const wire::Verdict truth{wire::VerdictKind::kRollback, View(1), BatchNumber(4), digest("B4")};
  const wire::Verdict last{wire::VerdictKind::kCommit, View(1), BatchNumber(4), digest("B4")};
  lone_.give(Address::verifier(2), wire::Welcome{View(1), truth, last});
  EXPECT_EQ(lone_.status().phase, "starting");
  lone_.give(Address::verifier(3), wire::Welcome{View(1), truth, last});
  EXPECT_EQ(lone_.status().phase, "normal");
  EXPECT_EQ(lone_.status().token, digest("B4"));
}

TEST_F(VerifierTest, V7ACommitAboveTheStartDoesNotNameTheStart) {
  join(1, certified(0, 3, "A3"));
  lone_.sent<wire::Verdict>();
  for (const uint16_t peer : {1, 2, 3}) lone_.commit(peer, 1, 9, "B9");
  const auto verdicts = lone_.sent<wire::Verdict>();
  ASSERT_EQ(verdicts.size(), 1u) << "whether 3 is the start is not known";
  EXPECT_EQ(verdicts[0].kind, wire::VerdictKind::kCommit);
  lone_.wait(250'000);
  EXPECT_EQ(lone_.sent<wire::Hello>().size(), 2u) << "it asks what the start was";
  for (const uint16_t peer : {1, 2, 3}) lone_.commit(peer, 1, 10, "B10");
  lone_.wait(299'999);
  EXPECT_TRUE(asked().empty()) << "a view that commits is not silent";
  lone_.wait(1);
  EXPECT_EQ(asked(), std::vector<uint64_t>{2});
}

TEST_F(VerifierTest, V7JoinsAViewWhoseBatchesItLearntBefore) {
  for (const uint16_t peer : {1, 2, 3}) lone_.commit(peer, 1, 9, "B9");
  join(1, certified(0, 3, "A3"));
  lone_.token(0, 1, 10, "B10", digest("B9"));
  lone_.token(1, 1, 10, "B10", digest("B9"));
  EXPECT_EQ(lone_.sent<wire::Prepare>().size(), 2u) << "the start point, and batch 10";
}

TEST_F(VerifierTest, V7VotesThatOvertakeTheNewViewCount) {
  for (const uint16_t peer : {1, 2}) lone_.prepare(peer, 1, 3, "A3", {});
  for (const uint16_t peer : {1, 2}) lone_.commit(peer, 1, 3, "A3");
  join(1, certified(0, 3, "A3"));
  EXPECT_EQ(lone_.sent<wire::Commit>().size(), 1u);
  EXPECT_EQ(lone_.status().phase, "normal");
}

TEST_F(VerifierTest, V7LeadsAViewThatItDidNotAskForItself) {
  for (const uint16_t peer : {1, 2}) change_from(peer, 4, certified(0, 3, "A3"));
  EXPECT_TRUE(lone_.sent<wire::NewView>().empty());
  change_from(3, 4, certified(0, 2, "A2"));
  const auto started = lone_.sent<wire::NewView>();
  ASSERT_EQ(started.size(), 1u);
  EXPECT_EQ(started[0].number, BatchNumber(3));
  EXPECT_TRUE(lone_.signers[3]->notary().valid(started[0]));
  EXPECT_EQ(lone_.status().view, View(4));
  lone_.wait(150'000);
  EXPECT_EQ(lone_.sent<wire::NewView>().size(), 1u) << "V5: until the start point commits";
}

TEST_F(VerifierTest, V7ForgedViewChangesMakeNoView) {
  auto forged = certified(0, 9, "X9");
  forged.votes[0].signature = "no";
  change_from(1, 4, forged);
  change_from(2, 4, certified(0, 3, "A3"));
  change_from(3, 4, certified(4, 3, "A3"));
  EXPECT_TRUE(lone_.sent<wire::NewView>().empty());
  EXPECT_EQ(lone_.status().refused_messages, 2u);
}

TEST_F(VerifierTest, V8NoVotesBelowAViewAskedForButCommitsAreLearnt) {
  lone_.give(Address::executor(1), wire::Suspect{View(0)});
  lone_.give(Address::executor(2), wire::Suspect{View(0)});
  lone_.token(0, 0, 1, "A1", kGenesis);
  lone_.token(1, 0, 1, "A1", kGenesis);
  for (const uint16_t peer : {1, 2, 3}) lone_.prepare(peer, 0, 1, "A1", kGenesis);
  lone_.wait(500'000);
  EXPECT_TRUE(lone_.sent<wire::Prepare>().empty());
  EXPECT_TRUE(lone_.sent<wire::Commit>().empty());
  commit_batch(1, "A1");
  EXPECT_EQ(lone_.sent<wire::Verdict>().size(), 1u);
  const auto low = lone_.signers[1]->new_view(1, proof(1, certified(0, 1, "A1")));
  lone_.give(Address::verifier(1), low);
  EXPECT_EQ(lone_.status().view, View(1));
}

TEST_F(VerifierTest, V10HelloIsAnsweredAndALaggardGetsTheNewView) {
  join(1, certified(0, 3, "A3"));
  start(1, 3, "A3");
  lone_.give(Address::executor(2), wire::Hello{false, View(0), BatchNumber(0)});
  const auto welcomes = lone_.sent<wire::Welcome>();
  ASSERT_EQ(welcomes.size(), 1u);
  EXPECT_EQ(welcomes[0].promised, View(1));
  EXPECT_EQ(welcomes[0].start.number, BatchNumber(3));
  EXPECT_EQ(welcomes[0].last.token, digest("A3"));
  EXPECT_TRUE(lone_.sent<wire::NewView>().empty());
  lone_.give(Address::verifier(2), wire::Hello{false, View(0), BatchNumber(0)});
  EXPECT_EQ(lone_.sent<wire::NewView>().size(), 1u);
}

TEST_F(VerifierTest, V10TheNewViewIsSentToAVerifierOnceInHalfAResendTime) {
  join(1, certified(0, 3, "A3"));
  start(1, 3, "A3");
  const wire::Hello lost{true, View(0), BatchNumber(0)};
  for (int i = 0; i < 10; ++i) lone_.give(Address::verifier(2), lost);
  EXPECT_EQ(lone_.sent<wire::NewView>().size(), 1u);
  EXPECT_EQ(lone_.sent<wire::Welcome>().size(), 10u);
  lone_.give(Address::verifier(3), lost);
  EXPECT_EQ(lone_.sent<wire::NewView>().size(), 1u) << "each for itself";
  lone_.wait(200'000);
  lone_.give(Address::verifier(2), lost);
  EXPECT_EQ(lone_.sent<wire::NewView>().size(), 1u) << "it may have got lost";
}

// Found by the simulator (bft, withheld-state+mute, seed 7701874): its COMMIT had been lost, one
// verifier was silent, and the others, a batch behind, waited for ever for what it alone knew.
TEST_F(VerifierTest, V10WhoIsBehindIsToldTheOwnVoteAgain) {
  for (const uint16_t executor : {0, 1}) lone_.token(executor, 0, 1, "A1", kGenesis);
  for (const uint16_t peer : {1, 2}) lone_.prepare(peer, 0, 1, "A1", kGenesis);
  commit_batch(1, "A1");
  lone_.sent<wire::Commit>();
  lone_.give(Address::verifier(2), wire::Hello{false, View(0), BatchNumber(1)});
  EXPECT_TRUE(lone_.sent<wire::Commit>().empty());
  lone_.give(Address::executor(2), wire::Hello{false, View(0), BatchNumber(0)});
  EXPECT_TRUE(lone_.sent<wire::Commit>().empty());
  lone_.give(Address::verifier(2), wire::Hello{false, View(0), BatchNumber(0)});
  const auto again = lone_.sent<wire::Commit>();
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].number, BatchNumber(1));
  EXPECT_EQ(again[0].token, digest("A1"));
}

TEST_F(VerifierTest, V10AStartThatIsNotCommittedIsNotNamed) {
  join(1, certified(0, 3, "A3"));
  lone_.give(Address::executor(2), wire::Hello{false, View(0), BatchNumber(0)});
  EXPECT_EQ(lone_.sent<wire::Welcome>().front().start.view, View(0));
}

TEST_F(VerifierTest, WhoSignedBadlyIsNamedNotWhoseVoteShowedIt) {
  auto forged = lone_.signers[1]->prepare(0, 1, digest("A1"), kGenesis);
  forged.signature = "no";
  lone_.give(Address::verifier(1), forged);
  EXPECT_EQ(lone_.verifier->refusals().total(), 0u) << "not checked yet";
  lone_.prepare(2, 0, 1, "A1", kGenesis);
  const auto& blamed = lone_.verifier->refusals().by_sender();
  ASSERT_EQ(blamed.size(), 1u);
  EXPECT_EQ(blamed.begin()->first, Address::verifier(1));
  EXPECT_EQ(blamed.begin()->second.count, 1u);

  auto change = lone_.signers[3]->change(4, genesis_certificate());
  change.signature = "no";
  lone_.give(Address::verifier(3), change);
  change_from(1, 4, genesis_certificate());
  change_from(2, 4, genesis_certificate());
  EXPECT_EQ(blamed.size(), 2u);
  EXPECT_TRUE(blamed.contains(Address::verifier(3)));
}

TEST_F(VerifierTest, OnlyTheSenderVotesForItself) {
  lone_.give(Address::verifier(1), lone_.signers[2]->prepare(0, 1, digest("A1"), kGenesis));
  lone_.give(Address::verifier(1), lone_.signers[2]->change(1, genesis_certificate()));
  lone_.give(Address::client(1), make_token(0, 1, digest("A1"), kGenesis));
  lone_.give(Address::executor(9), wire::Suspect{View(0)});
  lone_.give(Address::executor(1), wire::Commit{View(0), BatchNumber(1), digest("A1")});
  lone_.give(Address::verifier(9), wire::Commit{View(0), BatchNumber(1), digest("A1")});
  lone_.give(Address::executor(1), wire::BatchMessage{});
  EXPECT_EQ(lone_.status().refused_messages, 7u);
}

TEST(LostPromises, V9StaysSilentUntilOthersStartAViewAboveItsPromise) {
  Lone lone(kModel, View(3));
  EXPECT_EQ(lone.status().phase, "recovering");
  const auto hello = lone.sent<wire::Hello>();
  ASSERT_EQ(hello.size(), 1u);
  EXPECT_TRUE(hello[0].restarted);
  EXPECT_EQ(hello[0].view, View(3));
  for (const uint16_t executor : {0, 1, 2}) lone.token(executor, 3, 1, "A1", kGenesis);
  for (const uint16_t peer : {1, 2, 3}) lone.prepare(peer, 3, 1, "A1", kGenesis);
  lone.wait(350'000);
  EXPECT_EQ(lone.sent<wire::Hello>().size(), 3u);
  for (const uint16_t peer : {1, 2, 3}) lone.commit(peer, 3, 1, "A1");
  EXPECT_EQ(lone.status().committed, BatchNumber(1)) << "it still learns";

  const auto held = make_certificate(kModel, {1, 2, 3}, 1, 1, digest("A1"), kGenesis);
  const auto proof = [&](uint64_t view, std::vector<uint16_t> from) {
    std::vector<wire::ViewChange> changes;
    for (const uint16_t i : from) changes.push_back(lone.signers[i]->change(view, held));
    return lone.signers[view % 4]->new_view(view, changes);
  };
  lone.give(Address::verifier(3), proof(3, {1, 2, 3}));
  EXPECT_EQ(lone.status().phase, "recovering") << "view 3 may hold promises of its own";
  lone.give(Address::verifier(1), proof(5, {0, 1, 2}));
  EXPECT_EQ(lone.status().phase, "recovering") << "its own word is no proof";
  EXPECT_TRUE(lone.sent<wire::Prepare>().empty());
  EXPECT_TRUE(lone.sent<wire::Commit>().empty());
  EXPECT_TRUE(lone.sent<wire::ViewChange>().empty());
  lone.give(Address::verifier(1), proof(5, {1, 2, 3}));
  EXPECT_EQ(lone.status().phase, "starting");
  EXPECT_EQ(lone.sent<wire::Prepare>().size(), 1u);
}

// Otherwise it and one slow verifier could start the next view without what the crash made it lose.
TEST(LostPromises, V9WhoComesBackHoldsTheCertificateThatItCameBackWith) {
  Lone lone(kModel, View(0));
  const auto held = make_certificate(kModel, {1, 2, 3}, 0, 1, digest("A1"), kGenesis);
  std::vector<wire::ViewChange> proof;
  for (const uint16_t i : {1, 2, 3}) proof.push_back(lone.signers[i]->change(1, held));
  lone.give(Address::verifier(1), lone.signers[1]->new_view(1, proof));
  lone.wait(2'000'000);
  const auto changes = lone.sent<wire::ViewChange>();
  ASSERT_FALSE(changes.empty());
  EXPECT_EQ(changes[0].view, View(2));
  EXPECT_EQ(changes[0].prepared.number, BatchNumber(1));
  EXPECT_TRUE(lone.signers[1]->notary().valid(changes[0]));
}

}  // namespace
}  // namespace eve::verification::testing
