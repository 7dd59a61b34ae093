#include "verification/verifier.h"

#include "verification/core.h"

namespace eve::verification {

struct Verifier::Impl : Core {
  using Core::Core;
};

Verifier::Verifier(const VerifierOptions& options, const crypto::Authenticator& authenticator,
                   const crypto::Digester& digester)
    : impl_(std::make_unique<Impl>(options, authenticator, digester)) {}

Verifier::~Verifier() = default;

void Verifier::start(TimeUs now, Outbox& out) {
  impl_->start(now, out);
}

void Verifier::receive(const wire::Message& message, Address from, TimeUs now, Outbox& out) {
  impl_->receive(message, from, now, out);
}

void Verifier::tick(TimeUs now, Outbox& out) {
  impl_->tick(now, out);
}

TimeUs Verifier::deadline() const {
  return impl_->deadline();
}

void Verifier::idle(TimeUs now, Outbox& out) {
  impl_->idle(now, out);
}

VerifierStatus Verifier::status() const {
  return impl_->status();
}

VerifierStatus Verifier::glance() const {
  return impl_->glance();
}

const Refusals& Verifier::refusals() const {
  return impl_->Core::refusals();
}

}  // namespace eve::verification
