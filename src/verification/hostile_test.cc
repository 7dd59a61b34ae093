// What a verifier hears from somebody who may not say it, and what is badly made: counted, and
// without effect.
#include <gtest/gtest.h>

#include "base/limits.h"
#include "verification/testing.h"

namespace eve::verification::testing {
namespace {

const FaultModel kModel(1, 1);

wire::Verdict verdict(wire::VerdictKind kind, uint64_t view, uint64_t number, ByteView name) {
  return {kind, View(view), BatchNumber(number), digest(name)};
}

class Hostile : public ::testing::Test {
 protected:
  /// Refused, counted, and nothing is said or known because of it.
  void expect_refused(Address from, const wire::Message& message) {
    const uint64_t before = lone_.status().refused_messages;
    lone_.out.sends.clear();
    lone_.give(from, message);
    EXPECT_EQ(lone_.status().refused_messages, before + 1) << to_string(from);
    EXPECT_TRUE(lone_.out.sends.empty()) << to_string(from);
    EXPECT_EQ(lone_.status().committed, BatchNumber(0));
    EXPECT_EQ(lone_.status().promised, View(0));
  }
  std::vector<wire::ViewChange> proof(uint64_t view) const {
    std::vector<wire::ViewChange> changes;
    for (const uint16_t peer : {1, 2, 3}) {
      changes.push_back(lone_.signers[peer]->change(view, genesis_certificate()));
    }
    return changes;
  }
  Lone lone_{kModel};
};

TEST_F(Hostile, OnlyOtherVerifiersOfTheClusterVote) {
  const auto prepare = lone_.signers[1]->prepare(0, 1, digest("A1"), kGenesis);
  const wire::Verdict genesis{wire::VerdictKind::kRollback, View(0), BatchNumber(0), kGenesis};
  const std::vector<wire::Message> votes{
      prepare, wire::Commit{View(0), BatchNumber(1), digest("A1")},
      lone_.signers[1]->change(1, genesis_certificate()), lone_.signers[1]->new_view(1, proof(1)),
      wire::Welcome{View(0), genesis, verdict(wire::VerdictKind::kCommit, 0, 1, "A1")}};
  for (const Address stranger :
       {Address::verifier(0), Address::verifier(4), Address::executor(1), Address::client(1)}) {
    for (const wire::Message& vote : votes) expect_refused(stranger, vote);
  }
}

TEST_F(Hostile, OnlyExecutorsOfTheClusterSpeakOfBatchesAndPrimaries) {
  for (const Address stranger : {Address::verifier(1), Address::executor(3), Address::client(1)}) {
    expect_refused(stranger, make_token(0, 1, digest("A1"), kGenesis));
    expect_refused(stranger, wire::Suspect{View(0)});
  }
  for (const Address stranger : {Address::verifier(0), Address::executor(3), Address::client(1)}) {
    expect_refused(stranger, wire::Hello{true, View(0), BatchNumber(0)});
  }
  expect_refused(Address::executor(1), verdict(wire::VerdictKind::kCommit, 0, 1, "A1"));
}

TEST_F(Hostile, AWelcomeWhoseVerdictsAreSwappedTeachesNothing) {
  const auto commit = verdict(wire::VerdictKind::kCommit, 0, 7, "A7");
  const auto rollback = verdict(wire::VerdictKind::kRollback, 0, 7, "A7");
  for (const uint16_t peer : {1, 2, 3}) {
    expect_refused(Address::verifier(peer), wire::Welcome{View(0), commit, commit});
    expect_refused(Address::verifier(peer), wire::Welcome{View(0), rollback, rollback});
  }
}

TEST_F(Hostile, VotesOfAnotherViewDoNotCountInThisOne) {
  for (const uint16_t executor : {0, 1, 2}) lone_.token(executor, 1, 1, "A1", kGenesis);
  for (const uint16_t peer : {1, 2, 3}) lone_.prepare(peer, 1, 1, "A1", kGenesis);
  EXPECT_TRUE(lone_.sent<wire::Prepare>().empty());
  EXPECT_TRUE(lone_.sent<wire::Commit>().empty());
  for (const uint16_t executor : {0, 1}) lone_.token(executor, 0, 1, "B1", kGenesis);
  const auto prepares = lone_.sent<wire::Prepare>();
  ASSERT_EQ(prepares.size(), 1u) << "an executor's token for view 1 is not its first for view 0";
  EXPECT_EQ(prepares[0].token, digest("B1"));
}

// r+1 that agree include one that does not lie; it may have come by another history all the same.
TEST_F(Hostile, PreparesThatExtendAnotherHistoryAreNotJoined) {
  for (const uint16_t executor : {0, 1}) lone_.token(executor, 0, 1, "A1", kGenesis);
  ASSERT_EQ(lone_.sent<wire::Prepare>().size(), 1u);
  for (const uint16_t peer : {1, 2}) lone_.prepare(peer, 0, 2, "B2", digest("B1"));
  EXPECT_TRUE(lone_.sent<wire::Prepare>().empty());
  for (const uint16_t peer : {1, 2}) lone_.prepare(peer, 0, 1, "B1", kGenesis);
  lone_.prepare(3, 0, 1, "B1", kGenesis);  // a certificate outranks the own vote
  const auto prepares = lone_.sent<wire::Prepare>();
  ASSERT_EQ(prepares.size(), 1u);
  EXPECT_EQ(prepares[0].token, digest("B2"));
}

// V6e: who lost its memory is given a new view once it is level, and not more than once in a while.
TEST_F(Hostile, ARestartedExecutorGetsAViewWhenItIsLevel) {
  for (const uint16_t peer : {1, 2, 3}) lone_.commit(peer, 0, 40, "A40");
  const auto hello = [&](uint64_t committed, uint64_t view) {
    lone_.give(Address::executor(2), wire::Hello{true, View(view), BatchNumber(committed)});
    return lone_.sent<wire::Needed>().size();
  };
  EXPECT_EQ(hello(40 - limits::kWindow - 1, 0), 0u) << "too far behind";
  EXPECT_EQ(hello(40, 3), 0u) << "it knows of another view";
  EXPECT_EQ(hello(40 - limits::kWindow, 0), 1u) << "the others are told";
  for (const uint16_t peer : {1, 2}) {
    lone_.give(Address::verifier(peer), wire::Needed{View(0), Address::executor(2)});
  }
  EXPECT_EQ(lone_.sent<wire::ViewChange>().size(), 1u);
  EXPECT_EQ(hello(40, 0), 0u) << "asked for already";
}

// Of PREPAREs that overtake their NEW-VIEW the start point's, which is the lowest, is kept.
TEST_F(Hostile, LaterPreparesDoNotDisplaceTheStartPointsThatOvertookItsView) {
  const auto held = make_certificate(kModel, {1, 2, 3}, 0, 3, digest("A3"), digest("A2"));
  for (const uint16_t peer : {1, 2, 3}) {
    lone_.prepare(peer, 1, 5, "A5", digest("A4"));
    lone_.prepare(peer, 1, 3, "A3", {});
    lone_.prepare(peer, 1, 4, "A4", digest("A3"));
  }
  std::vector<wire::ViewChange> changes;
  for (const uint16_t peer : {1, 2, 3}) changes.push_back(lone_.signers[peer]->change(1, held));
  lone_.give(Address::verifier(1), lone_.signers[1]->new_view(1, changes));
  const auto commits = lone_.sent<wire::Commit>();
  ASSERT_EQ(commits.size(), 1u);
  EXPECT_EQ(commits[0].number, BatchNumber(3));
}

// More than r lie: there is no right view to lead, and none that drops what is committed.
TEST_F(Hostile, DoesNotLeadAViewThatDropsWhatIsCommitted) {
  for (const uint16_t peer : {1, 2, 3}) lone_.commit(peer, 0, 3, "A3");
  ASSERT_EQ(lone_.status().committed, BatchNumber(3));
  for (const uint16_t peer : {1, 2, 3}) {
    lone_.give(Address::verifier(peer), lone_.signers[peer]->change(4, genesis_certificate()));
  }
  EXPECT_TRUE(lone_.sent<wire::NewView>().empty());
  EXPECT_EQ(lone_.status().view, View(0));
}

TEST(WaitingFor, SaysWhatIsMissingInEveryPhase) {
  Lone recovering(kModel, View(2));
  EXPECT_EQ(recovering.status().phase, "recovering");
  EXPECT_EQ(recovering.status().waiting_for, "NEW-VIEW of a view above 2 from the other verifiers");
  Lone lone(kModel);
  EXPECT_EQ(lone.status().waiting_for, "");
  for (const uint16_t executor : {0, 1}) lone.token(executor, 0, 1, "A1", kGenesis);
  EXPECT_EQ(lone.status().waiting_for, "batch 1: 2 tokens, 1 PREPAREs");
  lone.token(2, 0, 1, "B1", kGenesis);
  EXPECT_EQ(lone.status().waiting_for, "batch 1: 3 tokens (they differ), 1 PREPAREs");
  for (const uint16_t executor : {0, 1}) {
    lone.give(Address::executor(executor), wire::Suspect{View(0)});
  }
  EXPECT_EQ(lone.status().waiting_for, "NEW-VIEW 1 from verifier-1 (1 of 3 verifiers ask for it)");
}

}  // namespace
}  // namespace eve::verification::testing
