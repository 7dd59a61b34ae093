// Bundles and batches: the bulk of all bytes. A bundle is decoded without copying a request, and
// encoded by copying the bytes that its client signed.
#pragma once

#include "crypto/digest.h"
#include "wire/messages.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace eve::wire {

void write_bundle(Writer& out, const Bundle& bundle);

/// `in` reads from `frame`, which the bundle keeps alive. Checks shape and limits, but not whether
/// the fields make sense together. Null once `in` has failed.
std::shared_ptr<Bundle> read_bundle(Reader& in, const SharedBytes& frame);

/// Fails `in` where the fields contradict each other: what no honest client sends.
void check_bundle(Reader& in, const Bundle& bundle);

/// Bytes of a batch but its view, which its digest does not cover.
size_t encoded_size(const Batch& batch);
void write_batch(Writer& out, const Batch& batch);
/// Null once `in` has failed. The digest is calculated.
std::shared_ptr<Batch> read_batch(Reader& in, const SharedBytes& frame,
                                  const crypto::Digester& digester);

}  // namespace eve::wire
