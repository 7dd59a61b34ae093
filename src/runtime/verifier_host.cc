#include "runtime/verifier_host.h"

#include "runtime/log.h"

namespace eve::runtime {
namespace {

verification::VerifierOptions with_promise(verification::VerifierOptions options,
                                           const PromiseFile& promise) {
  options.lost_promises_at = promise.found();
  return options;
}

}  // namespace

VerifierHost::VerifierHost(Router& router, const crypto::Authenticator& authenticator,
                           const crypto::Digester& digester, verification::VerifierOptions options,
                           PromiseFile promise)
    : router_(router),
      address_(Address::verifier(options.index)),
      promise_(std::move(promise)),
      verifier_(with_promise(options, promise_), authenticator, digester) {}

void VerifierHost::start(TimeUs now) {
  verifier_.start(now, outbox_);
  hand_out();
}

void VerifierHost::receive(const wire::Message& message, Address from, TimeUs now) {
  if (failed()) return;
  verifier_.receive(message, from, now, outbox_);
  hand_out();
}

void VerifierHost::tick(TimeUs now) {
  if (failed()) return;
  verifier_.tick(now, outbox_);
  hand_out();
}

bool VerifierHost::idle(TimeUs now) {
  if (failed()) return false;
  verifier_.idle(now, outbox_);
  refusals_seen_.pass_on(
      verifier_.refusals(), [this](Address sender) { return router_.name_of(sender); },
      router_.links().refusals(), now);
  return hand_out();
}

bool VerifierHost::hand_out() {
  if (outbox_.persist_view) {
    if (auto status = promise_.write(*outbox_.persist_view); !status) {
      failure_ = status.message();
      log(LogLevel::kError, "verifier_stopped",
          {{"role", to_string(address_)}, {"reason", failure_}});
      outbox_ = {};
      return false;
    }
    outbox_.persist_view.reset();
  }
  if (outbox_.sends.empty()) return false;
  router_.send(address_, outbox_.sends);
  return true;
}

verification::VerifierStatus VerifierHost::status() const {
  auto status = verifier_.status();
  if (failed()) {
    status.phase = "stopped";
    status.waiting_for = failure_;
  }
  return status;
}

}  // namespace eve::runtime
