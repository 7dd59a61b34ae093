#include "verification/rounds.h"

#include <algorithm>

#include "base/limits.h"

namespace eve::verification {

Rounds::Rounds(const FaultModel& model, const Notary& notary, const Point& genesis)
    : model_(model), notary_(notary), start_(genesis), committed_(genesis) {}

wire::Prepare Rounds::enter(View view, const Point& start, const crypto::Digest& quarantine) {
  EVE_CHECK(view > view_, "views only grow");
  view_ = view;
  start_ = start;
  quarantine_ = quarantine;
  start_open_ = true;
  slots_.clear();
  return prepare(start.number, Link{start.token, quarantine});
}

void Rounds::restore(const Promises& promises, const Point& committed,
                     const crypto::Digest& quarantine) {
  view_ = promises.view();
  quarantine_ = quarantine;
  start_open_ = promises.start_is_open();
  start_ = {promises.started.number, promises.started.token};
  if (start_open_) start_ = {promises.new_view->number, promises.new_view->token};
  committed_ = committed;
  for (const auto& [number, prepare] : promises.prepares) {
    Slot& slot = slots_[number];
    slot.own = prepare;
    slot.prepares.add_own(prepare);
  }
  for (const auto& [number, certificate] : promises.certificates) {
    slots_[number].certificate = certificate;
  }
  trim();
}

void Rounds::begin(const Point& start) {
  start_ = start;
  start_open_ = false;
  trim();
}

void Rounds::commit(const Point& point) {
  EVE_CHECK(point.number > committed_.number, "what is committed only grows");
  committed_ = point;
  trim();
}

void Rounds::trim() {
  std::erase_if(slots_, [this](const auto& entry) {
    const bool open = start_open_ && entry.first == start_.number;
    return entry.first <= committed_.number && !open;
  });
}

BatchNumber Rounds::base() const {
  return std::max(committed_.number, start_.number);
}

bool Rounds::holds(BatchNumber number) const {
  if (start_open_ && number == start_.number) return true;
  return number > base() && number.value() - base().value() <= limits::kWindow;
}

bool Rounds::add(uint16_t executor, const wire::Token& token) {
  if (!holds(token.parts.number) || token.parts.number <= base()) return false;
  Slot& slot = slots_[token.parts.number];
  if (!slot.tokens.add(executor, Link{token.token, token.parts.previous})) return false;
  const bool first = token.parts.number == start_.number.next();
  if (first && token.sole) slot.soles.add(executor, {token.parts.batch, *token.sole});
  if (!slot.diverged && slot.tokens.best() < slot.tokens.voters()) {
    slot.diverged = true;
    ++divergences_;
  }
  return true;
}

bool Rounds::add(const wire::Prepare& prepare) {
  if (!holds(prepare.number)) return false;
  return slots_[prepare.number].prepares.add(prepare);
}

// A certificate outranks the own vote; what is committed outranks both.
std::optional<crypto::Digest> Rounds::token_at(BatchNumber number) const {
  if (number == committed_.number) return committed_.token;
  const auto found = slots_.find(number);
  if (found == slots_.end()) return std::nullopt;
  if (found->second.certificate) return found->second.certificate->token;
  if (found->second.own) return found->second.own->token;
  return std::nullopt;
}

void Rounds::note_refused(Slot& slot) {
  for (const auto voter : slot.prepares.take_refused()) refused_.push_back(voter);
}

std::optional<Link> Rounds::choose(Slot& slot, const crypto::Digest& previous) {
  const auto certified = slot.tokens.reached(model_.token_certificate());
  if (certified && certified->previous == previous) return certified;
  const auto vouched = slot.prepares.reached(model_.vouched(), previous, notary_);
  note_refused(slot);
  return vouched;
}

wire::Prepare Rounds::prepare(BatchNumber number, const Link& link) {
  Slot& slot = slots_[number];
  EVE_CHECK(!slot.own, "one PREPARE a (view, number)");
  slot.own = wire::Prepare{view_, number, link.token, link.previous, 0, {}};
  notary_.sign(*slot.own);
  slot.prepares.add_own(*slot.own);
  return *slot.own;
}

std::optional<wire::Prepare> Rounds::next_prepare() {
  for (BatchNumber number = base().next(); holds(number); number = number.next()) {
    const auto previous = token_at(number.prev());
    if (!previous) return std::nullopt;
    const auto found = slots_.find(number);
    if (found == slots_.end()) return std::nullopt;
    if (found->second.own) continue;
    if (const auto link = choose(found->second, *previous)) return prepare(number, *link);
  }
  return std::nullopt;
}

std::optional<wire::Certificate> Rounds::next_certificate() {
  for (auto& [number, slot] : slots_) {
    if (slot.certificate) continue;
    const auto link = slot.prepares.reached(model_.agreement(), std::nullopt, notary_);
    note_refused(slot);
    if (!link) continue;
    slot.certificate = slot.prepares.certificate(view_, number, *link);
    return slot.certificate;
  }
  return std::nullopt;
}

std::vector<wire::Message> Rounds::own_votes() const {
  std::vector<wire::Message> votes;
  for (const auto& [number, slot] : slots_) {
    if (slot.own) votes.emplace_back(*slot.own);
    if (slot.certificate) votes.emplace_back(wire::Commit{view_, number, slot.certificate->token});
  }
  return votes;
}

TokenView Rounds::next_tokens() const {
  const auto found = slots_.find(committed_.number.next());
  if (found == slots_.end()) return {};
  const Slot& slot = found->second;
  size_t best = 0;
  for (const auto& [executor, link] : slot.tokens.votes()) {
    if (link.previous == committed_.token) best = std::max(best, slot.tokens.count(link));
  }
  const size_t missing = model_.executors() - slot.tokens.voters();
  const bool known = slot.tokens.voters() >= model_.vouched();
  return {known, known && slot.diverged, best + missing < model_.token_certificate()};
}

// A certificate proves what is quarantined; without one, and nothing to quarantine as far as this
// verifier knows, there is nothing to prove.
bool Rounds::start_is_undisputed() const {
  const auto found = slots_.find(start_.number);
  if (found == slots_.end() || !found->second.certificate) return quarantine_ == crypto::Digest();
  return found->second.certificate->previous == quarantine_;
}

std::optional<crypto::Digest> Rounds::diverged_alone() const {
  if (committed_.number > start_.number) return std::nullopt;
  const auto found = slots_.find(start_.number.next());
  if (found == slots_.end() || !found->second.diverged) return std::nullopt;
  const auto sole = found->second.soles.reached(model_.vouched());
  return sole ? std::optional(sole->bundle) : std::nullopt;
}

bool Rounds::busy() const {
  return std::any_of(slots_.begin(), slots_.end(), [this](const auto& entry) {
    const Slot& slot = entry.second;
    return slot.own || slot.certificate || slot.tokens.voters() >= model_.vouched() ||
           slot.prepares.voters() >= model_.vouched();
  });
}

std::string Rounds::progress() const {
  const auto found = slots_.find(committed_.number.next());
  if (found == slots_.end()) return "batch " + std::to_string(committed_.number.next().value());
  const Slot& slot = found->second;
  return "batch " + std::to_string(found->first.value()) + ": " +
         std::to_string(slot.tokens.voters()) + " tokens" +
         (slot.diverged ? " (they differ)" : "") + ", " + std::to_string(slot.prepares.voters()) +
         " PREPAREs" + (slot.certificate ? ", prepared" : "");
}

}  // namespace eve::verification
