#include "runtime/frame.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "runtime/cluster_config.h"
#include "runtime/host_limits.h"
#include "wire/codec.h"

namespace eve::runtime {
namespace {

constexpr ByteView kMagic = "EVE";
constexpr size_t kIdBytes = 32;
constexpr size_t kHelloFixedBytes = kMagic.size() + 1 + kIdBytes + 1;

uint32_t read_u32(const char* data) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) {
    value |= static_cast<uint32_t>(static_cast<unsigned char>(data[i])) << (8 * i);
  }
  return value;
}

void write_u32(uint32_t value, char* data) {
  for (size_t i = 0; i < 4; ++i) data[i] = static_cast<char>((value >> (8 * i)) & 0xff);
}

void write_address(Address address, char* data) {
  data[0] = static_cast<char>(address.role);
  data[1] = static_cast<char>(address.index & 0xff);
  data[2] = static_cast<char>(address.index >> 8);
}

std::optional<Address> read_address(const char* data) {
  const auto role = static_cast<unsigned char>(data[0]);
  if (role < static_cast<uint8_t>(Role::kExecutor) || role > static_cast<uint8_t>(Role::kClient)) {
    return std::nullopt;
  }
  const auto low = static_cast<unsigned char>(data[1]);
  const auto high = static_cast<unsigned char>(data[2]);
  return Address{static_cast<Role>(role), static_cast<uint16_t>(low | high << 8)};
}

/// `rest`: what follows the version in a hello. Who sent it, in words.
std::string claimed_name(ByteView rest) {
  const auto size = static_cast<unsigned char>(rest[kIdBytes]);
  const auto name = rest.substr(kIdBytes + 1, size);
  const bool plain = name.size() == size && is_name(name);
  return plain ? "the peer, which says it is \"" + std::string(name) + "\"," : "the peer";
}

}  // namespace

FrameHeader make_header(Address from, Address to, size_t payload_size) {
  FrameHeader header;
  write_u32(static_cast<uint32_t>(kRouteBytes + payload_size), header.data());
  write_address(from, header.data() + kLengthBytes);
  write_address(to, header.data() + kLengthBytes + kRouteBytes / 2);
  return header;
}

std::optional<Route> parse_route(ByteView body) {
  if (body.size() < kRouteBytes) return std::nullopt;
  const auto from = read_address(body.data());
  const auto to = read_address(body.data() + kRouteBytes / 2);
  if (!from || !to) return std::nullopt;
  return Route{*from, *to};
}

Bytes encode_hello(const LinkHello& hello) {
  EVE_CHECK(hello.cluster_id.size() == kIdBytes && hello.node.size() < 100, "validated config");
  Bytes frame(kLengthBytes, '\0');
  write_u32(static_cast<uint32_t>(kHelloFixedBytes + hello.node.size()), frame.data());
  frame += kMagic;
  frame += static_cast<char>(wire::kWireVersion);
  frame += hello.cluster_id;
  frame += static_cast<char>(hello.node.size());
  frame += hello.node;
  return frame;
}

Result<LinkHello> parse_hello(ByteView body) {
  if (body.size() < kHelloFixedBytes || !body.starts_with(kMagic)) {
    return Error{"the peer does not speak Eve's protocol"};
  }
  body.remove_prefix(kMagic.size());
  const auto version = static_cast<unsigned char>(body[0]);
  if (version != wire::kWireVersion) {
    return Error{claimed_name(body.substr(1)) + " speaks version " + std::to_string(version) +
                 ", this node " + std::to_string(wire::kWireVersion) + ": run the same release"};
  }
  LinkHello hello;
  hello.cluster_id = body.substr(1, kIdBytes);
  const auto size = static_cast<unsigned char>(body[1 + kIdBytes]);
  hello.node = body.substr(kIdBytes + 2);
  if (hello.node.size() != size) return Error{"the peer's hello is malformed"};
  return hello;
}

FrameReader::FrameReader()
    : buffer_(host_limits::kReadBytes, '\0'), limit_(host_limits::kMaxHelloBytes) {}

FrameReader::Room FrameReader::room() {
  if (!large_.empty()) return {large_.data() + large_have_, large_.size() - large_have_};
  // next() has left less than one small frame, or one that is about to become large.
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  return {buffer_.data() + end_, buffer_.size() - end_};
}

void FrameReader::filled(size_t size) {
  (large_.empty() ? end_ : large_have_) += size;
}

Result<std::optional<SharedBytes>> FrameReader::next() {
  if (!large_.empty()) {
    if (large_have_ < large_.size()) return std::optional<SharedBytes>();
    large_have_ = 0;
    return std::optional(SharedBytes(std::exchange(large_, Bytes())));
  }
  const auto have = end_ - begin_;
  if (have < kLengthBytes) return std::optional<SharedBytes>();
  const char* at = buffer_.data() + begin_;
  const size_t length = read_u32(at);
  if (length == 0 || length > limit_) {
    return Error{"a frame of " + std::to_string(length) + " bytes, where " +
                 std::to_string(limit_) + " are allowed"};
  }
  at += kLengthBytes;
  if (have >= kLengthBytes + length) {
    begin_ += kLengthBytes + length;
    return std::optional(SharedBytes(Bytes(at, length)));
  }
  // Half the buffer: so that room() always leaves space for many small frames.
  if (length > buffer_.size() / 2) {
    large_.resize(length);
    large_have_ = have - kLengthBytes;
    std::memcpy(large_.data(), at, large_have_);
    begin_ = end_ = 0;
  }
  return std::optional<SharedBytes>();
}

}  // namespace eve::runtime
