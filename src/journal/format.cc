#include "journal/format.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "crypto/digest.h"

namespace eve::journal {
namespace {

constexpr ByteView kSegmentMagic = "EVE-LOG\n";
constexpr uint32_t kGroupMagic = 0x47455645;  // "EVEG"
constexpr size_t kSumBytes = sizeof(Sum);
constexpr size_t kSegmentSumAt = kSegmentMagic.size();
constexpr size_t kSegmentFieldsAt = kSegmentSumAt + kSumBytes;
constexpr size_t kGroupSumAt = kGroupHeaderBytes - kSumBytes;
constexpr size_t kSerialDigits = 16;
constexpr ByteView kSegmentSuffix = ".log";

ByteView view(const std::array<uint8_t, 16>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class Out {
 public:
  explicit Out(size_t most) { bytes_.reserve(most); }
  template <typename T>
  void integer(T value) {
    std::array<char, sizeof(T)> bytes;
    for (size_t i = 0; i < sizeof(T); ++i) {
      bytes[i] = static_cast<char>((static_cast<uint64_t>(value) >> (8 * i)) & 0xff);
    }
    bytes_.append(bytes.data(), bytes.size());
  }
  void raw(ByteView bytes) { bytes_.append(bytes); }
  void text(const std::string& text) {
    EVE_CHECK(text.size() <= kMaxOwnerBytes, "a name in a log is too long");
    integer(static_cast<uint8_t>(text.size()));
    raw(text);
  }
  Bytes take() { return std::move(bytes_); }

 private:
  Bytes bytes_;
};

/// Nothing is left after the first thing that does not fit; see failed().
class In {
 public:
  explicit In(ByteView bytes) : rest_(bytes) {}

  template <typename T>
  T integer() {
    const ByteView bytes = raw(sizeof(T));
    if (bytes.empty()) return 0;
    uint64_t value = 0;
    for (size_t i = 0; i < sizeof(T); ++i) {
      value |= static_cast<uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
    }
    return static_cast<T>(value);
  }
  ByteView raw(size_t size) {
    if (size > rest_.size()) {
      failed_ = true;
      rest_ = {};
      return {};
    }
    const ByteView bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return bytes;
  }
  std::array<uint8_t, 16> sixteen() {
    std::array<uint8_t, 16> value{};
    const ByteView bytes = raw(value.size());
    std::memcpy(value.data(), bytes.data(), bytes.size());
    return value;
  }
  std::string text() { return std::string(raw(integer<uint8_t>())); }
  bool failed() const { return failed_; }
  bool empty() const { return rest_.empty(); }

 private:
  ByteView rest_;
  bool failed_ = false;
};

}  // namespace

uint64_t round_up_to_block(uint64_t bytes) {
  return (bytes + kBlockBytes - 1) / kBlockBytes * kBlockBytes;
}

uint64_t group_bytes(const GroupHeader& header) {
  return round_up_to_block(kGroupHeaderBytes + header.body_bytes);
}

Sum checksum(ByteView bytes) {
  static const crypto::Digester digester(crypto::DigestAlgorithm::kXxh3, crypto::Secret{});
  const crypto::Digest digest = digester.digest(bytes);
  Sum sum;
  std::copy_n(digest.bytes.begin(), sum.size(), sum.begin());
  return sum;
}

Bytes encode(const SegmentHeader& header) {
  Out out(kBlockBytes);
  out.integer(kFormatVersion);
  out.integer(static_cast<uint32_t>(kBlockBytes));
  out.raw(view(header.life));
  out.integer(header.serial);
  out.integer(header.after);
  out.integer(header.opened);
  out.integer(header.first_group);
  out.integer(header.first.value());
  out.raw(view(header.chain));
  out.integer(header.settled);
  out.integer(static_cast<uint8_t>(header.keeps_replaced ? 1 : 0));
  out.text(header.owner.cluster);
  out.text(header.owner.node);
  out.text(header.log);
  Bytes fields = out.take();
  fields.resize(kBlockBytes - kSegmentFieldsAt, '\0');
  Bytes block;
  block.reserve(kBlockBytes);
  block.append(kSegmentMagic);
  block.append(view(checksum(fields)));
  block.append(fields);
  return block;
}

std::optional<SegmentHeader> decode_segment_header(ByteView block, BadHeader* why) {
  if (why) *why = {};
  if (block.size() != kBlockBytes || block.substr(0, kSegmentMagic.size()) != kSegmentMagic) {
    return std::nullopt;
  }
  const ByteView fields = block.substr(kSegmentFieldsAt);
  if (view(checksum(fields)) != block.substr(kSegmentSumAt, kSumBytes)) return std::nullopt;
  In in(fields);
  const auto version = in.integer<uint32_t>();
  if (version != kFormatVersion) {
    if (why) *why = {version > kFormatVersion, version};
    return std::nullopt;
  }
  if (in.integer<uint32_t>() != kBlockBytes) return std::nullopt;
  SegmentHeader header;
  header.life = in.sixteen();
  header.serial = in.integer<uint64_t>();
  header.after = in.integer<uint64_t>();
  header.opened = in.integer<uint64_t>();
  header.first_group = in.integer<uint64_t>();
  header.first = Position(in.integer<uint64_t>());
  header.chain = in.sixteen();
  header.settled = in.integer<uint64_t>();
  const auto keeps_replaced = in.integer<uint8_t>();
  header.keeps_replaced = keeps_replaced == 1;
  header.owner.cluster = in.text();
  header.owner.node = in.text();
  header.log = in.text();
  const bool sound = !in.failed() && keeps_replaced <= 1 && header.serial > header.after &&
                     header.first_group > 0 && header.first.value() > 0 &&
                     header.settled >= header.first_group;
  if (!sound) return std::nullopt;
  return header;
}

Bytes encode(const GroupHeader& header) {
  Out out(kGroupHeaderBytes);
  out.integer(kGroupMagic);
  out.integer(header.records);
  out.integer(header.body_bytes);
  out.integer(static_cast<uint32_t>(header.closes ? 1 : 0));
  out.integer(header.zero_pieces);
  out.raw(view(header.life));
  out.integer(header.serial);
  out.integer(header.offset);
  out.integer(header.group);
  out.integer(header.settled);
  out.integer(header.first.value());
  out.raw(view(header.chain));
  out.raw(view(header.body));
  Bytes bytes = out.take();
  bytes.resize(kGroupSumAt, '\0');
  bytes.append(view(checksum(bytes)));
  return bytes;
}

std::optional<GroupHeader> decode_group_header(ByteView bytes) {
  if (bytes.size() < kGroupHeaderBytes) return std::nullopt;
  bytes = bytes.substr(0, kGroupHeaderBytes);
  In in(bytes);
  if (in.integer<uint32_t>() != kGroupMagic) return std::nullopt;
  if (view(checksum(bytes.substr(0, kGroupSumAt))) != bytes.substr(kGroupSumAt)) {
    return std::nullopt;
  }
  GroupHeader header;
  header.records = in.integer<uint32_t>();
  header.body_bytes = in.integer<uint32_t>();
  const auto closes = in.integer<uint32_t>();
  header.closes = closes == 1;
  header.zero_pieces = in.integer<uint32_t>();
  header.life = in.sixteen();
  header.serial = in.integer<uint64_t>();
  header.offset = in.integer<uint64_t>();
  header.group = in.integer<uint64_t>();
  header.settled = in.integer<uint64_t>();
  header.first = Position(in.integer<uint64_t>());
  header.chain = in.sixteen();
  header.body = in.sixteen();
  const bool sound = closes <= 1 && header.group > 0 && header.settled <= header.group &&
                     header.body_bytes / kRecordHeaderBytes >= header.records &&
                     (header.records > 0) == (header.body_bytes > 0);
  if (!sound) return std::nullopt;
  return header;
}

Sum chain_of(ByteView encoded_header) {
  Sum sum;
  EVE_CHECK(encoded_header.size() == kGroupHeaderBytes, "not a group's header");
  std::memcpy(sum.data(), encoded_header.data() + kGroupSumAt, sum.size());
  return sum;
}

void append_record(Bytes& body, uint16_t kind, uint64_t number, ByteView payload) {
  Out out(kRecordHeaderBytes);
  out.integer(kind);
  out.integer(number);
  out.integer(static_cast<uint32_t>(payload.size()));
  body.append(out.take());
  body.append(payload);
}

bool for_each_record(ByteView body, uint32_t records, const RecordVisit& visit) {
  In in(body);
  for (uint32_t i = 0; i < records; ++i) {
    const auto kind = in.integer<uint16_t>();
    const auto number = in.integer<uint64_t>();
    const ByteView payload = in.raw(in.integer<uint32_t>());
    if (in.failed() || !visit(kind, number, payload)) return false;
  }
  return in.empty();
}

bool all_zero(ByteView bytes) {
  // The first is zero, and each is as the one before it: compared many at a time.
  return bytes.empty() ||
         (bytes[0] == '\0' && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

uint32_t count_zero_pieces(ByteView bytes) {
  uint32_t zeroes = 0;
  for (size_t at = 0; at < bytes.size(); at += kPieceBytes) {
    zeroes += all_zero(bytes.substr(at, kPieceBytes)) ? 1 : 0;
  }
  return zeroes;
}

std::string segment_name(const std::string& log, uint64_t serial) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string digits(kSerialDigits, '0');
  for (size_t i = kSerialDigits; i-- > 0; serial >>= 4) digits[i] = kDigits[serial & 0xf];
  return log + "-" + digits + std::string(kSegmentSuffix);
}

std::string reserve_name(const std::string& log) {
  return log + ".reserve";
}

std::optional<FileName> parse_name(const std::string& log, const std::string& file) {
  FileName name;
  const size_t digits_at = log.size() + 1;
  const size_t segment_size = digits_at + kSerialDigits + kSegmentSuffix.size();
  if (file.size() < segment_size) return std::nullopt;
  for (const char digit : file.substr(digits_at, kSerialDigits)) {
    const bool decimal = digit >= '0' && digit <= '9';
    if (!decimal && (digit < 'a' || digit > 'f')) return std::nullopt;
    name.serial =
        name.serial << 4 | static_cast<uint64_t>(decimal ? digit - '0' : digit - 'a' + 10);
  }
  const std::string segment = segment_name(log, name.serial);
  if (file.compare(0, segment_size, segment) != 0 || name.serial == 0) return std::nullopt;
  const std::string suffix = file.substr(segment_size);
  if (suffix == kUnfinishedSuffix) {
    name.kind = FileKind::kUnfinished;
  } else if (suffix == kDamagedSuffix) {
    name.kind = FileKind::kDamaged;
  } else if (!suffix.empty()) {
    return std::nullopt;
  }
  return name;
}

}  // namespace eve::journal
