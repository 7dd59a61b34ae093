// What the gate refuses: damaged, contradictory and greedy bytes.
#include <gtest/gtest.h>

#include "base/limits.h"
#include "wire/allocation_test.h"
#include "wire/codec.h"
#include "wire/test_messages.h"
#include "wire/writer.h"

namespace eve::wire {
namespace {

using testing::digester;
using testing::Generator;

constexpr size_t kKinds = std::variant_size_v<Message>;
/// More memory for a frame than this many times its size would be an attack that pays.
constexpr size_t kMaxGrowth = 16;

/// Decodes; whatever is accepted must be the one encoding of what it means.
bool accepted(const Bytes& bytes) {
  const SharedBytes frame(bytes);
  const size_t before = testing::allocated_bytes();
  auto decoded = decode(frame, digester());
  EXPECT_LE(testing::allocated_bytes() - before, kMaxGrowth * bytes.size() + 1024);
  if (!decoded.ok()) {
    EXPECT_FALSE(decoded.message().empty());
    return false;
  }
  EXPECT_EQ(encode(*decoded), bytes);
  return true;
}

/// Like accepted(), but gives the complaint.
std::string refusal(const Bytes& bytes) {
  auto decoded = decode(SharedBytes(bytes), digester());
  return decoded.ok() ? "accepted" : decoded.message();
}

TEST(HostileBytes, TruncatedAnywhere) {
  for (uint64_t seed = 0; seed < 5; ++seed) {
    Generator generator(seed);
    for (size_t kind = 0; kind < kKinds; ++kind) {
      const Bytes bytes = encode(generator.message(kind));
      for (size_t size = 0; size < bytes.size(); ++size) {
        ASSERT_FALSE(accepted(bytes.substr(0, size))) << "kind " << kind << ", " << size;
      }
      ASSERT_FALSE(accepted(bytes + '\0')) << "kind " << kind;
    }
  }
}

TEST(HostileBytes, AnyBitFlipped) {
  for (uint64_t seed = 0; seed < 4; ++seed) {
    Generator generator(seed);
    for (size_t kind = 0; kind < kKinds; ++kind) {
      Bytes bytes = encode(generator.message(kind));
      for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
        const auto mask = static_cast<char>(1 << (bit % 8));
        bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ mask);
        accepted(bytes);
        bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ mask);
      }
    }
  }
}

TEST(HostileBytes, RandomBytesAfterAGoodStart) {
  for (uint64_t seed = 0; seed < 20'000; ++seed) {
    Generator generator(seed);
    Bytes bytes = encode(generator.message(seed % kKinds));
    Random random(seed);
    bytes.resize(2 + random.below(bytes.size()));
    bytes += generator.bytes(64);
    accepted(bytes);
  }
}

// Every 4 bytes of every message in turn replaced by a huge count or length.
TEST(HostileBytes, HugeCountsAnywhere) {
  for (size_t kind = 0; kind < kKinds; ++kind) {
    Generator generator(kind);
    const Bytes good = encode(generator.message(kind));
    for (size_t at = 2; at + 4 <= good.size(); ++at) {
      for (const char* huge : {"\xff\xff\xff\xff", "\x00\x10\x00\x00", "\x00\x00\x80\x00"}) {
        Bytes bytes = good;
        bytes.replace(at, 4, ByteView(huge, 4));
        accepted(bytes);
      }
    }
  }
}

TEST(HostileBytes, Envelope) {
  EXPECT_NE(refusal("").find("ends too early"), std::string::npos);
  EXPECT_NE(refusal("\x02").find("ends too early"), std::string::npos);
  EXPECT_NE(refusal(Bytes("\x02\x00", 2)).find("unknown tag"), std::string::npos);
  EXPECT_NE(refusal("\x02\x7f").find("unknown tag"), std::string::npos);
  EXPECT_NE(refusal("\x01\x06").find("version 1"), std::string::npos);
  EXPECT_NE(refusal(Bytes("\x02\x07\x02", 3) + Bytes(16, '\0')).find("boolean"), std::string::npos);
}

