// Whole clusters of verifiers, for several (u, r): agreement, view changes, and the traps that the
// review of the design found (numbers as in its list).
#include "verification/testing.h"

namespace eve::verification::testing {
namespace {

std::string name_of(const ::testing::TestParamInfo<std::pair<uint32_t, uint32_t>>& info) {
  return "u" + std::to_string(info.param.first) + "r" + std::to_string(info.param.second);
}

class Clusters : public ::testing::TestWithParam<std::pair<uint32_t, uint32_t>> {
 protected:
  /// The first `count` executors send the same token.
  void tokens(uint32_t count, uint64_t view, uint64_t number, ByteView name,
              const crypto::Digest& previous) {
    for (uint16_t i = 0; i < count; ++i) cluster_.token(i, view, number, name, previous);
  }
  /// One token each: nothing can reach a quorum.
  void diverge(uint64_t view, uint64_t number, const crypto::Digest& previous) {
    for (uint16_t i = 0; i < model_.executors(); ++i) {
      cluster_.token(i, view, number, "diverged" + std::to_string(i), previous);
    }
  }
  size_t all() const { return model_.verifiers(); }
  View view() const { return cluster_.status(0).view; }

  const FaultModel model_{GetParam().first, GetParam().second};
  Cluster cluster_{model_};
};

INSTANTIATE_TEST_SUITE_P(Models, Clusters,
                         ::testing::Values(std::pair(1u, 0u), std::pair(1u, 1u), std::pair(2u, 0u),
                                           std::pair(2u, 1u), std::pair(2u, 2u)),
                         name_of);

TEST_P(Clusters, CommitsBatchesInAPipeline) {
  crypto::Digest previous = kGenesis;
  for (uint64_t n = 1; n <= 48; ++n) {
    const std::string token = "T" + std::to_string(n);
    tokens(model_.token_certificate(), 0, n, token, previous);
    previous = digest(token);
    if (n % 4 == 0) cluster_.run();
  }
  EXPECT_EQ(cluster_.settled(48), all());
}

TEST_P(Clusters, CommitsWithUVerifiersDown) {
  for (uint16_t i = 0; i < model_.u(); ++i) cluster_.crash(i);
  tokens(model_.token_certificate(), 0, 1, "T1", kGenesis);
  cluster_.run();
  EXPECT_EQ(cluster_.settled(1), all() - model_.u());
}

TEST_P(Clusters, DivergenceStartsANewViewFromTheLastCertificate) {
  tokens(model_.executors(), 0, 1, "T1", kGenesis);
  cluster_.run();
  diverge(0, 2, digest("T1"));
  cluster_.run();
  EXPECT_EQ(cluster_.settled(1), all());
  EXPECT_EQ(view(), View(1));
  tokens(model_.executors(), 1, 2, "U2", digest("T1"));
  cluster_.run();
  EXPECT_EQ(cluster_.settled(2), all());
}

TEST_P(Clusters, DeadLeadersAreSkipped) {
  for (uint16_t i = 1; i <= model_.u(); ++i) cluster_.crash(i);
  diverge(0, 1, kGenesis);
  cluster_.wait(3'000'000);
  EXPECT_EQ(cluster_.settled(0), all() - model_.u());
  EXPECT_EQ(view(), View(model_.u() + 1));
}

TEST_P(Clusters, ARestartedVerifierComesBackInANewView) {
  tokens(model_.executors(), 0, 1, "T1", kGenesis);
  cluster_.run();
  cluster_.crash(0);
  cluster_.boot(0);
  EXPECT_EQ(cluster_.status(0).phase, "recovering");
  cluster_.wait(1'000'000);
  EXPECT_EQ(cluster_.settled(1), all());
  EXPECT_EQ(view(), View(1)) << "one view change and no more";
}

TEST_P(Clusters, ALostMessageOfEveryKindIsMadeUpFor) {
  std::set<std::tuple<Address, Address, size_t>> lost;
  cluster_.pass = [&](const Envelope& envelope) {  // loses the first of each kind on each link
    const bool token = std::holds_alternative<wire::Token>(*envelope.message);
    return token || !lost.emplace(envelope.from, envelope.to, envelope.message->index()).second;
  };
  tokens(model_.executors(), 0, 1, "T1", kGenesis);
  cluster_.wait(450'000);
  EXPECT_EQ(cluster_.settled(1), all());
  EXPECT_EQ(view(), View(0));
}

TEST_P(Clusters, AVerifierThatWasAwayFollowsAgain) {
  const Address away = Address::verifier(all() - 1);
  cluster_.pass = [&](const Envelope& e) { return e.from != away && e.to != away; };
  crypto::Digest previous = kGenesis;
  for (uint64_t n = 1; n <= 100; ++n) {
    const std::string token = "T" + std::to_string(n);
    tokens(model_.executors(), 0, n, token, previous);
    cluster_.run();
    previous = digest(token);
  }
  diverge(0, 101, previous);
  cluster_.wait(1'000'000);
  cluster_.pass = nullptr;
  EXPECT_EQ(cluster_.status(away.index).committed, BatchNumber(0));
  const uint64_t now = view().value();
  tokens(model_.executors(), now, 101, "T101", previous);
  cluster_.wait(200'000);
  EXPECT_EQ(cluster_.settled(101), all());
}

// Trap 1: a verifier asks for v+1 (delayed), restarts, is readmitted in v and commits there; then
// its old VIEW-CHANGE starts v+1 without that batch.
TEST_P(Clusters, Trap1AnOldViewChangeOfARestartedVerifierLosesNothing) {
  std::vector<Envelope> delayed;
  cluster_.pass = [&](const Envelope& envelope) {
    const auto* change = std::get_if<wire::ViewChange>(envelope.message.get());
    if (std::holds_alternative<wire::Hello>(*envelope.message)) return false;
    if (change == nullptr || change->verifier != 0) return true;
    delayed.push_back(envelope);
    return false;
  };
  for (uint16_t i = 0; i < model_.suspicion(); ++i) {
    cluster_.send(Address::executor(i), Address::verifier(0), wire::Suspect{View(0)});
  }
  cluster_.run();
  ASSERT_FALSE(delayed.empty());
  EXPECT_EQ(cluster_.persisted[0], View(1));
  cluster_.crash(0);
  cluster_.boot(0);
  tokens(model_.executors(), 0, 1, "T1", kGenesis);
  cluster_.run();
  EXPECT_EQ(cluster_.status(0).phase, "recovering") << "not readmitted in view 0";
  ASSERT_EQ(cluster_.status(1).committed, BatchNumber(1)) << "without its vote";
  cluster_.pass = nullptr;
  for (const auto& envelope : delayed) cluster_.queue.push_back(envelope);
  diverge(cluster_.status(1).view.value(), 2, digest("T1"));
  cluster_.wait(6'000'000);
  EXPECT_GT(cluster_.status(0).view, View(1));
  EXPECT_EQ(cluster_.settled(1), all());
  EXPECT_EQ(cluster_.status(0).token, digest("T1"));
}

// Trap 1, the other half: what the restarted verifier had certified survives a view that it joined
// and that never started, although it then asks for the next view beside a slow verifier.
TEST_P(Clusters, Trap1WhatARestartedVerifierHadCommittedOutlivesAViewThatNeverStarted) {
  const uint16_t slow = static_cast<uint16_t>(all() - 1);  // sees nothing of batch 1
  cluster_.pass = [&](const Envelope& e) { return e.to != Address::verifier(slow); };
  tokens(model_.executors(), 0, 1, "T1", kGenesis);
  cluster_.run();
  ASSERT_EQ(cluster_.settled(1), all() - 1);
  cluster_.crash(0);
  cluster_.boot(0);
  cluster_.pass = [&](const Envelope& e) {  // view 1 is joined by all, and nobody votes
    const auto* prepare = std::get_if<wire::Prepare>(e.message.get());
    return prepare == nullptr || prepare->view != View(1);
  };
  cluster_.wait(5'000'000);
  EXPECT_GT(view(), View(1));
  EXPECT_EQ(cluster_.settled(1), all());
}

// Trap 2, trap 5: equivocating executors show T to some verifiers and U to others.
TEST_P(Clusters, Trap2And5EquivocatingExecutorsCommitOneTokenAtMost) {
  if (model_.r() == 0) GTEST_SKIP() << "nobody lies";
  // One correct executor raced to T, the others to U; u + 1 - 1 liars say whatever is heard.
  const uint16_t half = static_cast<uint16_t>(all() / 2);
  for (uint16_t i = 0; i < all(); ++i) {
    for (uint16_t e = 0; e < model_.executors(); ++e) {
      const bool liar = e < model_.r();
      const bool first = liar ? i < half : e <= model_.u();
      if (!liar && i % 2 != e % 2) continue;  // the correct ones' tokens are late for some
      cluster_.token(e, 0, 1, first ? "T1" : "U1", kGenesis, {i});
    }
  }
  cluster_.wait(5'000'000);
  EXPECT_LE(cluster_.agreed.count(BatchNumber(1)), 1u);
  const auto status = cluster_.status(0);
  EXPECT_EQ(cluster_.settled(status.committed.value()), all());
  tokens(model_.executors(), status.view.value(), status.committed.value() + 1, "T2", status.token);
  cluster_.wait(100'000);
  EXPECT_EQ(cluster_.settled(status.committed.value() + 1), all());
}

// Trap 3: a raced token that fewer than u+1 executors showed is never promised, so that one of them
// at least is correct and has it; what was promised is carried on by the certificate.
TEST_P(Clusters, Trap3ATokenOfUExecutorsIsNeverPromised) {
  tokens(model_.u(), 0, 1, "T1", kGenesis);
  cluster_.pass = [&](const Envelope& e) {
    EXPECT_FALSE(std::holds_alternative<wire::Prepare>(*e.message));
    return true;
  };
  cluster_.wait(400'000);
  EXPECT_EQ(cluster_.settled(0), all());
}

// Trap 5: one executor is down and two differ: no third token comes.
TEST(Trap5, OneExecutorDownAndTwoDiffer) {
  for (const uint32_t r : {0u, 1u}) {
    Cluster cluster{FaultModel(1, r)};
    cluster.token(0, 0, 1, "T1", kGenesis);
    cluster.token(1, 0, 1, "U1", kGenesis);
    cluster.wait(30'000);
    EXPECT_EQ(cluster.settled(0), cluster.nodes.size());
    EXPECT_EQ(cluster.status(0).view, View(1)) << "after the divergence delay";
  }
}

// Trap 6: one verifier that hears nobody drags nobody through views, and is back at the next one.
TEST_P(Clusters, Trap6AVerifierThatHearsNobodyDragsNobodyAlong) {
  const Address deaf = Address::verifier(0);
  cluster_.pass = [&](const Envelope& e) { return e.to != deaf || e.from.role == Role::kExecutor; };
  tokens(model_.executors(), 0, 1, "T1", kGenesis);
  cluster_.wait(10'000'000);
  EXPECT_EQ(cluster_.status(0).promised, View(1));
  for (uint16_t i = 1; i < all(); ++i) EXPECT_EQ(cluster_.status(i).promised, View(0));
  cluster_.pass = nullptr;
  cluster_.wait(1'000'000);
  // Once it hears again, the others take it along to the view that it had asked for (V6e).
  EXPECT_EQ(cluster_.status(0).committed, BatchNumber(1));
  EXPECT_EQ(cluster_.settled(1), all());
}

// Trap 6: one executor cut off from the primary suspects it for ever; u of them do not count.
TEST_P(Clusters, Trap6SuspectingExecutorsBelowTheQuorumDragNobody) {
  for (int i = 0; i < 20; ++i) {
    for (uint16_t e = 0; e < model_.u(); ++e) {
      for (uint16_t v = 0; v < all(); ++v) {
        cluster_.send(Address::executor(e), Address::verifier(v), wire::Suspect{View(0)});
      }
    }
    cluster_.wait(100'000);
  }
  EXPECT_EQ(view(), View(0));
  EXPECT_EQ(cluster_.status(0).promised, View(0));
}

// Trap 7: liars' tokens for a batch that does not exist change nothing.
TEST_P(Clusters, Trap7ABatchThatDoesNotExistIsNotWaitedFor) {
  if (model_.r() == 0) GTEST_SKIP() << "nobody lies";
  tokens(model_.r(), 0, 1, "nothing", kGenesis);
  cluster_.token(0, 0, 9, "nothing", kGenesis);
  cluster_.wait(5'000'000);
  EXPECT_EQ(cluster_.status(0).promised, View(0));
}

// With r = 2 two of them can make tokens differ without any batch, as often as they like: a batch
// that takes longer than the wait for divergence would never commit, and be blamed in the end.
TEST(Divergence, LiarsAloneDoNotMakeIt) {
  const FaultModel model(2, 2);
  Cluster cluster(model);
  for (const uint16_t liar : {3, 4}) {
    cluster.token(liar, 0, 1, "lie of " + std::to_string(liar), kGenesis);
  }
  cluster.wait(1'000'000);
  EXPECT_EQ(cluster.status(0).promised, View(0)) << cluster.status(0).last_reason;
  for (const uint16_t executor : {0, 1, 2}) cluster.token(executor, 0, 1, "T1", kGenesis);
  cluster.run();
  EXPECT_EQ(cluster.settled(1), model.verifiers());
}

TEST(Equivocation, TwoStartPointsOfOneLeaderDoNotBothStart) {
  const FaultModel model(1, 1);
  Cluster cluster(model);
  const Signer liar(model, 1);
  cluster.liars[1] = [&](Envelope envelope) {
    const auto* real = std::get_if<wire::NewView>(envelope.message.get());
    if (real != nullptr && envelope.to.index == 3) {  // as if nobody had a certificate
      auto proof = real->proof;
      for (auto& change : proof) {
        if (change.verifier == 1) change = liar.change(1, genesis_certificate());
      }
      envelope.message = std::make_shared<const wire::Message>(liar.new_view(1, proof));
    }
    cluster.queue.push_back(envelope);
  };
  // Verifiers 0 and 2 never hear COMMITs of batch 1; only the liar's certificate is shown to them.
  cluster.pass = [&](const Envelope& e) {
    const auto* commit = std::get_if<wire::Commit>(e.message.get());
    const auto* prepare = std::get_if<wire::Prepare>(e.message.get());
    const bool batch = (commit != nullptr && commit->view == View(0)) ||
                       (prepare != nullptr && prepare->view == View(0));
    return !batch || e.to.index == 1;
  };
  for (const uint16_t executor : {0, 1, 2}) cluster.token(executor, 0, 1, "T1", kGenesis);
  cluster.run();
  for (const uint16_t executor : {0, 1}) {
    for (const uint16_t v : {0, 1, 2, 3}) {
      cluster.send(Address::executor(executor), Address::verifier(v), wire::Suspect{View(0)});
    }
  }
  cluster.wait(4'000'000);
  const auto status = cluster.status(0);
  EXPECT_GE(status.view, View(1));
  EXPECT_EQ(cluster.settled(status.committed.value()), 4u);
}

}  // namespace
}  // namespace eve::verification::testing
