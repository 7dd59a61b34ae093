// V11: bundles on which executors never agree are counted, named, and quarantined.
#include "verification/poison.h"

#include "base/limits.h"
#include "verification/testing.h"

namespace eve::verification::testing {
namespace {

const FaultModel kModel(1, 1);

wire::Digest bundle(uint64_t index) {
  return digest("bundle" + std::to_string(index));
}

wire::Names names(std::vector<wire::Digest> bundles) {
  std::sort(bundles.begin(), bundles.end());
  return bundles;
}

void fail(PoisonCount& count, const wire::Digest& name, uint32_t views) {
  for (uint32_t i = 0; i < views; ++i) count.failed(name);
}

TEST(PoisonCount, NamesWhatMadeEnoughViewsFail) {
  EXPECT_EQ(kModel.poisonous(), 12u);
  EXPECT_EQ(FaultModel(1, 0).poisonous(), 9u);
  PoisonCount count(kModel);
  fail(count, bundle(1), 11);
  EXPECT_TRUE(count.names().empty());
  fail(count, bundle(2), 3);
  count.failed(bundle(1));
  EXPECT_EQ(count.names(), names({bundle(1)})) << "what failed in between takes nothing back";
}

TEST(PoisonCount, NamesTheLatestAndForgetsTheOldest) {
  PoisonCount count(kModel);
  for (uint64_t i = 0; i < 16; ++i) fail(count, bundle(i), 12);
  EXPECT_EQ(count.names(), names({bundle(12), bundle(13), bundle(14), bundle(15)}));
  fail(count, bundle(99), 11);  // bundle 0 makes room
  count.failed(bundle(0));      // and bundle 1 does
  EXPECT_EQ(count.names(), names({bundle(12), bundle(13), bundle(14), bundle(15)}));
  count.failed(bundle(99));
  EXPECT_EQ(count.names(), names({bundle(13), bundle(14), bundle(15), bundle(99)}));
}

TEST(Quarantine, WhatOneThatDoesNotLieNames) {
  const auto change = [](uint16_t verifier, wire::Names poison) {
    return wire::ViewChange{View(1), {}, verifier, {}, std::move(poison)};
  };
  const auto both = names({bundle(1), bundle(2)});
  EXPECT_TRUE(quarantine({change(0, both), change(1, {}), change(2, {})}, kModel).empty())
      << "a lying VIEW-CHANGE alone quarantines nothing";
  EXPECT_EQ(quarantine({change(0, both), change(1, {bundle(2)}), change(2, {})}, kModel),
            names({bundle(2)}));
  EXPECT_EQ(quarantine({change(0, both), change(1, {})}, FaultModel(1, 0)), both);
}

TEST(Quarantine, IsBoundedAndPrefersWhatMostName) {
  std::vector<wire::ViewChange> proof;
  for (uint16_t i = 0; i < 11; ++i) {
    proof.push_back({View(1), {}, i, {}, names({bundle(4u * i), bundle(4u * i + 1), bundle(99)})});
  }
  const wire::Names chosen = quarantine(proof, FaultModel(5, 0));
  EXPECT_EQ(chosen.size(), limits::kMaxQuarantine);
  EXPECT_TRUE(std::is_sorted(chosen.begin(), chosen.end()));
  EXPECT_EQ(std::count(chosen.begin(), chosen.end(), bundle(99)), 1);
}

/// A cluster whose executors never agree on bundle `x`.
class PoisonedCluster : public ::testing::TestWithParam<std::pair<uint32_t, uint32_t>> {
 protected:
  void SetUp() override {
    cluster_.on_verdict = [this](uint16_t, uint16_t, const wire::Verdict& verdict) {
      if (verdict.kind != wire::VerdictKind::kRollback) return;
      const auto [start, first] = starts_.emplace(verdict.view, verdict);
      EXPECT_EQ(start->second, verdict) << "two starts of view " << verdict.view.value();
    };
  }
  static wire::Token token(View view, ByteView name, std::optional<wire::Digest> sole,
                           uint64_t number = 1, const crypto::Digest& previous = kGenesis) {
    wire::Token token = make_token(view.value(), number, digest(name), previous);
    token.parts.batch = digest("batch" + std::to_string(view.value()));
    token.sole = sole;
    return token;
  }
  /// Each of the first `executors` sends a token of its own for batch 1 of the current view.
  void diverge(uint32_t executors, std::optional<wire::Digest> sole) {
    const View view = cluster_.status(0).view;
    for (uint16_t i = 0; i < executors; ++i) {
      const std::string name = std::to_string(view.value()) + " of " + std::to_string(i);
      for (uint16_t v = 0; v < model_.verifiers(); ++v) {
        cluster_.send(Address::executor(i), Address::verifier(v), token(view, name, sole));
      }
    }
  }
  /// The views that fail until something is quarantined; `most` if nothing is.
  uint32_t views_until_quarantine(uint32_t executors, uint32_t most) {
    for (uint32_t views = 0; views < most; ++views) {
      if (cluster_.status(0).quarantined > 0) return views;
      const View before = cluster_.status(0).view;
      diverge(executors, bundle(1));
      cluster_.run();
      while (cluster_.status(0).view == before) cluster_.wait(20'000);
    }
    return most;
  }
  const FaultModel model_{GetParam().first, GetParam().second};
  Cluster cluster_{model_};
  std::map<View, wire::Verdict> starts_;
};

INSTANTIATE_TEST_SUITE_P(Models, PoisonedCluster,
                         ::testing::Values(std::pair(1u, 0u), std::pair(1u, 1u),
                                           std::pair(2u, 1u)));

TEST_P(PoisonedCluster, V11IsQuarantinedAfterKViews) {
  EXPECT_EQ(views_until_quarantine(model_.executors(), 100), model_.poisonous());
  for (uint16_t i = 0; i < model_.verifiers(); ++i) {
    EXPECT_EQ(cluster_.status(i).quarantined, 1u);
  }
  const wire::Verdict& start = starts_.rbegin()->second;
  EXPECT_EQ(start.view, cluster_.status(0).view);
  EXPECT_EQ(start.quarantine, names({bundle(1)}));
  EXPECT_TRUE(std::prev(starts_.end(), 2)->second.quarantine.empty());
}

// Divergence with executors that say nothing is told by time; views that bear nothing lengthen it,
// but not without bound.
TEST_P(PoisonedCluster, V6bEndsInSecondsWithExecutorsDown) {
  const TimeUs before = cluster_.now;
  const uint32_t up = model_.executors() - model_.u();
  EXPECT_EQ(views_until_quarantine(up, 100), model_.poisonous());
  EXPECT_LT(cluster_.now - before, static_cast<TimeUs>(model_.poisonous()) * 1'000'000);
}

// Found by the simulator (seed 56 bft of service poison): a leader that made no view start cost
// more each time, as nothing was committed in between.
TEST_P(PoisonedCluster, V6ALeaderThatIsDownCostsTheSameAtEachTurn) {
  cluster_.crash(1);
  const TimeUs before = cluster_.now;
  EXPECT_EQ(views_until_quarantine(model_.executors(), 100), model_.poisonous());
  EXPECT_LT(cluster_.now - before, static_cast<TimeUs>(model_.poisonous()) * 300'000);
}

TEST_P(PoisonedCluster, V11ABatchOfManyIsNotBlamed) {
  for (uint32_t i = 0; i < 2 * model_.poisonous(); ++i) {
    diverge(model_.executors(), std::nullopt);
    cluster_.run();
  }
  EXPECT_EQ(cluster_.status(0).quarantined, 0u);
}

// A lying primary or executor alone says what it likes of the batch.
TEST_P(PoisonedCluster, V11TheWordOfLiarsDoesNotCount) {
  for (uint32_t i = 0; i < 2 * model_.poisonous() && model_.r() > 0; ++i) {
    const View view = cluster_.status(0).view;
    for (uint16_t executor = 0; executor < model_.executors(); ++executor) {
      const auto sole = executor < model_.r() ? std::optional(bundle(1)) : std::nullopt;
      const std::string name = std::to_string(view.value()) + " of " + std::to_string(executor);
      for (uint16_t v = 0; v < model_.verifiers(); ++v) {
        cluster_.send(Address::executor(executor), Address::verifier(v), token(view, name, sole));
      }
    }
    cluster_.run();
  }
  EXPECT_EQ(cluster_.status(0).quarantined, 0u);
}

TEST_P(PoisonedCluster, V11OnlyWhatComesRightAfterTheStartIsBlamed) {
  diverge(model_.executors(), bundle(1));
  cluster_.run();
  for (uint32_t i = 0; i < 2 * model_.poisonous(); ++i) {
    const View view = cluster_.status(0).view;
    for (uint16_t e = 0; e < model_.executors(); ++e) {
      for (uint16_t v = 0; v < model_.verifiers(); ++v) {
        const std::string second = std::to_string(view.value()) + " of " + std::to_string(e);
        const auto first =
            token(view, "first", std::nullopt, 1 + i, cluster_.agreed.rbegin()->second);
        cluster_.send(Address::executor(e), Address::verifier(v), first);
        cluster_.send(Address::executor(e), Address::verifier(v),
                      token(view, second, bundle(1), 2 + i, digest("first")));
      }
    }
    cluster_.run();
    EXPECT_GT(cluster_.status(0).view, view);
  }
  EXPECT_EQ(cluster_.status(0).quarantined, 0u);
}

class Listing : public ::testing::Test {
 protected:
  std::vector<wire::ViewChange> proof(const wire::Names& poison, size_t naming) {
    std::vector<wire::ViewChange> changes;
    for (const uint16_t peer : {1, 2, 3}) {
      auto change = lone_.signers[peer]->change(1, genesis_certificate());
      if (changes.size() < naming) change.poison = poison;
      lone_.signers[peer]->notary().sign(change);
      changes.push_back(change);
    }
    return changes;
  }
  void join(size_t naming) {
    lone_.give(Address::verifier(1), lone_.signers[1]->new_view(1, proof(list_, naming)));
    ASSERT_EQ(lone_.status().phase, "starting");
  }
  void prepares(const crypto::Digest& binding) {
    for (const uint16_t peer : {1, 2, 3}) {
      lone_.give(Address::verifier(peer), lone_.signers[peer]->prepare(1, 0, kGenesis, binding));
    }
  }
  void commits() {
    for (const uint16_t peer : {1, 2, 3}) lone_.commit(peer, 1, 0, "genesis");
  }
  std::vector<wire::Names> started() {
    std::vector<wire::Names> lists;
    for (const auto& verdict : lone_.sent<wire::Verdict>()) {
      if (verdict.kind == wire::VerdictKind::kRollback) lists.push_back(verdict.quarantine);
    }
    return lists;
  }
  const wire::Names list_ = names({bundle(1)});
  const crypto::Digest binding_ = wire::quarantine_digest(list_, digester());
  Lone lone_{kModel};
};

TEST_F(Listing, V11ThePrepareOfTheStartBindsTheList) {
  join(2);
  const auto own = lone_.sent<wire::Prepare>();
  ASSERT_EQ(own.size(), 1u);
  EXPECT_EQ(own[0].previous, binding_);
  EXPECT_NE(binding_, crypto::Digest());
}

TEST_F(Listing, V11ALyingViewChangeAloneQuarantinesNothing) {
  join(1);
  EXPECT_EQ(lone_.sent<wire::Prepare>().at(0).previous, crypto::Digest());
  prepares({});
  commits();
  EXPECT_EQ(started(), std::vector<wire::Names>{{}});
}

TEST_F(Listing, V11AListIsAnnouncedWithItsCertificate) {
  join(2);
  commits();
  EXPECT_TRUE(started().empty()) << "COMMITs do not say which list it was";
  prepares(binding_);
  EXPECT_EQ(started(), std::vector<wire::Names>{list_});
}

// The leader proposed two starts, and the other one was certified: whose list it was, others tell.
TEST_F(Listing, V11AnotherListThanTheOwnIsLearntFromOthers) {
  join(1);
  prepares(binding_);
  commits();
  EXPECT_TRUE(started().empty());
  const wire::Verdict start{wire::VerdictKind::kRollback, View(1), BatchNumber(0), kGenesis, list_};
  const wire::Verdict last{wire::VerdictKind::kCommit, View(0), BatchNumber(0), kGenesis};
  lone_.give(Address::verifier(2), wire::Welcome{View(1), start, last});
  EXPECT_TRUE(started().empty()) << "one may lie";
  lone_.give(Address::verifier(3), wire::Welcome{View(1), start, last});
  EXPECT_EQ(started(), std::vector<wire::Names>{list_});
}

TEST_F(Listing, V11AViewChangeSaysWhatMadeViewsFail) {
  wire::Names named;
  for (uint64_t view = 1; named.empty() && view < 30; ++view) {
    std::vector<wire::ViewChange> changes;
    for (const uint16_t peer : {1, 2, 3}) {
      changes.push_back(lone_.signers[peer]->change(view, genesis_certificate()));
    }
    const auto leader = static_cast<uint16_t>(view % 4);
    if (leader == 0) {  // its own to lead: the others ask
      for (const auto& change : changes) lone_.give(Address::verifier(change.verifier), change);
    } else {
      lone_.give(Address::verifier(leader), lone_.signers[leader]->new_view(view, changes));
    }
    for (const uint16_t peer : {1, 2, 3}) lone_.commit(peer, view, 0, "genesis");
    ASSERT_EQ(lone_.status().phase, "normal");
    lone_.sent<wire::ViewChange>();
    for (uint16_t executor = 0; executor < 3; ++executor) {
      auto token = make_token(view, 1, digest(std::to_string(executor)), kGenesis);
      token.sole = bundle(1);
      lone_.give(Address::executor(executor), token);
    }
    const auto asked = lone_.sent<wire::ViewChange>();
    ASSERT_EQ(asked.size(), 1u);
    EXPECT_TRUE(lone_.signers[0]->notary().valid(asked[0])) << "what is named is signed";
    named = asked[0].poison;
    EXPECT_EQ(named.empty(), view < 12) << view;
  }
  EXPECT_EQ(named, list_);
}

}  // namespace
}  // namespace eve::verification::testing
