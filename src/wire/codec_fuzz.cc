// libFuzzer: hostile frames and payloads. Whatever is accepted must be the one encoding of what it
// means, and every view must lie inside the frame (AddressSanitizer watches).
#include <cstdint>

#include "base/check.h"
#include "wire/codec.h"

namespace {

using eve::Bytes;
using eve::ByteView;
using eve::SharedBytes;
using eve::crypto::DigestAlgorithm;
using eve::crypto::Digester;
using namespace eve::wire;

void check_replies(ByteView payload) {
  if (payload.empty()) return;
  const auto expected = static_cast<size_t>(static_cast<unsigned char>(payload.front()));
  const ByteView rest = payload.substr(1);
  auto replies = decode_replies(rest, expected);
  if (!replies.ok()) return;
  EVE_CHECK(encode_replies({replies->begin(), replies->end()}) == rest, "replies not canonical");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Digester digester(DigestAlgorithm::kXxh3, {});
  const Bytes bytes(reinterpret_cast<const char*>(data), size);
  auto message = decode(SharedBytes(bytes), digester);
  if (message.ok()) EVE_CHECK(encode(*message) == bytes, "message not canonical");
  check_replies(bytes);
  return 0;
}
