// libFuzzer: any bytes as requests of an authentic client. Two replicas, one of which runs them
// mixed and one in the batch's order, get the same token, and nothing throws out of a batch.
#include <fuzzer/FuzzedDataProvider.h>

#include <optional>

#include "base/check.h"
#include "base/scheduler.h"
#include "execution/runner.h"
#include "services/kv/request.h"
#include "services/kv/service.h"
#include "wire/codec.h"

namespace eve::kv {
namespace {

using execution::BatchExecuted;
using execution::RunMode;

const crypto::Digester& digester() {
  static const crypto::Digester instance(crypto::DigestAlgorithm::kXxh3, crypto::Secret{7});
  return instance;
}

class Replica {
 public:
  explicit Replica(RunMode mode)
      : mode_(mode), runner_(digester(), scheduler_, make_service, [] { return TimeUs{0}; }) {}
  BatchExecuted run(const wire::BatchPtr& batch, const wire::Names& quarantine = {}) {
    std::optional<BatchExecuted> done;
    runner_.apply(execution::RunBatch{0, batch, mode_, quarantine}, [&](execution::Event event) {
      done = std::get<BatchExecuted>(std::move(event));
    });
    EVE_CHECK(done, "a batch is answered");
    runner_.apply(execution::CommitBatches{batch->number}, [](execution::Event) {});
    return *done;
  }
  bool whole() const { return runner_.recompute_root() == runner_.root(); }

 private:
  const RunMode mode_;
  InlineScheduler scheduler_;
  execution::Runner runner_;
};

/// A command with its words, or any bytes.
Bytes make_request(FuzzedDataProvider& data) {
  static const std::vector<Bytes> kNames = {"SET",         "GET",    "DEL",  "INCR",   "APPEND",
                                            "EXPIRE",      "MSET",   "MGET", "TTL",    "GETRANGE",
                                            "SETRANGE",    "KEYS",   "SCAN", "DBSIZE", "TYPE",
                                            "INCRBYFLOAT", "RENAME", "COPY", "EXISTS"};
  if (data.ConsumeIntegralInRange(0, 3) == 0) return data.ConsumeRandomLengthString(64);
  std::vector<Bytes> words{kNames[data.ConsumeIntegralInRange<size_t>(0, kNames.size() - 1)]};
  for (size_t i = data.ConsumeIntegralInRange<size_t>(0, 4); i > 0; --i) {
    const bool key = data.ConsumeBool();
    words.push_back(key ? Bytes(1, static_cast<char>('a' + data.ConsumeIntegralInRange(0, 2)))
                        : data.ConsumeRandomLengthString(12));
  }
  const std::vector<ByteView> views(words.begin(), words.end());
  Bytes request = command_request(Protocol::kResp2, views);
  if (data.ConsumeIntegralInRange(0, 7) == 0 && !request.empty()) {
    const size_t at = data.ConsumeIntegralInRange<size_t>(0, request.size() - 1);
    request[at] = static_cast<char>(data.ConsumeIntegral<uint8_t>());
  }
  return request;
}

wire::BatchPtr make_batch(uint64_t number, std::vector<wire::BundlePtr> bundles) {
  const auto time = static_cast<TimeUs>(1'000'000 * number);
  return wire::make_batch(View(), BatchNumber(number), time, number, std::move(bundles),
                          digester());
}

wire::BundlePtr make_bundle(const wire::BundleFields& fields, const std::vector<Bytes>& requests) {
  return wire::make_bundle(fields, requests, [](ByteView) { return Bytes(); });
}

}  // namespace
}  // namespace eve::kv

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace eve;
  using namespace eve::kv;
  FuzzedDataProvider data(bytes, size);
  Replica mixed(execution::RunMode::kParallel);
  Replica ordered(execution::RunMode::kSequential);
  const wire::BundleFields opening{wire::BundleKind::kOpen, 0, {}, RequestNumber(1), {}};
  auto batch = make_batch(1, {make_bundle(opening, {})});
  EVE_CHECK(mixed.run(batch).token == ordered.run(batch).token, "the opening");

  uint64_t next = 1;
  for (uint64_t number = 2; number < 6 && data.remaining_bytes() > 0; ++number) {
    std::vector<Bytes> requests;
    for (size_t i = data.ConsumeIntegralInRange<size_t>(1, 8); i > 0; --i) {
      requests.push_back(make_request(data));
    }
    const wire::BundleFields call{wire::BundleKind::kCall, 0, SessionId(1 << 16),
                                  RequestNumber(next), RequestNumber(next - 1)};
    next += requests.size();
    batch = make_batch(number, {make_bundle(call, requests)});
    wire::Names quarantine;
    if (data.ConsumeIntegralInRange(0, 15) == 15) {
      quarantine.push_back(wire::bundle_name(*batch->bundles.front(), digester()));
    }
    const auto done = mixed.run(batch, quarantine);
    EVE_CHECK(done.token == ordered.run(batch, quarantine).token,
              "the mixer changes what comes out");
    const size_t executed = quarantine.empty() ? requests.size() : 0;
    EVE_CHECK(done.requests == executed, "a session that exists is served, a poisonous call not");
  }
  EVE_CHECK(mixed.whole() && ordered.whole(), "the tree is that of the objects");
  return 0;
}
