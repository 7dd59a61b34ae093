// P13 and P14: replicas that go on with what an earlier process of theirs has left.
#include <gtest/gtest.h>

#include "pair/pair_testing.h"

namespace eve::pair::testing {
namespace {

/// With an arbiter, or without.
class ResumedTest : public ::testing::TestWithParam<bool> {
 protected:
  ResumedTest() : pair(GetParam()) {
    pair.keeps = true;
    for (uint16_t i = 0; i < 2; ++i) {
      pair.kill(i);
      pair.kept[i] = {};
      pair.start(i);
    }
  }
  bool arbiter() const { return GetParam(); }
  void settle() {
    ASSERT_TRUE(
        pair.pass_until([&] { return pair.both_in_sync() && pair.answered() > 20; }, 5'000'000))
        << pair.text();
  }
  void kill_both() {
    pair.kill(0);
    pair.kill(1);
  }
  void finish() {
    ASSERT_TRUE(pair.pass_until([&] { return pair.both_in_sync(); }, 20'000'000)) << pair.text();
    pair.stop_clients();
    ASSERT_TRUE(pair.pass_until([&] { return pair.all_answered(); }, 20'000'000)) << pair.text();
    pair.pass(kSilence);
    EXPECT_EQ(pair.status(0).token, pair.status(1).token) << pair.text();
    EXPECT_EQ(pair.status(0).committed, pair.status(1).committed) << pair.text();
  }
  /// A round of the service, by whoever answers.
  void goes_on(TimeUs within, uint64_t answers = 20) {
    const uint64_t before = pair.answered();
    ASSERT_TRUE(pair.pass_until([&] { return pair.answered() > before + answers; }, within))
        << pair.text();
  }

