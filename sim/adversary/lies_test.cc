#include "sim/adversary/lies.h"

#include <gtest/gtest.h>

#include "sim/light_authenticator.h"
#include "wire/codec.h"

namespace eve::sim::adversary {
namespace {

const crypto::Digester kDigester(crypto::DigestAlgorithm::kSha256, crypto::Secret{});

std::vector<wire::Message> every_kind() {
  const auto bundle = wire::make_bundle(
      {wire::BundleKind::kCall, 0, SessionId(1), RequestNumber(1), RequestNumber()}, {"request"},
      [](ByteView) { return Bytes("signature"); });
  wire::TokenParts parts;
  parts.number = BatchNumber(5);
  wire::Certificate genesis;
  const wire::ViewChange change{View(3), genesis, 1, "signature"};
  std::vector<wire::ViewChange> proof(3, change);
  for (uint16_t i = 0; i < 3; ++i) proof[i].verifier = i;
  wire::StateReply state;
  state.parts = parts;
  state.nodes.push_back({TreeNode{0, 1}, SharedBytes("payload")});
  return {wire::BundleMessage{bundle, true},
          wire::BatchMessage{wire::make_batch(View(1), BatchNumber(5), 7, 9, {bundle}, kDigester)},
          wire::Reply{SessionId(1), RequestNumber(1), wire::ReplyStatus::kExecuted, View(1),
                      wire::reply_digest(wire::ReplyStatus::kExecuted, "x", kDigester),
                      SharedBytes("x")},
          wire::Token{View(1), parts, wire::token_of(parts, kDigester)},
          wire::Verdict{wire::VerdictKind::kCommit, View(1), BatchNumber(5), {}},
          wire::Suspect{View(1)},
          wire::Hello{false, View(1), BatchNumber(5)},
          wire::Welcome{},
          wire::Prepare{View(1), BatchNumber(5), {}, {}, 1, "signature"},
          wire::Commit{View(1), BatchNumber(5), {}},
          change,
          wire::NewView{View(3), BatchNumber(), {}, proof, 0, "signature"},
          wire::StateRequest{BatchNumber(5), {TreeNode{0, 1}}},
          state};
}

/// Lies that the gate refuses are told in vain: most must get through.
TEST(Lies, MostLiesAreWellFormed) {
  const LightAuthenticator authenticator(Address::verifier(1), kDigester);
  Lies lies(1, authenticator, kDigester);
  for (const wire::Message& truth : every_kind()) {
    const Bytes true_bytes = wire::encode(truth);
    int different = 0;
    int accepted = 0;
    constexpr int kTries = 60;
    for (int i = 0; i < kTries; ++i) {
      const wire::Message lie = lies.instead_of(truth);
      EXPECT_EQ(lie.index(), truth.index());
      const SharedBytes frame(wire::encode(lie));
      different += frame.view() != true_bytes ? 1 : 0;
      accepted += wire::decode(frame, kDigester).ok() ? 1 : 0;
    }
    EXPECT_GT(different, kTries / 3) << truth.index();
    EXPECT_GT(accepted, kTries / 3) << truth.index();
  }
}

}  // namespace
}  // namespace eve::sim::adversary
