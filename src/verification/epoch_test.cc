// A verifier in an epoch that begins after genesis (docs/membership.md, M7): the start stands where
// genesis stood.
#include "verification/testing.h"

namespace eve::verification::testing {
namespace {

const FaultModel kModel(1, 1);
constexpr uint64_t kStart = 40;

class EpochTest : public ::testing::Test {
 protected:
  std::vector<wire::ViewChange> proof(uint64_t view, const wire::Certificate& held) {
    std::vector<wire::ViewChange> changes;
    for (const uint16_t peer : {1, 2, 3}) {
      changes.push_back(lone_.signers[peer]->change(view, held));
    }
    return changes;
  }
  void lead(uint64_t view, const wire::Certificate& held) {
    const auto leader = static_cast<uint16_t>(view % kModel.verifiers());
    lone_.give(Address::verifier(leader), lone_.signers[leader]->new_view(view, proof(view, held)));
  }
  Lone lone_{kModel, std::nullopt, BatchNumber(kStart)};
};

TEST_F(EpochTest, M7BeginsWithTheStartCommittedAndVotesForWhatFollows) {
  EXPECT_EQ(lone_.status().committed, BatchNumber(kStart));
  EXPECT_EQ(lone_.status().token, kGenesis);
  EXPECT_EQ(lone_.status().phase, "normal");
  for (const uint16_t executor : {0, 1}) lone_.token(executor, 0, kStart + 1, "A41", kGenesis);
  const auto prepares = lone_.sent<wire::Prepare>();
  ASSERT_EQ(prepares.size(), 1u);
  EXPECT_EQ(prepares[0].number, BatchNumber(kStart + 1));
  for (const uint16_t peer : {1, 2, 3}) lone_.commit(peer, 0, kStart + 1, "A41");
  EXPECT_EQ(lone_.status().committed, BatchNumber(kStart + 1));
}

TEST_F(EpochTest, M7DoesNotVoteForWhatDoesNotFollowTheStart) {
  for (const uint16_t executor : {0, 1}) {
    lone_.token(executor, 0, kStart + 1, "A41", digest("another past"));
    lone_.token(executor, 0, 1, "A1", kGenesis);
  }
  EXPECT_TRUE(lone_.sent<wire::Prepare>().empty());
}

TEST_F(EpochTest, M7WelcomeNamesTheStart) {
  lone_.give(Address::executor(1), wire::Hello{});
  const auto welcomes = lone_.sent<wire::Welcome>();
  ASSERT_EQ(welcomes.size(), 1u);
  EXPECT_EQ(welcomes[0].start.number, BatchNumber(kStart));
  EXPECT_EQ(welcomes[0].last.number, BatchNumber(kStart));
  EXPECT_EQ(welcomes[0].last.token, kGenesis);
}

TEST_F(EpochTest, M7AViewStartsFromTheStartIfNobodyHoldsMore) {
  lead(1, genesis_certificate());
  EXPECT_EQ(lone_.status().view, View(1));
  const auto prepares = lone_.sent<wire::Prepare>();
  ASSERT_EQ(prepares.size(), 1u);
  EXPECT_EQ(prepares[0].number, BatchNumber(kStart));
  EXPECT_EQ(prepares[0].token, kGenesis);
  for (const uint16_t peer : {1, 2, 3})
    lone_.give(Address::verifier(peer), wire::Commit{View(1), BatchNumber(kStart), kGenesis});
  EXPECT_EQ(lone_.status().phase, "normal");
  const auto verdicts = lone_.sent<wire::Verdict>();
  ASSERT_EQ(verdicts.size(), 1u);
  EXPECT_EQ(verdicts[0].kind, wire::VerdictKind::kRollback);
  EXPECT_EQ(verdicts[0].number, BatchNumber(kStart));
}

TEST_F(EpochTest, M7LeadsAViewFromTheStart) {
  for (const uint16_t peer : {1, 2, 3}) {
    lone_.give(Address::verifier(peer), lone_.signers[peer]->change(4, genesis_certificate()));
  }
  const auto led = lone_.sent<wire::NewView>();
  ASSERT_EQ(led.size(), 1u);
  EXPECT_EQ(led[0].number, BatchNumber(kStart));
  EXPECT_TRUE(lone_.signers[1]->notary().valid(led[0]));
}

TEST_F(EpochTest, M8NothingBelowTheStartIsAStart) {
  const Signer old(kModel, 1);
  const auto of_old = make_certificate(kModel, {1, 2, 3}, 0, kStart - 1, digest("old"), kGenesis);
  lead(1, of_old);
  EXPECT_EQ(lone_.status().view, View(0));
  const auto other = make_certificate(kModel, {1, 2, 3}, 0, kStart, digest("other"), kGenesis);
  lead(2, other);
  EXPECT_EQ(lone_.status().view, View(0));
  EXPECT_FALSE(
      old.notary().valid(wire::Certificate{true, View(0), BatchNumber(kStart), kGenesis, {}, {}}))
      << "genesis says no number";
}

TEST_F(EpochTest, M12GoesOnWithWhatItPromisedInTheEpoch) {
  for (const uint16_t executor : {0, 1}) lone_.token(executor, 0, kStart + 1, "A41", kGenesis);
  Promises kept(kGenesis, BatchNumber(kStart));
  for (const Promise& promise : lone_.out.promises) EXPECT_TRUE(kept.apply(promise));
  auto options = make_options(kModel, 0);
  options.start = BatchNumber(kStart);
  options.recovered = kept;
  Verifier again(options, lone_.keys, digester());
  Outbox out;
  again.start(lone_.now, out);
  EXPECT_EQ(again.status().committed, BatchNumber(kStart));
  for (const uint16_t executor : {0, 1}) {
    again.receive(make_token(0, kStart + 1, digest("B41"), kGenesis), Address::executor(executor),
                  lone_.now, out);
  }
  again.idle(lone_.now, out);
  for (const wire::Send& send : out.sends) {
    if (const auto* prepare = std::get_if<wire::Prepare>(send.message.get())) {
      EXPECT_EQ(prepare->token, digest("A41"));
    }
  }
}

TEST_F(EpochTest, M12GoesOnInTheViewThatItJoined) {
  lead(1, genesis_certificate());
  Promises kept(kGenesis, BatchNumber(kStart));
  for (const Promise& promise : lone_.out.promises) EXPECT_TRUE(kept.apply(promise));
  auto options = make_options(kModel, 0);
  options.start = BatchNumber(kStart);
  options.recovered = kept;
  Verifier again(options, lone_.keys, digester());
  Outbox out;
  again.start(lone_.now, out);
  EXPECT_EQ(again.status().view, View(1));
  EXPECT_EQ(again.status().committed, BatchNumber(kStart));
  for (const uint16_t peer : {1, 2, 3}) {
    again.receive(wire::Commit{View(1), BatchNumber(kStart), kGenesis}, Address::verifier(peer),
                  lone_.now, out);
  }
  EXPECT_EQ(again.status().phase, "normal") << "the view begins with the epoch's start";
}

// V9, M12: what it promised in this epoch is lost, and where the epoch begins is not.
TEST_F(EpochTest, M12WhoLostItsPromisesStandsAtTheStartAndIsSilentUntilAHigherView) {
  auto options = make_options(kModel, 0);
  options.start = BatchNumber(kStart);
  options.lost_promises_at = View(1);
  Verifier again(options, lone_.keys, digester());
  Outbox out;
  again.start(lone_.now, out);
  EXPECT_EQ(again.status().committed, BatchNumber(kStart));
  EXPECT_EQ(again.status().token, kGenesis);
  EXPECT_EQ(again.status().phase, "recovering");
  const auto prepares = [&out] {
    std::vector<wire::Prepare> found;
    for (const wire::Send& send : out.sends) {
      const auto* prepare = std::get_if<wire::Prepare>(send.message.get());
      if (prepare != nullptr) found.push_back(*prepare);
    }
    return found;
  };
  const auto lead_it = [&](uint64_t view) {
    const auto leader = static_cast<uint16_t>(view % kModel.verifiers());
    const auto new_view = lone_.signers[leader]->new_view(view, proof(view, genesis_certificate()));
    again.receive(new_view, Address::verifier(leader), lone_.now, out);
  };
  for (const uint16_t executor : {0, 1}) {
    again.receive(make_token(0, kStart + 1, digest("A41"), kGenesis), Address::executor(executor),
                  lone_.now, out);
  }
  again.idle(lone_.now, out);
  lead_it(1);
  EXPECT_TRUE(prepares().empty());
  lead_it(2);
  ASSERT_EQ(prepares().size(), 1u);
  EXPECT_EQ(prepares()[0].number, BatchNumber(kStart));
  EXPECT_EQ(prepares()[0].token, kGenesis);
}

}  // namespace
}  // namespace eve::verification::testing
