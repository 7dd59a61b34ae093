#include "durability/checkpoint_format.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "wire/reader.h"
#include "wire/writer.h"

namespace eve::durability {
namespace {

using journal::Sum;

constexpr ByteView kHeaderMagic = "EVE-CHK\n";
constexpr ByteView kFooterMagic = "EVE-CHE\n";
constexpr size_t kSumBytes = sizeof(Sum);
constexpr size_t kHeaderSumAt = kHeaderMagic.size();
constexpr size_t kHeaderFieldsAt = kHeaderSumAt + kSumBytes;
constexpr std::string_view kNamePrefix = "checkpoint-";
constexpr size_t kSerialDigits = 16;

static_assert(kHeaderFieldsAt + 4 + sizeof(journal::Life) + 8 + 32 +
                  2 * (4 + journal::kMaxOwnerBytes) <=
              kCheckpointHeaderBytes);

ByteView view(const Sum& sum) {
  return {reinterpret_cast<const char*>(sum.data()), sum.size()};
}

template <typename Array>
Array read_array(wire::Reader& in) {
  Array out{};
  const ByteView bytes = in.raw(out.size());
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

/// The sum of `bytes` in this file.
Sum sum_in(const Sum& file, ByteView bytes) {
  return journal::checksum(Bytes(view(file)).append(bytes));
}

/// What is before the sum at the end of `bytes`, if that holds.
std::optional<ByteView> summed(ByteView bytes, size_t size, const Sum& file) {
  if (bytes.size() < size) return std::nullopt;
  const ByteView fields = bytes.substr(0, size - kSumBytes);
  if (view(sum_in(file, fields)) != bytes.substr(fields.size(), kSumBytes)) return std::nullopt;
  return fields;
}

}  // namespace

Bytes encode(const CheckpointHeader& header) {
  wire::Writer out(kCheckpointHeaderBytes);
  out.integer(kCheckpointVersion);
  out.raw({reinterpret_cast<const char*>(header.life.data()), header.life.size()});
  out.integer(header.serial);
  out.digest(header.genesis);
  out.sized(header.owner.cluster);
  out.sized(header.owner.node);
  Bytes fields = out.take();
  fields.resize(kCheckpointHeaderBytes - kHeaderFieldsAt, '\0');
  return Bytes(kHeaderMagic).append(view(journal::checksum(fields))).append(fields);
}

std::optional<CheckpointHeader> decode_checkpoint_header(ByteView bytes, journal::BadHeader* why) {
  if (why != nullptr) *why = {};
  if (bytes.size() < kCheckpointHeaderBytes) return std::nullopt;
  bytes = bytes.substr(0, kCheckpointHeaderBytes);
  if (bytes.substr(0, kHeaderSumAt) != kHeaderMagic) return std::nullopt;
  const ByteView fields = bytes.substr(kHeaderFieldsAt);
  if (view(journal::checksum(fields)) != bytes.substr(kHeaderSumAt, kSumBytes)) {
    return std::nullopt;
  }
  wire::Reader in(fields);
  const auto version = in.integer<uint32_t>();
  if (version != kCheckpointVersion) {
    if (why != nullptr) *why = {version > kCheckpointVersion, version};
    return std::nullopt;
  }
  CheckpointHeader header;
  header.life = read_array<journal::Life>(in);
  header.serial = in.integer<uint64_t>();
  header.genesis = in.digest();
  header.owner.cluster = in.sized(journal::kMaxOwnerBytes);
  header.owner.node = in.sized(journal::kMaxOwnerBytes);
  if (in.failed() || !journal::all_zero(in.raw(in.remaining()))) return std::nullopt;
  return header;
}

Sum file_id(ByteView encoded_header) {
  Sum sum{};
  const ByteView bytes = encoded_header.substr(kHeaderSumAt, kSumBytes);
  std::copy(bytes.begin(), bytes.end(), sum.begin());
  return sum;
}

Bytes encode(const FrameHead& head, const Sum& file) {
  wire::Writer out(kFrameHeadBytes);
  out.enumerator(head.kind);
  out.integer(head.length);
  out.integer(head.index);
  out.raw(view(head.body));
  const Sum sum = sum_in(file, out.view());
  out.raw(view(sum));
  return out.take();
}

std::optional<FrameHead> decode_frame_head(ByteView bytes, const Sum& file) {
  const auto fields = summed(bytes, kFrameHeadBytes, file);
  if (!fields) return std::nullopt;
  wire::Reader in(*fields);
  FrameHead head;
  head.kind = in.enumerator(FrameKind::kVersion, FrameKind::kEnd);
  head.length = in.integer<uint32_t>();
  head.index = in.integer<uint64_t>();
  head.body = read_array<Sum>(in);
  if (in.failed() || head.length > kMaxCheckpointFrameBytes) return std::nullopt;
  return head;
}

Bytes encode(const CheckpointVersion& version) {
  wire::Writer out;
  out.id(version.number);
  out.digest(version.root);
  return out.take();
}

std::optional<CheckpointVersion> decode_version(ByteView body) {
  wire::Reader in(body);
  CheckpointVersion version;
  version.number = in.id<BatchNumber>();
  version.root = in.digest();
  if (in.failed() || in.remaining() > 0) return std::nullopt;
  return version;
}

Bytes encode(const CheckpointEnd& end) {
  wire::Writer out(256 + end.context.size());
  out.id(end.parts.number);
  out.digest(end.parts.previous);
  out.digest(end.parts.batch);
  out.digest(end.parts.state);
  out.digest(end.parts.replies);
  out.digest(end.token);
  out.id(end.position);
  out.integer(end.chunks);
  out.integer(end.chunk_bytes);
  out.sized(end.context);
  return out.take();
}

std::optional<CheckpointEnd> decode_end(ByteView body) {
  wire::Reader in(body);
  CheckpointEnd end;
  end.parts.number = in.id<BatchNumber>();
  end.parts.previous = in.digest();
  end.parts.batch = in.digest();
  end.parts.state = in.digest();
  end.parts.replies = in.digest();
  end.token = in.digest();
  end.position = in.id<journal::Position>();
  end.chunks = in.integer<uint64_t>();
  end.chunk_bytes = in.integer<uint64_t>();
  end.context = in.sized(kMaxCheckpointContextBytes);
  if (in.failed() || in.remaining() > 0) return std::nullopt;
  return end;
}

Bytes encode(const CheckpointFooter& footer, const Sum& file) {
  wire::Writer out(kFooterBytes);
  out.raw(kFooterMagic);
  out.integer(footer.end_offset);
  out.integer(footer.frames);
  const Sum sum = sum_in(file, out.view());
  out.raw(view(sum));
  return out.take();
}

std::optional<CheckpointFooter> decode_footer(ByteView bytes, const Sum& file) {
  const auto fields = summed(bytes, kFooterBytes, file);
  if (!fields || fields->substr(0, kFooterMagic.size()) != kFooterMagic) return std::nullopt;
  wire::Reader in(fields->substr(kFooterMagic.size()));
  CheckpointFooter footer;
  footer.end_offset = in.integer<uint64_t>();
  footer.frames = in.integer<uint64_t>();
  return footer;
}

std::string checkpoint_name(uint64_t serial) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string digits(kSerialDigits, '0');
  for (size_t i = kSerialDigits; i > 0; --i, serial >>= 4) digits[i - 1] = kDigits[serial & 0xf];
  return std::string(kNamePrefix) + digits;
}

std::optional<journal::FileName> parse_checkpoint_name(const std::string& file) {
  const size_t whole = kNamePrefix.size() + kSerialDigits;
  if (file.size() < whole) return std::nullopt;
  journal::FileName name;
  for (const char digit : file.substr(kNamePrefix.size(), kSerialDigits)) {
    const bool decimal = digit >= '0' && digit <= '9';
    if (!decimal && (digit < 'a' || digit > 'f')) return std::nullopt;
    name.serial =
        name.serial << 4 | static_cast<uint64_t>(decimal ? digit - '0' : digit - 'a' + 10);
  }
  if (name.serial == 0 || file.substr(0, whole) != checkpoint_name(name.serial)) {
    return std::nullopt;
  }
  const std::string suffix = file.substr(whole);
  if (suffix == journal::kUnfinishedSuffix) {
    name.kind = journal::FileKind::kUnfinished;
  } else if (suffix == journal::kDamagedSuffix) {
    name.kind = journal::FileKind::kDamaged;
  } else if (!suffix.empty()) {
    return std::nullopt;
  }
  return name;
}

}  // namespace eve::durability
