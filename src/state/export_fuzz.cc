// libFuzzer: an export and an import of it, with a source that goes on working, and chunks that are
// lost, repeated, out of order, of another version, or damaged on the way. Nothing but the exported
// state can be the result, and whole chunks of it are enough to complete it at any time.
#include <fuzzer/FuzzedDataProvider.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/scheduler.h"
#include "state/export.h"
#include "state/import.h"
#include "state/table.h"

namespace eve::state {
namespace {

constexpr size_t kMostSteps = 80;
constexpr HistoryLimits kLittle{2, size_t{1} << 20, 3, size_t{1} << 20};

const crypto::Digester& digester() {
  static const crypto::Digester instance(crypto::DigestAlgorithm::kXxh3, crypto::Secret{7});
  return instance;
}

struct Node {
  Node() : engine(digester(), 1, kLittle), hashed(engine.table("a")) {
    engine.table("b", TableKind::kOrdered);
  }
  void run_batch(FuzzedDataProvider& data) {
    Table& ordered = engine.table("b");
    engine.begin(engine.last().next());
    for (uint64_t i = data.ConsumeIntegralInRange<uint64_t>(0, 12); i > 0; --i) {
      Table& table = data.ConsumeBool() ? hashed : ordered;
      const std::string key = std::to_string(data.ConsumeIntegralInRange(0, 40));
      if (data.ConsumeIntegralInRange(0, 2) == 0) {
        table.erase(0, key);
      } else {
        table.put(0, key, data.ConsumeRandomLengthString(20));
      }
    }
    engine.seal(scheduler);
    engine.commit(engine.last());
  }

  InlineScheduler scheduler;
  Engine engine;
  Table& hashed;
};

class Transfer {
 public:
  explicit Transfer(FuzzedDataProvider& data) : data_(data) {
    for (uint64_t i = data_.ConsumeIntegralInRange<uint64_t>(0, 3); i > 0; --i) {
      source_.run_batch(data_);
    }
    const size_t chunk_bytes = data_.ConsumeIntegralInRange<size_t>(1, 300);
    exporter_.emplace(source_.engine, source_.engine.last(), chunk_bytes);
    importer_.emplace(target_.engine, root());
  }
  void step() {
    switch (data_.ConsumeIntegralInRange(0, 7)) {
      case 0:
        source_.run_batch(data_);
        if (data_.ConsumeBool()) importer_->retarget(root());
        break;
      case 1:
        if (!seen_.empty())
          deliver(seen_[data_.ConsumeIntegralInRange(size_t{0}, seen_.size() - 1)]);
        break;
      case 2: {
        const auto chunk = exporter_->chunk(data_.ConsumeIntegralInRange(0, 60));
        if (chunk) deliver(chunk->bytes);
        break;
      }
      default: {
        const auto chunk = exporter_->next();
        if (chunk) seen_.push_back(chunk->bytes);
        if (chunk && data_.ConsumeIntegralInRange(0, 7) != 7) deliver(chunk->bytes);
      }
    }
  }
  /// With whole chunks of the version that the exporter has now.
  void complete() {
    importer_->retarget(root());
    for (size_t left = 1000; !importer_->complete(); --left) {
      EVE_CHECK(left > 0, "the import does not end");
      const auto missing = importer_->missing(1);
      EVE_CHECK(missing.size() == 1, "not complete, and nothing is missing");
      const auto chunk = exporter_->chunk(missing[0].first);
      EVE_CHECK(chunk && importer_->supply(chunk->bytes).ok(), "an honest chunk is refused");
    }
    EVE_CHECK(importer_->finish(BatchNumber(9), target_.scheduler).ok(),
              "a whole state is refused");
    EVE_CHECK(target_.engine.root() == root(), "another state");
    EVE_CHECK(target_.engine.recompute_root() == root(), "the tree is not that of the objects");
  }
  void give_up() {
    importer_.reset();
    EVE_CHECK(target_.engine.counts().slots == 0, "an import that was given up leaves something");
    EVE_CHECK(target_.engine.root() == Node().engine.root(), "not the empty state");
  }

 private:
  crypto::Digest root() const {
    const auto root = exporter_->root();
    EVE_CHECK(root, "nothing ends this export");
    return *root;
  }
  void deliver(Bytes chunk) {
    if (data_.ConsumeIntegralInRange(0, 3) == 3 && !chunk.empty()) {
      const size_t at = data_.ConsumeIntegralInRange(size_t{0}, chunk.size() - 1);
      if (data_.ConsumeBool()) chunk.resize(at);
      if (at < chunk.size()) chunk[at] = static_cast<char>(data_.ConsumeIntegral<uint8_t>());
    }
    (void)importer_->supply(chunk);
  }

  FuzzedDataProvider& data_;
  Node source_;
  Node target_;
  std::optional<Exporter> exporter_;
  std::optional<Importer> importer_;
  std::vector<Bytes> seen_;
};

}  // namespace
}  // namespace eve::state

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  FuzzedDataProvider data(bytes, size);
  eve::state::Transfer transfer(data);
  const bool completes = data.ConsumeIntegralInRange(0, 7) != 7;
  for (size_t i = 0; i < eve::state::kMostSteps && data.remaining_bytes() > 0; ++i) transfer.step();
  if (completes) {
    transfer.complete();
  } else {
    transfer.give_up();
  }
  return 0;
}
