// libFuzzer: a runner that fetches another's state (E7): objects of the service, sessions and
// cached replies. Nodes are lost, damaged, repeated or of another version on the way, and the
// target may move. In the end both are the same: the next batch, of new calls and of repeated ones,
// gives the same token and the same replies on both.
#include <fuzzer/FuzzedDataProvider.h>

#include <optional>
#include <vector>

#include "base/check.h"
#include "base/limits.h"
#include "base/scheduler.h"
#include "execution/runner.h"
#include "execution/runner_testing.h"
#include "wire/codec.h"

namespace eve::execution {
namespace {

using testing::call;
using testing::digester;
using testing::open;

constexpr Address kPeer = Address::executor(1);
constexpr size_t kMostRounds = 40;

struct Replica {
  Replica() : runner(digester(), scheduler, testing::make_words, [] { return TimeUs{0}; }) {}
  std::optional<Event> apply(Command command) {
    std::optional<Event> event;
    runner.apply(std::move(command), [&](Event emitted) { event = std::move(emitted); });
    return event;
  }
  BatchExecuted run(const RunBatch& command) {
    const auto event = apply(command);
    EVE_CHECK(event, "a batch is answered");
    return std::get<BatchExecuted>(*event);
  }

  InlineScheduler scheduler;
  Runner runner;
};

/// Batches as a few clients might cause them.
class Workload {
 public:
  explicit Workload(FuzzedDataProvider& data) : data_(data) {}

  RunBatch next() {
    time_ += data_.ConsumeIntegralInRange(0, 7) == 7 ? limits::kSessionExpiryUs : 1'000'000;
    ++number_;
    std::vector<wire::BundlePtr> bundles;
    for (size_t i = small(3); i > 0 || bundles.empty(); i -= i > 0 ? 1 : 0) {
      bundles.push_back(bundle());
    }
    wire::Names quarantine;
    if (small(7) == 7) quarantine.push_back(wire::bundle_name(*bundles.back(), digester()));
    return {1,
            wire::make_batch(View(), BatchNumber(number_), time_, number_, std::move(bundles),
                             digester()),
            small(1) == 0 ? RunMode::kParallel : RunMode::kSequential, quarantine};
  }
  /// Every bundle that there was, once more.
  RunBatch again() const {
    const auto number = number_ + 1;
    return {1,
            wire::make_batch(View(), BatchNumber(number), time_ + 1, number, seen_, digester()),
            RunMode::kParallel,
            {}};
  }

 private:
  uint64_t small(uint64_t most) { return data_.ConsumeIntegralInRange<uint64_t>(0, most); }
  wire::BundlePtr bundle() {
    static const std::vector<Bytes> kWords = {"set a 1", "add c 2", "move c d 1", "stamp",
                                              "fail b",  "count",   "get a",      "big 90"};
    const auto client = static_cast<uint16_t>(small(1));
    if (small(2) == 0) {
      seen_.push_back(open(client, small(3)));
      return seen_.back();
    }
    std::vector<Bytes> requests;
    for (size_t i = 1 + small(2); i > 0; --i) requests.push_back(kWords[small(kWords.size() - 1)]);
    const SessionId session((1 + small(2)) << 16 | small(1));
    const uint64_t first = small(1) == 0 ? 1 + small(8) : next_;
    next_ = first + requests.size();
    seen_.push_back(call(client, session, first, requests, small(first - 1)));
    return seen_.back();
  }

