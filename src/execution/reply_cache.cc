#include "execution/reply_cache.h"

#include "base/limits.h"
#include "execution/reply_store.h"

namespace eve::execution {
namespace {

/// A reply, or the object in state transfer, must fit into a frame together with its envelope.
constexpr size_t kMaxPayloadBytes = 64u << 20;
static_assert(kMaxPayloadBytes + (1u << 20) < limits::kMaxFrameBytes);
static_assert(limits::kMaxReplyBytes < kMaxPayloadBytes);

Bytes encoded(ReplyCache::Key key) {
  Bytes bytes;
  Codec<uint64_t>::encode(key.session.value(), bytes);
  Codec<uint64_t>::encode(key.first.value(), bytes);
  return bytes;
}

}  // namespace

uint32_t CachedReply::requests() const {
  return Codec<uint32_t>::decode(object().substr(0, sizeof(uint32_t))).value_or(0);
}

wire::ReplyStatus CachedReply::status() const {
  return static_cast<wire::ReplyStatus>(object()[kHeadBytes - 1]);
}

CachedReplyBuilder::CachedReplyBuilder(size_t requests, wire::ReplyStatus status,
                                       size_t payload_bytes) {
  object_.reserve(CachedReply::kHeadBytes + payload_bytes);
  Codec<uint32_t>::encode(static_cast<uint32_t>(requests), object_);
  object_ += static_cast<char>(status);
}

void CachedReplyBuilder::add(ByteView reply) {
  if (object_.size() + reply.size() > kMaxPayloadBytes) reply = kReplyTooLarge;
  Codec<uint32_t>::encode(static_cast<uint32_t>(reply.size()), object_);
  object_.append(reply);
}

std::optional<CachedReply> ReplyCache::find(Context& context, Key key) const {
  const std::optional<ByteView> object = table_.get(context, encoded(key));
  if (!object || object->size() < CachedReply::kHeadBytes) return std::nullopt;
  return CachedReply(SharedBytes(Bytes(*object)));
}

std::optional<ByteView> ReplyCache::payload(Context& context, Key key) const {
  const std::optional<ByteView> object = table_.get(context, encoded(key));
  if (!object || object->size() < CachedReply::kHeadBytes) return std::nullopt;
  return object->substr(CachedReply::kHeadBytes);
}

void ReplyCache::put(Context& context, Key key, const CachedReply& reply) {
  table_.put(context, encoded(key), reply.object());
}

void ReplyCache::erase(Context& context, Key key) {
  table_.erase(context, encoded(key));
}

}  // namespace eve::execution
