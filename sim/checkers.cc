#include "sim/checkers.h"

#include <string>
#include <variant>

#include "base/limits.h"
#include "sim/violation.h"

namespace eve::sim {
namespace {

std::string name(const BundleName& bundle) {
  return "client " + std::to_string(std::get<0>(bundle)) + " session " +
         std::to_string(std::get<1>(bundle).value()) + " first " +
         std::to_string(std::get<2>(bundle).value());
}

}  // namespace

void ReplyChecker::follow() {
  while (seen_ < ledger_.last()) {
    seen_ = seen_.next();
    for (const execution::BundleReply& reply : ledger_.entry(seen_).replies) {
      if (reply.status != wire::ReplyStatus::kExecuted) continue;
      const BundleName bundle{reply.client, reply.session, reply.first};
      const TimeUs time_us = ledger_.entry(seen_).batch->time_us;
      const auto [known, first] = payloads_.emplace(bundle, Answer{reply.payload, time_us});
      if (first || known->second.payload.view() == reply.payload.view()) continue;
      const bool opening = reply.session == SessionId();
      const bool expired = time_us - known->second.time_us > limits::kSessionExpiryUs;
      if (opening && expired) {
        known->second = {reply.payload, time_us};
      } else {
        throw Violation("exactly once", name(bundle) + " was answered twice, differently");
      }
    }
  }
}

void ReplyChecker::accepted(const BundleName& bundle, ByteView payload) const {
  const auto known = payloads_.find(bundle);
  if (known == payloads_.end()) {
    throw Violation("replies", name(bundle) + " was answered, but nothing is committed");
  }
  if (known->second.payload.view() != payload) {
    throw Violation("replies", name(bundle) + " was not answered as committed");
  }
}

Oracle::Oracle(const crypto::Digester& digester, const execution::MakeService& make_service)
    : runner_(digester, scheduler_, make_service, [] { return TimeUs(0); }) {}

void Oracle::follow(const Ledger& ledger) {
  while (ran_ < ledger.last()) {
    ran_ = ran_.next();
    const Ledger::Entry& entry = ledger.entry(ran_);
    execution::BatchExecuted executed;
    const auto emit = [&executed](execution::Event event) {
      executed = std::get<execution::BatchExecuted>(std::move(event));
    };
    runner_.apply(execution::RunBatch{0, entry.batch, execution::RunMode::kSequential}, emit);
    runner_.apply(execution::CommitBatches{ran_}, emit);
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
