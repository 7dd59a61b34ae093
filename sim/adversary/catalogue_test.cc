#include "sim/adversary/catalogue.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "sim/adversary/traitor.h"
#include "sim/light_authenticator.h"
#include "wire/codec.h"

namespace eve::sim::adversary {
namespace {

const crypto::Digester kDigester(crypto::DigestAlgorithm::kXxh3, crypto::Secret{});

TEST(Catalogue, NamesAreUniqueAndEveryRoleHasMany) {
  std::set<std::string> names;
  for (const Entry& entry : catalogue()) {
    EXPECT_TRUE(names.insert(entry.name).second) << entry.name;
    EXPECT_FALSE(entry.line.empty()) << entry.name;
    EXPECT_FALSE(entry.roles.empty()) << entry.name;
    EXPECT_EQ(find(entry.name), &entry);
  }
  EXPECT_GE(names.size(), 30u);
  EXPECT_EQ(find("no such strategy"), nullptr);
  EXPECT_EQ(find(""), nullptr);
}

TEST(Catalogue, FindsSeveralByTheirNames) {
  const auto both = find_all("two-bodies+no-token");
  EXPECT_EQ(both, (std::vector<const Entry*>{find("two-bodies"), find("no-token")}));
  EXPECT_EQ(find_all("no-token"), std::vector<const Entry*>{find("no-token")});
  for (const char* wrong : {"", "+", "no-token+", "no-token+no-token", "no-token+nothing"}) {
    EXPECT_TRUE(find_all(wrong).empty()) << wrong;
  }
}

TEST(Catalogue, PairsEveryTwoOnceInAnOrderOfTheSeeds) {
  const std::vector<std::string> all = pairs(1);
  const size_t names = catalogue().size();
  EXPECT_EQ(all.size(), names * (names - 1) / 2);
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), all.size());
  for (const std::string& pair : all) ASSERT_EQ(find_all(pair).size(), 2u) << pair;
  EXPECT_EQ(pairs(1), all);
  EXPECT_NE(pairs(2), all);
}

TEST(Catalogue, DrawsOneToFourDifferentOnesThatFit) {
  std::set<size_t> sizes;
  std::set<std::string> drawn;
  Random random(1);
  for (int i = 0; i < 2000; ++i) {
    const Role role = static_cast<Role>(1 + i % 3);
    const auto entries = draw(role, random);
    sizes.insert(entries.size());
    std::set<const Entry*> different(entries.begin(), entries.end());
    EXPECT_EQ(different.size(), entries.size());
    for (const Entry* entry : entries) {
      EXPECT_TRUE(entry->fits(role)) << entry->name;
      drawn.insert(entry->name);
    }
  }
  EXPECT_EQ(sizes, (std::set<size_t>{1, 2, 3, 4}));
  EXPECT_EQ(drawn.size(), catalogue().size());
}

// ---- One node with one strategy ----------------------------------------------------------------

struct Liar {
  explicit Liar(const std::string& strategy, Address self = Address::verifier(1))
      : authenticator(self, kDigester),
        known(FaultModel(1, 1)),
        traitor(4,
                {self, FaultModel(1, 1), 2, kDigester.digest("genesis"), authenticator, kDigester,
                 known},
                {find(strategy)}) {}

  DeedsByName deeds() const {
    DeedsByName all;
    traitor.add_to(all);
    return all;
  }

  LightAuthenticator authenticator;
  Conspiracy known;
  Traitor traitor;
};

wire::MessagePtr share(wire::Message message) {
  return std::make_shared<const wire::Message>(std::move(message));
}

wire::Prepare prepare(uint16_t verifier, uint64_t number) {
  const LightAuthenticator authenticator(Address::verifier(verifier), kDigester);
  wire::Prepare vote{View(), BatchNumber(number), kDigester.digest("token"), {}, verifier, {}};
  vote.signature = authenticator.sign(crypto::Domain::kPrepare, wire::signed_bytes(vote));
  return vote;
}

