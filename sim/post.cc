#include "sim/post.h"

#include "sim/violation.h"
#include "wire/codec.h"

namespace eve::sim {

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

void Post::send(Address from, const std::vector<wire::Send>& sends) {
  for (Listener* listener : listeners_) {
    for (const wire::Send& send : sends) listener->sent(from, send);
  }
  const bool lying = lies(from);
  for (const wire::Send& send : lying ? liars_.at(from)->distort(sends) : sends) {
    dispatch(from, send);
  }
}

void Post::dispatch(Address from, const wire::Send& send) {
  const SharedBytes frame(wire::encode(*send.message));
  auto decoded = wire::decode(frame, digester_);
  if (!decoded.ok()) {
    if (lies(from)) return;  // as a real host drops it
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
    const auto delivery =
        network_.send(roster_.number(from), roster_.number(to), frame.size(), queue_.now());
    for (size_t copy = 0; copy < delivery.copies; ++copy) {
      queue_.at(delivery.at[copy], [this, parcel, to] { deliver(*parcel, to); });
    }
  }
}

uint64_t Post::lies_told() const {
  uint64_t told = 0;
  for (const auto& [node, liar] : liars_) told += liar->lies();
  return told;
}

void Post::deliver(const Parcel& parcel, Address to) {
  ++delivered_;
  trace_.arrived(queue_.now(), parcel.from, to, parcel.hash, *parcel.message);
  receiver_(parcel.message, parcel.from, to);
}

}  // namespace eve::sim
