// What a lying primary does with the batches that it proposes (and passes on what it is told to by
// the correct code otherwise). Its own replica runs the batch that it should have sent.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/limits.h"
#include "sim/adversary/catalogue.h"
#include "sim/adversary/forge.h"

namespace eve::sim::adversary {
namespace {

using wire::BatchMessage;
using MaybeBatch = std::optional<BatchMessage>;

/// The same number, another batch: without a bundle, in another order, or of another seed.
BatchMessage another(const BatchMessage& truth, Turn& turn) {
  BatchClaim claim(*truth.batch);
  switch (turn.random.below(3)) {
    case 0:
      if (claim.bundles.size() > 1) claim.bundles.pop_back();
      claim.seed ^= 1;
      break;
    case 1:
      std::reverse(claim.bundles.begin(), claim.bundles.end());
      claim.time_us += 1;
      break;
    default:
      claim.seed = turn.random.next();
  }
  return claim.message(turn);
}

MaybeBatch different(const BatchMessage& truth, Address, Turn& turn) {
  return another(truth, turn);
}

MaybeBatch empty(const BatchMessage& truth, Turn& turn) {
  BatchClaim claim(*truth.batch);
  claim.bundles.clear();
  return claim.message(turn);
}

/// Up to the limit, or beyond it, where the gate refuses it.
MaybeBatch oversized(const BatchMessage& truth, Turn& turn) {
  BatchClaim claim(*truth.batch);
  if (claim.bundles.empty()) return truth;
  const size_t size = turn.random.chance(1, 16) ? limits::kMaxBatchBundles + 1 : 64;
  const wire::BundlePtr first = claim.bundles.front();
  claim.bundles.resize(std::max(size, claim.bundles.size()), first);
  return claim.message(turn);
}

MaybeBatch reordered(const BatchMessage& truth, Turn& turn) {
  BatchClaim claim(*truth.batch);
  std::reverse(claim.bundles.begin(), claim.bundles.end());
  return claim.message(turn);
}

MaybeBatch bad_time(const BatchMessage& truth, Turn& turn) {
  BatchClaim claim(*truth.batch);
  switch (turn.random.below(5)) {
    case 0:
      claim.time_us = 0;
      break;
    case 1:
      claim.time_us -= limits::kMaxClockSkewUs + 1'000'000;
      break;
    case 2:
      claim.time_us += limits::kMaxClockSkewUs - 1'000'000;  // as far ahead as is believed
      break;
    case 3:
      claim.time_us += 100 * limits::kMaxClockSkewUs;
      break;
    default:
      claim.time_us -= static_cast<TimeUs>(turn.random.below(1'000'000));
  }
  return claim.message(turn);
}

MaybeBatch bad_seed(const BatchMessage& truth, Address, Turn& turn) {
  BatchClaim claim(*truth.batch);
  claim.seed = turn.random.next();
  return claim.message(turn);
}

MaybeBatch stale_bundles(const BatchMessage& truth, Turn& turn) {
  BatchClaim claim(*truth.batch);
  const auto& bundles = turn.me.known.bundles();
  for (size_t i = 0; i < 4 && !bundles.empty(); ++i) {
    const size_t oldest = std::min<size_t>(bundles.size(), turn.random.chance(1, 2) ? 8 : 96);
    const auto where = static_cast<std::ptrdiff_t>(turn.random.below(claim.bundles.size() + 1));
    claim.bundles.insert(claim.bundles.begin() + where, bundles[turn.random.below(oldest)]);
  }
  return claim.message(turn);
}

/// A request that no client made: in its name, with the primary's signature.
MaybeBatch forged_bundle(const BatchMessage& truth, Turn& turn) {
  BatchClaim claim(*truth.batch);
  if (claim.bundles.empty()) return truth;
  wire::BundlePtr& bundle = claim.bundles[turn.random.below(claim.bundles.size())];
  std::vector<Bytes> requests = requests_of(*bundle);
  for (Bytes& request : requests) request.append("!");
  bundle = sign_bundle(fields_of(*bundle), requests, turn);
  return claim.message(turn);
}

/// Proposes far ahead: numbers beyond the window, views to come.
class FarBatch final : public OnSending<BatchMessage> {
 public:
  explicit FarBatch(Random&) {}

