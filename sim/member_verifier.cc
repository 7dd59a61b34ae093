#include "sim/member_verifier.h"

#include <algorithm>

#include "sim/violation.h"

namespace eve::sim {

MemberVerifier::MemberVerifier(const Surroundings& around, const MemberSurroundings& cluster,
                               Address self, TimeUs clock_offset, uint64_t seed,
                               const crypto::Authenticator& keys, bool keeps)
    : MemberHost(around, cluster, self, clock_offset, seed, keys), keeps_(keeps) {}

bool MemberVerifier::recovered() const {
  return up() && verifier_ != nullptr && verifier_->glance().phase != "recovering";
}

void MemberVerifier::on_start() {
  cluster_.ledger.restarted(self());
  MemberHost::on_start();
}

void MemberVerifier::begin(bool again) {
  verifier_.reset();
  const auto seat = steward_->seat();
  if (!seat) return;
  const membership::Beginning& present = steward_->present();
  verification::VerifierOptions options;
  options.model = cluster_.model;
  options.index = seat->index;
  options.start = present.number;
  options.genesis = present.token;
  if (!again) {  // M12: it has promised nothing in this epoch
    promises_.emplace(present.token, present.number);
    promised_ = View();
  } else if (keeps_) {
    options.recovered = promises_;
  } else {
    options.lost_promises_at = promised_;
  }
  epoch_keys_ = std::make_unique<membership::EpochKeys>(keys_, present.members);
  verifier_ = std::make_unique<verification::Verifier>(options, *epoch_keys_, cluster_.digester);
  verification::Outbox out;
  verifier_->start(local_now(), out);
  carry_out(out);
}

void MemberVerifier::hear(const wire::Message& message, Address from, TimeUs now) {
  if (verifier_ == nullptr) return;
  verification::Outbox out;
  verifier_->receive(message, from, now, out);
  carry_out(out);
}

const Refusals& MemberVerifier::refusals() const {
  return verifier_ == nullptr ? no_refusals() : verifier_->refusals();
}

void MemberVerifier::on_tick(TimeUs now) {
  MemberHost::on_tick(now);
  if (verifier_ == nullptr) return;
  verification::Outbox out;
  verifier_->tick(now, out);
  carry_out(out);
}

void MemberVerifier::on_idle(TimeUs now) {
  if (verifier_ == nullptr) return;
  verification::Outbox out;
  verifier_->idle(now, out);
  carry_out(out);
}

TimeUs MemberVerifier::deadline() const {
  const TimeUs steward = MemberHost::deadline();
  return verifier_ == nullptr ? steward : std::min(steward, verifier_->deadline());
}

void MemberVerifier::carry_out(verification::Outbox& out) {
  for (const verification::Promise& promise : out.promises) {
    if (keeps_ && !promises_->apply(promise)) {
      throw Violation("persist first", to_string(self()) + " makes a promise that cannot follow");
    }
  }
  if (const auto view = verification::highest_view(out.promises)) {
    promised_ = std::max(promised_, *view);
  }
  const auto now = verifier_->glance();
  if (!liar()) cluster_.ledger.committed(self(), now.committed, now.token);
  steward_->committed(now.committed, now.token);
  say(out.sends);
}

}  // namespace eve::sim
