// Changes of the members and what proves them (M1, M3, M6), and their bytes.
#include "wire/membership.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "crypto/hex.h"
#include "wire/codec.h"
#include "wire/test_messages.h"

namespace eve::wire {
namespace {

using testing::digester;

Digest filled(uint8_t byte) {
  Digest digest;
  digest.bytes.fill(byte);
  return digest;
}

const Change kChange{Epoch(4), 1, 2, "who comes"};

BundlePtr bundle_of(const Change& change) {
  return make_change(change, [](ByteView) { return Bytes("sig"); });
}

BundlePtr call() {
  BundleFields fields;
  fields.session = SessionId(1);
  fields.first = RequestNumber(1);
  return make_bundle(fields, {"request"}, [](ByteView) { return Bytes(); });
}

BatchPtr batch_of(std::vector<BundlePtr> bundles) {
  return make_batch(View(), BatchNumber(9), 5, 6, std::move(bundles), digester());
}

/// As an executor that runs `batch` and answers its bundles with these statuses.
Evidence evidence_of(const BatchPtr& batch, ReplyStatus status, const Bytes& payload) {
  Evidence evidence{{batch->number, filled(1), batch->digest, filled(2), {}}, batch};
  Bytes digests;
  for (size_t i = 0; i < batch->bundles.size(); ++i) {
    digests.append(reply_digest(status, payload, digester()).view());
  }
  evidence.parts.replies = digester().digest(digests);
  return evidence;
}

Evidence executed() {
  return evidence_of(batch_of({bundle_of(kChange)}), ReplyStatus::kExecuted,
                     change_reply(Epoch(5)));
}

TEST(Change, SurvivesItsEncoding) {
  EXPECT_EQ(decode_change(encode(kChange)), kChange);
  const Change executor_only{Epoch(0), 3, std::nullopt, ""};
  EXPECT_EQ(decode_change(encode(executor_only)), executor_only);
  EXPECT_EQ(change_in(*bundle_of(kChange)), kChange);
}

TEST(Change, IsRefusedWithoutASeatOrBeyondItsLimits) {
  EXPECT_FALSE(decode_change(encode(Change{Epoch(0), std::nullopt, std::nullopt, "x"})));
  EXPECT_FALSE(decode_change(encode(Change{Epoch(0), 64, std::nullopt, "x"})));
  EXPECT_FALSE(decode_change(encode(Change{Epoch(0), std::nullopt, 96, "x"})));
  EXPECT_FALSE(decode_change(
      encode(Change{Epoch(0), 0, std::nullopt, Bytes(limits::kMaxContactBytes + 1, 'x')})));
  EXPECT_FALSE(decode_change(encode(Change{Epoch(0xffffffff), 0, std::nullopt, "x"})))
      << "no epoch follows";
  EXPECT_FALSE(decode_change(encode(kChange) + "x"));
  EXPECT_FALSE(decode_change(""));
}

TEST(Change, ABundleSaysInItsNumberWhichEpochBegins) {
  BundleFields fields{BundleKind::kChange, limits::kOperator, SessionId(), RequestNumber(4), {}};
  EXPECT_FALSE(change_in(*make_bundle(fields, {encode(kChange)}, [](ByteView) { return ""; })));
  fields.first = RequestNumber(5);
  EXPECT_TRUE(change_in(*make_bundle(fields, {encode(kChange)}, [](ByteView) { return ""; })));
  EXPECT_FALSE(change_in(*make_bundle(fields, {"x"}, [](ByteView) { return ""; })));
  EXPECT_FALSE(change_in(
      *make_bundle(fields, {encode(kChange), encode(kChange)}, [](ByteView) { return ""; })));
  EXPECT_FALSE(change_in(*call()));
}

// The gate: what only the operator sends comes under the operator's name, and the other way round.
TEST(Change, TheGateRefusesThoseOfOthers) {
  const auto passes = [](BundleFields fields, const Bytes& request) {
    const auto bundle = make_bundle(fields, {request}, [](ByteView) { return Bytes(); });
    return decode(SharedBytes(encode(BundleMessage{bundle, false})), digester()).ok();
  };
  const BundleFields right{BundleKind::kChange, limits::kOperator, {}, RequestNumber(5), {}};
  EXPECT_TRUE(passes(right, encode(kChange)));
  BundleFields other = right;
  other.client = 0;
  EXPECT_FALSE(passes(other, encode(kChange)));
  other = right;
  other.session = SessionId(1);
  EXPECT_FALSE(passes(other, encode(kChange)));
  other = right;
  other.acknowledged = RequestNumber(1);
  EXPECT_FALSE(passes(other, encode(kChange)));
  EXPECT_FALSE(passes(right, "not a change"));
  const BundleFields call{BundleKind::kCall, limits::kOperator, SessionId(1), RequestNumber(1), {}};
  EXPECT_FALSE(passes(call, "request"));
}

TEST(Evidence, ProvesTheChangeThatWasExecutedAlone) {
  EXPECT_EQ(proven_change(executed(), digester()), kChange);
}

TEST(Evidence, ProvesNothingElse) {
  const auto batch = batch_of({bundle_of(kChange)});
  EXPECT_FALSE(proven_change(evidence_of(batch, ReplyStatus::kOutOfOrder, ""), digester()))
      << "refused";
  EXPECT_FALSE(proven_change(evidence_of(batch, ReplyStatus::kExecuted, change_reply(Epoch(6))),
                             digester()));
  const auto both = batch_of({bundle_of(kChange), call()});
  EXPECT_FALSE(
      proven_change(evidence_of(both, ReplyStatus::kExecuted, change_reply(Epoch(5))), digester()));
  const auto ordinary = batch_of({call()});
  EXPECT_FALSE(proven_change(evidence_of(ordinary, ReplyStatus::kExecuted, change_reply(Epoch(5))),
                             digester()))
      << "a service may answer what it likes";

  Evidence other = executed();
  other.parts.number = BatchNumber(8);
  EXPECT_FALSE(proven_change(other, digester()));
  other = executed();
  other.batch = make_batch(View(), BatchNumber(9), 5, 7, {bundle_of(kChange)}, digester());
  EXPECT_FALSE(proven_change(other, digester())) << "another batch than the token's";
}

TEST(Batch, SurvivesItsEncodingWithoutItsView) {
  const auto batch = make_batch(View(3), BatchNumber(9), 5, 6, {bundle_of(kChange)}, digester());
  const auto copy = copy_of(*batch, digester());
  EXPECT_EQ(copy->digest, batch->digest);
  EXPECT_EQ(copy->view, View());
  EXPECT_EQ(change_in(*copy), kChange);
  EXPECT_TRUE(holds_change(*copy));
  EXPECT_FALSE(holds_change(*batch_of({call()})));
  EXPECT_EQ(decode_batch(SharedBytes(encode_batch(*batch) + "x"), digester()), nullptr);
  EXPECT_EQ(decode_batch(SharedBytes("x"), digester()), nullptr);
}

// Bytes that other builds send; a change here needs another kWireVersion.
TEST(Membership, GoldenBytes) {
  const auto hex_of = [](const Message& message) { return crypto::to_hex(encode(message)); };
  const std::string e(64, 'e');
  EXPECT_EQ(crypto::to_hex(encode(Change{Epoch(1), 2, std::nullopt, "ab"})),
            "01000000"
            "010200"
            "00"
            "02000000"
            "6162");
  EXPECT_EQ(hex_of(Farewell{Epoch(1), BatchNumber(2), filled(0xee), 3, "sig"}),
            "0215"
            "01000000"
            "0200000000000000" +
                e +
                "0300"
                "03000000"
                "736967");
  EXPECT_EQ(hex_of(ChainWanted{Epoch(1)}), "021601000000");
  EXPECT_EQ(hex_of(InEpoch{Epoch(1), std::make_shared<const Enclosed>(Enclosed{Suspect{View(3)}})}),
            "0218"
            "01000000"
            "06"
            "0300000000000000");
  const auto asked = bundle_of(kChange);
  EXPECT_EQ(hex_of(Candidate{asked}),
            "0219"
            "03"
            "0004"
            "0000000000000000"
            "0500000000000000"
            "0000000000000000"
            "01000000"
            "17000000" +
                crypto::to_hex(encode(kChange)) +
                "03000000"
                "736967");
  const auto d = [&](uint8_t byte) { return crypto::to_hex(filled(byte).view()); };
  Evidence evidence = executed();
  evidence.parts = {BatchNumber(9), filled(1), filled(2), filled(3), filled(4)};
  const std::string evidence_hex = "0900000000000000" + d(1) + d(2) + d(3) + d(4) +
                                   crypto::to_hex(encode_batch(*evidence.batch));
  EXPECT_EQ(hex_of(EpochEnd{Epoch(4), evidence}), "021404000000" + evidence_hex);
  EXPECT_EQ(hex_of(Chain{{{Epoch(4), evidence, {{3, "sig"}}}}}),
            "0217"
            "01000000"
            "04000000" +
                evidence_hex +
                "01000000"
                "0300"
                "03000000"
                "736967");
}

TEST(Membership, TheGateRefusesWhatNoHonestNodeSends) {
  const auto refused = [](Message message) {
    return !decode(SharedBytes(encode(message)), digester()).ok();
  };
  const auto enclose = [](Epoch epoch, Message message) {
    return InEpoch{epoch, std::make_shared<const Enclosed>(Enclosed{std::move(message)})};
  };
  EXPECT_FALSE(refused(enclose(Epoch(1), Suspect{})));
  EXPECT_TRUE(refused(enclose(Epoch(0), Suspect{}))) << "one encoding";
  EXPECT_TRUE(refused(enclose(Epoch(1), ChainWanted{})));
  EXPECT_TRUE(refused(enclose(Epoch(1), enclose(Epoch(2), Suspect{}))));
  EXPECT_TRUE(refused(Chain{}));
  EXPECT_FALSE(refused(Candidate{bundle_of(kChange)}));
  EXPECT_TRUE(refused(Candidate{call()}));
  EXPECT_TRUE(refused(enclose(Epoch(1), Candidate{bundle_of(kChange)})));

  const Evidence evidence = executed();
  EXPECT_FALSE(refused(Chain{{{Epoch(3), evidence, {}}, {Epoch(4), evidence, {}}}}));
  EXPECT_TRUE(refused(Chain{{{Epoch(3), evidence, {}}, {Epoch(5), evidence, {}}}}));
  EXPECT_TRUE(refused(Chain{{{Epoch(3), evidence, {{1, ""}, {1, ""}}}}})) << "named twice";
  EXPECT_TRUE(refused(Chain{std::vector<Link>(limits::kMaxLinks + 1, Link{{}, evidence, {}})}));
  Evidence ordinary = evidence;
  ordinary.batch = batch_of({call()});
  EXPECT_TRUE(refused(EpochEnd{Epoch(4), ordinary}));
  ordinary.batch = batch_of({bundle_of(kChange), bundle_of(kChange)});
  EXPECT_TRUE(refused(EpochEnd{Epoch(4), ordinary}));
}

}  // namespace
}  // namespace eve::wire
