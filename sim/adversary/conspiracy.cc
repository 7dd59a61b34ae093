#include "sim/adversary/conspiracy.h"

#include <algorithm>
#include <variant>

namespace eve::sim::adversary {
namespace {

constexpr size_t kMessages = 64;
constexpr size_t kBundles = 96;
/// Of these, so many stay for ever: what is oldest when a session has expired.
constexpr size_t kFirstBundles = 32;
constexpr size_t kTokens = 32;
constexpr size_t kSubjects = 32;
constexpr size_t kViews = 8;
constexpr size_t kHeard = 64;

}  // namespace

void Conspiracy::learn(const wire::MessagePtr& message, Address from) {
  messages_.push_back(message);
  if (messages_.size() > kMessages) messages_.pop_front();
  if (from.role == Role::kClient && member(from)) {
    // A client's own bundles are as good as any others.
    if (const auto* bundle = std::get_if<wire::BundleMessage>(message.get())) take(*bundle);
    return;
  }
  std::visit([this](const auto& body) { take(body); }, *message);
  const auto* token = std::get_if<wire::Token>(message.get());
  if (token == nullptr || from.role != Role::kExecutor || member(from)) return;
  heard_[{token->view, token->parts.number}].emplace(from.index, *token);
  if (heard_.size() > kHeard) heard_.erase(heard_.begin());
}

void Conspiracy::trim_splits() {
  while (splits_.size() > kHeard) splits_.erase(splits_.begin());
}

void Conspiracy::at(View view, BatchNumber number) {
  view_ = std::max(view_, view);
  number_ = std::max(number_, number);
}

void Conspiracy::keep(const wire::BundlePtr& bundle) {
  if (bundles_.size() < kBundles) {
    bundles_.push_back(bundle);
    return;
  }
  bundles_[kFirstBundles + next_bundle_] = bundle;
  next_bundle_ = (next_bundle_ + 1) % (kBundles - kFirstBundles);
}

void Conspiracy::take(const wire::BatchMessage& message) {
  at(message.batch->view, message.batch->number);
  for (const wire::BundlePtr& bundle : message.batch->bundles) keep(bundle);
}

void Conspiracy::take(const wire::Token& token) {
  at(token.view, token.parts.number);
  tokens_.insert_or_assign(token.parts.number, token);
  if (tokens_.size() > kTokens) tokens_.erase(tokens_.begin());
}

void Conspiracy::take(const wire::Verdict& verdict) {
  at(verdict.view, verdict.number);
  if (verdict.kind == wire::VerdictKind::kCommit) committed_ = verdict;
}

void Conspiracy::take(const wire::Prepare& prepare) {
  at(prepare.view, prepare.number);
  prepares_[{prepare.view, prepare.number, prepare.token}].insert_or_assign(prepare.verifier,
                                                                            prepare);
  if (prepares_.size() <= kSubjects) return;
  // The very first one stays: an old certificate to lie with.
  prepares_.erase(std::next(prepares_.begin()));
}

void Conspiracy::take(const wire::ViewChange& change) {
  changes_[change.view].insert_or_assign(change.verifier, change);
  if (changes_.size() > kViews) changes_.erase(changes_.begin());
}

void Conspiracy::take(const wire::NewView& new_view) {
  at(new_view.view, new_view.number);
  for (const wire::ViewChange& change : new_view.proof) take(change);
}

wire::Certificate Conspiracy::certificate_of(const Subject& subject,
                                             const std::map<uint16_t, wire::Prepare>& votes) const {
  wire::Certificate certificate;
  certificate.genesis = false;
  std::tie(certificate.view, certificate.number, certificate.token) = subject;
  certificate.previous = votes.begin()->second.previous;
  for (const auto& [verifier, prepare] : votes) {
    certificate.votes.push_back({verifier, prepare.signature});
  }
  return certificate;
}

std::optional<wire::Certificate> Conspiracy::certificate(bool highest) const {
  std::optional<wire::Certificate> found;
  for (const auto& [subject, votes] : prepares_) {
    if (votes.size() < model_.agreement()) continue;
    found = certificate_of(subject, votes);
    if (!highest) break;
  }
  return found;
}

std::vector<wire::Prepare> Conspiracy::votes() const {
  std::vector<wire::Prepare> votes;
  if (prepares_.empty()) return votes;
  for (const auto& [verifier, prepare] : prepares_.rbegin()->second) votes.push_back(prepare);
  return votes;
}

std::vector<wire::ViewChange> Conspiracy::changes(View view) const {
  std::vector<wire::ViewChange> changes;
  const auto found = changes_.find(view);
  if (found == changes_.end()) return changes;
  for (const auto& [verifier, change] : found->second) changes.push_back(change);
  return changes;
}

}  // namespace eve::sim::adversary
