#include "sim/conduct.h"

#include <string>
#include <variant>

#include "sim/violation.h"

namespace eve::sim {
namespace {

std::string at(View view, BatchNumber number) {
  return " view " + std::to_string(view.value()) + " number " + std::to_string(number.value());
}

}  // namespace

void TokenConduct::heard(Address from, const wire::Message& message) {
  const auto* token = std::get_if<wire::Token>(&message);
  if (token == nullptr) return;
  const auto [said, first] =
      said_.emplace(std::tuple(from, token->view, token->parts.number), token->token);
  if (!first && said->second != token->token) {
    throw Violation("one token",
                    to_string(from) + " sends two for" + at(token->view, token->parts.number));
  }
}

void PrimaryConduct::heard(Address from, const wire::Message& message) {
  const auto* sent = std::get_if<wire::BatchMessage>(&message);
  if (sent == nullptr) return;
  const wire::Batch& batch = *sent->batch;
  if (from != Address::executor(batch.view.value() % model_.executors())) {
    throw Violation("one primary", to_string(from) + " proposes" + at(batch.view, batch.number));
  }
  const auto [known, first] = batches_.emplace(std::pair(batch.view, batch.number), batch.digest);
  if (!first && known->second != batch.digest) {
    throw Violation("one batch",
                    to_string(from) + " proposes two for" + at(batch.view, batch.number));
  }
}

void VoteConduct::heard(Address from, const wire::Message& message) {
  if (const auto* prepare = std::get_if<wire::Prepare>(&message)) prepared(from, *prepare);
  if (const auto* commit = std::get_if<wire::Commit>(&message)) committed(from, *commit);
  if (const auto* change = std::get_if<wire::ViewChange>(&message)) {
    View& asked = asked_[from];
    asked = std::max(asked, change->view);
  }
}

void VoteConduct::check_view(Address from, View view) const {
  const auto asked = asked_.find(from);
  if (asked == asked_.end() || view >= asked->second) return;
  throw Violation("silence below", to_string(from) + " votes in view " +
                                       std::to_string(view.value()) + " after asking for " +
                                       std::to_string(asked->second.value()));
}

void VoteConduct::prepared(Address from, const wire::Prepare& prepare) {
  check_view(from, prepare.view);
  const auto [known, first] =
      prepares_.emplace(std::tuple(from, prepare.view, prepare.number), prepare.token);
  if (!first && known->second != prepare.token) {
    throw Violation("one vote",
                    to_string(from) + " votes twice," + at(prepare.view, prepare.number));
  }
  voters_[{prepare.view, prepare.number, prepare.token}].insert(from);
}

/// Each of those that are not trusted may have voted as well.
void VoteConduct::committed(Address from, const wire::Commit& commit) {
  check_view(from, commit.view);
  const std::set<Address>& voters = voters_[{commit.view, commit.number, commit.token}];
  size_t votes = distrusted_.size();
  for (const Address voter : voters) votes += distrusted_.contains(voter) ? 0 : 1;
  if (votes >= model_.agreement()) return;
  throw Violation("certificates", to_string(from) + " commits" + at(commit.view, commit.number) +
                                      " on " + std::to_string(votes) + " votes");
}

void ViewConduct::heard(Address from, const wire::Message& message) {
  const auto* new_view = std::get_if<wire::NewView>(&message);
  if (new_view == nullptr) return;
  const std::string where = "NEW-VIEW " + std::to_string(new_view->view.value());
  const Start start{new_view->number, new_view->token};
  // Others pass on what they joined, and a leader that lies may have told them different things.
  if (from == Address::verifier(notary_.leader(new_view->view))) {
    const auto [known, first] = led_.emplace(new_view->view, start);
    if (!first && known->second != start) {
      throw Violation("one start", where + " has two start points");
    }
  }
  if (!checked_[new_view->view].insert(start).second) return;
  check_choice(from, *new_view);
  if (!notary_.valid(*new_view)) {
    throw Violation("certificates", to_string(from) + " sends an invalid " + where);
  }
}

/// Deliberately dumb: counts who asked, and looks for the highest certificate.
void ViewConduct::check_choice(Address from, const wire::NewView& new_view) const {
  std::set<uint16_t> asking;
  BatchNumber number;
  View view;
  for (const wire::ViewChange& change : new_view.proof) {
    if (change.view == new_view.view) asking.insert(change.verifier);
    if (change.prepared.genesis) continue;
    const bool higher = change.prepared.view > view ||
                        (change.prepared.view == view && change.prepared.number > number);
    if (!higher) continue;
    view = change.prepared.view;
    number = change.prepared.number;
  }
  if (asking.size() >= model_.agreement() && new_view.number == number) return;
  throw Violation("certificates", to_string(from) + " starts view " +
                                      std::to_string(new_view.view.value()) + " at " +
                                      std::to_string(new_view.number.value()) + " instead of " +
                                      std::to_string(number.value()));
}

void ViewChecker::stands(Address node, View view) {
  View& before = views_[node];
  if (view < before) {
    throw Violation("views grow", to_string(node) + " went from view " +
                                      std::to_string(before.value()) + " to " +
                                      std::to_string(view.value()));
  }
  before = view;
}

void SequentialChecker::ran(Address replica, const wire::TokenParts& parts,
                            const crypto::Digest& token) {
  const auto [known, first] = tokens_.emplace(std::pair(parts.previous, parts.batch), token);
  if (first || known->second == token) return;
  throw Violation("sequential", to_string(replica) + " ran batch " +
                                    std::to_string(parts.number.value()) +
                                    " in order and has another token than others");
}

}  // namespace eve::sim
