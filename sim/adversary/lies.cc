#include "sim/adversary/lies.h"

#include <utility>
#include <variant>
#include <vector>

#include "wire/codec.h"

namespace eve::sim::adversary {

using crypto::Domain;

wire::Message Lies::instead_of(const wire::Message& truth) {
  return std::visit([this](const auto& message) { return wire::Message(lie(message)); }, truth);
}

crypto::Digest Lies::digest() {
  return digester_.digest(std::to_string(random_.below(4)));
}

uint64_t Lies::near(uint64_t value) {
  const uint64_t moved = value + random_.below(6);
  return moved < 3 ? 0 : moved - 3;
}

/// The same requests in the same client's name, but the signature is the liar's.
wire::BundlePtr Lies::forged(const wire::Bundle& bundle) {
  const wire::BundleFields fields{bundle.kind, bundle.client, bundle.session, bundle.first,
                                  bundle.acknowledged};
  std::vector<Bytes> requests(bundle.requests.begin(), bundle.requests.end());
  for (Bytes& request : requests) request.append("!");
  return wire::make_bundle(fields, requests, [this](ByteView bytes) {
    return authenticator_.sign(Domain::kBundle, bytes);
  });
}

/// Another batch for the same number: without a bundle, in another order, of another seed or time,
/// or with a forged bundle.
wire::BatchMessage Lies::lie(wire::BatchMessage message) {
  const wire::Batch& truth = *message.batch;
  auto bundles = truth.bundles;
  TimeUs time_us = truth.time_us;
  uint64_t seed = truth.seed;
  switch (random_.below(5)) {
    case 0:
      if (bundles.size() > 1) bundles.pop_back();
      break;
    case 1:
      if (bundles.size() > 1) std::swap(bundles.front(), bundles.back());
      break;
    case 2:
      seed = random_.next();
      break;
    case 3:
      time_us -= static_cast<TimeUs>(random_.below(100'000'000));
      break;
    default:
      if (!bundles.empty()) bundles.front() = forged(*bundles.front());
  }
  return {wire::make_batch(truth.view, truth.number, time_us, seed, std::move(bundles), digester_)};
}

wire::BundleMessage Lies::lie(wire::BundleMessage message) {
  return {forged(*message.bundle), message.retry};
}

wire::Reply Lies::lie(wire::Reply reply) {
  switch (random_.below(4)) {
    case 0:
      reply.view = View(near(reply.view.value()));
      return reply;
    case 1:
      reply.status = wire::ReplyStatus::kUnknownSession;
      reply.payload = SharedBytes(Bytes());
      break;
    case 2:
      reply.payload = SharedBytes(wire::encode_replies({"lie"}));
      break;
    default:
      // The digest of one thing, the payload of another.
      reply.payload = SharedBytes(wire::encode_replies({"lie"}));
      return reply;
  }
  reply.digest = wire::reply_digest(reply.status, reply.payload->view(), digester_);
  return reply;
}

wire::Token Lies::lie(wire::Token token) {
  switch (random_.below(3)) {
    case 0:
      token.parts.state = digest();
      break;
    case 1:
      token.parts.previous = digest();
      break;
    default:
      token.parts.number = BatchNumber(1 + near(token.parts.number.value()));
  }
  token.token = wire::token_of(token.parts, digester_);
  return token;
}

wire::Verdict Lies::lie(wire::Verdict verdict) {
  switch (random_.below(3)) {
    case 0:
      verdict.token = digest();
      break;
    case 1:
      verdict.number = BatchNumber(near(verdict.number.value()));
      break;
    default:
      verdict.kind = wire::VerdictKind::kRollback;
      verdict.view = View(verdict.view.value() + random_.below(4));
  }
  return verdict;
}

wire::Needed Lies::lie(wire::Needed needed) {
  if (random_.chance(1, 2)) needed.view = View(near(needed.view.value()));
  needed.node = random_.chance(1, 2) ? Address::executor(random_.below(3))
                                     : Address::verifier(random_.below(4));
  return needed;
}

wire::EpochEnd Lies::lie(wire::EpochEnd end) {
  end.evidence.parts.state = digest();
  return end;
}

wire::Farewell Lies::lie(wire::Farewell farewell) {
  if (random_.chance(1, 2)) {
    farewell.token = digest();
  } else {
    farewell.number = BatchNumber(near(farewell.number.value()));
  }
  return farewell;
}

wire::InEpoch Lies::lie(wire::InEpoch message) {
  const wire::Message inner =
      std::visit([this](const auto& enclosed) { return wire::Message(lie(enclosed)); },
                 message.enclosed->message);
  message.enclosed = std::make_shared<const wire::Enclosed>(wire::Enclosed{inner});
  return message;
}

wire::Suspect Lies::lie(wire::Suspect suspect) {
  suspect.view = View(near(suspect.view.value()));
  return suspect;
}

wire::Hello Lies::lie(wire::Hello hello) {
  hello.restarted = random_.chance(1, 2);
  hello.view = View(near(hello.view.value()));
  hello.committed = BatchNumber(near(hello.committed.value()));
  return hello;
}

wire::Welcome Lies::lie(wire::Welcome welcome) {
  switch (random_.below(3)) {
    case 0:
      welcome.promised = View(random_.chance(1, 2) ? near(welcome.promised.value()) : 1'000'000);
      break;
    case 1:
      welcome.last.number = BatchNumber(near(welcome.last.number.value()));
      break;
    default:
      welcome.last.token = digest();
      welcome.start.view = View(near(welcome.start.view.value()));
  }
  return welcome;
}

wire::Prepare Lies::lie(wire::Prepare prepare) {
  if (random_.chance(1, 4)) {
    prepare.signature = "not signed";
    return prepare;
  }
  if (random_.chance(1, 3)) {
    prepare.number = BatchNumber(near(prepare.number.value()));
  } else {
    prepare.token = digest();
  }
  prepare.signature = authenticator_.sign(Domain::kPrepare, wire::signed_bytes(prepare));
  return prepare;
}

wire::Commit Lies::lie(wire::Commit commit) {
  if (random_.chance(1, 3)) {
    commit.number = BatchNumber(near(commit.number.value()));
  } else {
    commit.token = digest();
  }
  return commit;
}

/// Hides the certificate, makes one up, or asks for another view.
wire::ViewChange Lies::lie(wire::ViewChange change) {
  switch (random_.below(4)) {
    case 0:
      change.prepared = wire::Certificate{};
      change.prepared.token = digest();
      break;
    case 1:
      change.prepared.token = digest();
      break;
    case 2:
      change.view = View(change.view.value() + 1 + random_.below(3));
      break;
    default:
      change.signature = "not signed";
      return change;
  }
  change.signature = authenticator_.sign(Domain::kViewChange, wire::signed_bytes(change));
  return change;
}

wire::NewView Lies::lie(wire::NewView new_view) {
  switch (random_.below(4)) {
    case 0:
      if (!new_view.proof.empty()) new_view.proof.pop_back();
      break;
    case 1:
      new_view.number = BatchNumber(near(new_view.number.value()));
      break;
    case 2:
      new_view.token = digest();
      break;
    default:
      if (!new_view.proof.empty()) new_view.proof.front() = lie(new_view.proof.front());
  }
  new_view.signature = authenticator_.sign(Domain::kNewView, wire::signed_bytes(new_view));
  return new_view;
}

wire::StateRequest Lies::lie(wire::StateRequest request) {
  request.number = BatchNumber(near(request.number.value()));
  return request;
}

wire::StateReply Lies::lie(wire::StateReply reply) {
  if (reply.parts && random_.chance(1, 2)) reply.parts->state = digest();
  for (auto& node : reply.nodes) {
    if (random_.chance(1, 2)) continue;
    Bytes payload(node.payload.view());
    if (payload.empty()) {
      payload = "lie";
    } else {
      payload[random_.below(payload.size())] ^= 1;
    }
    node.payload = SharedBytes(std::move(payload));
  }
  return reply;
}

}  // namespace eve::sim::adversary
