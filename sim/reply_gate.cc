#include "sim/reply_gate.h"

#include <string>
#include <variant>

#include "sim/violation.h"

namespace eve::sim {

void ReplyGate::sent(Address from, const wire::Send& send) {
  const auto* reply = std::get_if<wire::Reply>(send.message.get());
  if (reply == nullptr || excused_.contains(from)) return;
  const bool settles = reply->status == wire::ReplyStatus::kExecuted ||
                       reply->status == wire::ReplyStatus::kQuarantined;
  if (!settles) return;
  replies_.follow();
  const BatchNumber committed = ledger_.committed_by(from);
  for (const Address to : send.to) {
    const ReplyChecker::Answer* answer =
        replies_.find({to.index, reply->session, reply->first}, committed);
    if (answer == nullptr) {
      throw Violation("verdict first",
                      to_string(from) + " answers " + to_string(to) + " what it has not committed");
    }
    if (answer->digest != reply->digest) {
      throw Violation("verdict first",
                      to_string(from) + " answers " + to_string(to) + " not as committed");
    }
  }
}

void ReplyGate::arrived(Address executor, uint16_t client, const wire::Reply& reply) {
  vouched_[{{client, reply.session, reply.first}, reply.digest}].insert(executor);
}

void ReplyGate::accepted(const BundleName& bundle, const crypto::Digest& digest) const {
  const auto known = vouched_.find({bundle, digest});
  const size_t vouched = known == vouched_.end() ? 0 : known->second.size();
  if (vouched >= model_.vouched()) return;
  throw Violation("quorum", "client " + std::to_string(std::get<0>(bundle)) + " accepts what " +
                                std::to_string(vouched) + " executors say");
}

}  // namespace eve::sim
