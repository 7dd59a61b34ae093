// What a lying client does with its bundles. Its session's code, under it, is correct.
#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "sim/adversary/catalogue.h"
#include "sim/adversary/forge.h"

namespace eve::sim::adversary {
namespace {

using wire::BundleMessage;
using MaybeBundle = std::optional<BundleMessage>;

bool is_call(const BundleMessage& message) {
  return message.bundle->kind == wire::BundleKind::kCall;
}

BundleMessage with_body(const BundleMessage& truth, const Bytes& body, Turn& turn) {
  std::vector<Bytes> requests = requests_of(*truth.bundle);
  requests.back() = body;
  return {sign_bundle(fields_of(*truth.bundle), requests, turn), truth.retry};
}

/// One request id, two bodies: both to the same executors, in either order.
class TwoBodies final : public OnSending<BundleMessage> {
 public:
  explicit TwoBodies(Random&) {}

 private:
  void sending(const BundleMessage& body, const Utterance& truth, Turn& turn) override {
    if (!is_call(body)) {
      turn.pass(truth);
      return;
    }
    const bool first = turn.random.chance(1, 2);
    if (first) turn.pass(truth);
    turn.say(truth.to, with_body(body, "another body", turn), truth.delay_us);
    if (!first) turn.pass(truth);
  }
};

/// Every executor gets a body of its own, retry or not.
class BodyPerReplica final : public OnSending<BundleMessage> {
 public:
  explicit BodyPerReplica(Random&) {}

 private:
  void sending(const BundleMessage& body, const Utterance& truth, Turn& turn) override {
    if (!is_call(body)) {
      turn.pass(truth);
      return;
    }
    for (const Address to : turn.executors()) {
      turn.say({to}, with_body(body, "for " + std::to_string(to.index), turn), truth.delay_us);
    }
  }
};

/// Leaves a number out: what comes after it can never run.
MaybeBundle skipped(const BundleMessage& truth, Turn& turn) {
  if (!is_call(truth)) return truth;
  wire::BundleFields fields = fields_of(*truth.bundle);
  fields.first = RequestNumber(fields.first.value() + 1 + turn.random.below(3));
  return BundleMessage{sign_bundle(fields, requests_of(*truth.bundle), turn), true};
}

void old_bundles(Turn& turn) {
  const auto& bundles = turn.me.known.bundles();
  if (bundles.empty()) return;
  constexpr size_t kTimes = 4;
  for (size_t i = 0; i < kTimes; ++i) {
    const size_t oldest = std::min<size_t>(bundles.size(), turn.random.chance(1, 2) ? 4 : 96);
    const wire::BundlePtr& bundle = bundles[turn.random.below(oldest)];
    if (bundle->client != turn.me.self.index) continue;
    turn.say(turn.executors(), BundleMessage{bundle, turn.random.chance(1, 2)});
  }
}

MaybeBundle never_acknowledged(const BundleMessage& truth, Turn& turn) {
  wire::BundleFields fields = fields_of(*truth.bundle);
  if (fields.acknowledged == RequestNumber()) return truth;
  fields.acknowledged = RequestNumber();
  return BundleMessage{sign_bundle(fields, requests_of(*truth.bundle), turn), truth.retry};
}

/// Says that it received what it was never sent.
MaybeBundle false_acknowledgement(const BundleMessage& truth, Turn& turn) {
  wire::BundleFields fields = fields_of(*truth.bundle);
  fields.acknowledged = RequestNumber(fields.first.value() + turn.random.below(100));
  return BundleMessage{sign_bundle(fields, requests_of(*truth.bundle), turn), truth.retry};
}

/// Bundles of its session, in order, one after the other without waiting for a reply.
class ClientFlood final : public OnSending<BundleMessage> {
 public:
  explicit ClientFlood(Random&) {}

