#include "membership/succession.h"

#include <set>

#include "wire/codec.h"

namespace eve::membership {

const Beginning* Succession::at(Epoch epoch) const {
  const Epoch first = epochs_.front().members.epoch;
  if (epoch < first || epoch.value() - first.value() >= epochs_.size()) return nullptr;
  return &epochs_[epoch.value() - first.value()];
}

std::vector<Address> Succession::replaced() const {
  std::vector<Address> nodes;
  if (epochs_.size() < 2) return nodes;
  const Members& before = epochs_[epochs_.size() - 2].members;
  const Members& now = present().members;
  for (uint16_t i = 0; i < now.executors.size(); ++i) {
    const Address seat = Address::executor(i);
    if (before.node_at(seat) != now.node_at(seat)) nodes.push_back(before.node_at(seat));
  }
  for (uint16_t i = 0; i < now.verifiers.size(); ++i) {
    const Address seat = Address::verifier(i);
    if (before.node_at(seat) != now.node_at(seat)) nodes.push_back(before.node_at(seat));
  }
  return nodes;
}

bool Succession::ever_sat(Address node) const {
  for (const Beginning& epoch : epochs_) {
    if (epoch.members.seat_of(node)) return true;
  }
  return false;
}

// What costs least to check comes first: signatures last.
Status Succession::extend(const wire::Link& link) {
  const std::string which = "the link that ends epoch " + std::to_string(link.epoch.value());
  if (link.epoch != epoch()) return Error{which + " is not of the present epoch"};
  const auto change = wire::proven_change(link.evidence, *digester_);
  if (!change) return Error{which + " holds no change of the members that was executed"};
  auto next = present().members.after(*change);
  if (!next) return Error{which + " changes seats that there are not, or another epoch"};
  if (link.evidence.parts.number <= present().number) return Error{which + " ends before it began"};

  const crypto::Digest token = wire::token_of(link.evidence.parts, *digester_);
  wire::Farewell farewell{link.epoch, link.evidence.parts.number, token, 0, {}};
  std::set<uint16_t> signers;
  for (const auto& vote : link.farewells) {
    farewell.verifier = vote.verifier;
    farewell.signature = vote.signature;
    if (!authentic(farewell)) return Error{which + " has a farewell whose signature is wrong"};
    signers.insert(vote.verifier);
  }
  if (signers.size() < model_.agreement()) return Error{which + " has too few farewells"};
  epochs_.push_back({std::move(*next), link.evidence.parts.number, token});
  links_.push_back(link);
  present_keys_.reset();
  return {};
}

std::vector<wire::Link> Succession::links_from(Epoch from, size_t most) const {
  std::vector<wire::Link> links;
  for (const wire::Link& link : links_) {
    if (link.epoch >= from && links.size() < most) links.push_back(link);
  }
  if (!links.empty() && links.front().epoch != from) links.clear();
  return links;
}

bool Succession::authentic(const wire::Farewell& farewell) const {
  if (farewell.epoch != epoch() || farewell.verifier >= model_.verifiers()) return false;
  if (present_keys_ == nullptr) present_keys_ = keys_(present().members);
  return present_keys_->verify(Address::verifier(farewell.verifier), crypto::Domain::kFarewell,
                               wire::signed_bytes(farewell), farewell.signature);
}

}  // namespace eve::membership
