#include "wire/codec.h"

#include <gtest/gtest.h>

#include "crypto/hex.h"
#include "wire/allocation_test.h"
#include "wire/test_messages.h"

namespace eve::wire {
namespace {

using testing::Description;
using testing::digester;
using testing::Generator;

constexpr size_t kKinds = std::variant_size_v<Message>;

Digest filled(uint8_t byte) {
  Digest digest;
  digest.bytes.fill(byte);
  return digest;
}

std::string hex_of(const Message& message) {
  return crypto::to_hex(encode(message));
}

TEST(Codec, EveryMessageSurvivesTheRoundTrip) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    Generator generator(seed);
    for (size_t kind = 0; kind < kKinds; ++kind) {
      const Message message = generator.message(kind);
      ASSERT_EQ(message.index(), kind);
      const Bytes bytes = encode(message);
      auto decoded = decode(SharedBytes(bytes), digester());
      ASSERT_TRUE(decoded.ok()) << decoded.message();
      EXPECT_EQ(Description(*decoded).text(), Description(message).text());
      EXPECT_EQ(encode(*decoded), bytes);
    }
  }
}

// Bytes that other builds send; a change here needs another kWireVersion.
TEST(Codec, GoldenBytes) {
  const std::string d = std::string(62, '0') + "0d";
  const std::string e(64, 'e');
  Digest last_byte;
  last_byte.bytes.back() = 0x0d;
  EXPECT_EQ(
      hex_of(Verdict{VerdictKind::kRollback, View(2), BatchNumber(0x0102), last_byte, {last_byte}}),
      "0205"
      "02"
      "0200000000000000"
      "0201000000000000" +
          d + "01000000" + d);
  EXPECT_EQ(hex_of(Verdict{VerdictKind::kCommit, View(2), BatchNumber(3), last_byte}),
            "0205"
            "01"
            "0200000000000000"
            "0300000000000000" +
                d);
  EXPECT_EQ(hex_of(Needed{View(3), Address::verifier(2)}),
            "020f"
            "0300000000000000"
            "02"
            "0200");
  EXPECT_EQ(hex_of(Suspect{View(3)}),
            "0206"
            "0300000000000000");
  EXPECT_EQ(hex_of(Hello{true, View(4), BatchNumber(5)}),
            "0207"
            "01"
            "0400000000000000"
            "0500000000000000");
  EXPECT_EQ(hex_of(Prepare{View(1), BatchNumber(2), last_byte, filled(0xee), 3, "sig"}),
            "0209"
            "0100000000000000"
            "0200000000000000" +
                d + e +
                "0300"
                "03000000"
                "736967");
  EXPECT_EQ(hex_of(Commit{View(1), BatchNumber(2), last_byte}),
            "020a"
            "0100000000000000"
            "0200000000000000" +
                d);
  EXPECT_EQ(hex_of(Reply{SessionId(1), RequestNumber(2), ReplyStatus::kOutOfOrder, View(3),
                         last_byte, SharedBytes("ok")}),
            "0203"
            "0100000000000000"
            "0200000000000000"
            "03"
            "0300000000000000" +
                d +
                "01"
                "02000000"
                "6f6b");
  EXPECT_EQ(hex_of(StateReply{BatchNumber(9), std::nullopt, {{{255, 0}, SharedBytes("r")}}}),
            "020e"
            "0900000000000000"
            "00"
            "01000000"
            "ff"
            "0000000000000000"
            "01000000"
            "72");
}

TEST(Codec, GoldenRoom) {
  EXPECT_EQ(hex_of(Room{}), "021300000000");
  EXPECT_EQ(hex_of(Room{{Address::executor(1), Address::verifier(2)}}),
            "0213"
            "02000000"
            "010100"
            "020200");
}

TEST(Codec, GoldenPairMessages) {
  const std::string e(64, 'e');
  const PairPoint point{BatchNumber(5), filled(0xee)};
  const std::string point_hex = "0500000000000000" + e;
  EXPECT_EQ(hex_of(PairToken{{View(3), 1}, point}),
            "0212"
            "0300000000000000"
            "0100000000000000" +
                point_hex);
  EXPECT_EQ(hex_of(PairBeat{7,
                            6,
                            8,
                            -1,
                            5,
                            4,
                            true,
                            {View(2), {7, 9}},
                            true,
                            {View(2), 1},
                            point,
                            {filled(0xee)},
                            point,
                            point}),
            "0210"
            "0700000000000000"
            "0600000000000000"
            "0800000000000000"
            "ffffffffffffffff"
            "0500000000000000"
            "0400000000000000"
            "01"
            "0200000000000000"
            "0700000000000000"
            "0900000000000000"
            "01"
            "0200000000000000"
            "0100000000000000" +
                point_hex + "01000000" + e + point_hex + point_hex);
  const auto batch = make_batch(View(3), BatchNumber(6), 4, 2, {}, testing::digester());
  EXPECT_EQ(hex_of(PairBatch{{View(3), 1}, point, batch}),
            "0211"
            "0300000000000000"
            "0100000000000000" +
                point_hex +
                "0600000000000000"
                "0400000000000000"
                "0200000000000000"
                "00000000");
}