const std::vector<Address> kOthers = {Address::verifier(0), Address::verifier(2),
                                      Address::verifier(3)};

TEST(Traitor, ADoublePrepareIsTwoSignedVotesForOneNumber) {
  Liar liar("double-prepare");
  std::set<crypto::Digest> tokens;
  for (uint64_t number = 1; number <= 200; ++number) {
    const auto truth = share(prepare(1, number));
    for (const Utterance& said : liar.traitor.distort({{kOthers, truth}}, 0)) {
      const auto& vote = std::get<wire::Prepare>(*said.message);
      EXPECT_EQ(vote.number, BatchNumber(number));
      EXPECT_TRUE(liar.authenticator.verify(Address::verifier(1), crypto::Domain::kPrepare,
                                            wire::signed_bytes(vote), vote.signature));
      tokens.insert(vote.token);
    }
  }
  EXPECT_GT(tokens.size(), 2u);
  EXPECT_GT(liar.deeds().at("double-prepare").touched, 0u);
}

TEST(Traitor, WhatDoesNotConcernAStrategyPassesUncounted) {
  Liar liar("wrong-token", Address::executor(0));
  const auto message = share(wire::Suspect{View(3)});
  for (int i = 0; i < 100; ++i) {
    const auto said = liar.traitor.distort({{kOthers, message}}, 0);
    ASSERT_EQ(said.size(), 1u);
    EXPECT_EQ(said[0].message, message);
    EXPECT_EQ(said[0].to, kOthers);
  }
  EXPECT_EQ(liar.deeds().at("wrong-token").touched, 0u);
  EXPECT_EQ(liar.deeds().at("wrong-token").nodes, 1u);
}

TEST(Traitor, SpeaksByItselfAndWhenSpokenTo) {
  Liar spammer("view-change-spam");
  size_t asked = 0;
  for (TimeUs now = 0; now < 1000; ++now) {
    for (const Utterance& said : spammer.traitor.tick(now)) {
      const auto& change = std::get<wire::ViewChange>(*said.message);
      EXPECT_TRUE(spammer.authenticator.verify(Address::verifier(1), crypto::Domain::kViewChange,
                                               wire::signed_bytes(change), change.signature));
      ++asked;
    }
  }
  EXPECT_EQ(spammer.deeds().at("view-change-spam").touched, asked);
  EXPECT_GT(asked, 50u);

  Liar eager("early-commit");
  const auto said = eager.traitor.hear(share(prepare(0, 7)), Address::verifier(0), 0);
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(std::get<wire::Commit>(*said[0].message).number, BatchNumber(7));
}

/// The third executor and the last verifier lie; the other executors have diverged at batch 1.
class TurncoatTest : public ::testing::Test {
 protected:
  using Said = std::map<Address, std::map<BatchNumber, std::set<crypto::Digest>>>;
  Traitor liar(Address self, crypto::Authenticator& authenticator, uint64_t seed) {
    return {seed,
            {self, FaultModel(1, 1), 2, kGenesis, authenticator, kDigester, known_},
            {find("turncoat")}};
  }
  static wire::Token token(uint64_t number, const crypto::Digest& previous, const char* state) {
    const wire::TokenParts parts{BatchNumber(number), previous, {}, kDigester.digest(state), {}};
    return {View(), parts, wire::token_of(parts, kDigester)};
  }
  template <typename Kind>
  static void note(const std::vector<Utterance>& said, Said& all) {
    for (const Utterance& one : said) {
      const auto* body = std::get_if<Kind>(one.message.get());
      if (body == nullptr) continue;
      for (const Address to : one.to) {
        if constexpr (std::is_same_v<Kind, wire::Token>) {
          all[to][body->parts.number].insert(body->token);
        } else {
          all[to][body->number].insert(body->token);
        }
      }
    }
  }

