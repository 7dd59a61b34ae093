// Who is about to come and fetches the state before it has a seat: M14.
#include "execution/learner.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/random.h"
#include "execution/executor_testing.h"

namespace eve::execution::executor_testing {
namespace {

constexpr TimeUs kResend = 100'000;
constexpr TimeUs kPause = 1'000'000;
const Address kAsker = Address::executor(4);  // beyond the model's three, and who has left

/// A learner and its runner, with executors 0 to 2 of a cluster with u = 1.
class Class : public ::testing::Test {
 protected:
  explicit Class(uint32_t r = 1)
      : model(1, r), learner(std::make_unique<Learner>(chosen(), digester())) {
    FakeRunner::start_anew();
    add_executors();
  }
  void add_executors() {
    for (uint16_t i = 0; i < 3; ++i) {
      ExecutorOptions wanted = options(1, model.r(), i);
      wanted.guests = 2;
      executors.push_back(std::make_unique<Replica>(wanted, now));
    }
  }

  LearnerOptions chosen() const { return {model, kResend, kPause}; }
  LearnerStatus status() const { return learner->status(); }

  /// The cluster commits one more batch, at all of `at`; the others run it only.
  void advance(const std::vector<size_t>& at = {0, 1, 2}) {
    ++number;
    executors[0]->receive(Address::client(0), wire::BundleMessage{open(number)});
    executors[0]->idle();
    wire::BatchPtr proposed;
    for (const auto& [to, message] : executors[0]->sent<wire::BatchMessage>()) {
      proposed = message.batch;
    }
    EVE_CHECK(proposed != nullptr, "what is not committed leaves room for more");
    for (size_t i = 1; i < 3; ++i) {
      executors[i]->receive(Address::executor(0), wire::BatchMessage{proposed});
    }
    for (const size_t i : at) commit_at(i, number);
  }
  void commit_at(size_t i, uint64_t upto) {
    tell(*executors[i], model.vouched(), commit(upto, executors[0]->runner.token(upto)));
  }
  crypto::Digest token(uint64_t of) const { return executors[0]->runner.token(of); }