 private:
  void sending(const BatchMessage& body, const Utterance& truth, Turn& turn) override {
    BatchClaim claim(*body.batch);
    switch (turn.random.below(4)) {
      case 0:
        claim.number = BatchNumber(claim.number.value() + limits::kWindow + turn.random.below(4));
        break;
      case 1:
        claim.number = BatchNumber(claim.number.value() + 1 + turn.random.below(limits::kWindow));
        break;
      case 2:
        claim.number = BatchNumber(~uint64_t{0} - turn.random.below(3));
        break;
      default:
        claim.view = View(claim.view.value() + turn.me.model.executors());
    }
    turn.say(truth.to, claim.message(turn));
    turn.pass(truth);
  }
};

/// Some executors never hear of a batch; which ones changes with the view.
class SelectiveSending final : public OnSending<BatchMessage> {
 public:
  explicit SelectiveSending(Random& random) : salt_(random.next()) {}

 private:
  void sending(const BatchMessage& body, const Utterance& truth, Turn& turn) override {
    Utterance few = truth;
    const uint64_t view = body.batch->view.value();
    const uint64_t deaf = Random(salt_ ^ view).below(turn.me.model.executors());
    std::erase_if(few.to, [deaf](Address to) { return to.index == deaf; });
    if (!few.to.empty()) turn.pass(few);
  }
  uint64_t salt_;
};

/// One client's requests are never proposed. Until it is found out: then the next primary's turn.
class StarveClient final : public OnSending<BatchMessage> {
 public:
  explicit StarveClient(Random& random) : victim_(random.next()) {}

 private:
  void sending(const BatchMessage& body, const Utterance& truth, Turn& turn) override {
    BatchClaim claim(*body.batch);
    const uint64_t victim = victim_ % std::max<uint64_t>(turn.me.clients, 1);
    const auto starved = std::erase_if(
        claim.bundles, [victim](const wire::BundlePtr& b) { return b->client == victim; });
    if (starved == 0) {
      turn.pass(truth);
    } else if (!claim.bundles.empty()) {
      turn.say(truth.to, claim.message(turn), truth.delay_us);
    }
  }
  uint64_t victim_;
};

/// Just before anybody would suspect it, every time.
void withheld(const Utterance& truth, Turn& turn) {
  Utterance late = truth;
  if (std::holds_alternative<BatchMessage>(*truth.message)) {
    late.delay_us += 250'000 + static_cast<TimeUs>(turn.random.below(250'000));
  }
  turn.pass(std::move(late));
}

}  // namespace

std::vector<Entry> primary_strategies() {
  const std::vector<Role> who = {Role::kExecutor};
  using All = ToAll<BatchMessage>;
  using Each = ToEach<BatchMessage>;
  return {
      {"different-batches", "another batch for the same number to each executor", who,
       make<Each>(different)},
      {"selective-sending", "one executor, another in each view, never hears of a batch", who,
       make<SelectiveSending>()},
      {"starve-client", "one client's bundles are never proposed", who, make<StarveClient>()},
      {"empty-batches", "batches without a bundle", who, make<All>(empty)},
      {"oversized-batches", "one bundle again and again, up to the limit and beyond", who,
       make<All>(oversized)},
      {"reordered-sessions", "bundles in the opposite order", who, make<All>(reordered)},
      {"bad-time", "batch times of long ago, of the future, falling", who, make<All>(bad_time)},
      {"bad-seed", "another random seed to each executor", who, make<Each>(bad_seed)},
      {"stale-bundles", "old signed bundles are proposed again", who, make<All>(stale_bundles)},
      {"forged-bundle", "a bundle that its client never signed", who, make<All>(forged_bundle)},
      {"far-batch", "batches far ahead, of later views too", who, make<FarBatch>()},
      {"withheld-batches", "batches come just before anybody suspects", who, make<ToAny>(withheld)},
  };
}

}  // namespace eve::sim::adversary
