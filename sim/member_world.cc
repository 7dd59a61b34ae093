#include "sim/member_world.h"

#include <algorithm>
#include <sstream>

#include "base/limits.h"
#include "sim/violation.h"
#include "wire/codec.h"

namespace eve::sim {
namespace {

constexpr TimeUs kStartUs = 1'700'000'000'000'000;  // an ordinary date
constexpr TimeUs kAskUs = 150'000;
constexpr TimeUs kFinishUs = 90'000'000;
constexpr TimeUs kLookUs = 500'000;
constexpr TimeUs kNudgeUs = 3'000'000;
constexpr uint32_t kLooks = 4;
constexpr uint64_t kMostChanges = 3;

crypto::Digester make_digester(FaultModel model, Random& random) {
  crypto::Secret secret;
  for (uint8_t& byte : secret) byte = static_cast<uint8_t>(random.next());
  const auto algorithm =
      model.byzantine() ? crypto::DigestAlgorithm::kSha256 : crypto::DigestAlgorithm::kXxh3;
  return crypto::Digester(algorithm, secret);
}

std::unique_ptr<crypto::Authenticator> make_keys(FaultModel model, Address node,
                                                 const crypto::Digester& digester) {
  if (!model.byzantine()) return std::make_unique<crypto::NoAuthenticator>();
  return std::make_unique<LightAuthenticator>(node, digester);
}

bool never() {
  return false;
}

const wire::Message& within(const wire::Message& message) {
  const auto* enclosed = std::get_if<wire::InEpoch>(&message);
  return enclosed == nullptr ? message : enclosed->enclosed->message;
}

}  // namespace

EpochConduct::EpochConduct(const FaultModel& model, const membership::Beginning& beginning,
                           const Ledger& ledger, const crypto::Authenticator& nodes,
                           const crypto::Digester& digester)
    : keys(nodes, beginning.members),
      primaries(model),
      votes(model, ledger),
      quarantines(model, digester),
      views(model, beginning.token, keys, beginning.number) {}

/// A client, and what stands between it and the network.
struct MemberWorld::Client final : Listener {
  Client(MemberWorld& in, uint16_t number, const ClientSetup& setup, uint64_t seed,
         const crypto::Authenticator& keys)
      : world(in),
        index(number),
        seats(in.plan_.model, in.plan_.clients),
        post(seats, in.queue_, in.network_, in.trace_, in.digester_,
             [](const wire::MessagePtr&, Address, Address) {}),
        around{in.queue_, post, in.trace_, false, false, &in.blame_},
        steward({in.plan_.model, Address::client(number)}, in.cluster_.first, keys, in.digester_),
        host(around, setup, seed, keys, in.digester_, *in.workload_, in.replies_, in.gate_) {
    post.set_carrier([](const wire::MessagePtr&, Address, Address) { return Network::Delivery(); });
    post.add_listener(*this);
  }
  void sent(Address, const wire::Send& send) override { world.client_says(index, send); }

