#include "sim/post.h"

#include "sim/violation.h"
#include "wire/codec.h"

namespace eve::sim {
namespace {

/// How often liars think of something by themselves.
constexpr TimeUs kTickUs = 50'000;

}  // namespace

bool Roster::contains(Address address) const {
  switch (address.role) {
    case Role::kExecutor:
      return address.index < executors_;
    case Role::kVerifier:
      return address.index < verifiers_;
    case Role::kClient:
      return address.index < clients_;
  }
  return false;
}

size_t Roster::number(Address address) const {
  switch (address.role) {
    case Role::kExecutor:
      return address.index;
    case Role::kVerifier:
      return executors_ + address.index;
    case Role::kClient:
      break;
  }
  return executors_ + verifiers_ + address.index;
}

std::vector<Address> Roster::addresses() const {
  std::vector<Address> all;
  for (size_t i = 0; i < executors_; ++i) all.push_back(Address::executor(i));
  for (size_t i = 0; i < verifiers_; ++i) all.push_back(Address::verifier(i));
  for (size_t i = 0; i < clients_; ++i) all.push_back(Address::client(i));
  return all;
}

void Post::set_liar(Address node, std::unique_ptr<adversary::Traitor> traitor) {
  traitors_[node] = std::move(traitor);
  queue_.after(kTickUs, [this, node] { tick(node); });
}

void Post::rest_lies(bool resting) {
  if (resting_ && !resting) {
    for (const auto& entry : traitors_) {
      queue_.after(kTickUs, [this, node = entry.first] { tick(node); });
    }
  }
  resting_ = resting;
}

void Post::tick(Address liar) {
  if (!lying_ || resting_) return;
  say(liar, traitors_.at(liar)->tick(queue_.now()));
  queue_.after(kTickUs, [this, liar] { tick(liar); });
}

void Post::send(Address from, const std::vector<wire::Send>& sends) {
  for (Listener* listener : listeners_) {
    for (const wire::Send& send : sends) listener->sent(from, send);
  }
  if (lies(from)) {
    say(from, traitors_.at(from)->distort(sends, queue_.now()));
    return;
  }
  for (const wire::Send& send : sends) dispatch(from, {send.to, send.message, 0, {}});
}

void Post::say(Address from, std::vector<adversary::Utterance> utterances) {
  for (adversary::Utterance& utterance : utterances) {
    if (utterance.delay_us == 0) {
      dispatch(from, utterance);
    } else {
      queue_.after(utterance.delay_us,
                   [this, from, utterance = std::move(utterance)] { dispatch(from, utterance); });
    }
  }
}

void Post::dispatch(Address from, const adversary::Utterance& send) {
  const SharedBytes frame(send.frame.empty() ? wire::encode(*send.message) : send.frame);
  auto decoded = wire::decode(frame, digester_);
  if (!decoded.ok()) {
    if (traitors_.contains(from)) return;  // as a real host drops it
    throw Violation("gate", to_string(from) + " sent a message that is refused: " +
                                describe(*send.message) + ": " + decoded.message());
  }
  const auto parcel = std::make_shared<const Parcel>(
      Parcel{std::make_shared<const wire::Message>(std::move(decoded).value()),
             digester_.keyed_hash(frame.view()), from});
  for (const Address to : send.to) {
    if (!roster_.contains(to)) {
      throw Violation("addresses", to_string(from) + " sends to " + to_string(to));
    }
    const auto delivery = carrier_ ? carrier_(parcel->message, from, to)
                                   : network_.send(roster_.number(from), roster_.number(to),
                                                   frame.size(), queue_.now());
    for (size_t copy = 0; copy < delivery.copies; ++copy) {
      queue_.at(delivery.at[copy], [this, parcel, to] { deliver(*parcel, to); });
    }
  }
}

adversary::DeedsByName Post::deeds() const {
  adversary::DeedsByName deeds;
  for (const auto& [node, traitor] : traitors_) traitor->add_to(deeds);
  return deeds;
}

void Post::deliver(const Parcel& parcel, Address to) {
  ++delivered_;
  trace_.arrived(queue_.now(), parcel.from, to, parcel.hash, *parcel.message);
  if (lies(to)) say(to, traitors_.at(to)->hear(parcel.message, parcel.from, queue_.now()));
  receiver_(parcel.message, parcel.from, to);
}

}  // namespace eve::sim
