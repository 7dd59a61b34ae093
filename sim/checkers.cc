#include "sim/checkers.h"

#include <algorithm>
#include <string>
#include <variant>

#include "base/limits.h"
#include "sim/violation.h"
#include "wire/codec.h"

namespace eve::sim {
namespace {

std::string name(const BundleName& bundle) {
  return "client " + std::to_string(std::get<0>(bundle)) + " session " +
         std::to_string(std::get<1>(bundle).value()) + " first " +
         std::to_string(std::get<2>(bundle).value());
}

/// What the batch's view kept from being executed, as its committed replies say.
wire::Names quarantined(const Ledger::Entry& entry, const crypto::Digester& digester) {
  wire::Names names;
  for (size_t i = 0; i < entry.replies.size(); ++i) {
    if (entry.replies[i].status != wire::ReplyStatus::kQuarantined) continue;
    names.push_back(wire::bundle_name(*entry.batch->bundles[i], digester));
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool unforeseeable(const Ledger::Entry& entry, const Workload& workload) {
  for (size_t i = 0; i < entry.batch->bundles.size(); ++i) {
    if (entry.replies[i].status == wire::ReplyStatus::kQuarantined) continue;
    const wire::BundlePtr& bundle = entry.batch->bundles[i];
    for (const auto& request : bundle->requests) {
      if (workload.unforeseeable(request)) return true;
    }
  }
  return false;
}

}  // namespace

void ReplyChecker::follow() {
  while (seen_ < ledger_.last()) {
    seen_ = seen_.next();
    for (const execution::BundleReply& reply : ledger_.entry(seen_).replies) {
      const bool final = reply.status == wire::ReplyStatus::kExecuted ||
                         reply.status == wire::ReplyStatus::kQuarantined;
      if (!final) continue;
      const BundleName bundle{reply.client, reply.session, reply.first};
      const TimeUs time_us = ledger_.entry(seen_).batch->time_us;
      const Answer answer{seen_, time_us, reply.digest, reply.payload};
      std::vector<Answer>& known = answers_[bundle];
      if (!known.empty() && known.back().digest == reply.digest) continue;
      const bool opening = reply.session == SessionId();
      const bool due =
          known.empty() || (opening && time_us - known.back().time_us > limits::kSessionExpiryUs);
      if (!due) throw Violation("exactly once", name(bundle) + " was answered twice, differently");
      known.push_back(answer);
    }
  }
}

void ReplyChecker::accepted(const BundleName& bundle, ByteView payload) const {
  const auto known = answers_.find(bundle);
  if (known == answers_.end()) {
    throw Violation("replies", name(bundle) + " was answered, but nothing is committed");
  }
  for (const Answer& answer : known->second) {
    if (answer.payload.view() == payload) return;
  }
  throw Violation("replies", name(bundle) + " was not answered as committed");
}

const ReplyChecker::Answer* ReplyChecker::find(const BundleName& bundle, BatchNumber last) const {
  const auto known = answers_.find(bundle);
  if (known == answers_.end()) return nullptr;
  const Answer* found = nullptr;
  for (const Answer& answer : known->second) {
    if (answer.number <= last) found = &answer;
  }
  return found;
}

Oracle::Oracle(const crypto::Digester& digester, const execution::MakeService& make_service)
    : digester_(digester), runner_(digester, scheduler_, make_service, [] { return TimeUs(0); }) {}

void Oracle::follow(const Ledger& ledger, const Workload& workload) {
  while (!lost_ && ran_ < ledger.last()) {
    ran_ = ran_.next();
    const Ledger::Entry& entry = ledger.entry(ran_);
    execution::BatchExecuted executed;
    const auto emit = [&executed](execution::Event event) {
      executed = std::get<execution::BatchExecuted>(std::move(event));
    };
    runner_.apply(execution::RunBatch{0, entry.batch, execution::RunMode::kSequential,
                                      quarantined(entry, digester_)},
                  emit);
    runner_.apply(execution::CommitBatches{ran_}, emit);
    lost_ = executed.token != entry.token && unforeseeable(entry, workload);
    if (lost_) return;
    const std::string where = " of batch " + std::to_string(ran_.value());
    if (executed.parts.state != entry.parts.state) {
      throw Violation("oracle", "the state" + where + " is not that of running it in order");
    }
    if (executed.token != entry.token) {
      throw Violation("oracle", "the replies" + where + " are not those of running it in order");
    }
  }
}

}  // namespace eve::sim
