#include "durability/backup_format.h"

#include <algorithm>

#include "base/check.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace eve::durability {
namespace {

constexpr ByteView kMagic = "EVE-BAK\n";
constexpr size_t kSumBytes = sizeof(journal::Sum);
constexpr size_t kLengthAt = kMagic.size() + kSumBytes;
static_assert(kLengthAt + sizeof(uint32_t) == kBackupHeadBytes);
constexpr size_t kMaxNameBytes = 255;

ByteView view(const journal::Sum& sum) {
  return {reinterpret_cast<const char*>(sum.data()), sum.size()};
}

}  // namespace

Bytes encode(const BackupManifest& manifest) {
  wire::Writer out;
  out.integer(kBackupVersion);
  out.enumerator(manifest.algorithm);
  out.raw({reinterpret_cast<const char*>(manifest.secret.data()), manifest.secret.size()});
  out.integer(manifest.taken_us);
  out.sized(manifest.service);
  out.sized(manifest.checkpoint);
  out.integer(manifest.checkpoint_bytes);
  out.count(manifest.tables.size());
  for (const std::string& table : manifest.tables) out.sized(table);
  EVE_CHECK(out.view().size() <= kMaxManifestBytes, "a manifest is too large");
  wire::Writer summed;
  summed.sized(out.view());
  return Bytes(kMagic).append(view(journal::checksum(summed.view()))).append(summed.view());
}

std::optional<size_t> manifest_bytes(ByteView head) {
  if (head.size() < kBackupHeadBytes || !head.starts_with(kMagic)) return std::nullopt;
  wire::Reader in(head.substr(kLengthAt));
  const auto length = in.integer<uint32_t>();
  if (length > kMaxManifestBytes) return std::nullopt;
  return length;
}

std::optional<BackupManifest> decode_manifest(ByteView bytes, journal::BadHeader* why) {
  if (why != nullptr) *why = {};
  const auto length = manifest_bytes(bytes);
  if (!length || bytes.size() < kBackupHeadBytes + *length) return std::nullopt;
  const ByteView summed = bytes.substr(kLengthAt, sizeof(uint32_t) + *length);
  if (view(journal::checksum(summed)) != bytes.substr(kMagic.size(), kSumBytes)) {
    return std::nullopt;
  }
  wire::Reader in(summed.substr(sizeof(uint32_t)));
  const auto version = in.integer<uint32_t>();
  if (version != kBackupVersion) {
    if (why != nullptr) *why = {version > kBackupVersion, version};
    return std::nullopt;
  }
  BackupManifest manifest;
  manifest.algorithm =
      in.enumerator(crypto::DigestAlgorithm::kSha256, crypto::DigestAlgorithm::kXxh3);
  const ByteView secret = in.raw(manifest.secret.size());
  std::copy(secret.begin(), secret.end(), manifest.secret.begin());
  manifest.taken_us = in.integer<TimeUs>();
  manifest.service = in.sized(kMaxNameBytes);
  manifest.checkpoint = in.sized(kMaxNameBytes);
  manifest.checkpoint_bytes = in.integer<uint64_t>();
  const auto tables = in.integer<uint32_t>();
  for (uint32_t i = 0; i < tables && !in.failed(); ++i) {
    manifest.tables.emplace_back(in.sized(kMaxManifestBytes));
  }
  if (in.failed() || in.remaining() != 0) return std::nullopt;
  return manifest;
}

}  // namespace eve::durability
