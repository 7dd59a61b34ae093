// The replies that clients have not acknowledged yet, as replicated state (rule R4): table
// "eve.replies", one object for each bundle.
//
//   key   = session:u64 first:u64          (little-endian)
//   value = requests:u32 status:u8 payload (status and payload as in wire::Reply)
#pragma once

#include <optional>

#include "base/ids.h"
#include "eve/bytes.h"
#include "eve/context.h"
#include "eve/state.h"
#include "wire/messages.h"

namespace eve::execution {

/// The replies of one bundle as the cache keeps them; the payload that is sent is a slice of it.
/// A value; copies share the bytes.
class CachedReply {
 public:
  explicit CachedReply(SharedBytes object) : object_(std::move(object)) {}

  ByteView object() const { return object_.view(); }
  SharedBytes payload() const { return object_.slice(kHeadBytes, object_.size() - kHeadBytes); }
  uint32_t requests() const;
  wire::ReplyStatus status() const;

  static constexpr size_t kHeadBytes = 5;

 private:
  SharedBytes object_;
};

/// Puts a CachedReply together, reply by reply.
class CachedReplyBuilder {
 public:
  /// `payload_bytes`: how long the payload is expected to become.
  CachedReplyBuilder(size_t requests, wire::ReplyStatus status, size_t payload_bytes);
  /// A reply that would make the payload too large for a message becomes kReplyTooLarge.
  void add(ByteView reply);
  CachedReply take() { return CachedReply(SharedBytes(std::move(object_))); }

  /// Of the length before each reply.
  static constexpr size_t kLengthBytes = 4;

 private:
  Bytes object_;
};

/// Touched by the engine only, in batch order. One thread at a time.
class ReplyCache {
 public:
  explicit ReplyCache(State& state) : table_(state, "eve.replies") {}

  struct Key {
    SessionId session;
    RequestNumber first;
  };
  std::optional<CachedReply> find(Context& context, Key key) const;
  /// The payload alone, valid until something is written.
  std::optional<ByteView> payload(Context& context, Key key) const;
  void put(Context& context, Key key, const CachedReply& reply);
  void erase(Context& context, Key key);

 private:
  ByteMap table_;
};

}  // namespace eve::execution