  void take(Outbox& out) {
    for (wire::Send& send : out.sends) {
      const auto* request = std::get_if<wire::StateRequest>(send.message.get());
      ASSERT_NE(request, nullptr) << "a learner only asks";
      EXPECT_LE(request->nodes.size(), limits::kTransferNodesPerRequest);
      for (const Address to : send.to) asked.emplace_back(to, *request);
    }
    std::deque<Command> commands(out.commands.begin(), out.commands.end());
    out = {};
    for (const Command& command : commands) {
      const bool fetches = std::holds_alternative<StartFetch>(command) ||
                           std::holds_alternative<SupplyFetch>(command);
      ASSERT_TRUE(fetches) << "and fetches";
      std::vector<Event> events;
      stage.apply(command, [&](Event event) { events.push_back(std::move(event)); });
      for (const Event& event : events) {
        Outbox more;
        learner->on_event(event, now, more);
        take(more);
      }
    }
  }
  void start() {
    Outbox out;
    learner->start(now, out);
    take(out);
  }
  void give(Address from, const wire::Message& message) {
    Outbox out;
    learner->receive(message, from, now, out);
    take(out);
  }
  void pass(TimeUs us) {
    for (const TimeUs until = now + us; now < until;) {
      now = std::min(until, std::max(learner->deadline(), now));
      if (now < learner->deadline()) break;
      Outbox out;
      learner->tick(now, out);
      take(out);
      ASSERT_GT(learner->deadline(), now) << "a tick moves the deadline forward";
    }
  }
  /// Carries questions to executors and answers back until nobody says more. `change` may alter an
  /// answer; false drops it.
  using Change = std::function<bool(uint16_t, wire::StateReply&)>;
  void carry(const Change& change = [](uint16_t, wire::StateReply&) { return true; }) {
    for (int round = 0; round < 60 && !asked.empty(); ++round) {
      const auto questions = std::exchange(asked, {});
      for (const auto& [to, request] : questions) {
        Replica& executor = *executors.at(to.index);
        executor.receive(kAsker, request);
        for (auto& [asker, reply] : executor.sent<wire::StateReply>()) {
          EXPECT_EQ(asker, kAsker);
          wire::StateReply altered = reply;
          if (change(to.index, altered)) give(Address::executor(to.index), altered);
        }
      }
    }
    asked.clear();
  }
  /// Lets time pass, with everything that is said in between.
  void live(
      TimeUs us, const Change& change = [](uint16_t, wire::StateReply&) { return true; }) {
    for (const TimeUs until = now + us; now < until;) {
      pass(std::min<TimeUs>(10'000, until - now));
      carry(change);
    }
  }

  FaultModel model;
  TimeUs now = 1'000'000;
  uint64_t number = 0;
  std::vector<std::unique_ptr<Replica>> executors;
  std::unique_ptr<Learner> learner;
  FakeRunner stage;
  std::vector<std::pair<Address, wire::StateRequest>> asked;
};

class M14Learner : public Class {};

/// Where nobody lies.
class M14LearnerCrash : public Class {
 protected:
  M14LearnerCrash() : Class(0) {}
};

/// What executor 0 says if it is asked for its newest.
wire::StateReply newest(Replica& executor) {
  executor.receive(kAsker, wire::StateRequest{});
  return executor.sent<wire::StateReply>().at(0).second;
}

TEST_F(M14Learner, HoldsWhatIsCommittedAndThenWhatIsCommittedLater) {
  for (int i = 0; i < 5; ++i) advance();
  advance({});  // runs everywhere, and is not committed
  start();
  carry();
  EXPECT_EQ(status().held, BatchNumber(5));
  EXPECT_EQ(status().token, token(5));
  EXPECT_EQ(stage.committed(), BatchNumber(5));
  EXPECT_EQ(status().known, BatchNumber(5));
  EXPECT_EQ(status().waiting_for, "");
  EXPECT_GT(status().transfer_bytes, 0u);
  EXPECT_EQ(status().level_at, now);
  for (size_t i = 0; i < 3; ++i) commit_at(i, 6);
  live(kPause / 2);
  EXPECT_EQ(status().held, BatchNumber(5)) << "it rests";
  live(kPause);
  EXPECT_EQ(status().held, BatchNumber(6));
  EXPECT_EQ(status().transfers, 2u);
  EXPECT_EQ(status().refused_messages, 0u);
}

TEST_F(M14Learner, WhatItHoldsIsWhatAnEpochBeginsWith) {
  for (int i = 0; i < 3; ++i) advance();
  start();
  carry();
  ExecutorOptions next = options(1, 1, 2);
  next.epoch = Epoch(1);
  next.start = BatchNumber(3);
  next.genesis = token(3);
  Replica member(next, stage, stage.committed_state(), now);
  EXPECT_EQ(member.executor->status().committed, BatchNumber(3));
  EXPECT_FALSE(member.executor->status().fetching) << "it has it already";
  next.start = BatchNumber(4);
  advance();
  next.genesis = token(4);
  Replica later(next, stage, stage.committed_state(), now);
  EXPECT_TRUE(later.executor->status().fetching) << "the rest";
}

TEST_F(M14Learner, OneVoiceIsNotEnough) {
  for (int i = 0; i < 4; ++i) advance({0});
  start();
  for (int i = 0; i < 5; ++i)
    live(kResend, [](uint16_t from, const wire::StateReply&) { return from == 0; });
  EXPECT_EQ(status().known, BatchNumber());
  EXPECT_FALSE(status().fetching);
  EXPECT_NE(status().waiting_for, "");
  commit_at(2, 4);
  live(2 * kResend);
  EXPECT_EQ(status().held, BatchNumber(4));
}

TEST_F(M14LearnerCrash, OneVoiceIsEnoughWhereNobodyLies) {
  for (int i = 0; i < 4; ++i) advance({0});
  start();
  carry([](uint16_t from, const wire::StateReply&) { return from == 0; });
  EXPECT_EQ(status().held, BatchNumber(4));
}

// Two that commit at different times name the token before theirs, too.
TEST_F(M14Learner, NeighboursVouchForEachOther) {
  advance();
  advance({});
  executors[1]->receive(Address::verifier(0), commit(2, token(2)));
  commit_at(1, 2);
  start();
  carry([](uint16_t from, const wire::StateReply&) { return from != 2; });
  EXPECT_EQ(status().known, BatchNumber(1));
  EXPECT_EQ(status().held, BatchNumber(1));
}

TEST_F(M14Learner, WhatWasSaidBeforeAnotherSaidItCounts) {
  for (int i = 0; i < 4; ++i) advance();
  start();
  wire::StateReply early = newest(*executors[0]);
  give(Address::executor(0), early);
  for (int i = 0; i < 3; ++i) {
    advance();
    give(Address::executor(0), newest(*executors[0]));
  }
  EXPECT_EQ(status().known, BatchNumber());
  give(Address::executor(1), early);
  EXPECT_EQ(status().known, BatchNumber(4));
}

TEST_F(M14Learner, WhatOneSaysTakesBoundedMemoryAndCountsOnce) {
  advance();
  start();
  for (uint64_t i = 1; i < 1000; ++i) {
    wire::StateReply lie{
        BatchNumber(), wire::TokenParts{BatchNumber(i % 7 + 1), {}, {}, {}, {}}, {}};
    lie.parts->state = digest_of(std::to_string(i));
    give(Address::executor(2), lie);
    give(Address::executor(2), lie);
  }
  EXPECT_EQ(status().known, BatchNumber());
  carry([](uint16_t from, const wire::StateReply&) { return from != 2; });
  EXPECT_EQ(status().held, BatchNumber(1));
}

// A liar that says other numbers and other tokens, now and then those that others say.
TEST_F(M14Learner, ALiarBringsNothingThatIsNotCommitted) {
  for (int i = 0; i < 4; ++i) advance();
  uint64_t turn = 0;
  const auto lie = [&](uint16_t from, wire::StateReply& reply) {
    if (from != 2) return true;
    if (reply.number == BatchNumber()) {
      reply.parts = wire::TokenParts{BatchNumber(++turn % 9 + 1), {}, {}, digest_of("a lie"), {}};
    } else if (turn % 3 == 0) {
      reply.parts->state = digest_of("another");
    }
    for (auto& node : reply.nodes) node.payload = SharedBytes("a lie");
    return true;
  };
  start();
  for (int i = 0; i < 6; ++i) {
    live(kPause, lie);
    EXPECT_EQ(status().held, BatchNumber(number));
    EXPECT_EQ(status().token, token(number));
    EXPECT_EQ(status().known, BatchNumber(number));
    advance();
  }
}

TEST_F(M14Learner, WrongNodesAreRefusedAndBlamed) {
  for (int i = 0; i < 4; ++i) advance();
  start();
  const auto lie = [&](uint16_t from, wire::StateReply& reply) {
    for (auto& node : reply.nodes) {
      if (from == 0) node.payload = SharedBytes("a lie");
    }
    return true;
  };
  live(3 * kPause, lie);
  EXPECT_EQ(status().held, BatchNumber(4));
  ASSERT_EQ(learner->refusals().by_sender().size(), 1u);
  EXPECT_EQ(learner->refusals().by_sender().begin()->first, Address::executor(0));
}

TEST_F(M14Learner, WhoGoesAwayIsDoneWithout) {
  for (int i = 0; i < 4; ++i) advance();
  start();
  // Executor 0 says what it holds, and never sends any of it; later it is gone.
  live(20 * kResend,
       [](uint16_t from, wire::StateReply& reply) { return from != 0 || reply.nodes.empty(); });
  EXPECT_EQ(status().held, BatchNumber(4));
  advance();
  live(3 * kPause, [](uint16_t from, const wire::StateReply&) { return from != 0; });
  EXPECT_EQ(status().held, BatchNumber(5));
}

TEST_F(M14Learner, VersionsThatExpireMeanwhileAreGivenUpForNewerOnes) {
  for (int i = 0; i < 4; ++i) advance();
  start();
  // Answers about nodes take so long that nobody holds the version any more by then.
  bool slow = true;
  const auto expire = [&](uint16_t, wire::StateReply& reply) {
    if (reply.nodes.empty() || !slow) return true;
    slow = false;
    for (uint64_t i = 0; i <= limits::kHistoryBatches + 5; ++i) advance();
    return false;
  };
  carry(expire);
  ASSERT_TRUE(status().fetching);
  live(5 * kPause, expire);
  EXPECT_EQ(status().held, BatchNumber(number));
  EXPECT_EQ(status().token, token(number));
}

// What r+1 say is older than what is here: nothing to fetch, whoever says it.
TEST_F(M14Learner, NothingIsFetchedThatIsNotNewer) {
  for (int i = 0; i < 4; ++i) advance();
  const wire::StateReply old = newest(*executors[0]);
  advance();
  start();
  carry();
  ASSERT_EQ(status().held, BatchNumber(5));
  now += 2 * kPause;
  for (uint16_t i = 0; i < 3; ++i) give(Address::executor(i), old);
  EXPECT_FALSE(status().fetching);
  EXPECT_EQ(status().held, BatchNumber(5));
  EXPECT_EQ(status().known, BatchNumber(5));
}

TEST_F(M14Learner, BeginsWithWhatIsThere) {
  for (int i = 0; i < 4; ++i) advance();
  start();
  carry();
  learner = std::make_unique<Learner>(chosen(), digester());
  learner->begin(stage.committed_state());
  EXPECT_EQ(status().held, BatchNumber(4));
  EXPECT_EQ(status().known, BatchNumber(4));
  start();
  carry();
  EXPECT_EQ(status().transfers, 0u);
  EXPECT_EQ(status().level_at, now);
  advance();
  live(2 * kPause);
  EXPECT_EQ(status().held, BatchNumber(5));
}

TEST_F(M14Learner, AnEmptyClusterHasNothingToFetch) {
  start();
  live(kPause);
  EXPECT_EQ(status().held, BatchNumber());
  EXPECT_FALSE(status().fetching);
  EXPECT_EQ(status().refused_messages, 0u);
  advance();
  live(2 * kResend);
  EXPECT_EQ(status().held, BatchNumber(1));
}

TEST_F(M14Learner, AsksAgainEveryResendTimeAndSeldomWhenItIsLevel) {
  advance();
  start();
  EXPECT_EQ(asked.size(), 3u);
  asked.clear();
  pass(10 * kResend);
  EXPECT_EQ(asked.size(), 3u * 10);
  live(kPause + kResend);
  ASSERT_EQ(status().held, BatchNumber(1));
  pass(1);
  asked.clear();
  pass(5 * kPause);
  EXPECT_LE(asked.size(), 3u * 5);
}

TEST_F(M14Learner, WhatNobodyShouldSayToItIsRefusedAndChangesNothing) {
  advance();
  start();
  const std::vector<wire::Message> others{wire::BatchMessage{batch(0, 2, {open(9)}).batch},
                                          wire::Message(wire::Token{}),
                                          commit(1, token(1)),
                                          wire::Suspect{},
                                          wire::StateRequest{},
                                          wire::BundleMessage{open(8)}};
  for (const wire::Message& message : others) {
    give(Address::executor(0), message);
    give(Address::verifier(0), message);
  }
  give(Address::verifier(1), newest(*executors[0]));
  give(Address::executor(3), newest(*executors[0]));  // of no seat
  give(Address::executor(9), newest(*executors[0]));
  wire::StateReply with_nodes = newest(*executors[0]);
  with_nodes.nodes.push_back({{0, 0}, SharedBytes("unasked for")});
  give(Address::executor(0), with_nodes);
  EXPECT_EQ(status().refused_messages, 2 * others.size() + 4);
  EXPECT_EQ(status().known, BatchNumber());
  carry();
  EXPECT_EQ(status().held, BatchNumber(1));
}

TEST_F(M14Learner, LateAnswersAreNoLies) {
  for (int i = 0; i < 3; ++i) advance();
  start();
  std::vector<std::pair<uint16_t, wire::StateReply>> seen;
  carry([&](uint16_t from, wire::StateReply& reply) {
    seen.emplace_back(from, reply);
    return true;
  });
  ASSERT_EQ(status().held, BatchNumber(3));
  for (const auto& [from, reply] : seen) give(Address::executor(from), reply);
  EXPECT_EQ(status().refused_messages, 0u);
  EXPECT_EQ(status().held, BatchNumber(3));
}

/// Any message: with what was said before in it, and numbers that somebody may mean.
wire::Message anything(Random& random, const std::vector<wire::StateReply>& seen) {
  if (random.chance(1, 8)) return wire::Token{};
  if (random.chance(1, 8)) return wire::StateRequest{BatchNumber(random.below(9)), {}};
  wire::StateReply reply;
  if (!seen.empty() && random.chance(2, 3)) reply = seen[random.below(seen.size())];
  if (random.chance(1, 4)) reply.number = BatchNumber(random.below(12));
  if (random.chance(1, 4)) reply.parts.reset();
  if (random.chance(1, 4)) {
    reply.parts = wire::TokenParts{BatchNumber(random.chance(1, 9) ? ~0ull : random.below(12)),
                                   {},
                                   {},
                                   digest_of(std::to_string(random.below(3))),
                                   {}};
  }
  if (random.chance(1, 4)) reply.nodes.clear();
  for (auto& node : reply.nodes) {
    if (random.chance(1, 2)) node.payload = SharedBytes("a lie");
    if (random.chance(1, 4)) node.id.index = random.below(5);
  }
  if (random.chance(1, 8)) reply.nodes.push_back({{0, random.below(5)}, SharedBytes("a lie")});
  return reply;
}

// One of three says anything at any time; of what the others say, some is lost or comes twice.
TEST_F(M14Learner, WhateverALiarSendsItHoldsWhatIsCommittedAndGetsThere) {
  for (uint64_t seed = 0; seed < 150; ++seed) {
    Random random(seed);
    FakeRunner::start_anew();
    number = 0;
    executors.clear();
    add_executors();
    stage = FakeRunner();
    asked.clear();
    learner = std::make_unique<Learner>(chosen(), digester());
    std::vector<wire::StateReply> seen;
    const auto lossy = [&](uint16_t from, wire::StateReply& reply) {
      if (seen.size() < 50) seen.push_back(reply);
      if (random.chance(1, 2)) give(Address::executor(2), anything(random, seen));
      return from != 2 && !random.chance(1, 3);
    };
    start();
    for (int step = 0; step < 40; ++step) {
      if (number < 12 && random.chance(1, 3)) advance();
      if (random.chance(1, 3)) give(Address::executor(2), anything(random, seen));
      live(static_cast<TimeUs>(random.below(2 * kResend)), lossy);
      if (status().held == BatchNumber()) continue;
      ASSERT_LE(status().held, BatchNumber(number)) << seed;
      ASSERT_EQ(status().token, token(status().held.value())) << seed;
      ASSERT_EQ(stage.committed(), status().held) << seed;
    }
    advance();
    live(8 * kPause, [&](uint16_t from, wire::StateReply& reply) {
      if (random.chance(1, 4)) give(Address::executor(2), anything(random, seen));
      (void)reply;
      return from != 2;
    });
    ASSERT_EQ(status().held, BatchNumber(number)) << seed << ": " << status().waiting_for;
    for (const auto& [from, entry] : learner->refusals().by_sender()) {
      ASSERT_EQ(from, Address::executor(2)) << seed << ": " << entry.reason;
    }
  }
}

// At the executors: who is about to come costs no more than any other executor.
TEST_F(M14Learner, AnExecutorAnswersSoManyQuestionsAtATime) {
  advance();
  Replica& executor = *executors[0];
  executor.eager = false;
  for (int i = 0; i < 20; ++i) executor.receive(kAsker, wire::StateRequest{});
  executor.run();
  EXPECT_EQ(executor.sent<wire::StateReply>().size(), 4u);
  const auto refused = executor.executor->status().refused_messages;
  executor.receive(Address::executor(5), wire::StateRequest{});
  executor.receive(kAsker, wire::StateReply{});
  executor.receive(kAsker, wire::BatchMessage{batch(0, 2, {open(9)}).batch});
  executor.receive(kAsker, wire::BundleMessage{open(9)});
  executor.run();
  EXPECT_TRUE(executor.sent<wire::StateReply>().empty());
  EXPECT_EQ(executor.executor->status().refused_messages, refused + 4);
}

}  // namespace
}  // namespace eve::execution::executor_testing