  MemberWorld& world;
  uint16_t index;
  Roster seats;
  Post post;
  Surroundings around;
  membership::Steward steward;
  ClientHost host;
};

MemberWorld::MemberWorld(const Plan& plan, Fibers& fibers, std::ostream* trace, Diagram* diagram)
    : plan_(plan),
      random_(plan.seed),
      fibers_(fibers),
      roster_(plan.model.executors() + kMostChanges, plan.model.verifiers() + kMostChanges,
              plan.clients + 1),
      digester_(make_digester(plan.model, random_)),
      network_(plan.network, roster_.size(), random_.next()),
      trace_(trace, diagram),
      post_(roster_, queue_, network_, trace_, digester_,
            [this](const wire::MessagePtr& message, Address from, Address to) {
              receive(message, from, to);
            }),
      around_{queue_, post_, trace_, false, false, &blame_},
      workload_(make_workload(plan.service)),
      oracle_(digester_, workload_->service()),
      ledger_(wire::genesis_token(oracle_.genesis_root(), digester_)),
      replies_(ledger_),
      gate_(plan.model, ledger_, replies_),
      anybody_(make_keys(plan.model, Address::verifier(0), digester_)),
      chain_(
          plan.model,
          {membership::Members::first(plan.model), BatchNumber(), ledger_.token(BatchNumber())},
          [this](const membership::Members& members) {
            return std::make_unique<membership::EpochKeys>(*anybody_, members);
          },
          digester_),
      cluster_{plan.model,
               chain_,
               digester_,
               ledger_,
               Address::client(plan.clients),
               [this](Address node, const wire::Link& link) { entered(node, link); }} {
  post_.add_listener(*this);
  draw_changes();
  add_nodes();
  add_clients();
  watch(chain_.present());
}

MemberWorld::~MemberWorld() = default;

// ---- Who there is ------------------------------------------------------------------------------

/// One to three changes, spread over the time in which requests are made; each of one node.
void MemberWorld::draw_changes() {
  const uint64_t count = 1 + random_.below(kMostChanges);
  const auto span = static_cast<uint64_t>(plan_.duration_us) * 6 / 10 / count;
  for (uint64_t i = 0; i < count; ++i) {
    Change made;
    made.at = static_cast<TimeUs>(span * i + random_.below(span));
    made.dead = random_.chance(1, 2);
    made.change.epoch = Epoch(static_cast<uint32_t>(i));
    made.change.contact = "node " + std::to_string(i);
    const uint64_t kind = random_.below(3);
    const auto seat = static_cast<uint16_t>(random_.below(plan_.model.executors()));
    if (kind != 0) made.change.executor = seat;
    if (kind == 0) {
      made.change.verifier = static_cast<uint16_t>(random_.below(plan_.model.verifiers()));
    } else if (kind == 1) {
      made.change.verifier = seat;
    }
    changes_.push_back(std::move(made));
  }
  if (plan_.model.byzantine() && random_.chance(1, 2)) {
    liar_ = random_.chance(2, 3) ? Address::verifier(random_.below(plan_.model.verifiers()))
                                 : Address::executor(random_.below(plan_.model.executors()));
  }
  if (random_.chance(1, 2)) return;
  for (Change& made : changes_) {
    made.learns_us = 1 + static_cast<TimeUs>(random_.below(span));
    made.until_level = random_.chance(1, 2);
  }
}

const crypto::Authenticator& MemberWorld::keys_of(Address node) {
  authenticators_.push_back(make_keys(plan_.model, node, digester_));
  return *authenticators_.back();
}

/// Those that will come, too: they are started later.
void MemberWorld::add_nodes() {
  MemberExecutorSetup setup;
  setup.clients = static_cast<uint16_t>(plan_.clients);
  setup.make_service = workload_->service();
  setup.request_cost_us = plan_.request_cost_us;
  setup.switch_every = plan_.switch_every;
  setup.storage = plan_.storage;
  const auto offset = [this] {
    return kStartUs +
           static_cast<TimeUs>(random_.below(static_cast<uint64_t>(plan_.clocks.offset_us) + 1));
  };
  for (uint32_t i = 0; i < plan_.model.executors() + changes_.size(); ++i) {
    const Address node = Address::executor(i);
    executors_[node] = std::make_unique<MemberExecutor>(
        around_, cluster_, node, offset(), random_.next(), keys_of(node), setup, fibers_);
  }
  for (uint32_t i = 0; i < plan_.model.verifiers() + changes_.size(); ++i) {
    const Address node = Address::verifier(i);
    verifiers_[node] =
        std::make_unique<MemberVerifier>(around_, cluster_, node, offset(), random_.next(),
                                         keys_of(node), random_.chance(1, 2), plan_.storage);
  }
  const Address as_client = Address::client(limits::kOperator);
  operator_ =
      std::make_unique<membership::Steward>(membership::StewardOptions{plan_.model, as_client},
                                            cluster_.first, keys_of(as_client), digester_);
  if (!liar_) return;
  blame_.excuse(*liar_);  // the seat, whoever sits there later
  if (liar_->role == Role::kExecutor) {
    executors_[*liar_]->become_liar();
    gate_.excuse(*liar_);
  } else {
    verifiers_[*liar_]->become_liar();
  }
}

void MemberWorld::add_clients() {
  for (uint16_t i = 0; i < plan_.clients; ++i) {
    ClientSetup setup;
    setup.options.model = plan_.model;
    setup.options.client = i;
    setup.options.nonce = random_.next();
    setup.options.max_bundles = plan_.max_bundles;
    setup.requests = 1 + plan_.requests / plan_.clients;
    setup.burst = plan_.burst;
    setup.duration_us = plan_.load_us;
    clients_.push_back(
        std::make_unique<Client>(*this, i, setup, random_.next(), keys_of(Address::client(i))));
  }
}

// ---- What is said ------------------------------------------------------------------------------

void MemberWorld::watch(const membership::Beginning& beginning) {
  conducts_.push_back(
      std::make_unique<EpochConduct>(plan_.model, beginning, ledger_, *anybody_, digester_));
  const auto seat = liar_ ? beginning.members.seat_of(*liar_) : std::nullopt;
  if (!seat) return;
  EpochConduct& conduct = *conducts_.back();
  for (Conduct* each :
       std::initializer_list<Conduct*>{&conduct.tokens, &conduct.primaries, &conduct.votes,
                                       &conduct.quarantines, &conduct.views}) {
    each->excuse(*seat);
  }
  if (seat->role == Role::kExecutor) conduct.tokens.expect_liars();
  if (seat->role == Role::kVerifier) {
    conduct.votes.distrust(*seat);
    conduct.quarantines.distrust(*seat);
  }
}

/// By seat, to the checkers of the epoch that it is said in. What nodes without a seat say is state
/// and links, which receivers check.
void MemberWorld::sent(Address from, const wire::Send& send) {
  const auto* enclosed = std::get_if<wire::InEpoch>(send.message.get());
  const Epoch epoch = enclosed == nullptr ? Epoch() : enclosed->epoch;
  wire::Send bare{send.to, std::make_shared<const wire::Message>(within(*send.message))};
  for (Address& to : bare.to) {
    if (to == cluster_.operator_node) to = Address::client(limits::kOperator);
  }
  gate_.sent(from, bare);
  if (epoch > chain_.epoch()) {
    throw Violation("membership", to_string(from) + " speaks in an epoch that has not begun");
  }
  if (std::holds_alternative<wire::EpochEnd>(*send.message)) end_begins(epoch);
  const auto seat = chain_.at(epoch)->members.seat_of(from);
  if (!seat) return check_seatless(from, *bare.message);
  if (seat->role == Role::kClient) return;
  EpochConduct& conduct = *conducts_.at(epoch.value());
  for (Conduct* each :
       std::initializer_list<Conduct*>{&conduct.tokens, &conduct.primaries, &conduct.votes,
                                       &conduct.quarantines, &conduct.views}) {
    each->sent(*seat, bare);
  }
}

void MemberWorld::receive(const wire::MessagePtr& message, Address from, Address to) {
  if (to.role == Role::kExecutor) return executors_.at(to)->receive(message, from);
  if (to.role == Role::kVerifier) return verifiers_.at(to)->receive(message, from);
  membership::Outbox out;
  if (to == cluster_.operator_node) {
    (void)operator_->receive(*message, from, queue_.now(), out);
    post_.send(to, out.sends);
    return;
  }
  Client& client = *clients_.at(to.index);
  const auto heard = client.steward.receive(*message, from, queue_.now(), out);
  if (heard && out.entered.empty()) {
    client.host.receive(std::make_shared<const wire::Message>(*heard->message), heard->from);
  }
  post_.send(to, out.sends);
}

void MemberWorld::disconnect_clients(Address executor) {
  for (const auto& client : clients_) client->host.disconnect(executor);
}

void MemberWorld::client_says(uint16_t index, const wire::Send& send) {
  post_.send(Address::client(index), clients_.at(index)->steward.address({send}));
}

/// All enter the same epochs, after what is committed.
void MemberWorld::entered(Address node, const wire::Link& link) {
  if (node.role == Role::kExecutor) {
    strike_one_soon(*executors_.at(node));
  } else {
    strike_one_soon(*verifiers_.at(node));
  }
  if (link.epoch == chain_.epoch()) {
    const Status status = chain_.extend(link);
    if (!status) throw Violation("membership", to_string(node) + ": " + status.message());
    const membership::Beginning& begun = chain_.present();
    if (begun.number > ledger_.last() || ledger_.token(begun.number) != begun.token) {
      throw Violation("membership", to_string(node) + " enters an epoch that begins with " +
                                        std::to_string(begun.number.value()) +
                                        ", which is not committed so");
    }
    watch(begun);
    strike_soon();
    return;
  }
  const membership::Beginning* known = chain_.at(link.epoch.next());
  if (known == nullptr || known->number != link.evidence.parts.number ||
      known->token != wire::token_of(link.evidence.parts, digester_)) {
    throw Violation("membership", to_string(node) + " enters another epoch " +
                                      std::to_string(link.epoch.next().value()) + " than others");
  }
}

// ---- The operator ------------------------------------------------------------------------------

void MemberWorld::next_change() {
  if (asked_for_ > chain_.epoch().value() || asked_for_ >= changes_.size()) return;
  Change& made = changes_[asked_for_];
  if (queue_.now() < made.at && !stopped_) return;
  if (made.learns_us > 0 && learns_on(made)) return;
  std::vector<MemberHost*> old;
  if (made.change.executor) old.push_back(&at_seat(Address::executor(*made.change.executor)));
  if (made.change.verifier) old.push_back(&at_seat(Address::verifier(*made.change.verifier)));
  // Within the model: the one that is dead is the one that may be. (What lies is faulty already.)
  const bool others_well = faulty(Role::kExecutor) == 0 && faulty(Role::kVerifier) == 0;
  made.dead = made.dead && others_well && !liar_;
  for (MemberHost* host : old) {
    const Address node = host->self();
    if (made.dead) {
      host->crash();
      dead_.insert(node);
    } else {
      leaving_.insert(node);
    }
  }
  ++asked_for_;
}

wire::BundlePtr MemberWorld::signed_by_operator(const wire::Change& change) const {
  const auto keys = make_keys(plan_.model, Address::client(limits::kOperator), digester_);
  return wire::make_change(
      change, [&keys](ByteView bytes) { return keys->sign(crypto::Domain::kBundle, bytes); });
}

void MemberWorld::ask() {
  next_change();
  announce();
  bring_new_nodes();
  dismiss_old_nodes();
  const Epoch epoch = operator_->epoch();
  if (epoch.value() < asked_for_) {
    const auto bundle = signed_by_operator(changes_[epoch.value()].change);
    std::vector<Address> everyone;
    for (uint16_t i = 0; i < plan_.model.executors(); ++i) {
      everyone.push_back(Address::executor(i));
    }
    post_.send(cluster_.operator_node,
               operator_->address({{everyone, std::make_shared<const wire::Message>(
                                                  wire::BundleMessage{bundle, true})}}));
  }
  queue_.after(kAskUs, [this] { ask(); });
}

/// Some are there before they are needed, some come when the epoch has begun.
void MemberWorld::bring_new_nodes() {
  for (size_t i = 0; i < changes_.size(); ++i) {
    if (i >= asked_for_ && !changes_[i].announced_at) break;
    const auto joins = static_cast<uint32_t>(i);
    const bool begun = chain_.epoch().value() > i;
    const auto bring = [&](MemberHost& host) {
      if (host.up() || dead_.contains(host.self()) || !(begun || random_.chance(1, 2))) return;
      if (leaving_.contains(host.self())) return;
      if (!stopped_ && random_.chance(1, 2)) return;
      host.start();
    };
    if (changes_[i].change.executor) {
      bring(*executors_.at(Address::executor(plan_.model.executors() + joins)));
    }
    if (changes_[i].change.verifier) {
      bring(*verifiers_.at(Address::verifier(plan_.model.verifiers() + joins)));
    }
  }
}

/// M10: when enough of the others hold what the epoch began with.
void MemberWorld::dismiss_old_nodes() {
  if (!start_is_held()) return;
  for (const Address node : std::vector<Address>(leaving_.begin(), leaving_.end())) {
    if (chain_.present().members.seat_of(node)) continue;
    if (!random_.chance(1, 8)) continue;
    MemberHost& host = node.role == Role::kExecutor
                           ? static_cast<MemberHost&>(*executors_.at(node))
                           : static_cast<MemberHost&>(*verifiers_.at(node));
    if (host.up()) host.crash();
    dead_.insert(node);
    leaving_.erase(node);
  }
}

bool MemberWorld::start_is_held() const {
  size_t holders = 0;
  for (uint16_t i = 0; i < plan_.model.executors(); ++i) {
    const auto& host = *executors_.at(chain_.present().members.node_at(Address::executor(i)));
    if (!host.up() || host.liar() || host.core() == nullptr) continue;
    holders += host.core()->glance().committed >= chain_.present().number ? 1 : 0;
  }
  return holders >= plan_.model.token_certificate();
}

// ---- The run -----------------------------------------------------------------------------------

void MemberWorld::check_all() {
  replies_.follow();
  if (workload_->right_footprints()) oracle_.follow(ledger_, *workload_);
  for (const auto& [node, host] : executors_) {
    if (host->up()) host->check_state();
  }
}

bool MemberWorld::done() const {
  return chain_.epoch().value() == changes_.size() &&
         std::all_of(clients_.begin(), clients_.end(),
                     [](const auto& client) { return client->host.done(); });
}

/// All that have a seat stand at the last batch, in the last epoch.
bool MemberWorld::converged() const {
  const auto there = [this](const auto& host) {
    return host.liar() || (host.recovered() && host.epoch() == chain_.epoch() &&
                           host.core()->glance().committed == ledger_.last());
  };
  const membership::Members& members = chain_.present().members;
  for (uint16_t i = 0; i < plan_.model.executors(); ++i) {
    if (!there(*executors_.at(members.node_at(Address::executor(i))))) return false;
  }
  for (uint16_t i = 0; i < plan_.model.verifiers(); ++i) {
    if (!there(*verifiers_.at(members.node_at(Address::verifier(i))))) return false;
  }
  return true;
}

void MemberWorld::finish() {
  const TimeUs until = queue_.now() + kFinishUs;
  for (TimeUs nudge_at = queue_.now(); !done() || !converged();) {
    if (queue_.now() >= until) {
      throw Violation(done() ? "convergence" : "liveness",
                      std::to_string(chain_.epoch().value()) + " of " +
                          std::to_string(changes_.size()) + " changes were made");
    }
    if (queue_.now() >= nudge_at) {
      clients_.front()->host.nudge();
      nudge_at = queue_.now() + kNudgeUs;
    }
    queue_.run_until(queue_.now() + kLookUs, never);
  }
}

void MemberWorld::run() {
  for (const auto& [node, host] : executors_) {
    if (node.index < plan_.model.executors()) host->start();
  }
  for (const auto& [node, host] : verifiers_) {
    if (node.index < plan_.model.verifiers()) host->start();
  }
  for (const auto& client : clients_) client->host.start();
  ask();
  start_faults();
  for (uint32_t look = 1; look <= kLooks; ++look) {
    queue_.run_until(plan_.faults_until_us * look / kLooks, never);
    check_all();
  }
  stop_faults();
  queue_.run_until(plan_.duration_us, never);
  finish();
  check_all();
  workload_->check_history();
}

std::string MemberWorld::describe_nodes() const {
  std::ostringstream out;
  out << "epoch " << chain_.epoch().value() << " since batch " << chain_.present().number.value()
      << ", " << changes_.size() << " changes, last batch " << ledger_.last().value()
      << (liar_ ? ", liar " + to_string(*liar_) : "") << '\n';
  const auto show = [&out](const auto& host, const auto& rest) {
    out << to_string(host.self());
    if (host.up()) {
      out << " epoch " << host.epoch().value();
      if (host.core() == nullptr) out << " no seat";
      if (host.core() != nullptr) rest(host.core()->status());
    }
    out << '\n';
  };
  for (const auto& [node, host] : executors_) {
    show(*host, [&out](const execution::ExecutorStatus& now) {
      out << " view " << now.view.value() << " committed " << now.committed.value()
          << (now.silent ? " silent" : "") << (now.fetching ? " fetching" : "")
          << (now.ended ? " ended" : "") << ", waiting for: " << now.waiting_for;
    });
  }
  for (const auto& [node, host] : verifiers_) {
    show(*host, [&out](const verification::VerifierStatus& now) {
      out << " view " << now.view.value() << ' ' << now.phase << " committed "
          << now.committed.value() << ", waiting for: " << now.waiting_for;
    });
  }
  for (const auto& client : clients_) {
    const auto now = client->host.status();
    out << to_string(client->host.self()) << " epoch " << client->steward.epoch().value()
        << " outstanding " << now.outstanding << " completed " << now.completed << '\n';
  }
  return out.str();
}

Statistics MemberWorld::statistics() const {
  Statistics all;
  all.seeds = 1;
  all.virtual_us = static_cast<uint64_t>(queue_.now());
  all.events = queue_.executed();
  all.messages = post_.delivered();
  all.batches = ledger_.last().value();
  all.divergences = ledger_.divergences();
  all.epochs = chain_.epoch().value();
  for (const auto& [node, host] : executors_) host->add_to(all);
  for (const auto& client : clients_) {
    all.asking_us = std::max(all.asking_us, static_cast<uint64_t>(client->host.asking_us()));
    all.requests += client->host.status().completed;
    all.retries += client->host.status().retries;
  }
  all.sites = trace_.sites();
  return all;
}

}  // namespace eve::sim
