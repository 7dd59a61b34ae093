// Scenarios of the rules P1 to P12: two replicas, one thing going wrong at a time.
#include "pair/replica.h"

#include <gtest/gtest.h>

#include "pair/pair_testing.h"

namespace eve::pair::testing {
namespace {

/// With an arbiter, or without.
class PairTest : public ::testing::TestWithParam<bool> {
 protected:
  /// Formed, both in sync, some batches answered.
  void settle(Pair& pair) {
    ASSERT_TRUE(
        pair.pass_until([&] { return pair.both_in_sync() && pair.answered() > 20; }, 5'000'000))
        << pair.text();
  }
  void finish(Pair& pair) {
    ASSERT_TRUE(pair.pass_until([&] { return pair.both_in_sync(); }, 20'000'000)) << pair.text();
    pair.stop_clients();
    ASSERT_TRUE(pair.pass_until([&] { return pair.all_answered(); }, 20'000'000)) << pair.text();
    pair.pass(kSilence);
    EXPECT_EQ(pair.status(0).token, pair.status(1).token) << pair.text();
    EXPECT_EQ(pair.status(0).committed, pair.status(1).committed) << pair.text();
  }
};

INSTANTIATE_TEST_SUITE_P(Arbiter, PairTest, ::testing::Bool(),
                         [](const auto& chosen) { return chosen.param ? "etcd" : "none"; });

TEST_P(PairTest, P2TwoThatAreNewFormThePair) {
  Pair pair(GetParam());
  settle(pair);
  EXPECT_EQ(pair.status(0).record.epoch, View(2));
  EXPECT_TRUE(pair.leads(0));
  EXPECT_FALSE(pair.leads(1));
  EXPECT_EQ(pair.status(0).divergences, 0u);
  EXPECT_EQ(pair.status(1).transfers, 0u);
  finish(pair);
}

// A restored pair begins with a state whose time its clocks may not have reached.
TEST_P(PairTest, P2BatchesAreLaterThanTheStateThatThePairBeginsWith) {
  Pair pair(GetParam());
  for (uint16_t i = 0; i < 2; ++i) pair.kill(i);
  pair.genesis_time_us = pair.now + 100 * kSilence;
  for (uint16_t i = 0; i < 2; ++i) pair.start(i);
  settle(pair);
  for (const auto& process : pair.processes) {
    EXPECT_GT(process->runner.committed_state().last_time_us, pair.genesis_time_us);
  }
  finish(pair);
}

TEST_P(PairTest, P2OneAloneWaits) {
  Pair pair(GetParam());
  pair.kill(1);
  pair.pass(5 * kSilence);
  EXPECT_FALSE(pair.leads(0));
  EXPECT_EQ(pair.answered(), 0u);
  EXPECT_EQ(pair.status(0).waiting_for, "executor-1, to form the cluster");
  pair.start(1);
  finish(pair);
}

TEST_P(PairTest, P5WithoutItsBackupThePrimaryGoesOnAlone) {
  Pair pair(GetParam());
  settle(pair);
  pair.kill(1);
  const TimeUs killed = pair.now;
  ASSERT_TRUE(pair.pass_until([&] { return pair.status(0).times_alone == 1; }, 2 * kSilence));
  EXPECT_GE(pair.now - killed, kSilence - kSilence / 10) << "not before the bound";
  const uint64_t before = pair.answered();
  ASSERT_TRUE(pair.pass_until([&] { return pair.answered() > before + 20; }, kSilence));
  EXPECT_EQ(pair.status(0).record.epoch, View(4));
  EXPECT_EQ(pair.status(0).record.lives[1], 0u);
  pair.start(1);
  finish(pair);
  EXPECT_EQ(pair.status(0).readmissions, 1u);
  EXPECT_GE(pair.status(1).transfers, 1u);
}

TEST_P(PairTest, P6WithoutItsPrimaryTheBackupIsPromoted) {
  Pair pair(GetParam());
  settle(pair);
  pair.kill(0);
  const uint64_t before = pair.answered();
  ASSERT_TRUE(pair.pass_until([&] { return pair.answered() > before + 20; }, 2 * kSilence))
      << pair.text();
  EXPECT_EQ(pair.status(1).record.epoch, View(3));
  EXPECT_EQ(pair.status(1).promotions, 1u);
  pair.start(0);
  finish(pair);
  EXPECT_TRUE(pair.leads(1)) << "the epoch's primary stays";
}

TEST_P(PairTest, P6ARestartIsNoticedWithoutWaiting) {
  Pair pair(GetParam());
  settle(pair);
  pair.kill(0);
  pair.start(0);
  const TimeUs restarted = pair.now;
  ASSERT_TRUE(pair.pass_until([&] { return pair.leads(1); }, kSilence));
  EXPECT_LT(pair.now - restarted, kSilence / 2);
  finish(pair);
}

TEST_P(PairTest, P6ABackupThatRestartedIsNotPromoted) {
  Pair pair(GetParam());
  settle(pair);
  pair.link = false;  // the primary cannot notice
  pair.kill(1);
  pair.start(1);
  pair.kill(0);
  pair.link = true;
  pair.pass(10 * kSilence);
  EXPECT_FALSE(pair.leads(1));
  EXPECT_FALSE(pair.status(1).in_sync);
}

TEST_P(PairTest, P6ABackupThatWasLeftBehindIsNotPromoted) {
  Pair pair(GetParam());
  settle(pair);
  pair.kill(1);
  ASSERT_TRUE(pair.pass_until([&] { return pair.status(0).times_alone == 1; }, 2 * kSilence));
  pair.pass(kSilence);
  pair.clients_reach[0] = false;
  pair.start(1);
  pair.link = false;
  pair.kill(0);
  pair.pass(10 * kSilence);
  EXPECT_FALSE(pair.leads(1)) << pair.text();
}

TEST_P(PairTest, P12BothGoneIsSaid) {
  Pair pair(GetParam());
  settle(pair);
  pair.kill(0);
  pair.kill(1);
  pair.start(0);
  pair.start(1);
  pair.pass(5 * kSilence);
  for (uint16_t i = 0; i < 2; ++i) {
    EXPECT_FALSE(pair.leads(i));
    EXPECT_EQ(pair.status(i).waiting_for, "a state: the record names lives that have ended");
  }
}

TEST_P(PairTest, P4NothingIsAnsweredWithoutTheBackupsToken) {
  Pair pair(GetParam());
  settle(pair);
  pair.processes[1]->stuck_runner = true;
  pair.pass(kSilence / 2);
  const uint64_t before = pair.answered();
  pair.pass(kSilence);
  EXPECT_EQ(pair.answered(), before);
  EXPECT_NE(pair.status(0).waiting_for.find("the token of executor-1"), std::string::npos);
  ASSERT_TRUE(pair.pass_until([&] { return pair.answered() > before; }, kProgress));
  EXPECT_EQ(pair.status(0).times_alone, 1u) << "P5: the bound on progress";
  pair.processes[1]->stuck_runner = false;
  finish(pair);
}

TEST_P(PairTest, P6APrimaryThatDoesNotFinishIsReplaced) {
  Pair pair(GetParam());
  settle(pair);
  pair.processes[0]->stuck_runner = true;
  ASSERT_TRUE(pair.pass_until([&] { return pair.leads(1); }, 2 * kProgress)) << pair.text();
  const uint64_t before = pair.answered();
  pair.pass(kSilence);
  EXPECT_GT(pair.answered(), before);
  pair.processes[0]->stuck_runner = false;
  finish(pair);
}

/// Batches are answered all the time, while the other replica beats and runs nothing.
void expect_to_go_on(Pair& pair) {
  for (int i = 0; i < 20; ++i) {
    const uint64_t before = pair.answered();
    pair.pass(kProgress / 3);
    EXPECT_GT(pair.answered(), before) << i << "\n" << pair.text();
  }
  EXPECT_FALSE(pair.both_in_sync());
}

TEST_P(PairTest, P8AReturnerThatStandsStillHoldsNobodyUp) {
  for (const uint16_t stuck : {0, 1}) {
    Pair pair(GetParam());
    settle(pair);
    pair.processes[stuck]->stuck_runner = true;
    const auto alone = [&] { return pair.leads(1 - stuck) && pair.status(1 - stuck).times_alone; };
    ASSERT_TRUE(pair.pass_until(alone, 2 * kProgress)) << pair.text();
    expect_to_go_on(pair);
    pair.processes[stuck]->stuck_runner = false;
    finish(pair);
  }
}

TEST_P(PairTest, P9WhoWasPausedStepsDownAndAsks) {
  for (const uint16_t paused : {0, 1}) {
    Pair pair(GetParam());
    settle(pair);
    pair.pause(paused, kSilence * 6 / 10);  // away, but not for so long that the other one acts
    pair.pass(kSilence * 3 / 2);
    EXPECT_EQ(pair.status(0).record.epoch, View(2)) << "paused " << paused;
    EXPECT_EQ(pair.status(paused).doubts, GetParam() ? 0u : 1u);
    EXPECT_FALSE(pair.status(paused).in_doubt);
    finish(pair);
  }
}

TEST_P(PairTest, P9ALateTimerNeverPromotes) {
  Pair pair(GetParam());
  settle(pair);
  pair.stop_clients();
  // Both sleep (a suspended machine); the primary wakes up later than the backup.
  pair.pause(1, 10 * kSilence);
  pair.pause(0, 10 * kSilence + kSilence / 2);
  pair.pass(20 * kSilence);
  EXPECT_EQ(pair.status(1).record.epoch, View(2)) << pair.text();
  EXPECT_TRUE(pair.leads(0));
  finish(pair);
}

// Trap 4: the primary went on alone meanwhile.
TEST_P(PairTest, Trap4ABackupThatSleptDoesNotWakeUpAsPrimary) {
  Pair pair(GetParam());
  settle(pair);
  pair.pause(1, 10 * kSilence);
  pair.pass(9 * kSilence);
  ASSERT_EQ(pair.status(0).times_alone, 1u);
  const uint64_t before = pair.answered();
  EXPECT_GT(before, 100u);
  pair.kill(0);
  pair.pass(10 * kSilence);
  EXPECT_FALSE(pair.leads(1)) << pair.text();
}

// Trap 4, and the link broke as well: what the primary said meanwhile never came.
TEST_P(PairTest, Trap4ABackupThatSleptAndHeardNothingDoesNotLead) {
  Pair pair(GetParam());
  settle(pair);
  pair.pause(1, 10 * kSilence);
  pair.pass(kSilence / 5);  // old beats wait to be read
  pair.link = false;
  pair.pass(5 * kSilence);
  ASSERT_EQ(pair.status(0).times_alone, 1u);
  pair.kill(0);
  pair.link = true;
  pair.pass(10 * kSilence);
  EXPECT_FALSE(pair.leads(1)) << pair.text();
}

TEST_P(PairTest, P9SilenceCountsOnlyWhenAllWasRead) {
  Pair pair(GetParam());
  settle(pair);
  pair.processes[1]->unread = true;  // it beats, and its queue grows
  pair.pass(2 * kSilence);
  EXPECT_EQ(pair.status(1).record.epoch, View(2));
  EXPECT_FALSE(pair.status(1).asking);
  pair.processes[1]->unread = false;
  pair.pass(2 * kSilence);
  EXPECT_EQ(pair.status(1).record.epoch, View(2));
  finish(pair);
}

TEST_P(PairTest, P9LateWordsOfAPastLifeDeposeNobody) {
  Pair pair(GetParam());
  settle(pair);
  pair.kill(1);
  pair.start(1);
  const wire::MessagePtr late = pair.last_beat[1];
  pair.pass(kSilence / 2);  // the new life's beats replace it there
  ASSERT_TRUE(pair.pass_until([&] { return pair.both_in_sync(); }, 10'000'000)) << pair.text();
  const View epoch = pair.status(0).record.epoch;
  for (int i = 0; i < 5; ++i) {
    pair.processes[0]->inbox.emplace_back(Address::executor(1), late);
    pair.pass(kSilence / 2);
  }
  EXPECT_EQ(pair.status(0).record.epoch, epoch) << pair.text();
  finish(pair);
}

TEST_P(PairTest, P3LateWordsOfAnOldTermLeadNobodyBack) {
  Pair pair(GetParam());
  settle(pair);
  const wire::MessagePtr late = pair.last_beat[0];
  pair.kill(0);
  ASSERT_TRUE(pair.pass_until([&] { return pair.leads(1); }, 3 * kSilence));
  pair.start(0);
  ASSERT_TRUE(pair.pass_until([&] { return pair.both_in_sync(); }, 10'000'000)) << pair.text();
  pair.kill(1);
  ASSERT_TRUE(pair.pass_until([&] { return pair.leads(0); }, 3 * kSilence)) << pair.text();
  pair.start(1);
  for (int i = 0; i < 5; ++i) {
    pair.processes[1]->inbox.emplace_back(Address::executor(0), late);
    pair.pass(kSilence / 2);
  }
  EXPECT_FALSE(pair.status(1).conflict);
  finish(pair);
}

TEST_P(PairTest, P9APrimaryThatSleptIsDeposed) {
  Pair pair(GetParam());
  settle(pair);
  pair.pause(0, 5 * kSilence);
  ASSERT_TRUE(pair.pass_until([&] { return pair.leads(1); }, 2 * kSilence));
  pair.pass(5 * kSilence);
  EXPECT_FALSE(pair.leads(0));
  finish(pair);
  EXPECT_TRUE(pair.leads(1));
}

TEST_P(PairTest, P10ARaceIsRunAgainInOrder) {
  Pair pair(GetParam());
  settle(pair);
  const uint64_t next = pair.status(0).committed.value() + 10;
  pair.processes[1]->runner.diverges.insert(next);
  pair.pass(2 * kSilence);
  EXPECT_EQ(pair.status(0).divergences, 1u);
  EXPECT_GT(pair.status(0).batches_sequential, 0u);
  EXPECT_EQ(pair.status(0).batches_sequential, pair.status(1).batches_sequential);
  EXPECT_EQ(pair.status(0).record.epoch, View(2));
  EXPECT_EQ(pair.status(1).transfers, 0u);
  finish(pair);
}

TEST_P(PairTest, P10WhatDiffersAloneAndInOrderIsQuarantined) {
  Pair pair(GetParam());
  settle(pair);
  const auto number = RequestNumber(pair.clients[0].next + 6);
  pair.processes[1]->runner.poisonous = [number](const wire::Bundle& bundle) {
    return bundle.client == 0 && bundle.kind == wire::BundleKind::kCall && bundle.first <= number &&
           number < execution::end_of(bundle);
  };
  ASSERT_TRUE(pair.pass_until([&] { return pair.clients[0].quarantined == 1; }, 10'000'000))
      << pair.text();
  const uint64_t rounds = pair.status(0).divergences;
  EXPECT_LE(rounds, 8u);
  pair.pass(2 * kSilence);
  EXPECT_EQ(pair.status(0).divergences, rounds) << "it is over";
  EXPECT_EQ(pair.clients[1].quarantined, 0u);
  EXPECT_EQ(pair.status(0).record.epoch, View(2));
  finish(pair);
}

TEST_P(PairTest, P10WhatCannotBeQuarantinedIsTakenFromThePrimary) {
  Pair pair(GetParam());
  settle(pair);
  pair.processes[1]->runner.poisonous = [](const wire::Bundle& bundle) {
    return bundle.client == 2;
  };
  pair.clients.push_back({2, std::nullopt, 1, {}, 0, 0, 0, false});  // its opening differs
  ASSERT_TRUE(pair.pass_until([&] { return pair.clients[2].session.has_value(); }, 10'000'000))
      << pair.text();
  EXPECT_EQ(pair.status(0).states_taken, 1u);
  EXPECT_EQ(pair.status(1).transfers, 1u);
  EXPECT_EQ(pair.status(0).record.epoch, View(2)) << "the backup stays in sync";
  finish(pair);
}

// A backup that takes the primary's state is in sync: without it, it goes on from what it has.
TEST_P(PairTest, P10APrimaryThatDiesWhileItsStateIsTakenIsReplaced) {
  Pair pair(GetParam());
  settle(pair);
  pair.processes[1]->runner.poisonous = [](const wire::Bundle& bundle) {
    return bundle.client == 2;
  };
  pair.withhold_state = true;
  pair.clients.push_back({2, std::nullopt, 1, {}, 0, 0, 0, false});
  ASSERT_TRUE(pair.pass_until([&] { return pair.status(1).fetching; }, 10'000'000)) << pair.text();
  pair.kill(0);
  ASSERT_TRUE(pair.pass_until([&] { return pair.leads(1); }, 2 * kSilence)) << pair.text();
  ASSERT_TRUE(pair.pass_until([&] { return pair.clients[2].session.has_value(); }, kSilence));
  pair.withhold_state = false;
  pair.start(0);
  finish(pair);
}

// The backup has taken the primary's state after n and committed it. All words in which it says so
// are lost, and the next batch differs as well: the primary, which has not committed n, must not go
// back behind it.
TEST_P(PairTest, P10NoRoundStartsBeforeTheLastOneDid) {
  Pair pair(GetParam());
  settle(pair);
  const auto taken = [&pair] { return pair.status(1).transfers == 1; };
  std::optional<std::pair<uint16_t, RequestNumber>> next;
  pair.processes[1]->runner.poisonous = [&](const wire::Bundle& bundle) {
    const std::pair name(bundle.client, bundle.first);
    if (bundle.client != 2 && taken() && !next) next = name;
    return bundle.client == 2 || name == next;
  };
  pair.clients.push_back({2, std::nullopt, 1, {}, 0, 0, 0, false});  // its opening differs
  ASSERT_TRUE(pair.pass_until([&] { return pair.status(0).states_taken == 1; }, 10'000'000))
      << pair.text();
  const uint64_t rounds = pair.status(0).divergences;
  const BatchNumber behind = pair.status(0).committed;
  pair.swallows = [&](uint16_t from, const wire::Message& message) {
    return from == 1 && taken() && pair.status(0).divergences == rounds &&
           std::holds_alternative<wire::PairBeat>(message);
  };
  ASSERT_TRUE(pair.pass_until([&] { return pair.status(0).divergences > rounds; }, kSilence))
      << pair.text();
  EXPECT_TRUE(next.has_value()) << "it differed in what follows the state";
  EXPECT_EQ(pair.status(0).committed, behind) << "of which the primary has not heard";
  EXPECT_GT(pair.status(1).committed, behind);
  pair.pass(kSilence);
  EXPECT_FALSE(pair.status(1).conflict) << pair.text();
  EXPECT_EQ(pair.clients[0].quarantined + pair.clients[1].quarantined, 1u);
  EXPECT_EQ(pair.status(0).record.epoch, View(2)) << "the backup stays in sync";
  finish(pair);
}

TEST_P(PairTest, ClientsThatReachTheBackupOnlyAreServed) {
  Pair pair(GetParam());
  settle(pair);
  // Its bundles are passed on; the answers come from the primary, which still reaches them.
  const uint64_t before = pair.answered();
  pair.pass(kSilence);
  EXPECT_GT(pair.answered(), before + 10);
  finish(pair);
}

// ---- With an arbiter: a network that is cut ----------------------------------------------------

TEST(PairWithArbiter, P1OfTwoThatAreCutApartOneWins) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Pair pair(true, seed);
    ASSERT_TRUE(pair.pass_until([&] { return pair.both_in_sync(); }, 5'000'000));
    pair.link = false;
    pair.pass(5 * kSilence);
    EXPECT_NE(pair.leads(0), pair.leads(1)) << pair.text();
    EXPECT_EQ(pair.arbiter.swaps, 2u) << "forming, and one of them";
    const uint64_t before = pair.answered();
    pair.pass(kSilence);
    EXPECT_GT(pair.answered(), before);
    pair.link = true;
    ASSERT_TRUE(pair.pass_until([&] { return pair.both_in_sync(); }, 10'000'000)) << pair.text();
  }
}