  Pair pair;
};

INSTANTIATE_TEST_SUITE_P(Arbiter, ResumedTest, ::testing::Bool(),
                         [](const auto& chosen) { return chosen.param ? "etcd" : "none"; });

TEST_P(ResumedTest, P14BothEndAtOnceAndGoOn) {
  settle();
  const uint64_t committed = pair.history.size();
  kill_both();
  pair.start(0);
  pair.start(1);
  goes_on(2 * kSilence);
  EXPECT_GT(pair.history.size(), committed);
  EXPECT_TRUE(pair.leads(0)) << "whom the record named primary goes on";
  finish();
  EXPECT_EQ(pair.status(0).promotions + pair.status(1).promotions, 0u);
}

TEST_P(ResumedTest, P14OneOfTwoGoesOnOnlyIfTheRecordIsElsewhere) {
  for (uint16_t survivor = 0; survivor < 2; ++survivor) {
    ASSERT_NO_FATAL_FAILURE(settle());
    kill_both();
    pair.pass(kSilence);
    pair.start(survivor);
    if (arbiter()) {
      goes_on(3 * kSilence);
    } else {
      const uint64_t before = pair.answered();
      pair.pass(10 * kSilence);
      EXPECT_EQ(pair.answered(), before) << "the other one may have gone on";
      EXPECT_NE(pair.status(survivor).waiting_for.find("may have gone on"), std::string::npos);
    }
    pair.start(other_than(survivor));
    goes_on(3 * kSilence);
    ASSERT_TRUE(pair.pass_until([&] { return pair.both_in_sync(); }, 20'000'000)) << pair.text();
  }
  finish();
}

TEST_P(ResumedTest, P14WhoWasAloneGoesOnAlone) {
  settle();
  pair.kill(1);
  ASSERT_TRUE(pair.pass_until([&] { return pair.status(0).times_alone == 1; }, 2 * kSilence));
  goes_on(kSilence);
  const View epoch = pair.status(0).record.epoch;
  pair.kill(0);
  pair.start(0);
  goes_on(3 * kSilence);
  EXPECT_EQ(pair.status(0).record.epoch, View(epoch.value() + 2)) << "an epoch of its own";
  pair.start(1);
  finish();
}

TEST_P(ResumedTest, P14TheOtherOneWasAloneMeanwhile) {
  settle();
  pair.kill(0);
  ASSERT_TRUE(pair.pass_until([&] { return pair.leads(1); }, 2 * kSilence));
  goes_on(kSilence);
  kill_both();
  pair.start(0);
  pair.pass(arbiter() ? 5 * kSilence : 10 * kSilence);
  EXPECT_FALSE(pair.leads(0)) << pair.text();
  pair.start(1);
  goes_on(3 * kSilence);
  finish();
  EXPECT_TRUE(pair.leads(1));
}

TEST_P(ResumedTest, P14ABackupThatRestartsIsReadmittedWithWhatItHas) {
  settle();
  pair.kill(1);
  pair.start(1);
  EXPECT_TRUE(pair.status(1).resumed);
  EXPECT_FALSE(pair.status(1).in_sync);
  goes_on(kSilence / 2, 5);  // long before anybody is silent
  finish();
  EXPECT_EQ(pair.status(0).times_alone, 1u);
  EXPECT_EQ(pair.status(0).readmissions, 1u);
  EXPECT_TRUE(pair.leads(0));
}

TEST_P(ResumedTest, P14APrimaryThatRestartsIsRelieved) {
  settle();
  pair.kill(0);
  pair.start(0);
  goes_on(kSilence / 2, 5);  // long before anybody is silent
  EXPECT_TRUE(pair.leads(1)) << pair.text();
  EXPECT_EQ(pair.status(1).promotions, 1u);
  finish();
}

// It comes back with less than what the other one says to be committed.
TEST_P(ResumedTest, P14AnOlderCopyOfTheStateIsNoticed) {
  settle();
  kill_both();
  const Kept copy = pair.kept[0];
  pair.start(0);
  pair.start(1);
  goes_on(2 * kSilence);
  ASSERT_TRUE(pair.pass_until([&] { return pair.both_in_sync(); }, 20'000'000)) << pair.text();
  ASSERT_TRUE(pair.leads(0));
  goes_on(2 * kSilence);
  pair.stop_clients();
  ASSERT_TRUE(pair.pass_until([&] { return pair.all_answered(); }, 20'000'000));
  pair.pass(kSilence);
  kill_both();
  pair.kept[0] = copy;
  pair.start(0);
  pair.start(1);
  ASSERT_TRUE(pair.pass_until([&] { return pair.status(0).conflict; }, 2 * kSilence))
      << pair.text();
  // What its host does: another life, of an empty state.
  pair.kill(0);
  pair.kept[0] = {};
  pair.start(0);
  pair.pass(5 * kSilence);
  EXPECT_FALSE(pair.leads(0));
  EXPECT_EQ(pair.leads(1), arbiter()) << pair.text();
}

TEST_P(ResumedTest, P13WhoLostItsLogIsNotNamed) {
  settle();
  kill_both();
  pair.kept[0] = {};
  pair.start(0);
  pair.start(1);
  if (arbiter()) {
    goes_on(3 * kSilence);
    EXPECT_TRUE(pair.leads(1));
    finish();
  } else {
    pair.pass(10 * kSilence);
    EXPECT_FALSE(pair.leads(0) || pair.leads(1)) << "either may have gone on without the other";
  }
}

TEST_P(ResumedTest, P2AStateWithoutARecordFormsNothing) {
  settle();
  kill_both();
  pair.copies = {};
  pair.arbiter.record = {};
  pair.start(0);
  pair.start(1);
  pair.pass(5 * kSilence);
  EXPECT_FALSE(pair.leads(0) || pair.leads(1)) << pair.text();
  EXPECT_NE(pair.status(0).waiting_for.find("no record"), std::string::npos);
}

TEST_P(ResumedTest, P14TheBackupGoesOnIfThePrimaryEndsAgain) {
  if (!arbiter()) GTEST_SKIP() << "the primary may have gone on";
  settle();
  kill_both();
  pair.arbiter.reachable = false;  // so that neither has gone on before
  pair.start(0);
  pair.start(1);
  pair.pass(kSilence / 2);
  pair.kill(0);
  pair.pass(kSilence / 4);  // its question is lost
  pair.arbiter.reachable = true;
  ASSERT_TRUE(pair.pass_until([&] { return pair.leads(1); }, 5 * kSilence)) << pair.text();
  pair.start(0);
  finish();
}

// Its own copy of the record is gone, and the arbiter has it.
TEST_P(ResumedTest, P14AStateWithoutItsCopyAsksTheArbiter) {
  if (!arbiter()) GTEST_SKIP() << "nobody else knows";
  for (const bool alone : {false, true}) {
    ASSERT_NO_FATAL_FAILURE(settle());
    if (alone) {
      pair.kill(1);
      ASSERT_TRUE(pair.pass_until(
          [&] { return pair.leads(0) && pair.arbiter.record.lives[1] == 0; }, 5 * kSilence));
      goes_on(kSilence);
    }
    kill_both();
    const View epoch = pair.arbiter.record.epoch;
    pair.copies = {};
    pair.start(0);
    EXPECT_FALSE(pair.leads(0));
    ASSERT_TRUE(pair.pass_until([&] { return pair.leads(0); }, 5 * kSilence)) << pair.text();
    EXPECT_GT(pair.status(0).record.epoch, epoch) << "an epoch that it may have led before";
    pair.start(1);
    ASSERT_TRUE(pair.pass_until([&] { return pair.both_in_sync(); }, 20'000'000)) << pair.text();
  }
  finish();
}

// P8. The question may be answered at any time, and then the returner may be promoted.
TEST_P(ResumedTest, P8AReturnerThatRestartsIsWaitedForWhileTheQuestionIsOpen) {
  if (!arbiter()) GTEST_SKIP() << "questions are answered at once";
  settle();
  pair.kill(1);
  ASSERT_TRUE(pair.pass_until([&] { return pair.status(0).times_alone == 1; }, 2 * kSilence));
  pair.arbiter.reachable = false;
  pair.start(1);
  ASSERT_TRUE(pair.pass_until([&] { return pair.status(0).asking; }, 5 * kSilence)) << pair.text();
  pair.kill(1);
  pair.start(1);
  const uint64_t terms = pair.status(0).terms;
  ASSERT_TRUE(pair.pass_until([&] { return pair.status(0).terms > terms; }, kSilence));
  pair.link = false;  // met, and not level yet
  const BatchNumber committed = pair.status(0).committed;
  pair.pass(3 * kSilence);
  EXPECT_EQ(pair.status(0).committed, committed);
  pair.link = pair.arbiter.reachable = true;
  finish();
}

// After a restart of its machine a clock may say less than before.
TEST(Resumed, P9AnEchoOfAnEarlierProcessIsNoSignOfLife) {
  ReplicaOptions options;
  options.clients = 1;
  options.life = 5;
  options.process = 6;
  options.genesis = genesis();
  NamingAuthenticator authenticator;
  Replica replica(options, authenticator, digester());
  Outbox out;
  replica.start(1'000, out);
  TimeUs now = 1'000;
  const auto met = [&](uint64_t process, uint64_t echo_of, TimeUs echo) {
    now += kSilence / 8;
    wire::PairBeat beat;
    beat.life = 9;
    beat.process = process;
    beat.echo = echo;
    beat.echo_of = echo_of;
    beat.committed = beat.reached = beat.start = {BatchNumber(), genesis()};
    out = {};
    replica.receive(beat, Address::executor(1), now, out);
    replica.tick(now, out);
    for (const wire::Send& send : out.sends) {
      if (const auto* said = std::get_if<wire::PairBeat>(send.message.get())) return said->met;
    }
    return uint64_t{0};
  };
  EXPECT_EQ(met(7, 0, 0), 7u) << "the first";
  const TimeUs then = now;
  EXPECT_EQ(met(8, 4, 9'000'000), 7u) << "the echo is of another process than this";
  EXPECT_EQ(met(8, 6, then), 7u) << "of before that was met";
  EXPECT_EQ(met(8, 6, then + 1), 8u);
}

// What docs/primary-backup.md has people do when the other machine is lost for good.
TEST_P(ResumedTest, P14APersonSaysThatTheOtherOneIsLost) {
  if (arbiter()) GTEST_SKIP() << "the arbiter knows";
  settle();
  kill_both();
  Record alone = pair.copies[1];
  alone.epoch = next_epoch(alone.epoch, 1);
  alone.lives[0] = 0;
  pair.copies[1] = alone;
  pair.start(1);
  goes_on(3 * kSilence);
  pair.lose_disk(0);
  pair.start(0);
  finish();
}

}  // namespace
}  // namespace eve::pair::testing