  const crypto::Digest kGenesis = kDigester.digest("genesis");
  const wire::Token a_ = token(1, kGenesis, "a");
  const wire::Token b_ = token(1, kGenesis, "b");
  const wire::Token after_b_ = token(2, b_.token, "after b");
  Conspiracy known_{FaultModel(1, 1)};
};

TEST_F(TurncoatTest, SidesWithOneExecutorAndThenWithTheOther) {
  LightAuthenticator of_executor(Address::executor(2), kDigester);
  LightAuthenticator of_verifier(Address::verifier(3), kDigester);
  size_t split = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    known_ = Conspiracy(FaultModel(1, 1));
    Traitor executor = liar(Address::executor(2), of_executor, seed);
    Traitor verifier = liar(Address::verifier(3), of_verifier, seed + 1);
    Said tokens;
    Said votes;
    const auto hear = [&](const wire::Token& heard, uint16_t from) {
      note<wire::Prepare>(verifier.hear(share(heard), Address::executor(from), 0), votes);
      const auto woken = executor.hear(share(wire::Hello{}), Address::verifier(3), 0);
      note<wire::Token>(woken, tokens);
      note<wire::Prepare>(verifier.tick(0), votes);
    };
    hear(a_, 0);
    EXPECT_TRUE(tokens.empty()) << "it waits for the other";
    hear(b_, 1);
    hear(after_b_, 1);
    std::set<crypto::Digest> first;
    for (const auto& [to, said] : tokens) {
      ASSERT_EQ(said.at(BatchNumber(1)).size(), 1u) << "one token for each of them";
      first.insert(*said.at(BatchNumber(1)).begin());
      if (!said.contains(BatchNumber(2))) continue;
      EXPECT_EQ(said.at(BatchNumber(2)), std::set<crypto::Digest>{after_b_.token});
    }
    split += first == std::set<crypto::Digest>{a_.token, b_.token} ? 1 : 0;
    for (const auto& [to, said] : votes) {
      EXPECT_EQ(said.at(BatchNumber(1)), tokens.at(to).at(BatchNumber(1))) << "votes fit tokens";
    }
  }
  EXPECT_EQ(split, 20u);
}

TEST(Conspiracy, MakesCertificatesOfRealVotesAndOfEnoughOfThem) {
  Conspiracy known(FaultModel(1, 1));
  known.join(Address::verifier(1));
  for (uint16_t i = 0; i < 2; ++i) known.learn(share(prepare(i, 4)), Address::verifier(i));
  EXPECT_FALSE(known.certificate(true));
  known.learn(share(prepare(2, 4)), Address::verifier(2));
  for (uint16_t i = 0; i < 3; ++i) known.learn(share(prepare(i, 5)), Address::verifier(i));
  ASSERT_TRUE(known.certificate(true));
  EXPECT_EQ(known.certificate(true)->number, BatchNumber(5));
  EXPECT_EQ(known.certificate(false)->number, BatchNumber(4));
  EXPECT_EQ(known.certificate(true)->votes.size(), 3u);
}

TEST(Conspiracy, RemembersTheOldestBundlesAndIsBounded) {
  Conspiracy known(FaultModel(1, 1));
  for (uint64_t i = 1; i <= 500; ++i) {
    const auto bundle = wire::make_bundle(
        {wire::BundleKind::kCall, 0, SessionId(1), RequestNumber(i), RequestNumber()}, {"request"},
        [](ByteView) { return Bytes("signature"); });
    known.learn(share(wire::BundleMessage{bundle, false}), Address::client(0));
    known.learn(share(prepare(0, i)), Address::verifier(0));
  }
  EXPECT_LT(known.bundles().size(), 100u);
  EXPECT_LT(known.messages().size(), 100u);
  EXPECT_EQ(known.bundles().front()->first, RequestNumber(1));
  EXPECT_EQ(known.bundles().back()->first.value() / 100, 4u);
  EXPECT_EQ(known.number(), BatchNumber(500));
}

}  // namespace
}  // namespace eve::sim::adversary
