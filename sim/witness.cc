#include "sim/witness.h"

#include <variant>

namespace eve::sim {

bool Witness::again(Address from, const wire::Message& message, View view, BatchNumber number) {
  return !said_.emplace(from, message.index(), view, number).second;
}

void Witness::sent(Address from, const wire::Send& send) {
  const wire::Message& message = *send.message;
  if (const auto* token = std::get_if<wire::Token>(&message)) {
    if (again(from, message, token->view, token->parts.number)) trace_.hit(Site::kTokenResent);
  }
  if (const auto* sent = std::get_if<wire::BatchMessage>(&message)) {
    if (again(from, message, sent->batch->view, sent->batch->number)) {
      trace_.hit(Site::kBatchResent);
    }
  }
  if (const auto* prepare = std::get_if<wire::Prepare>(&message)) {
    if (again(from, message, prepare->view, prepare->number)) trace_.hit(Site::kVoteResent);
  }
  if (std::holds_alternative<wire::Suspect>(message)) trace_.hit(Site::kSuspicion);
  const auto* bundle = std::get_if<wire::BundleMessage>(&message);
  if (bundle != nullptr && from.role == Role::kExecutor) trace_.hit(Site::kForwardedRetry);
}

}  // namespace eve::sim
