// The payload of a Reply: for each request a length and the bytes.
#include "base/limits.h"
#include "wire/codec.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace eve::wire {

namespace {

constexpr size_t kLengthBytes = 4;

}  // namespace

Bytes encode_replies(const std::vector<Bytes>& replies) {
  size_t size = 0;
  for (const Bytes& reply : replies) size += kLengthBytes + reply.size();
  Writer out(size);
  for (const Bytes& reply : replies) out.sized(reply);
  return out.take();
}

Result<std::vector<ByteView>> decode_replies(ByteView payload, size_t expected) {
  std::vector<ByteView> replies;
  Reader in(payload);
  if (expected > payload.size() / kLengthBytes) in.fail("fewer replies than requests");
  if (!in.failed()) replies.reserve(expected);
  for (size_t i = 0; i < expected && !in.failed(); ++i) {
    replies.push_back(in.sized(limits::kMaxReplyBytes));
  }
  if (in.remaining() != 0) in.fail("more replies than requests");
  if (in.failed()) {
    return Error{std::string("malformed replies: ") + in.problem() + "; ask another executor"};
  }
  return replies;
}

}  // namespace eve::wire