TEST(PairWithArbiter, P5WithoutTheArbiterNobodyActsAlone) {
  Pair pair(true);
  ASSERT_TRUE(pair.pass_until([&] { return pair.both_in_sync(); }, 5'000'000));
  pair.arbiter.reachable = false;
  pair.link = false;
  pair.pass(5 * kSilence);
  const uint64_t before = pair.answered();
  pair.pass(5 * kSilence);
  EXPECT_EQ(pair.answered(), before);
  EXPECT_TRUE(pair.status(0).asking);
  pair.arbiter.reachable = true;
  pair.pass(2 * kSilence);
  EXPECT_GT(pair.answered(), before);
  EXPECT_NE(pair.leads(0), pair.leads(1)) << pair.text();
}

TEST(PairWithArbiter, TheArbiterIsNotNeededWhileBothAreThere) {
  Pair pair(true);
  ASSERT_TRUE(pair.pass_until([&] { return pair.both_in_sync(); }, 5'000'000));
  pair.arbiter.reachable = false;
  const uint64_t before = pair.answered();
  pair.pass(5 * kSilence);
  EXPECT_GT(pair.answered(), before + 100);
}

// The arbiter may have named the returner, or may yet do so.
TEST(PairWithArbiter, P8WhileTheQuestionIsOpenNothingIsAnsweredWithoutTheReturner) {
  Pair pair(true);
  ASSERT_TRUE(pair.pass_until([&] { return pair.both_in_sync(); }, 5'000'000));
  pair.kill(1);
  ASSERT_TRUE(pair.pass_until([&] { return pair.status(0).times_alone == 1; }, 2 * kSilence));
  pair.arbiter.reachable = false;
  pair.start(1);
  ASSERT_TRUE(pair.pass_until([&] { return pair.status(0).asking; }, 5 * kSilence)) << pair.text();
  pair.link = false;
  pair.pass(kSilence / 2);
  const uint64_t before = pair.answered();
  pair.pass(5 * kSilence);
  EXPECT_EQ(pair.answered(), before) << pair.text();
  pair.arbiter.reachable = true;
  pair.pass(3 * kSilence);
  EXPECT_GT(pair.answered(), before) << pair.text();
}

