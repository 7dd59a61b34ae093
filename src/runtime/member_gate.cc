#include "runtime/member_gate.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "membership/epoch_keys.h"
#include "runtime/log.h"

namespace eve::runtime {
namespace {

/// After a disk refused to keep a link, or to begin an epoch.
constexpr TimeUs kAgainUs = 1'000'000;
constexpr TimeUs kAskUs = 2'000'000;  ///< for links

membership::Succession first_epoch(const MemberGateOptions& options,
                                   const crypto::Authenticator& authenticator,
                                   const crypto::Digester& digester,
                                   const MemberGate::Learn& learn) {
  // Whose signatures are asked for has been proved to be a member.
  membership::KeysOf keys = [&authenticator, learn](const membership::Members& members) {
    learn(members);
    return std::make_unique<const membership::EpochKeys>(authenticator, members);
  };
  membership::Beginning first{membership::Members::first(options.model), BatchNumber(),
                              options.genesis};
  return {options.model, std::move(first), std::move(keys), digester};
}

/// With what is on disk.
Result<membership::Succession> read_chain(const MemberGateOptions& options,
                                          const crypto::Authenticator& authenticator,
                                          const crypto::Digester& digester,
                                          const MemberGate::Learn& learn) {
  const auto links = options.chain.read(digester);
  if (!links) return links.error();
  auto chain = first_epoch(options, authenticator, digester, learn);
  for (const wire::Link& link : *links) {
    if (auto status = chain.extend(link); !status) {
      return Error{to_string(options.node) + ".chain: " + status.message() +
                   ": is it of another cluster?"};
    }
  }
  learn(chain.present().members);
  return chain;
}

}  // namespace

MemberGate::MemberGate(Router& router, const crypto::Authenticator& authenticator,
                       const crypto::Digester& digester, const MemberGateOptions& options,
                       Learn learn, membership::Succession chain)
    : router_(router),
      authenticator_(authenticator),
      digester_(digester),
      options_(options),
      learn_(std::move(learn)),
      steward_({options.model, options.node}, std::move(chain), authenticator, digester) {}

Result<std::unique_ptr<MemberGate>> MemberGate::create(Router& router,
                                                       const crypto::Authenticator& authenticator,
                                                       const crypto::Digester& digester,
                                                       const MemberGateOptions& options,
                                                       Learn learn) {
  auto chain = read_chain(options, authenticator, digester, learn);
  if (!chain) return chain.error();
  return std::unique_ptr<MemberGate>(new MemberGate(router, authenticator, digester, options,
                                                    std::move(learn), std::move(*chain)));
}

// ---- Epochs ------------------------------------------------------------------------------------

Seating MemberGate::seating() const {
  const membership::Beginning& present = steward_.present();
  Seating seating;
  seating.epoch = present.members.epoch;
  if (const auto seat = steward_.seat()) seating.seat = seat->index;
  seating.comes = !seating.seat && !steward_.retired();
  seating.start = present.number;
  seating.token = present.token;
  const auto left = steward_.succession().replaced();
  seating.helpers = static_cast<uint16_t>(
      std::any_of(left.begin(), left.end(), [](Address n) { return n.role == Role::kExecutor; }));
  seating.keys = std::make_shared<membership::EpochKeys>(authenticator_, present.members);
  return seating;
}

Status MemberGate::sit(Sit sit) {
  sit_ = std::move(sit);
  return sit_(seating());
}

bool MemberGate::settle(TimeUs now) {
  again_at_ = kNever;
  if (!kept_) {
    const auto links = steward_.succession().links_from(Epoch(), SIZE_MAX);
    const auto status = options_.chain.write(links, digester_);
    kept_ = status.ok();
    trouble_ = status.ok() ? "" : status.message();
  }
  if (kept_ && !settled_) {
    learn_(members());
    const auto status = sit_ ? sit_(seating()) : Status();
    settled_ = status.ok();
    trouble_ = status.ok() ? "" : status.message();
    log(LogLevel::kInfo, "epoch_entered",
        {{"role", to_string(options_.node)},
         {"epoch", std::to_string(epoch().value())},
         {"seat", steward_.seat() ? std::to_string(steward_.seat()->index) : "none"},
         {"start", std::to_string(steward_.present().number.value())}});
  }
  if (settled_) start_host(now);
  if (settled_) return true;
  log(LogLevel::kError, "epoch_not_entered",
      {{"role", to_string(options_.node)}, {"reason", trouble_}});
  again_at_ = now + kAgainUs;
  return false;
}

void MemberGate::carry_out(membership::Outbox& out, TimeUs now) {
  if (!out.entered.empty()) {
    kept_ = settled_ = false;
    if (!settle(now)) return;
  }
  if (kept_ && !out.sends.empty()) router_.send(options_.node, out.sends);
}

std::string MemberGate::cannot_begin() const {
  if (!kept_) return "the members have changed, and the disk does not keep that: " + trouble_;
  if (!settled_) return "the members have changed, and this role cannot begin: " + trouble_;
  return "";
}

std::string MemberGate::idle_because() const {
  if (auto trouble = cannot_begin(); !trouble.empty()) return trouble;
  if (steward_.retired()) {
    return "another node has taken its seat: it can be stopped for good when the new one is level";
  }
  if (!steward_.seat()) return "not a member yet";
  return "";
}

// ---- Host --------------------------------------------------------------------------------------

void MemberGate::start(TimeUs now) {
  const bool client = options_.node.role == Role::kClient;
  const bool changes = !options_.model.is_primary_backup();
  if (changes && (client || !options_.later.empty())) ask_at_ = now + kAskUs;
  start_host(now);
}

void MemberGate::start_host(TimeUs now) {
  if (std::exchange(fresh_, false)) host_->start(now);
}

void MemberGate::receive(const wire::Message& message, Address from, TimeUs now) {
  if (!kept_) return;
  if (committed_ && std::holds_alternative<wire::EpochEnd>(message)) {
    const auto [number, token] = committed_();
    steward_.committed(number, token);
  }
  membership::Outbox out;
  const auto heard = steward_.receive(message, from, now, out);
  if (out.candidate) learn_(*members().after(*out.candidate));
  if (heard && settled_ && host_ != nullptr) host_->receive(*heard->message, heard->from, now);
  if (!out.entered.empty() || !out.sends.empty()) carry_out(out, now);
}

void MemberGate::on_link(Address peer, bool up, TimeUs now) {
  const auto seat = members().seat_of(peer);
  if (seat && host_ != nullptr) host_->on_link(*seat, up, now);
}

TimeUs MemberGate::deadline() const {
  const TimeUs steward = kept_ ? steward_.deadline() : kNever;  // as tick()
  const TimeUs own = std::min({steward, again_at_, ask_at_});
  return host_ == nullptr || !settled_ ? own : std::min(own, host_->deadline());
}

void MemberGate::tick(TimeUs now) {
  if (again_at_ <= now && !settle(now)) return;
  if (steward_.deadline() <= now && kept_) {
    membership::Outbox out;
    steward_.tick(now, out);
    carry_out(out, now);
  }
  if (ask_at_ <= now) ask_for_links(now);
  if (settled_ && host_ != nullptr && host_->deadline() <= now) host_->tick(now);
}

// A client that has nothing to say hears nothing: it would go on knowing members of whom one day
// none is left.
void MemberGate::ask_for_links(TimeUs now) {
  std::vector<Address> nodes;
  for (const Address node : options_.later) {
    if (!steward_.succession().ever_sat(node)) nodes.push_back(node);
  }
  for (uint16_t i = 0; options_.node.role == Role::kClient && i < members().executors.size(); ++i) {
    nodes.push_back(members().node_at(Address::executor(i)));
  }
  std::erase(nodes, options_.node);
  ask_at_ = nodes.empty() ? kNever : now + kAskUs;
  if (nodes.empty() || !kept_) return;
  std::vector<wire::Send> sends{
      {nodes, std::make_shared<const wire::Message>(wire::ChainWanted{epoch()})}};
  router_.send(options_.node, sends);
}

bool MemberGate::idle(TimeUs now) {
  return settled_ && host_ != nullptr && host_->idle(now);
}

// ---- Outlet ------------------------------------------------------------------------------------

// What waited for a disk may come when its epoch is over, and the link is not kept yet: it would
// leave as a word of the next one.
void MemberGate::send(std::vector<wire::Send>& sends) {
  if (!kept_) return sends.clear();
  // Seats are nodes, but for guests.
  if (epoch() == Epoch() && !steward_.coming()) return router_.send(options_.node, sends);
  auto addressed = steward_.address(sends);
  sends.clear();
  router_.send(options_.node, addressed);
}

std::string MemberGate::name_of(Address seat) const {
  const bool there = seat.role == Role::kExecutor   ? seat.index < members().executors.size()
                     : seat.role == Role::kVerifier ? seat.index < members().verifiers.size()
                                                    : true;
  if (there) return router_.name_of(members().node_at(seat));
  if (seat.index > members().executors.size() && seat.role == Role::kExecutor) {
    return steward_.coming() ? router_.name_of(*steward_.coming()) : "";
  }
  for (const Address node : steward_.succession().replaced()) {
    if (node.role == seat.role) return router_.name_of(node);
  }
  return "";
}

bool MemberGate::reachable(Address seat) const {
  return router_.reachable(members().node_at(seat));
}

std::vector<std::string> MemberGate::names(Role role) const {
  std::vector<std::string> names;
  const auto& seats = role == Role::kExecutor ? members().executors : members().verifiers;
  for (uint16_t i = 0; i < seats.size(); ++i) names.push_back(name_of({role, i}));
  return names;
}

}  // namespace eve::runtime
