// Members and the chain of epochs: M6, M7, M8.
#include "membership/testing.h"

namespace eve::membership::testing {
namespace {

const FaultModel kModel(1, 1);

TEST(Members, NodesAreNamedBySeatOrByTheEpochThatTheyJoinedIn) {
  const Members zero = Members::first(kModel);
  EXPECT_EQ(zero.node_at(Address::verifier(3)), Address::verifier(3));
  const auto one = zero.after({Epoch(0), 1, 3, "n1"});
  ASSERT_TRUE(one);
  EXPECT_EQ(one->epoch, Epoch(1));
  EXPECT_EQ(one->node_at(Address::executor(1)), Address::executor(3));
  EXPECT_EQ(one->node_at(Address::verifier(3)), Address::verifier(4));
  EXPECT_EQ(one->seat_of(Address::executor(3)), Address::executor(1));
  EXPECT_FALSE(one->seat_of(Address::executor(1)));
  EXPECT_FALSE(zero.seat_of(Address::executor(3)));
  const auto two = one->after({Epoch(1), 1, std::nullopt, "n2"});
  EXPECT_EQ(two->node_at(Address::executor(1)), Address::executor(4)) << "never reused";
  EXPECT_EQ(two->node_at(Address::verifier(3)), Address::verifier(4));
  EXPECT_EQ(two->executors[1].contact, "n2");
  EXPECT_EQ(two->node_at(Address::client(7)), Address::client(7));
}

TEST(Members, AChangeOfAnotherEpochOrOfNoSeatIsNone) {
  const Members zero = Members::first(kModel);
  EXPECT_FALSE(zero.after({Epoch(1), 1, 3, ""}));
  EXPECT_FALSE(zero.after({Epoch(0), 3, std::nullopt, ""}));
  EXPECT_FALSE(zero.after({Epoch(0), std::nullopt, 4, ""}));
}

TEST(EpochKeys, ASignatureOfOneEpochIsNoneInAnother) {
  const Members zero = Members::first(kModel);
  const Members one = *zero.after({Epoch(0), 2, std::nullopt, ""});
  const TestKeys node(Address::verifier(0));
  const auto prepare = crypto::Domain::kPrepare;
  const Bytes old = EpochKeys(node, zero).sign(prepare, "vote");
  EXPECT_TRUE(EpochKeys(node, zero).verify(Address::verifier(0), prepare, "vote", old));
  EXPECT_FALSE(EpochKeys(node, one).verify(Address::verifier(0), prepare, "vote", old));
  EXPECT_FALSE(EpochKeys(node, zero).verify(Address::verifier(9), prepare, "vote", old));
  const Bytes bundle = EpochKeys(node, zero).sign(crypto::Domain::kBundle, "b");
  EXPECT_TRUE(
      EpochKeys(node, one).verify(Address::verifier(0), crypto::Domain::kBundle, "b", bundle))
      << "clients go on";
}

TEST(Succession, M6FollowsLinksOfAQuorum) {
  Succession chain = first(kModel);
  const auto end = evidence({Epoch(0), 1, 3, "n1"}, 9);
  ASSERT_TRUE(chain.extend(link(chain.present().members, {0, 1, 2}, end)));
  EXPECT_EQ(chain.epoch(), Epoch(1));
  EXPECT_EQ(chain.present().number, BatchNumber(9));
  EXPECT_EQ(chain.present().token, token_of(end));
  EXPECT_EQ(chain.replaced(), (std::vector{Address::executor(1), Address::verifier(3)}));
  const auto next = evidence({Epoch(1), 0, std::nullopt, "n2"}, 12);
  ASSERT_TRUE(chain.extend(link(chain.present().members, {1, 2, 3}, next)));
  EXPECT_EQ(chain.epoch(), Epoch(2));

  Succession other = first(kModel);
  for (const auto& one : chain.links_from(Epoch(0), 16)) ASSERT_TRUE(other.extend(one));
  EXPECT_EQ(other.present().members, chain.present().members);
  EXPECT_EQ(chain.links_from(Epoch(1), 16).size(), 1u);
  EXPECT_EQ(chain.links_from(Epoch(0), 1).size(), 1u);
  EXPECT_TRUE(chain.links_from(Epoch(2), 16).empty());
  EXPECT_EQ(chain.at(Epoch(1))->number, BatchNumber(9));
  EXPECT_EQ(chain.at(Epoch(3)), nullptr);
  EXPECT_TRUE(chain.ever_sat(Address::executor(1)));
  EXPECT_FALSE(chain.ever_sat(Address::executor(7)));
}

TEST(Succession, M6RefusesWhatIsNoProof) {
  Succession chain = first(kModel);
  const Members members = chain.present().members;
  const auto end = evidence({Epoch(0), 1, 3, "n1"}, 9);
  EXPECT_FALSE(chain.extend(link(members, {0, 1}, end))) << "r+1 are not enough";
  EXPECT_FALSE(chain.extend(link(members, {0, 1, 2}, evidence({Epoch(0), 1, 3, ""}, 9, false))))
      << "refused, not executed";
  EXPECT_FALSE(chain.extend(link(members, {0, 1, 2}, evidence({Epoch(0), 7, 3, ""}, 9))));
  EXPECT_FALSE(chain.extend(link(members, {0, 1, 2}, evidence({Epoch(1), 1, 3, ""}, 9))));
  auto forged = link(members, {0, 1, 2}, end);
  forged.farewells[2].signature = "forged";
  EXPECT_FALSE(chain.extend(forged));
  auto of_another = link(members, {0, 1, 2}, evidence({Epoch(0), 1, 3, "n1"}, 10));
  of_another.evidence = end;
  EXPECT_FALSE(chain.extend(of_another)) << "farewells to another number";
  auto later = link(members, {0, 1, 2}, end);
  later.epoch = Epoch(1);
  EXPECT_FALSE(chain.extend(later));
  EXPECT_EQ(chain.epoch(), Epoch(0));
}

// M8, M10: the verifiers of the epoch sign its end; who was replaced does not.
TEST(Succession, M10WhoWasReplacedSignsNothingMore) {
  Succession chain = first(kModel);
  const Members zero = chain.present().members;
  ASSERT_TRUE(chain.extend(link(zero, {0, 1, 2}, evidence({Epoch(0), std::nullopt, 0, ""}, 9))));
  const auto next = evidence({Epoch(1), 2, std::nullopt, ""}, 20);
  auto made = link(chain.present().members, {0, 1, 2}, next);
  Members as_before = zero;
  as_before.epoch = Epoch(1);
  made.farewells[0].signature = farewell(as_before, 0, next).signature;
  EXPECT_FALSE(chain.extend(made));
  EXPECT_TRUE(chain.extend(link(chain.present().members, {0, 1, 2}, next)));
}

}  // namespace
}  // namespace eve::membership::testing
