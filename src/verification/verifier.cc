#include "verification/verifier.h"

#include "verification/core.h"

namespace eve::verification {

struct Verifier::Impl : Core {
  using Core::Core;
};

Verifier::Verifier(const VerifierOptions& options, const crypto::Authenticator& authenticator,
                   const crypto::Digester&)
    : impl_(std::make_unique<Impl>(options, authenticator)) {}

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

const Refusals& Verifier::refusals() const {
  return impl_->Core::refusals();
}

}  // namespace eve::verification
