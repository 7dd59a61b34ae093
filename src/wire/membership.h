// What a change of the members says, and what proves that it was the end of an epoch
// (docs/membership.md, M1, M3, M6): pure functions of bytes.
#pragma once

#include <optional>

#include "base/ids.h"
#include "crypto/digest.h"
#include "eve/bytes.h"
#include "wire/messages.h"

namespace eve::wire {

/// The operator's request: one node takes the seats of another. At least one seat.
struct Change {
  Epoch epoch;  ///< that it ends
  std::optional<uint16_t> executor;
  std::optional<uint16_t> verifier;
  Bytes contact;  ///< who comes, for hosts: name, addresses, keys; at most kMaxContactBytes
  bool operator==(const Change&) const = default;
};

Bytes encode(const Change& change);
std::optional<Change> decode_change(ByteView bytes);

/// The bundle that carries it; `sign` as make_bundle's.
BundlePtr make_change(const Change& change, const std::function<Bytes(ByteView)>& sign);
/// What a bundle of kind kChange asks for; nullopt if that is malformed.
std::optional<Change> change_in(const Bundle& bundle);
/// The change that is all of this batch, if it is one.
std::optional<Change> change_in(const Batch& batch);
bool holds_change(const Batch& batch);

/// The payload of the reply to a change that was executed: the epoch that it begins.
Bytes change_reply(Epoch begins);

/// The change that this proves to have been executed as batch `parts.number`, whose token is
/// token_of(parts): the batch is the token's, and so is the only reply.
std::optional<Change> proven_change(const Evidence& evidence, const crypto::Digester& digester);

/// Bytes of a batch without its view, and back; nullptr if they are malformed.
Bytes encode_batch(const Batch& batch);
BatchPtr decode_batch(const SharedBytes& bytes, const crypto::Digester& digester);
/// The same batch, of view 0, in memory of its own.
BatchPtr copy_of(const Batch& batch, const crypto::Digester& digester);

}  // namespace eve::wire
