// What a steward passes, answers, says and enters: M5, M6, M8, M9, M10, M11, M14.
#include "base/limits.h"
#include "membership/testing.h"

namespace eve::membership::testing {
namespace {

const FaultModel kModel(1, 1);
const FaultModel kNobodyLies(1, 0);
const crypto::NoAuthenticator kNone;
const wire::Change kChange{Epoch(0), 2, 3, "who comes"};
const wire::Change kUnsigned{Epoch(0), 2, 2, "who comes"};

/// A steward, and what it has said.
struct Station {
  explicit Station(Address self, Succession chain = first(kModel))
      : keys(self), steward({kModel, self, 100'000}, std::move(chain), keys, digester()) {}
  /// Where nothing is signed.
  Station(const FaultModel& model, Address self)
      : keys(self),
        steward({model, self, 100'000},
                Succession(
                    model, {Members::first(model), BatchNumber(), digest("genesis")},
                    [](const Members&) { return std::make_unique<crypto::NoAuthenticator>(); },
                    digester()),
                kNone, digester()) {}

  std::optional<Steward::Heard> give(Address from, const wire::Message& message) {
    last = message;
    return steward.receive(last, from, now, out);
  }
  template <typename Kind>
  std::vector<std::pair<Address, Kind>> sent() {
    std::vector<std::pair<Address, Kind>> found;
    for (const wire::Send& send : out.sends) {
      const auto* message = std::get_if<Kind>(send.message.get());
      for (const Address to : send.to) {
        if (message != nullptr) found.emplace_back(to, *message);
      }
    }
    std::erase_if(out.sends, [](const wire::Send& send) {
      return std::holds_alternative<Kind>(*send.message);
    });
    return found;
  }
  void pass(TimeUs us) {
    for (const TimeUs until = now + us; now < until;) {
      now = std::min(until, std::max(steward.deadline(), now + 1));
      steward.tick(now, out);
    }
  }

  TestKeys keys;
  Steward steward;
  wire::Message last;
  Outbox out;
  TimeUs now = 1'000'000;
};

wire::Message within(uint32_t epoch, wire::Message message) {
  return wire::InEpoch{Epoch(epoch),
                       std::make_shared<const wire::Enclosed>(wire::Enclosed{std::move(message)})};
}

/// One epoch further.
Succession second() {
  Succession chain = first(kModel);
  EXPECT_TRUE(chain.extend(link(chain.present().members, {0, 1, 2}, evidence(kChange, 9))));
  return chain;
}

TEST(M5Farewell, OfWhatIsCommittedAndProven) {
  Station verifier(Address::verifier(0));
  const auto end = evidence(kChange, 9);
  verifier.give(Address::executor(1), wire::EpochEnd{Epoch(0), end});
  EXPECT_TRUE(verifier.sent<wire::Farewell>().empty()) << "not known to be committed";
  verifier.steward.committed(BatchNumber(9), digest("another token"));
  verifier.give(Address::executor(1), wire::EpochEnd{Epoch(0), end});
  EXPECT_TRUE(verifier.sent<wire::Farewell>().empty());
  verifier.steward.committed(BatchNumber(9), token_of(end));
  verifier.give(Address::executor(1), wire::EpochEnd{Epoch(0), end});
  const auto said = verifier.sent<wire::Farewell>();
  ASSERT_EQ(said.size(), 3u);
  EXPECT_EQ(said[0].second.token, token_of(end));
  EXPECT_TRUE(verifier.steward.succession().authentic(said[0].second));
  verifier.pass(250'000);
  EXPECT_EQ(verifier.sent<wire::Farewell>().size(), 6u) << "repeated";
}

TEST(M5Farewell, NotOfWhatWasRefusedNorByWhoMayNotSay) {
  Station verifier(Address::verifier(0));
  const auto refused = evidence(kChange, 9, false);
  verifier.steward.committed(BatchNumber(9), token_of(refused));
  verifier.give(Address::executor(1), wire::EpochEnd{Epoch(0), refused});
  EXPECT_TRUE(verifier.sent<wire::Farewell>().empty());

  Station other(Address::verifier(0));
  const auto end = evidence(kChange, 9);
  other.steward.committed(BatchNumber(9), token_of(end));
  other.give(Address::executor(7), wire::EpochEnd{Epoch(0), end});
  other.give(Address::verifier(1), wire::EpochEnd{Epoch(0), end});
  EXPECT_TRUE(other.sent<wire::Farewell>().empty());

  Station executor(Address::executor(0));
  executor.steward.committed(BatchNumber(9), token_of(end));
  executor.give(Address::executor(1), wire::EpochEnd{Epoch(0), end});
  EXPECT_TRUE(executor.sent<wire::Farewell>().empty()) << "executors sign nothing";
}

TEST(M6Link, FormsOfAQuorumOfFarewellsAndEndsTheEpoch) {
  Station verifier(Address::verifier(0));
  const Members members = verifier.steward.present().members;
  const auto end = evidence(kChange, 9);
  verifier.give(Address::verifier(1), farewell(members, 1, end));
  verifier.steward.committed(BatchNumber(9), token_of(end));
  verifier.give(Address::executor(1), wire::EpochEnd{Epoch(0), end});
  EXPECT_TRUE(verifier.out.entered.empty());
  verifier.give(Address::verifier(2), farewell(members, 2, end));
  ASSERT_EQ(verifier.out.entered.size(), 1u);
  EXPECT_EQ(verifier.steward.epoch(), Epoch(1));
  EXPECT_EQ(verifier.steward.present().token, token_of(end));
  EXPECT_TRUE(first(kModel).extend(verifier.out.entered[0]));
}

TEST(M6Link, FarewellsOfLiarsCountForNothing) {
  Station verifier(Address::verifier(0));
  const Members members = verifier.steward.present().members;
  const auto end = evidence(kChange, 9);
  verifier.steward.committed(BatchNumber(9), token_of(end));
  verifier.give(Address::executor(1), wire::EpochEnd{Epoch(0), end});
  auto forged = farewell(members, 1, end);
  forged.signature = "forged";
  verifier.give(Address::verifier(1), forged);
  verifier.give(Address::verifier(3), farewell(members, 1, end));  // another's
  verifier.give(Address::verifier(3), farewell(members, 3, evidence(kChange, 10)));
  verifier.give(Address::verifier(2), farewell(members, 2, end));
  EXPECT_TRUE(verifier.out.entered.empty());
  verifier.now += 100'000;
  verifier.give(Address::verifier(1), farewell(members, 1, end));
  EXPECT_EQ(verifier.out.entered.size(), 1u) << "it may say it again";
}

TEST(M6Link, AWrongFarewellCostsOneCheckAResendTime) {
  Station verifier(Address::verifier(0));
  const Members members = verifier.steward.present().members;
  const auto end = evidence(kChange, 9);
  auto forged = farewell(members, 1, end);
  verifier.steward.committed(BatchNumber(9), token_of(end));
  verifier.give(Address::executor(1), wire::EpochEnd{Epoch(0), end});
  verifier.give(Address::verifier(2), farewell(members, 2, end));
  const size_t before = TestKeys::verified;
  for (int i = 0; i < 9; ++i) {
    forged.signature = "forged " + std::to_string(i);
    verifier.give(Address::verifier(1), forged);
  }
  EXPECT_EQ(TestKeys::verified, before + 2) << "the wrong one, and the right one";
  verifier.now += 100'000;
  verifier.give(Address::verifier(1), forged);
  EXPECT_EQ(TestKeys::verified, before + 3) << "the right one is known";
  verifier.give(Address::verifier(2), farewell(members, 2, end));
  EXPECT_EQ(TestKeys::verified, before + 3);
  EXPECT_TRUE(verifier.out.entered.empty());
  verifier.give(Address::verifier(3), farewell(members, 3, end));
  EXPECT_EQ(verifier.out.entered.size(), 1u) << "others are listened to";
}

// Whoever made one up would end the epoch for good.
TEST(M6Link, WhereNothingIsSignedClientsAreNotBelieved) {
  const auto end = evidence(kUnsigned, 9);
  const wire::Link made_up{Epoch(0), end, {{0, ""}, {1, ""}}};
  for (const Address self : {Address::executor(0), Address::verifier(0), Address::client(2)}) {
    Station node(kNobodyLies, self);
    node.steward.committed(BatchNumber(9), token_of(end));
    for (const Address from : {Address::client(1), Address::client(limits::kOperator)}) {
      node.give(from, wire::Chain{{made_up}});
      node.give(from, wire::EpochEnd{Epoch(0), end});
      for (uint16_t i = 0; i < 3; ++i) {
        node.give(from, wire::Farewell{Epoch(0), BatchNumber(9), token_of(end), i, ""});
      }
    }
    EXPECT_TRUE(node.out.entered.empty()) << to_string(self);
    EXPECT_TRUE(node.out.sends.empty()) << to_string(self);
    node.give(Address::verifier(1), wire::Chain{{made_up}});
    EXPECT_EQ(node.steward.epoch(), Epoch(1)) << "nodes do not lie";
  }
}

TEST(M8Passing, OnlyTheEpochsOwnSeatsAreHeard) {
  Station node(Address::verifier(0));
  const auto heard = node.give(Address::executor(2), wire::Suspect{});
  ASSERT_TRUE(heard);
  EXPECT_EQ(heard->from, Address::executor(2));
  EXPECT_FALSE(node.give(Address::executor(3), wire::Suspect{})) << "no seat yet (M11)";
  EXPECT_FALSE(node.give(Address::executor(2), within(1, wire::Suspect{})));

  Station later(Address::verifier(0), second());
  EXPECT_FALSE(later.give(Address::executor(1), wire::Suspect{})) << "said in epoch 0";
  EXPECT_FALSE(later.give(Address::executor(2), within(1, wire::Suspect{}))) << "replaced";
  const auto now = later.give(Address::executor(3), within(1, wire::Suspect{}));
  ASSERT_TRUE(now);
  EXPECT_EQ(now->from, Address::executor(2));
  EXPECT_TRUE(std::holds_alternative<wire::Suspect>(*now->message));
}

TEST(M8Passing, WhatTheCoreSaysIsAddressedAndEnclosed) {
  const auto message = std::make_shared<const wire::Message>(wire::Suspect{});
  const std::vector<wire::Send> sends{{{Address::executor(2), Address::client(4)}, message}};
  Station node(Address::verifier(0));
  EXPECT_EQ(node.steward.address(sends).at(0).message, message) << "epoch 0 needs no envelope";
  Station later(Address::verifier(0), second());
  const auto addressed = later.steward.address(sends);
  ASSERT_EQ(addressed.size(), 1u);
  EXPECT_EQ(addressed[0].to, (std::vector{Address::executor(3), Address::client(4)}));
  EXPECT_EQ(std::get<wire::InEpoch>(*addressed[0].message).epoch, Epoch(1));
}

TEST(M9Behind, WhoIsBehindIsShownTheLinksOnceInAResendTime) {
  Station node(Address::verifier(0), second());
  for (int i = 0; i < 5; ++i) node.give(Address::executor(1), wire::Suspect{});
  auto shown = node.sent<wire::Chain>();
  ASSERT_EQ(shown.size(), 1u);
  EXPECT_EQ(shown[0].second.links.size(), 1u);
  node.now += 100'000;
  node.give(Address::executor(1), wire::ChainWanted{Epoch(0)});
  EXPECT_EQ(node.sent<wire::Chain>().size(), 1u);
  node.now += 100'000;
  node.give(Address::executor(1), wire::ChainWanted{Epoch(1)});
  EXPECT_TRUE(node.sent<wire::Chain>().empty()) << "there is none yet";
  for (const wire::Message& old :
       {wire::Message(wire::EpochEnd{Epoch(0), evidence(kChange, 9)}),
        wire::Message(farewell(Members::first(kModel), 1, evidence(kChange, 9)))}) {
    node.now += 100'000;
    node.give(Address::verifier(1), old);
    EXPECT_EQ(node.sent<wire::Chain>().size(), 1u);
  }
}

TEST(M9Behind, ClientsShowNobodyAnythingAndAreNotAsked) {
  Station client(Address::client(2), second());
  client.give(Address::executor(1), wire::Suspect{});
  client.give(Address::executor(1), wire::ChainWanted{Epoch(0)});
  EXPECT_TRUE(client.out.sends.empty());
  Station node(Address::executor(1));
  node.give(Address::client(2), within(1, wire::Suspect{}));
  EXPECT_TRUE(node.out.sends.empty());
  node.give(Address::client(2), wire::Chain{second().links_from(Epoch(0), 16)});
  EXPECT_TRUE(node.out.entered.empty());
}

TEST(M9Behind, WhoHearsOfALaterEpochAsksAndFollows) {
  Station node(Address::executor(0));
  for (int i = 0; i < 5; ++i) node.give(Address::verifier(1), within(1, wire::Suspect{}));
  const auto asked = node.sent<wire::ChainWanted>();
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].first, Address::verifier(1));
  node.give(Address::verifier(1), wire::Chain{second().links_from(Epoch(0), 16)});
  EXPECT_EQ(node.out.entered.size(), 1u);
  EXPECT_EQ(node.steward.epoch(), Epoch(1));
}

TEST(M9Behind, AWrongChainCostsOneCheckAResendTime) {
  Station node(Address::executor(0));
  auto links = second().links_from(Epoch(0), 16);
  links[0].farewells[0].signature = "forged";
  node.give(Address::verifier(1), wire::Chain{links});
  const size_t before = TestKeys::verified;
  for (int i = 0; i < 9; ++i) node.give(Address::verifier(1), wire::Chain{links});
  EXPECT_EQ(TestKeys::verified, before);
  EXPECT_TRUE(node.out.entered.empty());
  node.give(Address::verifier(2), wire::Chain{second().links_from(Epoch(0), 16)});
  EXPECT_EQ(node.steward.epoch(), Epoch(1)) << "others are listened to";
}

TEST(M10Leaving, WhoIsReplacedRetiresAndServesState) {
  Station node(Address::executor(2), second());
  EXPECT_FALSE(node.steward.seat());
  EXPECT_TRUE(node.steward.retired());
  EXPECT_TRUE(node.give(Address::executor(0), within(1, wire::StateRequest{})));
  node.pass(1'000'000);
  EXPECT_TRUE(node.out.sends.empty());

  Station member(Address::executor(0), second());
  const auto heard = member.give(Address::executor(2), within(1, wire::StateReply{}));
  ASSERT_TRUE(heard);
  EXPECT_EQ(heard->from, Address::executor(3)) << "beyond the model's";
  EXPECT_FALSE(member.give(Address::executor(2), within(1, wire::Token{})));
  const std::vector<wire::Send> sends{
      {{Address::executor(3)}, std::make_shared<const wire::Message>(wire::StateRequest{})}};
  EXPECT_EQ(member.steward.address(sends).at(0).to, std::vector{Address::executor(2)});
}

wire::BundlePtr announced(const wire::Change& change, ByteView signature_of = "") {
  return wire::make_change(change, [&](ByteView bytes) {
    const TestKeys keys(Address::client(limits::kOperator));
    return signature_of.empty() ? keys.sign(crypto::Domain::kBundle, bytes) : Bytes(signature_of);
  });
}

TEST(M14Candidate, WhomTheOperatorAnnouncesMayAskForStateAndForNothingElse) {
  Station node(Address::verifier(0));
  const Address comes = Address::executor(3);
  EXPECT_FALSE(node.give(comes, wire::StateRequest{})) << "nobody knows it";
  node.give(Address::client(7), wire::Candidate{announced(kChange)});  // whoever hands it over
  EXPECT_EQ(node.out.candidate, kChange);
  EXPECT_EQ(node.steward.candidate(), kChange);
  const auto heard = node.give(comes, wire::StateRequest{BatchNumber(7), {}});
  ASSERT_TRUE(heard);
  EXPECT_EQ(heard->from, Address::executor(4)) << "beyond who has left";
  for (const wire::Message& message :
       {wire::Message(wire::Token{}), wire::Message(wire::StateReply{}),
        wire::Message(wire::Suspect{}), wire::Message(wire::Hello{}),
        wire::Message(wire::Verdict{})}) {
    EXPECT_FALSE(node.give(comes, message));
    EXPECT_FALSE(node.give(Address::verifier(4), message));
  }
  EXPECT_FALSE(node.give(Address::executor(4), wire::StateRequest{})) << "of a later epoch";
  EXPECT_FALSE(node.give(Address::verifier(4), wire::StateRequest{})) << "holds no state";
  EXPECT_FALSE(node.give(comes, within(1, wire::StateRequest{}))) << "of another epoch";

  const auto reply = std::make_shared<const wire::Message>(wire::StateReply{});
  EXPECT_EQ(node.steward.address({{{Address::executor(4)}, reply}}).at(0).to, std::vector{comes});
  EXPECT_TRUE(node.steward.address({{{Address::executor(3)}, reply}}).empty()) << "nobody has left";
}

TEST(M14Candidate, OfAVerifierAloneNobodyIsHeard) {
  Station node(Address::verifier(0));
  node.give(Address::client(7), wire::Candidate{announced({Epoch(0), std::nullopt, 1, "v"})});
  EXPECT_TRUE(node.out.candidate);
  EXPECT_FALSE(node.give(Address::executor(3), wire::StateRequest{}));
  const auto reply = std::make_shared<const wire::Message>(wire::StateReply{});
  EXPECT_TRUE(node.steward.address({{{Address::executor(4)}, reply}}).empty());
}

TEST(M14Candidate, OnlyTheOperatorsSignatureCounts) {
  Station node(Address::executor(0));
  const Address from = Address::client(limits::kOperator);
  node.give(from, wire::Candidate{announced(kChange, "forged")});
  EXPECT_FALSE(node.out.candidate);
  EXPECT_FALSE(node.give(Address::executor(3), wire::StateRequest{}));
  node.now += 100'000;
  node.give(from, wire::Candidate{announced({Epoch(0), 7, std::nullopt, ""})});
  EXPECT_FALSE(node.out.candidate) << "there is no such seat";
  node.give(from, wire::Candidate{announced(kChange)});
  EXPECT_TRUE(node.out.candidate);
}

// A client that could announce one would have it linked to, and heard.
TEST(M14Candidate, WhereNothingIsSignedOnlyTheOperatorItselfAnnounces) {
  Station node(kNobodyLies, Address::executor(0));
  const auto made = wire::Candidate{wire::make_change(kUnsigned, [](ByteView) { return Bytes(); })};
  for (const Address from : {Address::client(0), Address::executor(1), Address::verifier(1)}) {
    node.give(from, made);
    EXPECT_FALSE(node.out.candidate) << to_string(from);
    EXPECT_FALSE(node.give(Address::executor(3), wire::StateRequest{}));
  }
  node.give(Address::client(limits::kOperator), made);
  EXPECT_EQ(node.out.candidate, kUnsigned);
  EXPECT_TRUE(node.give(Address::executor(3), wire::StateRequest{}));
}

TEST(M14Candidate, CostsOneCheckAResendTimeAndSender) {
  Station node(Address::executor(0));
  const Address liar = Address::client(3);
  node.give(liar, wire::Candidate{announced(kChange, "forged")});
  const size_t before = TestKeys::verified;
  for (int i = 0; i < 9; ++i) node.give(liar, wire::Candidate{announced(kChange, "forged")});
  EXPECT_EQ(TestKeys::verified, before);
  node.give(Address::client(4), wire::Candidate{announced(kChange)});
  EXPECT_EQ(node.steward.candidate(), kChange) << "others are listened to";
  EXPECT_EQ(TestKeys::verified, before + 1);
  node.give(Address::client(5), wire::Candidate{announced(kChange)});
  EXPECT_EQ(TestKeys::verified, before + 1) << "it is known";
  node.now += 100'000;
  node.give(liar, wire::Candidate{announced(kChange, "forged")});
  EXPECT_EQ(TestKeys::verified, before + 1) << "nor does a wrong signature under it matter";
}

TEST(M14Candidate, TheLastOneCountsUntilTheEpochEnds) {
  Station node(Address::executor(0));
  const wire::Change other{Epoch(0), 1, std::nullopt, "another"};
  node.give(Address::client(1), wire::Candidate{announced(kChange)});
  node.out.candidate.reset();
  node.give(Address::client(1), wire::Candidate{announced(kChange)});
  EXPECT_FALSE(node.out.candidate) << "nothing new";
  node.now += 100'000;
  node.give(Address::client(1), wire::Candidate{announced(other)});
  EXPECT_EQ(node.out.candidate, other);
  node.give(Address::verifier(1), wire::Chain{second().links_from(Epoch(0), 16)});
  ASSERT_EQ(node.steward.epoch(), Epoch(1));
  EXPECT_FALSE(node.steward.candidate());
  EXPECT_FALSE(node.out.candidate);
  EXPECT_FALSE(node.give(Address::executor(4), within(1, wire::StateRequest{})));
}

// The epoch ended with another change: who was announced is nobody in the next one.
TEST(M14Candidate, WhoseChangeDidNotHappenIsNotHeardInTheNextEpoch) {
  Station node(Address::executor(0));
  node.give(Address::client(1), wire::Candidate{announced(kChange)});
  ASSERT_TRUE(node.give(Address::executor(3), wire::StateRequest{}));
  Succession chain = first(kModel);
  const auto verifier_only = evidence({Epoch(0), std::nullopt, 3, "another"}, 9);
  ASSERT_TRUE(chain.extend(link(chain.present().members, {0, 1, 2}, verifier_only)));
  node.give(Address::verifier(1), wire::Chain{chain.links_from(Epoch(0), 16)});
  ASSERT_EQ(node.steward.epoch(), Epoch(1));
  EXPECT_FALSE(node.give(Address::executor(3), within(1, wire::StateRequest{})));
}

TEST(M14Candidate, OfAnotherEpochIsNoneAndWhoIsBehindLearnsIt) {
  Station node(Address::executor(0), second());
  node.give(Address::client(1), wire::Candidate{announced(kChange)});
  EXPECT_FALSE(node.steward.candidate());
  EXPECT_EQ(node.sent<wire::Chain>().size(), 1u);
  node.give(Address::verifier(1), wire::Candidate{announced({Epoch(2), 1, std::nullopt, ""})});
  EXPECT_FALSE(node.steward.candidate());
  EXPECT_EQ(node.sent<wire::ChainWanted>().size(), 1u);
  const wire::Change next{Epoch(1), 1, std::nullopt, "the next"};
  node.now += 100'000;
  node.give(Address::client(1), wire::Candidate{announced(next)});
  EXPECT_EQ(node.steward.candidate(), next);
  const auto heard = node.give(Address::executor(4), within(1, wire::StateRequest{}));
  ASSERT_TRUE(heard);
  EXPECT_EQ(heard->from, Address::executor(4));
  const auto reply = std::make_shared<const wire::Message>(wire::StateReply{});
  EXPECT_EQ(node.steward.address({{{Address::executor(4)}, reply}}).at(0).to,
            std::vector{Address::executor(4)});
  EXPECT_EQ(node.steward.address({{{Address::executor(3)}, reply}}).at(0).to,
            std::vector{Address::executor(2)})
      << "who has left";
}

TEST(M11Coming, ANewNodeAsksUntilALinkGivesItASeat) {
  Station node(Address::verifier(4));
  EXPECT_FALSE(node.steward.seat());
  EXPECT_FALSE(node.steward.retired());
  node.pass(250'000);
  EXPECT_GE(node.sent<wire::ChainWanted>().size(), 2u * 7);
  node.give(Address::verifier(1), wire::Chain{second().links_from(Epoch(0), 16)});
  EXPECT_EQ(node.steward.seat(), Address::verifier(3));
  EXPECT_EQ(node.steward.deadline(), std::numeric_limits<TimeUs>::max());
}

}  // namespace
}  // namespace eve::membership::testing