TEST(HostileBytes, NamesAreFewAndInAscendingOrder) {
  const auto name = [](uint8_t last) {
    Digest digest;
    digest.bytes.back() = last;
    return digest;
  };
  const auto verdict_on = [](const Names& names) {
    return refusal(encode(Verdict{VerdictKind::kRollback, View(1), BatchNumber(2), {}, names}));
  };
  EXPECT_EQ(verdict_on({name(1), name(2)}), "accepted");
  EXPECT_NE(verdict_on({name(2), name(1)}).find("ascending"), std::string::npos);
  EXPECT_NE(verdict_on({name(1), name(1)}).find("ascending"), std::string::npos);
  Names many;
  for (size_t i = 0; i < limits::kMaxQuarantine; ++i) many.push_back(name(static_cast<uint8_t>(i)));
  EXPECT_EQ(verdict_on(many), "accepted");
  many.push_back(name(255));
  EXPECT_NE(verdict_on(many).find("count"), std::string::npos);
}

TEST(HostileBytes, TokenThatIsNotItsParts) {
  Token token{View(1), {BatchNumber(2), {}, {}, {}, {}}, {}};
  EXPECT_NE(refusal(encode(token)).find("digest of its parts"), std::string::npos);
  token.token.bytes.fill(7);
  EXPECT_NE(refusal(encode(token)).find("digest of its parts"), std::string::npos)
      << "some digest is not the digest";
  token.token = token_of(token.parts, digester());
  EXPECT_EQ(refusal(encode(token)), "accepted");
}

TEST(HostileBytes, VerifiersNamedTwice) {
  Certificate certificate{false, View(1), BatchNumber(2), {}, {}, {{3, "x"}, {3, "y"}}};
  EXPECT_NE(refusal(encode(ViewChange{View(1), certificate, 0, ""})).find("twice"),
            std::string::npos);
  const ViewChange change{View(1), {}, 4, ""};
  EXPECT_NE(refusal(encode(NewView{View(1), {}, {}, {change, change}, 0, ""})).find("twice"),
            std::string::npos);
  EXPECT_NE(refusal(encode(ViewChange{View(1), {}, limits::kMaxVerifiers, ""})).find("range"),
            std::string::npos);
}

TEST(HostileBytes, BundlesThatContradictThemselves) {
  struct Case {
    BundleFields fields;
    std::vector<Bytes> requests;
    const char* complaint;
  };
  const auto call = BundleKind::kCall;
  const auto open = BundleKind::kOpen;
  const uint64_t last = UINT64_MAX;
  for (const Case& c : std::initializer_list<Case>{
           {{call, 0, SessionId(1), RequestNumber(2), RequestNumber(1)}, {"x"}, "accepted"},
           {{call, 0, SessionId(1), RequestNumber(2), RequestNumber(1)}, {}, "no request"},
           {{call, 0, SessionId(0), RequestNumber(2), RequestNumber(1)}, {"x"}, "no session"},
           {{call, 0, SessionId(1), RequestNumber(0), RequestNumber(0)}, {"x"}, "acknowledges"},
           {{call, 0, SessionId(1), RequestNumber(2), RequestNumber(2)}, {"x"}, "acknowledges"},
           {{call, 0, SessionId(1), RequestNumber(last), RequestNumber(1)}, {"x"}, "overflow"},
           {{open, 0, SessionId(0), RequestNumber(last), RequestNumber(0)}, {}, "accepted"},
           {{open, 0, SessionId(1), RequestNumber(1), RequestNumber(0)}, {}, "nonce"},
           {{open, 0, SessionId(0), RequestNumber(1), RequestNumber(1)}, {}, "nonce"},
           {{open, 0, SessionId(0), RequestNumber(1), RequestNumber(0)}, {"x"}, "nonce"}}) {
    const BundlePtr bundle = make_bundle(c.fields, c.requests, [](ByteView) { return ""; });
    EXPECT_NE(refusal(encode(BundleMessage{bundle, false})).find(c.complaint), std::string::npos)
        << refusal(encode(BundleMessage{bundle, false})) << ", not " << c.complaint;
    const BatchPtr batch = make_batch(View(0), BatchNumber(1), 2, 3, {bundle}, digester());
    EXPECT_NE(refusal(encode(BatchMessage{batch})).find(c.complaint), std::string::npos);
  }
}

