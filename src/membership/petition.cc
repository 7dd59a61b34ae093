#include "membership/petition.h"

#include <utility>

#include "base/limits.h"

namespace eve::membership {

Petition::Petition(const PetitionOptions& options, Succession chain,
                   const crypto::Authenticator& keys, const crypto::Digester& digester)
    : options_(options),
      keys_(keys),
      steward_({options.model, Address::client(limits::kOperator), options.resend_after_us},
               std::move(chain), keys, digester) {}

void Petition::reachable(Address executor, bool yes, TimeUs now) {
  if (executor.role != Role::kExecutor) return;
  if (yes) {
    there_.insert(executor);
  } else {
    there_.erase(executor);
  }
  const bool enough = executors_there() >= options_.model.token_certificate();
  if (enough && !enough_) quiet_since_ = now;
  enough_ = enough;
  due_ = std::min(due_, now);
}

size_t Petition::executors_there() const {
  size_t count = 0;
  const Members& members = chain().present().members;
  for (uint16_t i = 0; i < members.executors.size(); ++i) {
    count += there_.contains(members.node_at(Address::executor(i))) ? 1 : 0;
  }
  return count;
}

bool Petition::settled(TimeUs now) const {
  return enough_ && now - quiet_since_ >= options_.settle_us;
}

void Petition::receive(const wire::Message& message, Address from, TimeUs now,
                       std::vector<wire::Send>& sends) {
  Outbox out;
  (void)steward_.receive(message, from, now, out);  // the link says all that a reply would
  if (!out.entered.empty()) {
    enough_ = executors_there() >= options_.model.token_certificate();
    quiet_since_ = now;
    due_ = now;
  }
  for (auto& send : out.sends) sends.push_back(std::move(send));
}

void Petition::tick(TimeUs now, std::vector<wire::Send>& sends) {
  if (now < due_) return;
  due_ = now + options_.resend_after_us;
  if (there_.empty()) return;
  // Whoever was replaced knows the link that did it.
  sends.push_back({{there_.begin(), there_.end()},
                   std::make_shared<const wire::Message>(wire::ChainWanted{chain().epoch()})});
  send_announcement(sends);
  if (!asking()) return;
  std::vector<Address> seats;
  for (uint16_t i = 0; i < options_.model.executors(); ++i) seats.push_back(Address::executor(i));
  const auto message =
      std::make_shared<const wire::Message>(wire::BundleMessage{bundle_, /*retry=*/true});
  for (auto& send : steward_.address({{std::move(seats), message}})) {
    sends.push_back(std::move(send));
  }
}

void Petition::ask(const wire::Change& change, TimeUs now) {
  asked_ = change;
  bundle_ = signed_by_operator(change);
  due_ = now;
}

void Petition::announce(const wire::Change& change, TimeUs now) {
  announced_ = change;
  announcement_ = signed_by_operator(change);
  due_ = now;
}

void Petition::send_announcement(std::vector<wire::Send>& sends) const {
  if (!announced_ || announced_->epoch != chain().epoch()) return;
  std::vector<Address> seats;
  for (uint16_t i = 0; i < options_.model.executors(); ++i) seats.push_back(Address::executor(i));
  for (uint16_t i = 0; i < options_.model.verifiers(); ++i) seats.push_back(Address::verifier(i));
  const auto message = std::make_shared<const wire::Message>(wire::Candidate{announcement_});
  for (auto& send : steward_.address({{std::move(seats), message}})) {
    sends.push_back(std::move(send));
  }
}

wire::BundlePtr Petition::signed_by_operator(const wire::Change& change) const {
  return wire::make_change(
      change, [this](ByteView bytes) { return keys_.sign(crypto::Domain::kBundle, bytes); });
}

std::optional<wire::Change> Petition::ended_by(Epoch epoch) const {
  const auto links = chain().links_from(epoch, 1);
  if (links.empty()) return std::nullopt;
  return wire::change_in(*links.front().evidence.batch);
}

}  // namespace eve::membership
