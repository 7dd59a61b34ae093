#include "sim/member_host.h"

#include <utility>

#include "base/limits.h"
#include "sim/violation.h"
#include "wire/codec.h"

namespace eve::sim {
namespace {

constexpr size_t kMostRemembered = 200;
/// From a link that is kept to the first note of its epoch.
constexpr uint64_t kMostUntilBegunUs = 200;

crypto::Digest random_digest(Random& random) {
  crypto::Digest digest;
  for (uint8_t& byte : digest.bytes) byte = static_cast<uint8_t>(random.next());
  return digest;
}

Address translated(Address address, Address from, Address to) {
  return address == from ? to : address;
}

}  // namespace

MemberHost::MemberHost(const Surroundings& around, const MemberSurroundings& cluster, Address self,
                       TimeUs clock_offset, uint64_t seed, const crypto::Authenticator& keys)
    : Host(around, self, clock_offset, seed), cluster_(cluster), keys_(keys) {}

void MemberHost::on_start() {
  membership::Succession chain = cluster_.first;
  for (const wire::Link& link : kept_) {
    if (!chain.extend(link)) throw Violation("membership", "a link that was kept is refused");
  }
  const membership::StewardOptions options{cluster_.model, self()};
  steward_ =
      std::make_unique<membership::Steward>(options, std::move(chain), keys_, cluster_.digester);
  const bool again = ever_seated_ && seated_in_ == steward_->epoch();
  begin(again);
  ever_seated_ |= steward_->seat().has_value();
  seated_in_ = steward_->epoch();
}

void MemberHost::on_message(const wire::Message& message, Address from, TimeUs now) {
  membership::Outbox out;
  const Address sender =
      translated(from, cluster_.operator_node, Address::client(limits::kOperator));
  const auto heard = steward_->receive(message, sender, now, out);
  if (heard && out.entered.empty()) hear(*heard->message, heard->from, now);
  carry_out_steward(out);
}

void MemberHost::on_tick(TimeUs now) {
  membership::Outbox out;
  steward_->tick(now, out);
  carry_out_steward(out);
}

void MemberHost::carry_out_steward(membership::Outbox& out) {
  for (const wire::Link& link : out.entered) {
    cluster_.entered(self(), link);
    kept_.push_back(link);
  }
  if (out.candidate) around_.trace.hit(Site::kCandidateKnown);
  if (!out.entered.empty()) {
    end_core();
    epoch_keys_.reset();
    later(static_cast<TimeUs>(random_.below(kMostUntilBegunUs)), [this] {
      if (seated_in_ == steward_->epoch()) return;
      ever_seated_ |= steward_->seat().has_value();
      seated_in_ = steward_->epoch();
      begin(false);
      stepped();
    });
  }
  post(std::move(out.sends));
}

void MemberHost::say(const std::vector<wire::Send>& sends) {
  if (liar_) lie(sends);
  post(steward_->address(sends));
}

/// As the network knows nodes.
void MemberHost::post(std::vector<wire::Send> sends) {
  for (wire::Send& send : sends) {
    for (Address& to : send.to) {
      to = translated(to, Address::client(limits::kOperator), cluster_.operator_node);
    }
  }
  send(sends);
}

/// Besides what the rules say it sends what they forbid: words of epochs that are over as if they
/// were of this one, farewells to what never was, votes for what nobody ran.
void MemberHost::lie(const std::vector<wire::Send>& sends) {
  for (const wire::Send& send : sends) {
    if (said_.size() < kMostRemembered && random_.chance(1, 4)) said_.push_back(send);
  }
  if (!said_.empty() && random_.chance(1, 2)) {
    post(steward_->address({said_[random_.below(said_.size())]}));
  }
  const auto seat = steward_->seat();
  if (seat && seat->role == Role::kExecutor && random_.chance(1, 4)) lie_to_learners();
  if (!seat || seat->role != Role::kVerifier || !random_.chance(1, 4)) return;
  const BatchNumber number(cluster_.ledger.last().value() + random_.below(3));
  const auto token = random_.chance(1, 2) || number > cluster_.ledger.last()
                         ? random_digest(random_)
                         : cluster_.ledger.token(number);
  std::vector<Address> verifiers;
  for (uint16_t i = 0; i < cluster_.model.verifiers(); ++i) {
    if (i != seat->index) verifiers.push_back(Address::verifier(i));
  }
  std::vector<Address> executors;
  for (uint16_t i = 0; i < cluster_.model.executors(); ++i) {
    executors.push_back(Address::executor(i));
  }
  wire::Farewell farewell{steward_->epoch(), number, token, seat->index, {}};
  const membership::EpochKeys keys(keys_, steward_->present().members);
  farewell.signature = keys.sign(crypto::Domain::kFarewell, wire::signed_bytes(farewell));
  const View view(random_.below(2));
  const auto share = [](wire::Message message) {
    return std::make_shared<const wire::Message>(std::move(message));
  };
  std::vector<wire::Send> nodes = steward_->address(
      {{verifiers, share(wire::Commit{view, number, token})},
       {executors, share(wire::Verdict{wire::VerdictKind::kCommit, view, number, token, {}})}});
  for (const Address verifier : verifiers) {
    nodes.push_back({{steward_->present().members.node_at(verifier)}, share(farewell)});
  }
  post(std::move(nodes));
}

/// That something is committed which is not.
void MemberHost::lie_to_learners() {
  const BatchNumber number(1 + random_.below(cluster_.ledger.last().value() + 3));
  const wire::TokenParts parts{number, random_digest(random_), random_digest(random_),
                               random_digest(random_), random_digest(random_)};
  const Address candidate = Address::executor(cluster_.model.executors() + 1);
  post(steward_->address(
      {{{candidate},
        std::make_shared<const wire::Message>(wire::StateReply{BatchNumber(), parts, {}})}}));
}

}  // namespace eve::sim
