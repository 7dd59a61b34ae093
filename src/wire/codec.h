// The canonical encoding of messages: fixed-width little-endian integers, 4-byte lengths, one
// encoding for each value. Decoding is the gate for untrusted bytes: it checks shape and limits and
// never throws, over-reads or allocates more than a small multiple of its input.
#pragma once

#include <functional>
#include <vector>

#include "crypto/digest.h"
#include "eve/bytes.h"
#include "eve/result.h"
#include "wire/messages.h"

namespace eve::wire {

/// First byte of every frame's payload. Peers of another version are refused.
inline constexpr uint8_t kWireVersion = 2;

/// Canonical bytes: version, tag, fields.
Bytes encode(const Message& message);

/// The message, or what is wrong with the bytes. `frame` is kept alive by bundles and payloads cut
/// out of it. `digester` is used for batch digests and to check that a Token's token is its parts'.
Result<Message> decode(const SharedBytes& frame, const crypto::Digester& digester);

/// Builds a bundle with its canonical encoding; `sign` gets the signed part and returns the
/// signature. Preconditions: the limits of base/limits.h.
struct BundleFields {
  BundleKind kind = BundleKind::kCall;
  uint16_t client = 0;
  SessionId session;
  RequestNumber first;
  RequestNumber acknowledged;
};
BundlePtr make_bundle(const BundleFields& fields, const std::vector<Bytes>& requests,
                      const std::function<Bytes(ByteView)>& sign);

/// Fills in the digest.
BatchPtr make_batch(View view, BatchNumber number, TimeUs time_us, uint64_t seed,
                    std::vector<BundlePtr> bundles, const crypto::Digester& digester);

/// H(n, token n-1, batch, state, replies).
Digest token_of(const TokenParts& parts, const crypto::Digester& digester);

/// The token of batch 0, over the root of the service's empty state: every replica starts with it.
Digest genesis_token(const Digest& empty_state, const crypto::Digester& digester);

/// What a bundle is called where it is quarantined: digest of what its client signed. (Not of the
/// signature too: a client could sign one thing in many ways.)
Digest bundle_name(const Bundle& bundle, const crypto::Digester& digester);

/// What the PREPARE for a start point says of the view's quarantine; zero if that is empty.
Digest quarantine_digest(const Names& quarantine, const crypto::Digester& digester);

/// What a Reply's digest covers.
Digest reply_digest(ReplyStatus status, ByteView payload, const crypto::Digester& digester);

/// What signatures of PREPARE, VIEW-CHANGE, NEW-VIEW and FAREWELL cover.
Bytes signed_bytes(const Prepare& prepare);
Bytes signed_bytes(const ViewChange& change);
Bytes signed_bytes(const NewView& new_view);
Bytes signed_bytes(const Farewell& farewell);

/// Replies of one bundle, from and to the canonical payload.
Bytes encode_replies(const std::vector<Bytes>& replies);
Result<std::vector<ByteView>> decode_replies(ByteView payload, size_t expected);

}  // namespace eve::wire
