#include "sim/verifier_host.h"

#include <string>

#include "sim/violation.h"

namespace eve::sim {

VerifierHost::VerifierHost(const Surroundings& around, const verification::VerifierOptions& options,
                           TimeUs clock_offset, uint64_t seed,
                           const crypto::Authenticator& authenticator,
                           const crypto::Digester& digester, Ledger& ledger)
    : Host(around, Address::verifier(options.index), clock_offset, seed),
      options_(options),
      authenticator_(authenticator),
      digester_(digester),
      ledger_(ledger) {}
VerifierHost::~VerifierHost() = default;

bool VerifierHost::recovered() const {
  return up() && verifier_->status().phase != "recovering";
}

void VerifierHost::on_start() {
  auto options = options_;
  if (amnesiac()) {
    persisted_ = View();
  } else if (lives() > 1) {
    options.lost_promises_at = persisted_;
  }
  verifier_ = std::make_unique<verification::Verifier>(options, authenticator_, digester_);
  ledger_.restarted(self());
  verification::Outbox out;
  verifier_->start(local_now(), out);
  carry_out(out);
}

void VerifierHost::on_message(const wire::Message& message, Address from, TimeUs now) {
  verification::Outbox out;
  verifier_->receive(message, from, now, out);
  carry_out(out);
}

void VerifierHost::on_tick(TimeUs now) {
  verification::Outbox out;
  verifier_->tick(now, out);
  carry_out(out);
}

void VerifierHost::on_idle(TimeUs now) {
  verification::Outbox out;
  verifier_->idle(now, out);
  carry_out(out);
}

void VerifierHost::carry_out(const verification::Outbox& out) {
  if (out.persist_view) {
    if (*out.persist_view < persisted_) {
      throw Violation("no regress", to_string(self()) + " persists view " +
                                        std::to_string(out.persist_view->value()) + " after " +
                                        std::to_string(persisted_.value()));
    }
    persisted_ = *out.persist_view;
  }
  const auto now = verifier_->status();
  ledger_.committed(self(), now.committed, now.token);
  send(out.sends);
}

}  // namespace eve::sim
