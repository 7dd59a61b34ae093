#include "durability/backup_format.h"

#include <gtest/gtest.h>

#include "crypto/hex.h"

namespace eve::durability {
namespace {

BackupManifest sample() {
  BackupManifest manifest;
  manifest.algorithm = crypto::DigestAlgorithm::kXxh3;
  manifest.secret.fill(0x5e);
  manifest.taken_us = 1'700'000'000'123'456;
  manifest.service = "kv";
  manifest.checkpoint = "checkpoint-0000000000000007";
  manifest.checkpoint_bytes = 4711;
  manifest.tables = {"eve.sessions", "kv", Bytes("a\0b", 3)};
  return manifest;
}

void expect_same(const BackupManifest& a, const BackupManifest& b) {
  EXPECT_EQ(a.algorithm, b.algorithm);
  EXPECT_EQ(a.secret, b.secret);
  EXPECT_EQ(a.taken_us, b.taken_us);
  EXPECT_EQ(a.service, b.service);
  EXPECT_EQ(a.checkpoint, b.checkpoint);
  EXPECT_EQ(a.checkpoint_bytes, b.checkpoint_bytes);
  EXPECT_EQ(a.tables, b.tables);
}

TEST(BackupFormat, ReadsWhatItWrote) {
  const Bytes bytes = encode(sample());
  ASSERT_EQ(manifest_bytes(bytes), bytes.size() - kBackupHeadBytes);
  for (const Bytes& read : {bytes, bytes + "the checkpoint"}) {
    const auto manifest = decode_manifest(read);
    ASSERT_TRUE(manifest.has_value());
    expect_same(*manifest, sample());
  }
}

// Another format is another kBackupVersion.
TEST(BackupFormat, TheBytesDoNotChangeByAccident) {
  EXPECT_EQ(crypto::to_hex(encode(sample())),
            "4556452d42414b0adbf9f1147f483ef3c4988418e36de3007b00000001000000025e5e5e5e5e"
            "5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e40222018240a0600020000"
            "006b761b000000636865636b706f696e742d3030303030303030303030303030303767120000"
            "00000000030000000c0000006576652e73657373696f6e73020000006b7603000000610062");
}

TEST(BackupFormat, EveryBitCounts) {
  const Bytes bytes = encode(sample());
  for (size_t i = 0; i < 8 * bytes.size(); ++i) {
    Bytes bad = bytes;
    bad[i / 8] = static_cast<char>(bad[i / 8] ^ (1 << i % 8));
    EXPECT_FALSE(decode_manifest(bad).has_value()) << "bit " << i;
  }
}

TEST(BackupFormat, EveryByteIsNeeded) {
  const Bytes bytes = encode(sample());
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_manifest(ByteView(bytes).substr(0, size)).has_value()) << size;
  }
}

/// With a right sum, whatever the manifest says.
Bytes with_sum(Bytes bytes) {
  const auto sum = journal::checksum(ByteView(bytes).substr(24));
  bytes.replace(8, sum.size(), reinterpret_cast<const char*>(sum.data()), sum.size());
  return bytes;
}

TEST(BackupFormat, ALaterVersionIsTold) {
  Bytes bytes = encode(sample());
  bytes[kBackupHeadBytes] = 2;
  journal::BadHeader why;
  EXPECT_FALSE(decode_manifest(with_sum(bytes), &why).has_value());
  EXPECT_TRUE(why.newer);
  EXPECT_EQ(why.version, 2u);
  bytes[kBackupHeadBytes] = 0;
  EXPECT_FALSE(decode_manifest(with_sum(bytes), &why).has_value());
  EXPECT_FALSE(why.newer);
}

TEST(BackupFormat, WhatASumDoesNotShowIsLookedAt) {
  Bytes algorithm = encode(sample());
  algorithm[kBackupHeadBytes + 4] = 3;
  EXPECT_FALSE(decode_manifest(with_sum(algorithm)).has_value());
  Bytes tables = encode(sample());
  const size_t count = tables.find("eve.sessions") - 8;
  tables.replace(count, 4, "\xff\xff\xff\xff");
  EXPECT_FALSE(decode_manifest(with_sum(tables)).has_value());
  tables.replace(count, 4, Bytes("\x02\0\0\0", 4));  // more follows than it says
  EXPECT_FALSE(decode_manifest(with_sum(tables)).has_value());
}

TEST(BackupFormat, ALongManifestIsNotAskedFor) {
  Bytes bytes = encode(sample());
  bytes.replace(24, 4, "\xff\xff\xff\x7f");
  EXPECT_FALSE(manifest_bytes(bytes).has_value());
  EXPECT_FALSE(manifest_bytes("EVE-CHK\n").has_value());
}

}  // namespace
}  // namespace eve::durability