TEST(Codec, GoldenBatch) {
  BundleFields fields{BundleKind::kCall, 3, SessionId(4), RequestNumber(6), RequestNumber(5)};
  const BundlePtr bundle = make_bundle(fields, {"ab", ""}, [](ByteView) { return "s"; });
  const std::string signed_part =
      "01"
      "0300"
      "0400000000000000"
      "0600000000000000"
      "0500000000000000"
      "02000000"
      "02000000"
      "6162"
      "00000000";
  EXPECT_EQ(crypto::to_hex(bundle->signed_part), signed_part);
  EXPECT_EQ(crypto::to_hex(bundle->raw.view()), signed_part +
                                                    "01000000"
                                                    "73");
  EXPECT_EQ(hex_of(BundleMessage{bundle, true}),
            "0201"
            "01" +
                signed_part +
                "01000000"
                "73");

  const BatchPtr batch = make_batch(View(7), BatchNumber(8), 9, 10, {bundle}, digester());
  const std::string covered =
      "0800000000000000"
      "0900000000000000"
      "0a00000000000000"
      "01000000" +
      signed_part +
      "01000000"
      "73";
  EXPECT_EQ(hex_of(BatchMessage{batch}),
            "0202"
            "0700000000000000" +
                covered);
  EXPECT_EQ(batch->digest, digester().digest(*crypto::from_hex(covered)));
  const BatchPtr later = make_batch(View(8), BatchNumber(8), 9, 10, {bundle}, digester());
  EXPECT_EQ(later->digest, batch->digest) << "a digest does not cover the view";
}

TEST(Codec, GoldenViewChanges) {
  Certificate voted{false, View(1), BatchNumber(2), filled(3), filled(4), {{5, "x"}}};
  const std::string voted_hex = "00" + filled(3).hex() +
                                "0100000000000000"
                                "0200000000000000" +
                                filled(4).hex() +
                                "01000000"
                                "0500"
                                "01000000"
                                "78";
  const ViewChange change{View(6), voted, 7, "y", {filled(8)}};
  const std::string signed_change =
      "0600000000000000"
      "0700" +
      voted_hex + "01000000" + filled(8).hex();
  EXPECT_EQ(crypto::to_hex(signed_bytes(change)), signed_change);
  EXPECT_EQ(hex_of(change), "020b" + signed_change +
                                "01000000"
                                "79");

  const NewView start{View(8), BatchNumber(9), filled(1), {change}, 2, "z"};
  const std::string signed_start =
      "0800000000000000"
      "0900000000000000" +
      filled(1).hex() +
      "0200"
      "01000000" +
      signed_change +
      "01000000"
      "79";
  EXPECT_EQ(crypto::to_hex(signed_bytes(start)), signed_start);
  EXPECT_EQ(hex_of(start), "020c" + signed_start +
                               "01000000"
                               "7a");

  Certificate genesis;
  genesis.token = filled(9);
  EXPECT_EQ(hex_of(ViewChange{View(1), genesis, 0, ""}),
            "020b"
            "0100000000000000"
            "0000"
            "01" +
                filled(9).hex() + "00000000" + "00000000");
}

TEST(Codec, SignaturesOfPrepareLeaveOutTheSigner) {
  Prepare prepare{View(1), BatchNumber(2), filled(3), filled(4), 5, "sig"};
  const Bytes bytes = signed_bytes(prepare);
  EXPECT_EQ(bytes.size(), 8u + 8 + 32 + 32);
  prepare.verifier = 6;
  prepare.signature = "other";
  EXPECT_EQ(signed_bytes(prepare), bytes);
  prepare.previous = filled(5);
  EXPECT_NE(signed_bytes(prepare), bytes);
}

