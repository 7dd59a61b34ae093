#include "journal/format.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "journal/testing_disk.h"

namespace eve::journal {
namespace {

SegmentHeader some_segment() {
  SegmentHeader header;
  header.owner = {"a cluster", "executor-1"};
  header.log = "batches";
  header.life = testing::life(3);
  header.serial = 7;
  header.after = 5;
  header.opened = 2;
  header.first_group = 11;
  header.first = Position(101);
  header.chain = testing::life(4);
  header.settled = 12;
  header.keeps_replaced = true;
  return header;
}

GroupHeader some_group(ByteView body) {
  GroupHeader header;
  header.life = testing::life(3);
  header.serial = 7;
  header.offset = 3 * kBlockBytes;
  header.group = 12;
  header.settled = 11;
  header.first = Position(104);
  header.records = 2;
  header.body_bytes = static_cast<uint32_t>(body.size());
  header.chain = testing::life(5);
  header.body = checksum(body);
  return header;
}

Bytes some_body() {
  Bytes body;
  append_record(body, 1, 20, "one");
  append_record(body, 0xffff, ~uint64_t{0}, "");
  return body;
}

TEST(SegmentHeaders, ComeBack) {
  const Bytes block = encode(some_segment());
  ASSERT_EQ(block.size(), kBlockBytes);
  const auto header = decode_segment_header(block);
  ASSERT_TRUE(header);
  EXPECT_EQ(encode(*header), block);
  EXPECT_EQ(header->owner, some_segment().owner);
  EXPECT_EQ(header->log, "batches");
  EXPECT_EQ(header->serial, 7u);
  EXPECT_EQ(header->after, 5u);
  EXPECT_EQ(header->opened, 2u);
  EXPECT_EQ(header->first_group, 11u);
  EXPECT_EQ(header->first, Position(101));
  EXPECT_EQ(header->settled, 12u);
  EXPECT_TRUE(header->keeps_replaced);
}

TEST(SegmentHeaders, AnyWrongByteIsNoticed) {
  const Bytes block = encode(some_segment());
  for (size_t i = 0; i < block.size(); ++i) {
    Bytes wrong = block;
    wrong[i] = static_cast<char>(wrong[i] ^ 1);
    EXPECT_FALSE(decode_segment_header(wrong)) << i;
  }
  EXPECT_FALSE(decode_segment_header(ByteView(block).substr(1)));
  EXPECT_FALSE(decode_segment_header(""));
}

TEST(SegmentHeaders, ThatMakeNoSenseAreRefused) {
  auto header = some_segment();
  header.after = header.serial;
  EXPECT_FALSE(decode_segment_header(encode(header)));
  header = some_segment();
  header.settled = header.first_group - 1;
  EXPECT_FALSE(decode_segment_header(encode(header)));
  header = some_segment();
  header.first = Position(0);
  EXPECT_FALSE(decode_segment_header(encode(header)));
}

TEST(GroupHeaders, ComeBack) {
  const Bytes bytes = encode(some_group(some_body()));
  ASSERT_EQ(bytes.size(), kGroupHeaderBytes);
  const auto header = decode_group_header(bytes + "what follows");
  ASSERT_TRUE(header);
  EXPECT_EQ(encode(*header), bytes);
  EXPECT_EQ(header->records, 2u);
  EXPECT_EQ(header->offset, 3 * kBlockBytes);
  EXPECT_EQ(header->settled, 11u);
}

TEST(GroupHeaders, AnyWrongByteIsNoticed) {
  const Bytes bytes = encode(some_group(some_body()));
  for (size_t i = 0; i < bytes.size(); ++i) {
    Bytes wrong = bytes;
    wrong[i] = static_cast<char>(wrong[i] ^ 0x80);
    EXPECT_FALSE(decode_group_header(wrong)) << i;
  }
  EXPECT_FALSE(decode_group_header(ByteView(bytes).substr(1)));
}

TEST(GroupHeaders, ThatMakeNoSenseAreRefused) {
  auto header = some_group(some_body());
  header.settled = header.group + 1;
  EXPECT_FALSE(decode_group_header(encode(header)));
  header = some_group(some_body());
  header.records = 1000;
  EXPECT_FALSE(decode_group_header(encode(header)));
  header = some_group(some_body());
  header.records = 0;
  EXPECT_FALSE(decode_group_header(encode(header)));
}

TEST(GroupHeaders, TheChainCoversBodyAndPredecessor) {
  const auto header = some_group(some_body());
  auto other = header;
  other.chain[0] ^= 1;
  EXPECT_NE(chain_of(encode(header)), chain_of(encode(other)));
  other = header;
  other.body[0] ^= 1;
  EXPECT_NE(chain_of(encode(header)), chain_of(encode(other)));
}

TEST(Records, ComeBackInOrder) {
  std::vector<Bytes> payloads;
  EXPECT_TRUE(for_each_record(some_body(), 2, [&](uint16_t, uint64_t, ByteView payload) {
    payloads.emplace_back(payload);
    return true;
  }));
  EXPECT_EQ(payloads, (std::vector<Bytes>{"one", ""}));
}

TEST(Records, OnesThatDoNotFillTheirBodyAreRefused) {
  const auto all = [](uint16_t, uint64_t, ByteView) { return true; };
  EXPECT_FALSE(for_each_record(some_body(), 1, all));
  EXPECT_FALSE(for_each_record(some_body(), 3, all));
  EXPECT_FALSE(for_each_record(some_body().substr(1), 2, all));
  EXPECT_FALSE(for_each_record(some_body() + "x", 2, all));
}

TEST(Pieces, OfZeroesAreCounted) {
  Bytes bytes(3 * kPieceBytes, 'x');
  EXPECT_EQ(count_zero_pieces(bytes), 0u);
  bytes.replace(kPieceBytes, kPieceBytes - 1, kPieceBytes - 1, '\0');
  EXPECT_EQ(count_zero_pieces(bytes), 0u);
  bytes[2 * kPieceBytes - 1] = '\0';
  EXPECT_EQ(count_zero_pieces(bytes), 1u);
  bytes.push_back('\0');
  EXPECT_EQ(count_zero_pieces(bytes), 2u);
  EXPECT_EQ(count_zero_pieces(""), 0u);
}

TEST(Names, ComeBack) {
  EXPECT_EQ(segment_name("log", 0x1a), "log-000000000000001a.log");
  EXPECT_EQ(segment_name("log", ~uint64_t{0}), "log-ffffffffffffffff.log");
  const auto kind_of = [](const std::string& name) { return parse_name("log", name)->kind; };
  EXPECT_EQ(parse_name("log", "log-000000000000001a.log")->serial, 0x1au);
  EXPECT_EQ(kind_of("log-000000000000001a.log"), FileKind::kSegment);
  EXPECT_EQ(kind_of("log-000000000000001a.log.new"), FileKind::kUnfinished);
  EXPECT_EQ(kind_of("log-000000000000001a.log.damaged"), FileKind::kDamaged);
}

TEST(Names, OfOthersAreNotTaken) {
  for (const char* name :
       {"", "log", "log-000000000000001a", "lag-000000000000001a.log", "log-000000000000001A.log",
        "log-000000000000001a.log.x", "log-0000000000000000.log", "log.reserve",
        "log-00000000000000001a.log", "alog-000000000000001a.log"}) {
    EXPECT_FALSE(parse_name("log", name)) << name;
  }
}

}  // namespace
}  // namespace eve::journal
