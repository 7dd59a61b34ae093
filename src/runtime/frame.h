// Frames on a link, and the first one, which says who speaks. Integers are little-endian.
//
//   frame    = length:u32 body                 length = size of body
//   message  = from:role,u16 to:role,u16 payload   the body of every frame but the first; role:u8
//   hello    = "EVE" version:u8 id:32 bytes size:u8 name   the body of the first, both ways
//
// Another version may add to the hello, and changes nothing in it: so nodes of two releases can say
// who refuses whom. They do not talk: one release on all nodes (docs/adr/0009-one-wire-version.md).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "base/ids.h"
#include "eve/bytes.h"
#include "eve/result.h"

namespace eve::runtime {

inline constexpr size_t kLengthBytes = 4;
inline constexpr size_t kRouteBytes = 6;

/// Length and route of a message frame: what precedes the payload.
using FrameHeader = std::array<char, kLengthBytes + kRouteBytes>;
FrameHeader make_header(Address from, Address to, size_t payload_size);

struct Route {
  Address from;
  Address to;
};
/// Nullopt when the body is too short or names no role.
std::optional<Route> parse_route(ByteView body);

struct LinkHello {
  std::string cluster_id;
  std::string node;
};
/// The whole frame, length included.
Bytes encode_hello(const LinkHello& hello);
/// Errors say what differs: not Eve; another version, both named, and who says it speaks that.
Result<LinkHello> parse_hello(ByteView body);

/// Cuts a stream into frame bodies. Small ones are copied out of the buffer, large ones are
/// received in place: each byte is copied once at most.
class FrameReader {
 public:
  FrameReader();

  /// Bodies larger than this are an error. Starts at what a hello may have.
  void set_limit(size_t limit) { limit_ = limit; }

  struct Room {
    char* data;
    size_t size;
  };
  /// Where the next bytes of the stream go; never empty.
  Room room();
  /// `size` bytes were put there. Then take frames until next() gives none.
  void filled(size_t size);

  /// The next whole body; nullopt when there is none yet; an error when the stream is no stream of
  /// frames within the limit, after which nothing more may be read.
  Result<std::optional<SharedBytes>> next();

 private:
  Bytes buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
  /// A body that is larger than what the buffer holds of it.
  Bytes large_;
  size_t large_have_ = 0;
  size_t limit_;
};

}  // namespace eve::runtime
