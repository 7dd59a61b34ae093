#include "sim/ledger.h"

#include <algorithm>
#include <string>

#include "sim/violation.h"

namespace eve::sim {
namespace {

std::string name(BatchNumber number, const crypto::Digest& token) {
  return "batch " + std::to_string(number.value()) + " token " + token.brief();
}

}  // namespace

void Ledger::saw_batch(const wire::BatchPtr& batch) {
  if (batch->number > last()) batches_.emplace(batch->digest, batch);
}

void Ledger::saw_executed(const execution::BatchExecuted& executed) {
  const wire::TokenParts& parts = executed.parts;
  std::set<crypto::Digest>& outcomes = outcomes_[{parts.previous, parts.batch}];
  if (outcomes.insert(executed.token).second) {
    if (outcomes.size() == 2) ++divergences_;
    if (outcomes.size() == 3) ++third_tokens_;
  }
  if (parts.number > last()) computed_.emplace(executed.token, Computed{parts, executed.replies});
}

void Ledger::committed(Address node, BatchNumber number, const crypto::Digest& said) {
  BatchNumber& before = last_[node];
  if (number < before && !twins_.contains(node)) {
    throw Violation("no regress", to_string(node) + " went back from " +
                                      std::to_string(before.value()) + " to " +
                                      std::to_string(number.value()));
  }
  before = number;
  if (number > last()) extend(said, number);
  if (token(number) != said) {
    throw Violation("agreement", to_string(node) + " committed " + name(number, said) +
                                     ", but others " + name(number, token(number)));
  }
}

/// Tokens are chained: the last one names all before it.
void Ledger::extend(const crypto::Digest& newest, BatchNumber number) {
  std::vector<Entry> added;
  crypto::Digest next = newest;
  for (BatchNumber n = number; n > last(); n = n.prev()) {
    const auto computed = computed_.find(next);
    if (computed == computed_.end() || computed->second.parts.number != n) {
      throw Violation("validity", name(n, next) + " was committed, but no replica computed it");
    }
    const auto batch = batches_.find(computed->second.parts.batch);
    if (batch == batches_.end()) {
      throw Violation("validity", name(n, next) + " was committed, but nobody ran its batch");
    }
    added.push_back({next, computed->second.parts, batch->second, computed->second.replies});
    next = computed->second.parts.previous;
  }
  if (next != token(last())) {
    throw Violation("agreement",
                    name(number, newest) + " does not follow " + name(last(), token(last())));
  }
  std::move(added.rbegin(), added.rend(), std::back_inserter(history_));
  std::erase_if(computed_, [this](const auto& e) { return e.second.parts.number <= last(); });
  std::erase_if(batches_, [this](const auto& e) { return e.second->number <= last(); });
}

}  // namespace eve::sim
