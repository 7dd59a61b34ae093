#include "sim/conduct.h"

#include <algorithm>
#include <optional>
#include <string>
#include <variant>

#include "sim/violation.h"
#include "wire/codec.h"

namespace eve::sim {
namespace {

std::string at(View view, BatchNumber number) {
  return " view " + std::to_string(view.value()) + " number " + std::to_string(number.value());
}

/// The view in which an executor speaks, if that binds it.
std::optional<View> spoken_in(const wire::Message& message) {
  if (const auto* token = std::get_if<wire::Token>(&message)) return token->view;
  if (const auto* sent = std::get_if<wire::BatchMessage>(&message)) return sent->batch->view;
  if (const auto* suspect = std::get_if<wire::Suspect>(&message)) return suspect->view;
  return std::nullopt;
}

}  // namespace

void SilenceConduct::restarted(Address executor) {
  const auto spoken = spoken_.find(executor);
  if (spoken != spoken_.end()) floors_[executor] = spoken->second;
}

void SilenceConduct::heard(Address from, const wire::Message& message) {
  const auto view = spoken_in(message);
  if (!view) return;
  const auto floor = floors_.find(from);
  if (floor != floors_.end() && *view <= floor->second) {
    throw Violation("silent after restart",
                    to_string(from) + " speaks in view " + std::to_string(view->value()) +
                        " and has spoken in view " + std::to_string(floor->second.value()) +
                        " before its restart");
  }
  View& highest = spoken_.emplace(from, *view).first->second;
  highest = std::max(highest, *view);
}

void TokenConduct::heard(Address from, const wire::Message& message) {
  if (const auto* sent = std::get_if<wire::BatchMessage>(&message)) {
    batches_.emplace(sent->batch->digest, sent->batch->view);
  }
  const auto* token = std::get_if<wire::Token>(&message);
  if (token == nullptr) return;
  const auto batch = batches_.find(token->parts.batch);
  if (!liars_ && batch != batches_.end() && batch->second != token->view) {
    throw Violation("one token", to_string(from) + " sends one for a batch of another view," +
                                     at(token->view, token->parts.number));
  }
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

/// Each of those that are not trusted may have voted as well.
size_t VoteConduct::votes_for(View view, BatchNumber number, const crypto::Digest& token) const {
  size_t votes = distrusted_.size();
  const auto found = voters_.find({view, number, token});
  if (found == voters_.end()) return votes;
  for (const Address voter : found->second) votes += distrusted_.contains(voter) ? 0 : 1;
  return votes;
}

/// The first PREPARE in a view is for its start point, and extends nothing.
void VoteConduct::check_history(Address from, const wire::Prepare& prepare) const {
  const auto first = prepares_.lower_bound({from, prepare.view, BatchNumber()});
  const bool in_view = first != prepares_.end() && std::get<0>(first->first) == from &&
                       std::get<1>(first->first) == prepare.view;
  if (prepare.view > View() && !in_view) return;
  const BatchNumber before = prepare.number.prev();
  const auto own = prepares_.find({from, prepare.view, before});
  if (own != prepares_.end() && own->second.first == prepare.previous) return;
  if (before <= ledger_.last() && ledger_.token(before) == prepare.previous) return;
  if (votes_for(prepare.view, before, prepare.previous) >= model_.agreement()) return;
  throw Violation("one history", to_string(from) + " votes for what does not extend its history," +
                                     at(prepare.view, prepare.number));
}

void VoteConduct::prepared(Address from, const wire::Prepare& prepare) {
  check_view(from, prepare.view);
  const bool again = prepares_.contains({from, prepare.view, prepare.number});
  if (!again) check_history(from, prepare);
  const std::pair vote(prepare.token, prepare.previous);
  const auto [known, first] =
      prepares_.emplace(std::tuple(from, prepare.view, prepare.number), vote);
  if (!first && known->second != vote) {
    throw Violation("one vote",
                    to_string(from) + " votes twice," + at(prepare.view, prepare.number));
  }
  voters_[{prepare.view, prepare.number, prepare.token}].insert(from);
}

void VoteConduct::committed(Address from, const wire::Commit& commit) {
  check_view(from, commit.view);
  const size_t votes = votes_for(commit.view, commit.number, commit.token);
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
  BatchNumber number = start_;
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

void QuarantineConduct::heard(Address from, const wire::Message& message) {
  if (const auto* prepare = std::get_if<wire::Prepare>(&message)) {
    voters_[{prepare->view, prepare->number, prepare->token, prepare->previous}].insert(from);
  }
  if (const auto* verdict = std::get_if<wire::Verdict>(&message)) {
    if (verdict->kind == wire::VerdictKind::kRollback) announced(from, *verdict);
  }
  if (const auto* welcome = std::get_if<wire::Welcome>(&message)) announced(from, welcome->start);
}

void QuarantineConduct::announced(Address from, const wire::Verdict& start) {
  if (start.view == View()) return;  // which nobody had to agree on
  if (start.quarantine.empty() && !distrusted_.empty()) return;
  const std::string where = " for view " + std::to_string(start.view.value());
  const auto [list, first] = lists_.emplace(start.view, start.quarantine);
  if (!first && list->second != start.quarantine) {
    throw Violation("one quarantine",
                    to_string(from) + " announces another list than others" + where);
  }
  if (start.quarantine.empty()) return;
  const auto digest = wire::quarantine_digest(start.quarantine, digester_);
  const auto found = voters_.find({start.view, start.number, start.token, digest});
  size_t votes = distrusted_.size();
  if (found != voters_.end()) {
    for (const Address voter : found->second) votes += distrusted_.contains(voter) ? 0 : 1;
  }
  if (votes >= model_.agreement()) return;
  throw Violation("one quarantine", to_string(from) + " announces a list that " +
                                        std::to_string(votes) + " verifiers PREPAREd" + where);
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
