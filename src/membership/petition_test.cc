// What the operator learns, asks for, and hears: M1, M9.
#include "membership/petition.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "membership/testing.h"

namespace eve::membership::testing {
namespace {

const FaultModel kModel(1, 1);
const wire::Change kChange{Epoch(0), 2, 3, "who comes"};
constexpr Address kOperatorNode = Address::client(limits::kOperator);

struct Desk {
  explicit Desk(Succession chain = first(kModel))
      : petition({kModel, 250'000, 1'000'000}, std::move(chain), keys, digester()) {}

  void pass(TimeUs us) {
    for (const TimeUs until = now + us; now < until;) {
      now = std::min(until, std::max(petition.deadline(), now + 1));
      petition.tick(now, sends);
    }
  }
  void there(uint16_t executors) {
    for (uint16_t i = 0; i < executors; ++i) petition.reachable(Address::executor(i), true, now);
  }
  void give(Address from, const wire::Message& message) {
    petition.receive(message, from, now, sends);
  }
  /// To whom that kind of message went since the last time; and the last of them.
  template <typename Kind>
  std::vector<Address> sent(Kind* last = nullptr) {
    std::vector<Address> nodes;
    for (const auto& send : sends) {
      const wire::Message* message = send.message.get();
      if (const auto* within = std::get_if<wire::InEpoch>(message)) {
        message = &within->enclosed->message;
      }
      const auto* found = std::get_if<Kind>(message);
      if (found == nullptr) continue;
      nodes.insert(nodes.end(), send.to.begin(), send.to.end());
      if (last != nullptr) *last = *found;
    }
    sends.clear();
    return nodes;
  }

  TestKeys keys{kOperatorNode};
  Petition petition;
  std::vector<wire::Send> sends;
  TimeUs now = 1'000'000;
};

wire::Link ending(const Members& members, const wire::Change& change, uint64_t number) {
  return link(members, {0, 1, 2}, evidence(change, number));
}

TEST(Petition, SettlesWhenEnoughAreThereAndNobodyKnowsMore) {
  Desk desk;
  desk.pass(3'000'000);
  EXPECT_TRUE(desk.sends.empty()) << "nobody is there";
  EXPECT_FALSE(desk.petition.settled(desk.now));
  desk.there(1);
  desk.pass(3'000'000);
  EXPECT_FALSE(desk.petition.settled(desk.now)) << "one may be a liar, or behind";
  EXPECT_EQ(desk.sent<wire::ChainWanted>().front(), Address::executor(0));
  desk.there(2);
  desk.pass(999'000);
  EXPECT_FALSE(desk.petition.settled(desk.now));
  desk.pass(1'000);
  EXPECT_TRUE(desk.petition.settled(desk.now));
  EXPECT_GE(desk.sent<wire::ChainWanted>().size(), 8u) << "asked again and again";
  desk.petition.reachable(Address::executor(1), false, desk.now);
  EXPECT_FALSE(desk.petition.settled(desk.now));
}

TEST(Petition, ALaterEpochIsLearntFirst) {
  Desk desk;
  desk.there(3);
  desk.pass(900'000);
  const auto one = ending(desk.petition.chain().present().members, kChange, 9);
  desk.give(Address::executor(1), wire::Chain{{one}});
  EXPECT_EQ(desk.petition.chain().epoch(), Epoch(1));
  desk.pass(900'000);
  EXPECT_FALSE(desk.petition.settled(desk.now)) << "there may be more";
  desk.pass(100'000);
  EXPECT_TRUE(desk.petition.settled(desk.now));
  EXPECT_EQ(desk.petition.executors_there(), 2u) << "executor-2 is no member any more";
  EXPECT_EQ(desk.petition.ended_by(Epoch(0)), kChange);
  EXPECT_FALSE(desk.petition.ended_by(Epoch(1)));
  EXPECT_FALSE(desk.petition.ended_by(Epoch(7)));
}

TEST(Petition, M1AsksEveryExecutorUntilTheEpochEnds) {
  Desk desk;
  desk.there(3);
  desk.pass(1'000'000);
  desk.sends.clear();
  EXPECT_FALSE(desk.petition.asking());
  desk.petition.ask(kChange, desk.now);
  EXPECT_TRUE(desk.petition.asking());
  desk.pass(600'000);
  wire::BundleMessage asked;
  EXPECT_EQ(desk.sent(&asked).size(), 3u * 3) << "at once, and every resend time";
  EXPECT_TRUE(asked.retry);
  ASSERT_NE(asked.bundle, nullptr);
  EXPECT_EQ(wire::change_in(*asked.bundle), kChange);
  EXPECT_EQ(asked.bundle->client, limits::kOperator);
  EXPECT_TRUE(desk.keys.verify(kOperatorNode, crypto::Domain::kBundle, asked.bundle->signed_part,
                               asked.bundle->signature));

  const auto one = ending(desk.petition.chain().present().members, kChange, 9);
  desk.give(Address::executor(0), wire::Chain{{one}});
  EXPECT_FALSE(desk.petition.asking());
  desk.pass(1'000'000);
  EXPECT_EQ(desk.petition.ended_by(Epoch(0)), kChange);
  EXPECT_TRUE(desk.sent<wire::BundleMessage>().empty());
}

TEST(Petition, SaysWhoseChangeItWas) {
  Desk desk;
  desk.there(3);
  desk.petition.ask(kChange, desk.now);
  const wire::Change anothers{Epoch(0), 0, std::nullopt, "another"};
  const auto one = ending(desk.petition.chain().present().members, anothers, 9);
  desk.give(Address::executor(0), wire::Chain{{one}});
  EXPECT_FALSE(desk.petition.asking());
  EXPECT_EQ(desk.petition.ended_by(Epoch(0)), anothers);
}

TEST(Petition, AsksWhoSitsThereNow) {
  Succession chain = first(kModel);
  ASSERT_TRUE(chain.extend(ending(chain.present().members, kChange, 9)));
  Desk desk(chain);
  desk.petition.reachable(Address::executor(3), true, desk.now);
  desk.petition.ask({Epoch(1), 1, std::nullopt, "next"}, desk.now);
  desk.pass(100'000);
  const auto nodes = desk.sent<wire::BundleMessage>();
  EXPECT_EQ(nodes, (std::vector{Address::executor(0), Address::executor(1), Address::executor(3)}));
}

TEST(Petition, AForgedLinkTeachesNothing) {
  Desk desk;
  desk.there(3);
  auto forged = ending(desk.petition.chain().present().members, kChange, 9);
  forged.farewells.pop_back();
  desk.give(Address::executor(1), wire::Chain{{forged}});
  EXPECT_EQ(desk.petition.chain().epoch(), Epoch(0));
}

TEST(Petition, AnnouncesToAllMembersUntilTheEpochEnds) {
  Desk desk;
  desk.there(3);
  desk.pass(1'000'000);
  desk.sends.clear();
  desk.petition.announce(kChange, desk.now);
  desk.pass(1);
  wire::Candidate announced;
  EXPECT_EQ(desk.sent<wire::Candidate>(&announced).size(), 3u + 4u);
  EXPECT_EQ(wire::change_in(*announced.bundle), kChange);
  Steward member({kModel, Address::executor(0), 100'000}, first(kModel), desk.keys, digester());
  Outbox out;
  member.receive(announced, kOperatorNode, desk.now, out);
  EXPECT_EQ(out.candidate, kChange) << "members believe it";
  EXPECT_FALSE(desk.petition.asking()) << "nothing is asked for yet";
  desk.pass(600'000);
  EXPECT_GE(desk.sent<wire::Candidate>().size(), 2u * 7) << "again and again";
  const auto one = ending(desk.petition.chain().present().members, kChange, 9);
  desk.give(Address::executor(1), wire::Chain{{one}});
  desk.sends.clear();
  desk.pass(600'000);
  EXPECT_TRUE(desk.sent<wire::Candidate>().empty());
  desk.petition.announce({Epoch(1), 1, std::nullopt, "the next"}, desk.now);
  desk.pass(1);
  ASSERT_FALSE(desk.sends.empty());
  for (const auto& send : desk.sends) wire::encode(*send.message);  // it goes without an envelope
  EXPECT_EQ(desk.sent<wire::Candidate>().size(), 3u + 4u);
}

}  // namespace
}  // namespace eve::membership::testing