// P8: the returner was named, and does not know it; the primary dies.
TEST(PairWithArbiter, P8AReturnerLearnsFromTheArbiterThatItIsNamed) {
  Pair pair(true);
  ASSERT_TRUE(pair.pass_until([&] { return pair.both_in_sync(); }, 5'000'000));
  pair.kill(1);
  ASSERT_TRUE(pair.pass_until([&] { return pair.status(0).times_alone == 1; }, 2 * kSilence));
  pair.start(1);
  ASSERT_TRUE(pair.pass_until([&] { return names_both(pair.arbiter.record); }, 5'000'000));
  pair.link = false;
  pair.kill(0);
  ASSERT_TRUE(pair.pass_until([&] { return pair.leads(1); }, 5 * kSilence)) << pair.text();
}

// The same, but the primary is back before anybody found it silent, and has lost its state.
TEST(PairWithArbiter, P8AReturnerAsksWhenThePrimaryHasAnotherLife) {
  Pair pair(true);
  ASSERT_TRUE(pair.pass_until([&] { return pair.both_in_sync(); }, 5'000'000));
  pair.kill(1);
  ASSERT_TRUE(pair.pass_until([&] { return pair.status(0).times_alone == 1; }, 2 * kSilence));
  pair.arbiter.mute = true;
  pair.start(1);
  ASSERT_TRUE(pair.pass_until([&] { return names_both(pair.arbiter.record); }, 5'000'000));
  ASSERT_FALSE(names_both(pair.copies[0])) << "nobody has heard of it";
  pair.kill(0);
  pair.start(0);
  pair.arbiter.mute = false;
  ASSERT_TRUE(pair.pass_until([&] { return pair.leads(1); }, 5 * kSilence)) << pair.text();
  EXPECT_TRUE(pair.pass_until([&] { return pair.both_in_sync(); }, 20'000'000)) << pair.text();
}

