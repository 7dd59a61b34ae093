// Whom a verifier writes to: the address lists, made once.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/quorum.h"
#include "verification/verifier.h"
#include "wire/messages.h"

namespace eve::verification {

class Outlet {
 public:
  Outlet(const FaultModel& model, uint16_t self) {
    for (uint32_t i = 0; i < model.executors(); ++i) executors_.push_back(Address::executor(i));
    for (uint32_t i = 0; i < model.verifiers(); ++i) {
      if (i != self) verifiers_.push_back(Address::verifier(i));
    }
  }
  void to_executors(wire::Message message, Outbox& out) const {
    send(executors_, std::move(message), out);
  }
  // Votes are promised as they are sent: there is no other way to send one for the first time.
  void promise(const wire::Prepare& prepare, Outbox& out) const {
    out.promises.emplace_back(prepare);
    to_verifiers(prepare, out);
  }
  /// Sends the COMMIT.
  void promise(const wire::Certificate& certificate, Outbox& out) const {
    out.promises.emplace_back(certificate);
    to_verifiers(wire::Commit{certificate.view, certificate.number, certificate.token}, out);
  }
  void promise(const wire::ViewChange& change, Outbox& out) const {
    out.promises.emplace_back(change);
    to_verifiers(change, out);
  }
  /// To all verifiers but this one, which counts its own votes as it makes them.
  void to_verifiers(wire::Message message, Outbox& out) const {
    send(verifiers_, std::move(message), out);
  }
  void to(Address address, wire::Message message, Outbox& out) const {
    send({address}, std::move(message), out);
  }

 private:
  static void send(std::vector<Address> to, wire::Message message, Outbox& out) {
    out.sends.push_back({std::move(to), std::make_shared<const wire::Message>(std::move(message))});
  }
  std::vector<Address> executors_;
  std::vector<Address> verifiers_;
};

}  // namespace eve::verification