TEST(Codec, ASignedViewChangeCoversWhatItNames) {
  const ViewChange nothing{View(1), {}, 2, {}, {}};
  const ViewChange poison{View(1), {}, 2, {}, {filled(3)}};
  EXPECT_NE(signed_bytes(nothing), signed_bytes(poison));
}

TEST(Codec, TokensCoverEveryPart) {
  const TokenParts parts{BatchNumber(1), filled(2), filled(3), filled(4), filled(5)};
  const Digest token = token_of(parts, digester());
  auto changed = [&](auto change) {
    TokenParts other = parts;
    change(other);
    return token_of(other, digester()) != token;
  };
  EXPECT_TRUE(changed([](TokenParts& p) { p.number = BatchNumber(2); }));
  EXPECT_TRUE(changed([](TokenParts& p) { p.previous = filled(9); }));
  EXPECT_TRUE(changed([](TokenParts& p) { p.batch = filled(9); }));
  EXPECT_TRUE(changed([](TokenParts& p) { p.state = filled(9); }));
  EXPECT_TRUE(changed([](TokenParts& p) { p.replies = filled(9); }));

  const TokenParts genesis{BatchNumber(0), {}, {}, filled(4), {}};
  EXPECT_EQ(genesis_token(filled(4), digester()), token_of(genesis, digester()));
}

TEST(Codec, ReplyDigestCoversStatusAndPayload) {
  const Digest digest = reply_digest(ReplyStatus::kExecuted, "ab", digester());
  EXPECT_EQ(digest, digester().digest(Bytes("\x01"
                                            "ab")));
  EXPECT_NE(digest, reply_digest(ReplyStatus::kOverloaded, "ab", digester()));
  EXPECT_NE(digest, reply_digest(ReplyStatus::kExecuted, "a", digester()));
}

TEST(Codec, PartsKeepTheFrameAlive) {
  Generator generator(7);
  const Bytes bytes = encode(BundleMessage{generator.bundle(), false});
  auto frame = std::make_unique<SharedBytes>(bytes);
  auto decoded = decode(*frame, digester());
  ASSERT_TRUE(decoded.ok());
  const BundlePtr bundle = std::get<BundleMessage>(*decoded).bundle;
  EXPECT_EQ(bundle->raw.view().data(), frame->view().data() + 3) << "nothing is copied";
  frame.reset();
  EXPECT_EQ(bundle->raw.view(), ByteView(bytes).substr(3));
}

// What makes large batches cheap: allocations are a bundle's, not a request's.
TEST(Codec, RequestsCostNoAllocation) {
  const auto allocations_for = [](size_t requests) {
    BundleFields fields{BundleKind::kCall, 0, SessionId(1), RequestNumber(1), RequestNumber(0)};
    const BundlePtr bundle = make_bundle(fields, std::vector<Bytes>(requests, Bytes(100, 'x')),
                                         [](ByteView) { return Bytes(64, 's'); });
    const BatchPtr batch = make_batch(View(0), BatchNumber(1), 1, 1, {bundle}, digester());
    const size_t before_encode = testing::allocations();
    const SharedBytes frame(encode(BatchMessage{batch}));
    const size_t before_decode = testing::allocations();
    EXPECT_TRUE(decode(frame, digester()).ok());
    const size_t after = testing::allocations();
    return std::pair(before_decode - before_encode, after - before_decode);
  };
  allocations_for(1);  // the digest's context
  EXPECT_EQ(allocations_for(400), allocations_for(1));
  EXPECT_LE(allocations_for(400).second, 6u);
}

TEST(Replies, RoundTripAndRefusals) {
  const std::vector<Bytes> replies = {"one", "", "three"};
  const Bytes payload = encode_replies(replies);
  auto decoded = decode_replies(payload, 3);
  ASSERT_TRUE(decoded.ok()) << decoded.message();
  EXPECT_EQ(std::vector<Bytes>(decoded->begin(), decoded->end()), replies);
  EXPECT_TRUE(decode_replies("", 0).ok());
  EXPECT_FALSE(decode_replies(payload, 2).ok());
  EXPECT_FALSE(decode_replies(payload, 4).ok());
  EXPECT_FALSE(decode_replies(payload, SIZE_MAX).ok());
  EXPECT_FALSE(decode_replies(payload + "x", 3).ok());
  for (size_t size = 0; size < payload.size(); ++size) {
    EXPECT_FALSE(decode_replies(ByteView(payload).substr(0, size), 3).ok());
  }
}

}  // namespace
}  // namespace eve::wire