/// A bundle message with a head that is right and `requests` of `size` bytes.
Bytes large_bundle(size_t requests, size_t size, size_t signature) {
  Writer out;
  out.raw(ByteView("\x02\x01\x00\x01\x00\x00", 6));
  for (const uint64_t field : {1, 1, 0}) out.integer(field);
  out.count(requests);
  for (size_t i = 0; i < requests; ++i) out.sized(Bytes(size, 'x'));
  out.sized(Bytes(signature, 's'));
  return out.take();
}

TEST(HostileBytes, LimitsOfBundles) {
  using namespace limits;
  EXPECT_EQ(refusal(large_bundle(kMaxBundleRequests, 0, 64)), "accepted");
  EXPECT_NE(refusal(large_bundle(kMaxBundleRequests + 1, 0, 64)).find("count"), std::string::npos);
  EXPECT_EQ(refusal(large_bundle(1, kMaxRequestBytes, 64)), "accepted");
  EXPECT_NE(refusal(large_bundle(1, kMaxRequestBytes + 1, 64)).find("length"), std::string::npos);
  EXPECT_NE(refusal(large_bundle(2, kMaxRequestBytes, 64)).find("too large"), std::string::npos);
  EXPECT_EQ(refusal(large_bundle(1, 1, kMaxSignatureBytes)), "accepted");
  EXPECT_NE(refusal(large_bundle(1, 1, kMaxSignatureBytes + 1)).find("length"), std::string::npos);
}

TEST(HostileBytes, LimitsOfBatches) {
  BundleFields fields{BundleKind::kCall, 0, SessionId(1), RequestNumber(1), RequestNumber(0)};
  const auto unsigned_bundle = [&fields](size_t size) {
    return make_bundle(fields, {Bytes(size, 'x')}, [](ByteView) { return ""; });
  };
  const auto verdict_on = [](const BundlePtr& bundle, size_t count) {
    const std::vector<BundlePtr> bundles(count, bundle);
    return refusal(
        encode(BatchMessage{make_batch(View(0), BatchNumber(1), 1, 1, bundles, digester())}));
  };
  const BundlePtr small = unsigned_bundle(1);
  EXPECT_EQ(verdict_on(small, limits::kMaxBatchBundles), "accepted");
  EXPECT_NE(verdict_on(small, limits::kMaxBatchBundles + 1).find("count"), std::string::npos);
  const BundlePtr large = unsigned_bundle(limits::kMaxRequestBytes);
  EXPECT_EQ(verdict_on(large, 3), "accepted");
  EXPECT_NE(verdict_on(large, 4).find("too large"), std::string::npos);
}

TEST(HostileBytes, RecordsWhosePrimaryIsNotInSync) {
  const auto beat = [](uint64_t life, const PairRecord& record) {
    PairBeat message;
    message.life = message.process = life;
    message.record = record;
    return encode(message);
  };
  EXPECT_TRUE(accepted(beat(1, {})));
  EXPECT_TRUE(accepted(beat(1, {View(3), {0, 5}})));
  EXPECT_FALSE(accepted(beat(0, {})));
  EXPECT_NE(refusal(beat(1, {View(3), {5, 0}})).find("not in sync"), std::string::npos);
  EXPECT_NE(refusal(beat(1, {View(3), {0, 0}})).find("not in sync"), std::string::npos);
}

}  // namespace
}  // namespace eve::wire
