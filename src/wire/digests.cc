// What is hashed and what is signed.
#include "wire/codec.h"
#include "wire/fields.h"
#include "wire/reader.h"

namespace eve::wire {

namespace {

template <typename Signed>
Bytes bytes_to_sign(const Signed& message) {
  Writer out;
  write_signed(out, message);
  return out.take();
}

}  // namespace

Digest token_of(const TokenParts& parts, const crypto::Digester& digester) {
  Writer out(sizeof(TokenParts));
  write(out, parts);
  return digester.digest(out.view());
}

Digest genesis_token(const Digest& empty_state, const crypto::Digester& digester) {
  TokenParts parts;
  parts.state = empty_state;
  return token_of(parts, digester);
}

Digest bundle_name(const Bundle& bundle, const crypto::Digester& digester) {
  return digester.digest(bundle.signed_part);
}

Digest quarantine_digest(const Names& quarantine, const crypto::Digester& digester) {
  if (quarantine.empty()) return {};
  Writer out;
  write(out, quarantine);
  return digester.digest(out.view());
}

Digest reply_digest(ReplyStatus status, ByteView payload, const crypto::Digester& digester) {
  Writer out(1 + payload.size());
  out.enumerator(status);
  out.raw(payload);
  return digester.digest(out.view());
}

Bytes signed_bytes(const Prepare& prepare) {
  return bytes_to_sign(prepare);
}

Bytes signed_bytes(const ViewChange& change) {
  return bytes_to_sign(change);
}

Bytes signed_bytes(const NewView& new_view) {
  return bytes_to_sign(new_view);
}

Bytes signed_bytes(const Farewell& farewell) {
  return bytes_to_sign(farewell);
}

}  // namespace eve::wire