 private:
  void sending(const BundleMessage& body, const Utterance& truth, Turn& turn) override {
    turn.pass(truth);
    if (!is_call(body) || !turn.random.chance(1, 8)) return;
    wire::BundleFields fields = fields_of(*body.bundle);
    fields.first = RequestNumber(fields.first.value() + body.bundle->requests.size());
    constexpr size_t kBundles = 100;
    for (size_t i = 0; i < kBundles; ++i) {
      turn.say(turn.executors(), BundleMessage{sign_bundle(fields, {"flood"}, turn), i % 2 == 0});
      fields.first = fields.first.next();
    }
  }
};

/// More bundles than anybody keeps for one client, once: what they wait for never comes.
class BundleHoard final : public OnSending<BundleMessage> {
 public:
  explicit BundleHoard(Random&) {}

 private:
  void sending(const BundleMessage& body, const Utterance& truth, Turn& turn) override {
    turn.pass(truth);
    if (!is_call(body) || done_) return;
    done_ = true;
    wire::BundleFields fields = fields_of(*body.bundle);
    const Address keeper = turn.one_of(turn.executors());
    constexpr uint64_t kGap = 1000;
    constexpr size_t kBundles = limits::kMaxPendingBundles / 2 + 300;
    for (size_t i = 0; i < kBundles; ++i) {
      fields.first = RequestNumber(fields.first.value() + (i == 0 ? kGap : 1));
      turn.say({keeper}, BundleMessage{sign_bundle(fields, {"hoard"}, turn), false});
    }
  }
  bool done_ = false;
};

/// In another client's name: its own signature, or the other's old one under a new body.
MaybeBundle other_name(const BundleMessage& truth, Turn& turn) {
  wire::BundleFields fields = fields_of(*truth.bundle);
  fields.client = static_cast<uint16_t>(turn.random.below(turn.me.clients + 1u));
  if (turn.random.chance(1, 2)) {
    return BundleMessage{sign_bundle(fields, requests_of(*truth.bundle), turn), truth.retry};
  }
  const Bytes signature = truth.bundle->signature;
  const auto stolen = wire::make_bundle(fields, requests_of(*truth.bundle),
                                        [&signature](ByteView) { return signature; });
  return BundleMessage{stolen, truth.retry};
}

/// Opens session after session.
void sessions(Turn& turn) {
  const wire::BundleFields fields{wire::BundleKind::kOpen, turn.me.self.index, SessionId(),
                                  RequestNumber(turn.random.next()), RequestNumber()};
  turn.say(turn.executors(), BundleMessage{sign_bundle(fields, {}, turn), true});
}

/// Calls in sessions that are not its own, or nobody's.
MaybeBundle other_session(const BundleMessage& truth, Turn& turn) {
  if (!is_call(truth)) return truth;
  wire::BundleFields fields = fields_of(*truth.bundle);
  const uint64_t session = fields.session.value();
  fields.session = SessionId(turn.random.chance(1, 2) ? turn.random.next()
                                                      : session ^ (1 + turn.random.below(3)));
  return BundleMessage{sign_bundle(fields, requests_of(*truth.bundle), turn), truth.retry};
}

}  // namespace

std::vector<Entry> client_strategies() {
  const std::vector<Role> who = {Role::kClient};
  using All = ToAll<BundleMessage>;
  return {
      {"two-bodies", "one request id with two bodies", who, make<TwoBodies>()},
      {"body-per-replica", "another body to each executor", who, make<BodyPerReplica>()},
      {"skipped-numbers", "leaves out numbers of its session", who, make<All>(skipped)},
      {"old-bundles", "its own old bundles again", who, make<Now>(old_bundles)},
      {"never-acknowledging", "never says what it has received", who,
       make<All>(never_acknowledged)},
      {"false-acknowledgement", "says that it received what it was never sent", who,
       make<All>(false_acknowledgement)},
      {"client-flood", "a hundred bundles at once, beyond its limit", who, make<ClientFlood>()},
      {"bundle-hoard", "more bundles than are kept for one client, all too early", who,
       make<BundleHoard>(), Occasion::kAlways, true},
      {"other-name", "bundles in another client's name", who, make<All>(other_name)},
      {"session-spam", "opens session after session", who, make<Now>(sessions)},
      {"other-session", "calls in sessions that are not its own", who, make<All>(other_session)},
  };
}

}  // namespace eve::sim::adversary
