// One replica, and a test in the place of the other one: what cannot be told of two that run.
#include <gtest/gtest.h>

#include "pair/pair_testing.h"

namespace eve::pair::testing {
namespace {

constexpr uint64_t kOwnLife = 5;
constexpr uint64_t kOtherLife = 9;
constexpr uint64_t kOwnProcess = 6;
const Record kBoth{View(2), {kOwnLife, kOtherLife}};
const Record kAlone{View(4), {kOwnLife, 0}};

/// Executor 0 of kBoth, without an arbiter.
class AloneTest : public ::testing::Test {
 protected:
  AloneTest() : replica(options(), authenticator, digester()) { replica.start(now, out); }

  static ReplicaOptions options() {
    ReplicaOptions options;
    options.clients = 1;
    options.life = kOwnLife;
    options.process = kOwnProcess;
    options.record = kBoth;
    options.genesis = genesis();
    options.silence_us = kSilence;
    return options;
  }
  /// Time in which this replica is awake.
  void pass(TimeUs us) {
    for (const TimeUs end = now + us; now < end;) {
      now += kStep;
      replica.tick(now, out);
      replica.idle(now, out);
    }
  }
  void sleep(TimeUs us) {
    now += us;
    replica.tick(now, out);
    replica.idle(now, out);
  }
  std::optional<Request> question() {
    std::optional<Request> last;
    for (const Request& request : std::exchange(out.requests, {})) last = request;
    return last;
  }
  wire::PairBeat beat_with(const Record& record) const {
    wire::PairBeat beat;
    beat.life = kOtherLife;
    beat.process = 8;
    beat.beat = now;
    beat.echo = now;
    beat.echo_of = kOwnProcess;
    beat.met = kOwnProcess;
    beat.record = record;
    beat.committed = beat.reached = beat.start = {BatchNumber(), genesis()};
    return beat;
  }
  /// The other one says so, and that it has heard what was said last.
  void hear(const wire::PairBeat& beat) {
    replica.receive(beat, Address::executor(1), now, out);
    replica.idle(now, out);
  }
  void hear(const Record& record) { hear(beat_with(record)); }

  NamingAuthenticator authenticator;
  TimeUs now = 10 * kSilence;
  Outbox out;
  Replica replica;
};

// The other one is gone, and no answer will ever come.
TEST_F(AloneTest, P9ARecordThatNamesOneAloneEndsTheDoubt) {
  pass(kSilence + kStep);
  ASSERT_EQ(question()->wanted, kAlone);
  sleep(kSilence / 2);
  EXPECT_TRUE(replica.status().in_doubt);
  replica.on_record(kBoth, now, out);
  pass(2 * kSilence);
  EXPECT_EQ(question(), std::nullopt) << "in doubt it does not ask again";
  hear(kBoth);
  EXPECT_FALSE(replica.status().in_doubt);
  pass(kSilence + kStep);
  ASSERT_EQ(question()->wanted, kAlone);
  sleep(kSilence / 2);
  EXPECT_TRUE(replica.status().in_doubt);
  replica.on_record(kAlone, now, out);
  replica.idle(now, out);
  EXPECT_FALSE(replica.status().in_doubt);
  pass(kSilence / 2);
  EXPECT_FALSE(replica.status().leading) << "P7 guards still";
  pass(kSilence);
  EXPECT_TRUE(replica.status().leading) << replica.status().waiting_for;
}

// The other one went on alone before it heard of this. The disk may hold the later record already.
TEST_F(AloneTest, P1WhileTheOwnDiskWritesAnOlderRecordIsNoNews) {
  const Record theirs{View(3), {0, kOtherLife}};
  pass(kSilence + kStep);
  ASSERT_EQ(question()->wanted, kAlone);
  hear(theirs);
  EXPECT_EQ(replica.status().record, kBoth);
  EXPECT_EQ(question(), std::nullopt);
  replica.on_record(kAlone, now, out);
  EXPECT_EQ(replica.status().record, kAlone);
  hear(theirs);
  EXPECT_FALSE(replica.status().leading) << "before the other one knows";
  const Record later{View(5), {0, kOtherLife}};
  hear(later);
  EXPECT_EQ(replica.status().record, later);
}

TEST_F(AloneTest, P1WhatTheDiskRefusedChangedNothing) {
  const Record theirs{View(3), {0, kOtherLife}};
  pass(kSilence + kStep);
  ASSERT_EQ(question()->wanted, kAlone);
  replica.on_record(kBoth, now, out);
  hear(theirs);
  EXPECT_EQ(replica.status().record, theirs);
}

// One that joins a term beyond what it had committed is not told that its history ends.
TEST_F(AloneTest, P11AnotherHistoryIsSaidByWhoGoesOn) {
  pass(kSilence + kStep);
  ASSERT_EQ(question()->wanted, kAlone);
  replica.on_record(kAlone, now, out);
  pass(2 * kSilence);
  ASSERT_TRUE(replica.status().leading);
  wire::PairBeat beat = beat_with(kAlone);
  beat.life = kOtherLife + 1;
  beat.joined = true;
  beat.term = {kAlone.epoch, 0};
  hear(beat);
  EXPECT_EQ(replica.refusals().total(), 0u);
  pass(kSilence / 8);
  ++beat.process;  // the next one, whose history is another one
  beat.beat = beat.echo = now;
  beat.committed.token = digester().digest(ByteView("another"));
  hear(beat);
  const auto& refused = replica.refusals().by_sender();
  ASSERT_EQ(refused.size(), 1u);
  EXPECT_NE(refused.at(Address::executor(1)).reason.find("another history"), std::string::npos);
}

// Two replicas whose clocks are an hour apart: of two nobody can say whose is wrong.
TEST(PairClocks, E2ATimeThatIsFarFromTheClockIsCountedAndRuns) {
  Pair pair(false);
  for (uint16_t i = 0; i < 2; ++i) pair.kill(i);
  pair.genesis_time_us = pair.now + 2 * limits::kMaxClockSkewUs;
  for (uint16_t i = 0; i < 2; ++i) pair.start(i);
  ASSERT_TRUE(
      pair.pass_until([&] { return pair.both_in_sync() && pair.answered() > 20; }, 5'000'000))
      << pair.text();
  EXPECT_TRUE(pair.replica(0).refusals().by_sender().empty());
  const auto& refused = pair.replica(1).refusals().by_sender();
  ASSERT_EQ(refused.size(), 1u);
  EXPECT_EQ(refused.at(Address::executor(0)).reason, execution::kFarFromClock);
}

}  // namespace
}  // namespace eve::pair::testing