// ---- Without: what broken synchrony leads to ---------------------------------------------------

TEST(PairWithoutArbiter, P8AReturnerThatStopsOnItsWayIsWaitedForOnce) {
  Pair pair(false);
  ASSERT_TRUE(
      pair.pass_until([&] { return pair.both_in_sync() && pair.answered() > 20; }, 5'000'000));
  pair.kill(1);
  ASSERT_TRUE(pair.pass_until([&] { return pair.status(0).times_alone == 1; }, 2 * kSilence));
  pair.start(1);
  pair.faults.usual_us = kSilence / 10;  // so it is a few batches behind, and says so late
  ASSERT_TRUE(pair.pass_until([&] { return pair.status(1).transfers == 1; }, 2 * kSilence));
  const BatchNumber joined = pair.status(0).committed;
  pair.swallows = [&](uint16_t from, const wire::Message& message) {
    const auto* token = std::get_if<wire::PairToken>(&message);
    if (from == 1 && token != nullptr && token->reached.number >= joined) {
      pair.processes[1]->stuck_runner = true;
    }
    return false;
  };
  ASSERT_TRUE(pair.pass_until([&] { return pair.processes[1]->stuck_runner; }, kSilence));
  pair.pass(kSilence / 2);  // what is under way arrives
  const uint64_t before = pair.answered();
  for (Client& client : pair.clients) client.sending = false;  // so it stays near
  pair.pass(kSilence);
  EXPECT_EQ(pair.answered(), before) << "it is waited for";
  ASSERT_TRUE(pair.pass_until([&] { return pair.all_answered(); }, kProgress)) << pair.text();
  EXPECT_EQ(pair.status(0).readmissions, 0u) << "it was never level";
  pair.swallows = nullptr;
  pair.faults = {};
  for (Client& client : pair.clients) client.sending = true;
  expect_to_go_on(pair);
  pair.processes[1]->stuck_runner = false;
  EXPECT_TRUE(pair.pass_until([&] { return pair.both_in_sync(); }, 20'000'000)) << pair.text();
}

TEST(PairWithoutArbiter, P7APrimaryAloneWaitsUntilTheStuckBackupKnows) {
  Pair pair(false);
  ASSERT_TRUE(
      pair.pass_until([&] { return pair.both_in_sync() && pair.answered() > 20; }, 5'000'000));
  pair.processes[1]->stuck_runner = true;
  // The backup beats, but hears nothing: what the primary says is on its way.
  ASSERT_TRUE(pair.pass_until([&] { return pair.status(0).times_alone == 1; }, 2 * kProgress));
  EXPECT_FALSE(pair.leads(0)) << "recorded, and not released";
  ASSERT_TRUE(pair.pass_until([&] { return pair.leads(0); }, kSilence));
  EXPECT_EQ(pair.status(1).record.epoch, pair.status(0).record.epoch);
}

}  // namespace
}  // namespace eve::pair::testing
