#include "wire/bundle.h"

#include <limits>
#include <utility>

#include "base/check.h"
#include "base/limits.h"
#include "wire/codec.h"
#include "wire/membership.h"

namespace eve::wire {

namespace {

constexpr size_t kLengthBytes = 4;
/// Kind, client, session, first, acknowledged, number of requests.
constexpr size_t kBundleHeadBytes = 1 + 2 + 8 + 8 + 8 + 4;
constexpr size_t kBundleMinBytes = kBundleHeadBytes + kLengthBytes;
/// Number, time, seed, number of bundles.
constexpr size_t kBatchHeadBytes = 8 + 8 + 8 + 4;

Bytes encode_signed_part(const BundleFields& fields, const std::vector<Bytes>& requests) {
  size_t size = kBundleHeadBytes + kLengthBytes + limits::kMaxSignatureBytes;
  for (const Bytes& request : requests) size += kLengthBytes + request.size();
  Writer out(size);
  out.enumerator(fields.kind);
  out.integer(fields.client);
  out.id(fields.session);
  out.id(fields.first);
  out.id(fields.acknowledged);
  out.count(requests.size());
  for (const Bytes& request : requests) out.sized(request);
  return out.take();
}

}  // namespace

void write_bundle(Writer& out, const Bundle& bundle) {
  EVE_CHECK(!bundle.raw.empty(), "a bundle is made by make_bundle or decoded");
  out.raw(bundle.raw.view());
}

std::shared_ptr<Bundle> read_bundle(Reader& in, const SharedBytes& frame) {
  const size_t start = in.position();
  auto bundle = std::make_shared<Bundle>();
  bundle->kind = in.enumerator(BundleKind::kCall, BundleKind::kChange);
  bundle->client = in.index(limits::kMaxClients + 1);
  bundle->session = in.id<SessionId>();
  bundle->first = in.id<RequestNumber>();
  bundle->acknowledged = in.id<RequestNumber>();
  const size_t count = in.count(limits::kMaxBundleRequests, kLengthBytes);
  bundle->requests.reserve(count);
  for (size_t i = 0; i < count && !in.failed(); ++i) {
    bundle->requests.push_back(in.sized(limits::kMaxRequestBytes));
  }
  const size_t signed_bytes = in.position() - start;
  bundle->signature = Bytes(in.sized(limits::kMaxSignatureBytes));
  if (in.position() - start > limits::kMaxBundleBytes) in.fail("a bundle is too large");
  if (in.failed()) return nullptr;
  bundle->raw = frame.slice(in.since(start));
  bundle->signed_part = bundle->raw.view().substr(0, signed_bytes);
  return bundle;
}

void check_bundle(Reader& in, const Bundle& bundle) {
  const auto zero = RequestNumber();
  const bool of_operator = bundle.client == limits::kOperator;
  if (of_operator != (bundle.kind == BundleKind::kChange)) {
    in.fail("changes are the operator's, and nothing else is");
  }
  if (bundle.kind == BundleKind::kChange) {
    if (bundle.session != SessionId() || bundle.acknowledged != zero || !change_in(bundle)) {
      in.fail("a change of the members is malformed");
    }
    return;
  }
  if (bundle.kind == BundleKind::kOpen) {
    if (!bundle.requests.empty() || bundle.session != SessionId() || bundle.acknowledged != zero) {
      in.fail("an opening bundle carries more than its nonce");
    }
    return;
  }
  const uint64_t last_possible = std::numeric_limits<uint64_t>::max() - limits::kMaxBundleRequests;
  if (bundle.requests.empty()) in.fail("a bundle carries no request");
  if (bundle.session == SessionId()) in.fail("a bundle names no session");
  if (bundle.first <= bundle.acknowledged) in.fail("a bundle acknowledges its own replies");
  if (bundle.first.value() > last_possible) in.fail("a bundle's numbers overflow");
}

BundlePtr make_bundle(const BundleFields& fields, const std::vector<Bytes>& requests,
                      const std::function<Bytes(ByteView)>& sign) {
  Bytes raw = encode_signed_part(fields, requests);
  Writer signature;
  signature.sized(sign(raw));
  raw.append(signature.view());

  // Read back rather than filled in: one way to lay the views over the bytes.
  const SharedBytes frame(std::move(raw));
  Reader in(frame.view());
  auto bundle = read_bundle(in, frame);
  EVE_CHECK(bundle != nullptr && in.remaining() == 0, "a bundle beyond its limits");
  return bundle;
}

size_t encoded_size(const Batch& batch) {
  size_t size = kBatchHeadBytes;
  for (const BundlePtr& bundle : batch.bundles) size += bundle->raw.size();
  return size;
}

void write_batch(Writer& out, const Batch& batch) {
  out.id(batch.number);
  out.integer(batch.time_us);
  out.integer(batch.seed);
  out.count(batch.bundles.size());
  for (const BundlePtr& bundle : batch.bundles) write_bundle(out, *bundle);
}

std::shared_ptr<Batch> read_batch(Reader& in, const SharedBytes& frame,
                                  const crypto::Digester& digester) {
  const size_t start = in.position();
  auto batch = std::make_shared<Batch>();
  batch->number = in.id<BatchNumber>();
  batch->time_us = in.integer<int64_t>();
  batch->seed = in.integer<uint64_t>();
  const size_t count = in.count(limits::kMaxBatchBundles, kBundleMinBytes);
  batch->bundles.reserve(count);
  for (size_t i = 0; i < count && !in.failed(); ++i) {
    auto bundle = read_bundle(in, frame);
    if (bundle) check_bundle(in, *bundle);
    batch->bundles.push_back(std::move(bundle));
  }
  if (in.position() - start > limits::kMaxBatchBytes) in.fail("a batch is too large");
  if (in.failed()) return nullptr;
  batch->digest = digester.digest(in.since(start));
  return batch;
}

BatchPtr make_batch(View view, BatchNumber number, TimeUs time_us, uint64_t seed,
                    std::vector<BundlePtr> bundles, const crypto::Digester& digester) {
  auto batch = std::make_shared<Batch>();
  batch->view = view;
  batch->number = number;
  batch->time_us = time_us;
  batch->seed = seed;
  batch->bundles = std::move(bundles);
  Writer out(encoded_size(*batch));
  write_batch(out, *batch);
  batch->digest = digester.digest(out.view());
  return batch;
}

}  // namespace eve::wire
