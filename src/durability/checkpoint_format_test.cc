#include "durability/checkpoint_format.h"

#include <gtest/gtest.h>

#include "durability/checkpoint_testing.h"

namespace eve::durability {
namespace {

CheckpointHeader some_header() {
  CheckpointHeader header = testing::header();
  header.genesis.bytes.fill(3);
  header.serial = 0x12ab;
  return header;
}

CheckpointEnd some_end() {
  CheckpointEnd end;
  end.parts.number = BatchNumber(9);
  end.parts.previous.bytes.fill(1);
  end.parts.batch.bytes.fill(2);
  end.parts.state.bytes.fill(3);
  end.parts.replies.bytes.fill(4);
  end.token.bytes.fill(5);
  end.position = journal::Position(77);
  end.context = Bytes("a\0view", 6);
  end.chunks = 6;
  end.chunk_bytes = 7;
  return end;
}

TEST(CheckpointFormat, WhatWasWrittenIsRead) {
  const auto header = some_header();
  const Bytes bytes = encode(header);
  ASSERT_EQ(bytes.size(), kCheckpointHeaderBytes);
  const auto read = decode_checkpoint_header(bytes);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->owner, header.owner);
  EXPECT_EQ(read->life, header.life);
  EXPECT_EQ(read->genesis, header.genesis);
  EXPECT_EQ(read->serial, header.serial);

  const auto end = decode_end(encode(some_end()));
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(encode(*end), encode(some_end()));
  EXPECT_EQ(end->parts.replies, some_end().parts.replies);
  EXPECT_EQ(end->context, some_end().context);
  EXPECT_EQ(end->position, some_end().position);

  const auto version = decode_version(encode(CheckpointVersion{BatchNumber(3), end->token}));
  ASSERT_TRUE(version.has_value());
  EXPECT_EQ(version->number, BatchNumber(3));
  EXPECT_EQ(version->root, end->token);
}

TEST(CheckpointFormat, NoBitOfHeaderFrameOrFooterMayBeWrong) {
  const Bytes header = encode(some_header());
  const journal::Sum file = file_id(header);
  const Bytes head = encode(FrameHead{FrameKind::kChunk, 8, 2, journal::checksum("chunk")}, file);
  const Bytes footer = encode(CheckpointFooter{1000, 4}, file);
  ASSERT_EQ(head.size(), kFrameHeadBytes);
  ASSERT_EQ(footer.size(), kFooterBytes);
  ASSERT_TRUE(decode_frame_head(head, file) && decode_footer(footer, file));
  const auto flipped = [](Bytes bytes, size_t bit) {
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    return bytes;
  };
  for (size_t bit = 0; bit < 8 * header.size(); ++bit) {
    ASSERT_FALSE(decode_checkpoint_header(flipped(header, bit))) << bit;
  }
  for (size_t bit = 0; bit < 8 * head.size(); ++bit) {
    ASSERT_FALSE(decode_frame_head(flipped(head, bit), file)) << bit;
  }
  for (size_t bit = 0; bit < 8 * footer.size(); ++bit) {
    ASSERT_FALSE(decode_footer(flipped(footer, bit), file)) << bit;
  }
}

TEST(CheckpointFormat, AFrameOfAnotherFileDoesNotFit) {
  auto other = some_header();
  ++other.serial;
  const journal::Sum here = file_id(encode(some_header()));
  const journal::Sum there = file_id(encode(other));
  const FrameHead head{FrameKind::kChunk, 8, 2, {}};
  EXPECT_TRUE(decode_frame_head(encode(head, here), here));
  EXPECT_FALSE(decode_frame_head(encode(head, there), here));
  EXPECT_FALSE(decode_footer(encode(CheckpointFooter{9, 9}, there), here));
}

TEST(CheckpointFormat, CutOffIsRefusedEverywhere) {
  const auto refused = [](const Bytes& bytes, const auto& decode) {
    for (size_t size = 0; size < bytes.size(); ++size) {
      ASSERT_FALSE(decode(ByteView(bytes).substr(0, size))) << size;
    }
    ASSERT_TRUE(decode(bytes));
    ASSERT_FALSE(decode(bytes + "x"));
  };
  refused(encode(some_end()), [](ByteView bytes) { return decode_end(bytes).has_value(); });
  refused(encode(CheckpointVersion{}),
          [](ByteView bytes) { return decode_version(bytes).has_value(); });
}

TEST(CheckpointFormat, ALaterVersionIsToldFromDamage) {
  Bytes bytes = encode(some_header());
  ++bytes[24];  // the version
  journal::BadHeader why;
  EXPECT_FALSE(decode_checkpoint_header(bytes, &why));
  EXPECT_FALSE(why.newer) << "its sum is wrong";
  const auto sum = journal::checksum(ByteView(bytes).substr(24));
  std::copy(sum.begin(), sum.end(), bytes.begin() + 8);
  EXPECT_FALSE(decode_checkpoint_header(bytes, &why));
  EXPECT_TRUE(why.newer);
  EXPECT_EQ(why.version, kCheckpointVersion + 1);
}

TEST(CheckpointFormat, NamesAreNoLogs) {
  EXPECT_EQ(checkpoint_name(255), "checkpoint-00000000000000ff");
  const std::string name = checkpoint_name(0xabcdef);
  ASSERT_TRUE(parse_checkpoint_name(name));
  EXPECT_EQ(parse_checkpoint_name(name)->serial, 0xabcdefu);
  EXPECT_EQ(parse_checkpoint_name(name)->kind, journal::FileKind::kSegment);
  EXPECT_EQ(parse_checkpoint_name(name + ".new")->kind, journal::FileKind::kUnfinished);
  EXPECT_EQ(parse_checkpoint_name(name + ".damaged")->kind, journal::FileKind::kDamaged);
  // Not even of a log called "checkpoint".
  for (const std::string suffix : {"", ".new", ".damaged"}) {
    EXPECT_FALSE(journal::parse_name("checkpoint", name + suffix));
  }
  const std::vector<std::string> others = {journal::segment_name("checkpoint", 255),
                                           std::string("checkpoint.reserve"),
                                           std::string("checkpoint-0000000000000000"),
                                           std::string("checkpoint-00000000000000FF"),
                                           std::string("checkpoint-ff"),
                                           name + ".neu",
                                           name + ".new.new",
                                           "x" + name,
                                           std::string("checkpoint-"),
                                           std::string()};
  for (const auto& other : others) {
    EXPECT_FALSE(parse_checkpoint_name(other)) << other;
  }
}

}  // namespace
}  // namespace eve::durability
