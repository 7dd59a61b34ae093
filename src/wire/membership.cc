#include "wire/membership.h"

#include <utility>

#include "base/check.h"
#include "base/limits.h"
#include "wire/bundle.h"
#include "wire/codec.h"
#include "wire/fields.h"

namespace eve::wire {

namespace {

void write_seat(Writer& out, const std::optional<uint16_t>& seat) {
  out.boolean(seat.has_value());
  if (seat) out.integer(*seat);
}

std::optional<uint16_t> read_seat(Reader& in, size_t limit) {
  if (!in.boolean()) return std::nullopt;
  return in.index(limit);
}

}  // namespace

Bytes encode(const Change& change) {
  Writer out;
  out.id(change.epoch);
  write_seat(out, change.executor);
  write_seat(out, change.verifier);
  out.sized(change.contact);
  return out.take();
}

std::optional<Change> decode_change(ByteView bytes) {
  Reader in(bytes);
  Change change;
  change.epoch = in.id<Epoch>();
  change.executor = read_seat(in, limits::kMaxExecutors);
  change.verifier = read_seat(in, limits::kMaxVerifiers);
  change.contact = Bytes(in.sized(limits::kMaxContactBytes));
  const bool last = change.epoch.next() == Epoch();
  if (in.failed() || in.remaining() > 0 || last) return std::nullopt;
  if (!change.executor && !change.verifier) return std::nullopt;
  return change;
}

BundlePtr make_change(const Change& change, const std::function<Bytes(ByteView)>& sign) {
  BundleFields fields;
  fields.kind = BundleKind::kChange;
  fields.client = limits::kOperator;
  fields.first = RequestNumber(change.epoch.next().value());
  return make_bundle(fields, {encode(change)}, sign);
}

std::optional<Change> change_in(const Bundle& bundle) {
  if (bundle.kind != BundleKind::kChange || bundle.requests.size() != 1) return std::nullopt;
  auto change = decode_change(bundle.requests.front());
  if (!change || bundle.first != RequestNumber(change->epoch.next().value())) return std::nullopt;
  return change;
}

std::optional<Change> change_in(const Batch& batch) {
  if (batch.bundles.size() != 1) return std::nullopt;
  return change_in(*batch.bundles.front());
}

bool holds_change(const Batch& batch) {
  for (const BundlePtr& bundle : batch.bundles) {
    if (bundle->kind == BundleKind::kChange) return true;
  }
  return false;
}

Bytes change_reply(Epoch begins) {
  Writer out;
  out.id(begins);
  return out.take();
}

std::optional<Change> proven_change(const Evidence& evidence, const crypto::Digester& digester) {
  const TokenParts& parts = evidence.parts;
  const Batch& batch = *evidence.batch;
  if (batch.number != parts.number || batch.digest != parts.batch) return std::nullopt;
  auto change = change_in(batch);
  if (!change) return std::nullopt;
  const auto executed =
      reply_digest(ReplyStatus::kExecuted, change_reply(change->epoch.next()), digester);
  if (digester.digest(executed.view()) != parts.replies) return std::nullopt;
  return change;
}

Bytes encode_batch(const Batch& batch) {
  Writer out(encoded_size(batch));
  write_batch(out, batch);
  return out.take();
}

BatchPtr decode_batch(const SharedBytes& bytes, const crypto::Digester& digester) {
  Reader in(bytes.view());
  auto batch = read_batch(in, bytes, digester);
  if (in.failed() || in.remaining() > 0) return nullptr;
  return batch;
}

BatchPtr copy_of(const Batch& batch, const crypto::Digester& digester) {
  auto copy = decode_batch(SharedBytes(encode_batch(batch)), digester);
  EVE_CHECK(copy != nullptr, "a batch survives its encoding");
  return copy;
}

}  // namespace eve::wire
