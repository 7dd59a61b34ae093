#include "membership/steward.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/limits.h"
#include "membership/epoch_keys.h"
#include "wire/codec.h"
#include "wire/membership.h"

namespace eve::membership {

namespace {

constexpr TimeUs kNever = std::numeric_limits<TimeUs>::max();
/// Nodes that are remembered for not being answered again at once; beyond that all may be.
constexpr size_t kMostQuiet = 1024;

bool is_about_state(const wire::Message& message) {
  return std::holds_alternative<wire::StateRequest>(message) ||
         std::holds_alternative<wire::StateReply>(message);
}

}  // namespace

Steward::Steward(const StewardOptions& options, Succession succession,
                 const crypto::Authenticator& keys, const crypto::Digester& digester)
    : options_(options),
      succession_(std::move(succession)),
      keys_(keys),
      digester_(digester),
      committed_(present().number),
      token_(present().token),
      repeat_at_(0) {}

bool Steward::retired() const {
  return !seat() && succession_.ever_sat(options_.self);
}

// ---- What passes to the core (M8) --------------------------------------------------------------

std::optional<Steward::Heard> Steward::receive(const wire::Message& message, Address from,
                                               TimeUs now, Outbox& out) {
  if (const auto* enclosed = std::get_if<wire::InEpoch>(&message)) {
    return within(enclosed->epoch, enclosed->enclosed->message, from, now, out);
  }
  if (const auto* end = std::get_if<wire::EpochEnd>(&message)) {
    on(*end, from, now, out);
  } else if (const auto* farewell = std::get_if<wire::Farewell>(&message)) {
    on(*farewell, from, now, out);
  } else if (const auto* wanted = std::get_if<wire::ChainWanted>(&message)) {
    on(*wanted, from, now, out);
  } else if (const auto* chain = std::get_if<wire::Chain>(&message)) {
    on(*chain, from, now, out);
  } else if (const auto* announced = std::get_if<wire::Candidate>(&message)) {
    on(*announced, from, now, out);
  } else {
    return within(Epoch(), message, from, now, out);
  }
  return std::nullopt;
}

std::optional<Steward::Heard> Steward::within(Epoch epoch, const wire::Message& message,
                                              Address from, TimeUs now, Outbox& out) {
  if (epoch < this->epoch()) show(epoch, from, now, out);
  if (epoch > this->epoch()) ask(from, now, out);
  if (epoch != this->epoch()) return std::nullopt;
  return seated(message, from);
}

std::optional<Steward::Heard> Steward::seated(const wire::Message& message, Address from) const {
  if (const auto place = present().members.seat_of(from)) return Heard{&message, *place};
  // M14: who is about to come asks for state.
  if (from == coming_ && std::holds_alternative<wire::StateRequest>(message)) {
    return Heard{&message, Address::executor(options_.model.executors() + 1)};
  }
  // M10: who was replaced is asked for state, and answers.
  const auto left = succession_.replaced();
  const bool helps = from.role == Role::kExecutor && is_about_state(message) &&
                     std::find(left.begin(), left.end(), from) != left.end();
  if (!helps) return std::nullopt;
  return Heard{&message, Address::executor(options_.model.executors())};
}

std::vector<wire::Send> Steward::address(const std::vector<wire::Send>& sends) const {
  std::vector<wire::Send> addressed;
  const auto left = succession_.replaced();
  for (const wire::Send& send : sends) {
    wire::Send within{{}, send.message};
    for (const Address to : send.to) {
      if (to.role != Role::kExecutor || to.index < options_.model.executors()) {
        within.to.push_back(present().members.node_at(to));
        continue;
      }
      if (to.index > options_.model.executors()) {
        if (coming_) within.to.push_back(*coming_);
        continue;
      }
      for (const Address node : left) {
        if (node.role == Role::kExecutor) within.to.push_back(node);
      }
    }
    const bool names_its_epoch = std::holds_alternative<wire::EpochEnd>(*send.message) ||
                                 std::holds_alternative<wire::Candidate>(*send.message);
    if (epoch() != Epoch() && !names_its_epoch) {
      within.message = std::make_shared<const wire::Message>(wire::InEpoch{
          epoch(), std::make_shared<const wire::Enclosed>(wire::Enclosed{*send.message})});
    }
    if (!within.to.empty()) addressed.push_back(std::move(within));
  }
  return addressed;
}

// ---- The end of the epoch (M5, M6) -------------------------------------------------------------

void Steward::committed(BatchNumber number, const crypto::Digest& token) {
  if (number < committed_) return;
  committed_ = number;
  token_ = token;
}

// Executors repeat it: what cannot be judged yet comes again.
void Steward::on(const wire::EpochEnd& end, Address from, TimeUs now, Outbox& out) {
  if (end.epoch != epoch()) {
    if (end.epoch < epoch()) show(end.epoch, from, now, out);
    if (end.epoch > epoch()) ask(from, now, out);
    return;
  }
  const auto place = seat();
  if (!place || place->role != Role::kVerifier || !sits(Role::kExecutor, from)) return;
  if (evidence_ || end.evidence.parts.number != committed_) return;
  if (wire::token_of(end.evidence.parts, digester_) != token_) return;
  const auto change = wire::proven_change(end.evidence, digester_);
  if (!change || !present().members.after(*change)) return;
  evidence_ = end.evidence;
  repeat_at_ = now + options_.resend_after_us;
  say_farewell(out);
  gather(now, out);
}

void Steward::say_farewell(Outbox& out) {
  wire::Farewell farewell{epoch(), committed_, token_, seat()->index, {}};
  const EpochKeys keys(keys_, present().members);
  farewell.signature = keys.sign(crypto::Domain::kFarewell, wire::signed_bytes(farewell));
  keep(farewell, true);
  send(others(false), farewell, out);
}

void Steward::on(const wire::Farewell& farewell, Address from, TimeUs now, Outbox& out) {
  if (farewell.epoch != epoch()) {
    if (farewell.epoch < epoch()) show(farewell.epoch, from, now, out);
    if (farewell.epoch > epoch()) ask(from, now, out);
    return;
  }
  const auto place = present().members.seat_of(from);
  if (place != Address::verifier(farewell.verifier) || barred(from, now)) return;
  keep(farewell, false);
  gather(now, out);
}

// What is repeated need not be checked again.
void Steward::keep(const wire::Farewell& farewell, bool authentic) {
  if (const auto known = heard_.find(farewell.verifier); known != heard_.end()) {
    const wire::Farewell& said = known->second.said;
    const bool same = said.number == farewell.number && said.token == farewell.token &&
                      said.signature == farewell.signature;
    if (same) return;
  }
  heard_.insert_or_assign(farewell.verifier, Voice{farewell, authentic});
}

void Steward::gather(TimeUs now, Outbox& out) {
  if (!evidence_) return;
  wire::Link link{epoch(), *evidence_, {}};
  for (const auto& [verifier, voice] : heard_) {
    if (voice.said.number == committed_ && voice.said.token == token_) {
      link.farewells.push_back({verifier, voice.said.signature});
    }
  }
  if (link.farewells.size() < options_.model.agreement()) return;
  // One whose signature is wrong is no farewell: its sender may say it again, a while later.
  std::erase_if(link.farewells, [this, now](const wire::Certificate::Vote& vote) {
    Voice& voice = heard_.at(vote.verifier);
    voice.authentic = voice.authentic || succession_.authentic(voice.said);
    if (voice.authentic) return false;
    (void)is_new(barred_, present().members.node_at(Address::verifier(vote.verifier)), now);
    heard_.erase(vote.verifier);
    return true;
  });
  if (link.farewells.size() >= options_.model.agreement()) enter(link, out);
}

void Steward::enter(const wire::Link& link, Outbox& out) {
  if (!succession_.extend(link)) return;
  out.entered.push_back(link);
  evidence_.reset();
  heard_.clear();
  candidate_.reset();
  coming_.reset();
  out.candidate.reset();
  committed_ = present().number;
  token_ = present().token;
}

// ---- Who is behind, and who is ahead (M9) ------------------------------------------------------

void Steward::on(const wire::ChainWanted& wanted, Address from, TimeUs now, Outbox& out) {
  if (wanted.from < epoch()) show(wanted.from, from, now, out);
}

// Nobody asks a client. Where no node lies nothing is signed (r = 0), and a link proves itself by
// who hands it over only: clients may lie in every cluster.
void Steward::on(const wire::Chain& chain, Address from, TimeUs now, Outbox& out) {
  if (from.role == Role::kClient) return;
  if (barred(from, now)) return;
  for (const wire::Link& link : chain.links) {
    if (link.epoch < epoch()) continue;
    const Epoch before = epoch();
    enter(link, out);
    if (epoch() != before) continue;
    if (link.epoch == before) (void)is_new(barred_, from, now);
    return;
  }
}

// ---- Who is about to come (M14) ----------------------------------------------------------------

// Whoever hands it over: the signature says whose word it is. Where nothing is signed it is the
// operator's if the operator hands it over.
void Steward::on(const wire::Candidate& announced, Address from, TimeUs now, Outbox& out) {
  const Address by = Address::client(limits::kOperator);
  if (!options_.model.byzantine() && from != by) return;
  const wire::Bundle& bundle = *announced.bundle;
  auto change = wire::change_in(bundle);
  if (!change) return;
  if (change->epoch < epoch()) return show(change->epoch, from, now, out);
  if (change->epoch > epoch()) return ask(from, now, out);
  if (change == candidate_) return;
  const auto next = present().members.after(*change);
  if (!next) return;
  if (!is_new(judged_, from, now)) return;
  const bool authentic =
      keys_.verify(by, crypto::Domain::kBundle, bundle.signed_part, bundle.signature);
  if (!authentic) return;
  candidate_ = *change;
  coming_.reset();
  if (change->executor) coming_ = next->node_at(Address::executor(*change->executor));
  out.candidate = std::move(change);
}

bool Steward::barred(Address node, TimeUs now) const {
  const auto until = barred_.find(node);
  return until != barred_.end() && now < until->second;
}

bool Steward::is_new(std::map<Address, TimeUs>& quiet, Address node, TimeUs now) const {
  const auto until = quiet.find(node);
  if (until != quiet.end() && now < until->second) return false;
  if (quiet.size() >= kMostQuiet) quiet.clear();
  quiet[node] = now + options_.resend_after_us;
  return true;
}

// A client would not be believed.
void Steward::show(Epoch behind, Address node, TimeUs now, Outbox& out) {
  if (options_.self.role == Role::kClient) return;
  auto links = succession_.links_from(behind, limits::kMaxLinks);
  if (links.empty() || !is_new(shown_, node, now)) return;
  send({node}, wire::Chain{std::move(links)}, out);
}

void Steward::ask(Address node, TimeUs now, Outbox& out) {
  if (node.role == Role::kClient || !is_new(asked_, node, now)) return;
  send({node}, wire::ChainWanted{epoch()}, out);
}

// ---- Time --------------------------------------------------------------------------------------

// A node that has no seat yet asks until a link gives it one; one that has said farewell repeats
// it. (Executors repeat the evidence themselves.)
void Steward::tick(TimeUs now, Outbox& out) {
  if (now < repeat_at_) return;
  repeat_at_ = now + options_.resend_after_us;
  if (evidence_) say_farewell(out);
  if (!seat() && !retired()) {
    for (const Address node : others(true)) ask(node, now, out);
  }
}

TimeUs Steward::deadline() const {
  return evidence_ || (!seat() && !retired()) ? repeat_at_ : kNever;
}

// ---- Whom it writes to -------------------------------------------------------------------------

bool Steward::sits(Role role, Address node) const {
  return node.role == role && present().members.seat_of(node).has_value();
}

std::vector<Address> Steward::others(bool executors_too) const {
  std::vector<Address> nodes;
  const Members& members = present().members;
  for (uint16_t i = 0; i < members.verifiers.size(); ++i) {
    nodes.push_back(members.node_at(Address::verifier(i)));
  }
  for (uint16_t i = 0; executors_too && i < members.executors.size(); ++i) {
    nodes.push_back(members.node_at(Address::executor(i)));
  }
  std::erase(nodes, options_.self);
  return nodes;
}

void Steward::send(std::vector<Address> nodes, wire::Message message, Outbox& out) const {
  if (nodes.empty()) return;
  out.sends.push_back(
      {std::move(nodes), std::make_shared<const wire::Message>(std::move(message))});
}

}  // namespace eve::membership