  FuzzedDataProvider& data_;
  uint64_t number_ = 0;
  TimeUs time_ = 0;
  uint64_t next_ = 1;
  std::vector<wire::BundlePtr> seen_;
};

class Transfer {
 public:
  explicit Transfer(FuzzedDataProvider& data) : data_(data), workload_(data) {
    const uint64_t shared = small(2);
    for (uint64_t i = 0; i < shared; ++i) advance(true);
    if (small(1) == 1) diverge(shared);
    for (uint64_t i = 1 + small(3); i > 0; --i) advance(false);
    start();
  }
  void step() {
    if (fetched_) return;
    const uint64_t kind = small(15);
    if (kind == 0) {
      advance(false);
      if (small(1) == 0) start();
      return;
    }
    SupplyFetch supply = serve();
    if (kind <= 6) damage(supply);
    if (kind == 7)
      supply.reply.nodes.insert(supply.reply.nodes.end(), earlier_.begin(), earlier_.end());
    earlier_ = supply.reply.nodes;
    take(fetcher_.apply(std::move(supply)));
  }
  void complete() {
    if (!fetched_ || fetched_->parts != last_.parts) {
      fetched_.reset();
      start();
    }
    for (size_t left = 1000; !fetched_; --left) {
      EVE_CHECK(left > 0, "the fetch does not end");
      take(fetcher_.apply(serve()));
    }
    EVE_CHECK(fetched_->token == last_.token, "another batch's state");
    EVE_CHECK(fetcher_.runner.root() == holder_.runner.root(), "another state");
    EVE_CHECK(fetcher_.runner.recompute_root() == holder_.runner.root(), "another tree");
    const RunBatch batch = workload_.again();
    const BatchExecuted there = holder_.run(batch);
    const BatchExecuted here = fetcher_.run(batch);
    EVE_CHECK(here.token == there.token, "sessions or replies are not the same");
  }

 private:
  uint64_t small(uint64_t most) { return data_.ConsumeIntegralInRange<uint64_t>(0, most); }
  void advance(bool both) {
    const RunBatch batch = workload_.next();
    last_ = holder_.run(batch);
    holder_.apply(CommitBatches{batch.batch->number});
    if (!both) return;
    EVE_CHECK(fetcher_.run(batch).token == last_.token, "two replicas differ");
    fetcher_.apply(CommitBatches{batch.batch->number});
  }
  /// A batch that nobody else has.
  void diverge(uint64_t after) {
    const auto batch = wire::make_batch(View(), BatchNumber(after + 1),
                                        limits::kSessionExpiryUs * 9, 3, {open(7, 7)}, digester());
    fetcher_.run(RunBatch{1, batch, RunMode::kParallel});
  }
  void start() { take(fetcher_.apply(StartFetch{last_.parts})); }
  void take(std::optional<Event> event) {
    EVE_CHECK(event, "a fetch says what it wants");
    if (auto* fetched = std::get_if<Fetched>(&*event)) {
      fetched_ = std::move(*fetched);
    } else {
      wants_ = std::get<FetchWants>(std::move(*event)).nodes;
    }
  }
  /// All that was asked for last; what is not here has failed.
  SupplyFetch serve() {
    const wire::StateRequest request{last_.parts.number, wants_};
    const auto event = holder_.apply(ServeState{kPeer, request});
    SupplyFetch supply{kPeer, std::get<StateServed>(*event).reply, {}};
    for (size_t i = supply.reply.nodes.size(); i < wants_.size(); ++i) {
      supply.failed.push_back(wants_[i]);
    }
    return supply;
  }
  void damage(SupplyFetch& supply) {
    auto& nodes = supply.reply.nodes;
    if (nodes.empty()) return;
    const size_t index = small(nodes.size() - 1);
    Bytes bytes(nodes[index].payload.view());
    const size_t at = small(bytes.size());
    if (at < bytes.size()) bytes[at] = static_cast<char>(data_.ConsumeIntegral<uint8_t>());
    if (small(3) == 3) bytes.resize(at);
    if (small(3) == 3) {
      supply.failed.push_back(nodes[index].id);
      nodes[index].id = TreeNode{static_cast<uint8_t>(small(2)), small(40)};
    }
    nodes[index].payload = SharedBytes(std::move(bytes));
    if (small(3) != 3) return;
    supply.failed.push_back(nodes.back().id);
    nodes.pop_back();
  }

  FuzzedDataProvider& data_;
  Workload workload_;
  Replica holder_;
  Replica fetcher_;
  BatchExecuted last_;
  std::vector<TreeNode> wants_;
  std::vector<wire::StateReply::Node> earlier_;
  std::optional<Fetched> fetched_;
};

}  // namespace
}  // namespace eve::execution

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  FuzzedDataProvider data(bytes, size);
  eve::execution::Transfer transfer(data);
  for (size_t i = 0; i < eve::execution::kMostRounds && data.remaining_bytes() > 0; ++i) {
    transfer.step();
  }
  transfer.complete();
  return 0;
}
