// New nodes that are announced, and learn before they have a seat (docs/membership.md, M14).
#include "sim/member_world.h"
#include "sim/violation.h"

namespace eve::sim {

/// False: the change is asked for now.
bool MemberWorld::learns_on(Change& made) {
  if (!made.announced_at) made.announced_at = queue_.now();
  const Address node = Address::executor(plan_.model.executors() + made.change.epoch.value());
  const execution::Learner* learner =
      made.change.executor ? executors_.at(node)->learner() : nullptr;
  const auto now = learner == nullptr ? execution::LearnerStatus() : learner->status();
  const bool level = now.held > BatchNumber() && now.held == now.known;
  const bool over = queue_.now() - *made.announced_at >= made.learns_us;
  if (!over && !(made.until_level && level)) return true;
  if (learner != nullptr && !level) trace_.hit(Site::kAskedWhileItLearnt);
  return false;
}

/// To all members, and the new node may crash while it learns.
void MemberWorld::announce() {
  const Epoch epoch = operator_->epoch();
  if (epoch.value() >= changes_.size()) return;
  const Change& made = changes_[epoch.value()];
  if (!made.announced_at) return;
  const membership::Members& members = operator_->present().members;
  std::vector<Address> everyone;
  for (uint16_t i = 0; i < members.executors.size(); ++i) {
    everyone.push_back(members.node_at(Address::executor(i)));
  }
  for (uint16_t i = 0; i < members.verifiers.size(); ++i) {
    everyone.push_back(members.node_at(Address::verifier(i)));
  }
  post_.send(cluster_.operator_node,
             {{everyone, std::make_shared<const wire::Message>(
                             wire::Candidate{signed_by_operator(made.change)})}});
  if (!made.change.executor || stopped_ || !random_.chance(1, 30)) return;
  MemberExecutor& host = *executors_.at(Address::executor(plan_.model.executors() + epoch.value()));
  if (!host.up() || host.learner() == nullptr) return;
  trace_.hit(Site::kLearnerDown);
  host.crash();
}

/// Who has no seat in the epoch in which it speaks asks for state, or gives it (M10); it does not
/// take part.
void MemberWorld::check_seatless(Address node, const wire::Message& message) const {
  if (liar_ == node) return;
  const bool state = std::holds_alternative<wire::StateRequest>(message) ||
                     std::holds_alternative<wire::StateReply>(message);
  const bool of_epochs = std::holds_alternative<wire::EpochEnd>(message) ||
                         std::holds_alternative<wire::Farewell>(message) ||
                         std::holds_alternative<wire::ChainWanted>(message) ||
                         std::holds_alternative<wire::Chain>(message);
  if (!state && !of_epochs) {
    throw Violation("membership", to_string(node) + " has no seat and takes part");
  }
}

}  // namespace eve::sim
