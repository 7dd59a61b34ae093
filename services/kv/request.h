// What travels from the front end to the replicated service, in one canonical encoding:
//
//   request     = 'C' command | 'T' protocol watches items | 'W' keys
//   command     = protocol arguments
//   watches     = count (key version)*            EXEC runs if every key still has its version
//   items       = count (command | 0 bytes)*
//   keys        = count key*                      asks for versions: 12 octets a key
//   arguments   = count argument*                 at least 1
//   key, argument, bytes = count octet*
//   protocol    = one octet, 2 or 3: which RESP the reply is to be written in
//   version     = batch (8 octets) index (4 octets), little-endian; zero where the key is absent
//   count       = LEB128 without superfluous octets
//
// An item that starts with 0 is a reply that the front end knew already (PING within MULTI): it is
// repeated in its place. The reply to 'C' and 'T' is RESP, ready for the client.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <span>
#include <vector>

#include "eve/bytes.h"
#include "services/kv/reply.h"

namespace eve::kv {

/// A command with its arguments; borrowed.
using Args = std::span<const ByteView>;

/// The request that wrote a key last: batch and index. Zero: the key is absent.
struct Version {
  static constexpr size_t kBytes = 12;
  uint64_t batch = 0;
  uint32_t index = 0;
  auto operator<=>(const Version&) const = default;

  void append_to(Bytes& out) const;
  /// Precondition: bytes.size() >= kBytes.
  static Version from(ByteView bytes);
};

enum class RequestKind : uint8_t { kCommand = 'C', kTransaction = 'T', kVersions = 'W' };

inline constexpr uint8_t kKnownReply = 0;

// ---- Writing ----

void append_count(Bytes& out, uint64_t count);
void append_bytes(Bytes& out, ByteView bytes);
/// protocol arguments
void append_command(Bytes& out, Protocol protocol, Args args);
/// Size of what append_command() appends, at most a few bytes too high.
size_t command_size(Args args);
Bytes command_request(Protocol protocol, Args args);
Bytes versions_request(Args keys);

// ---- Reading; any bytes may come ----

/// Arguments of one command; up to eight without a heap allocation.
class ArgList {
 public:
  void clear();
  void add(ByteView arg);
  Args view() const { return more_.empty() ? Args(few_.data(), size_) : Args(more_); }

 private:
  std::array<ByteView, 8> few_;
  size_t size_ = 0;
  std::vector<ByteView> more_;
};

/// Takes bytes apart; after a malformed part ok() is false and everything reads as empty.
class RequestReader {
 public:
  explicit RequestReader(ByteView bytes) : rest_(bytes) {}

  uint8_t octet();
  uint64_t count();
  ByteView bytes();
  Version version();
  /// The octet 2 or 3.
  Protocol protocol();
  /// Replaces the content of `args`.
  void arguments(ArgList& args);

  bool ok() const { return ok_; }
  bool at_end() const { return rest_.empty(); }
  void fail();

 private:
  ByteView take(uint64_t size);

  ByteView rest_;
  bool ok_ = true;
};

}  // namespace eve::kv
