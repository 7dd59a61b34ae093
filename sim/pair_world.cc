#include "sim/pair_world.h"

#include <algorithm>
#include <sstream>

#include "sim/violation.h"
#include "wire/codec.h"

namespace eve::sim {
namespace {

constexpr TimeUs kSilenceUs = 500'000;
constexpr TimeUs kProgressUs = 3'000'000;
constexpr TimeUs kFinishUs = 60'000'000;
constexpr TimeUs kLookUs = 500'000;
constexpr uint32_t kLooks = 3;
constexpr TimeUs kLeastDownUs = 20'000;
constexpr TimeUs kNudgeUs = 3'000'000;

crypto::Digester make_digester(Random& random) {
  crypto::Secret secret;
  for (uint8_t& byte : secret) byte = static_cast<uint8_t>(random.next());
  return crypto::Digester(crypto::DigestAlgorithm::kXxh3, secret);
}

bool never() {
  return false;
}

}  // namespace

void AnswerChecker::sent(Address from, const wire::Send& send) {
  const auto* reply = std::get_if<wire::Reply>(send.message.get());
  if (reply == nullptr || from.role != Role::kExecutor) return;
  const uint64_t life = life_of_(from.index);
  if (pair::primary_of(reply->view) != from.index) {
    throw Violation("one primary", to_string(from) + " answers in an epoch that it does not lead");
  }
  if (answers_.emplace(reply->view, life).first->second != life) {
    throw Violation("one primary",
                    "two lives answer in epoch " + std::to_string(reply->view.value()));
  }
}

PairWorld::PairWorld(const Plan& plan, Fibers& fibers, std::ostream* trace, Diagram* diagram)
    : plan_(plan),
      random_(plan.seed),
      fibers_(fibers),
      roster_(plan.model, plan.clients),
      digester_(make_digester(random_)),
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
      answers_([this](uint16_t index) { return replicas_.at(index)->life(); }),
      arbiter_(queue_, random_.next(), plan.network.loss_per_mille > 0) {
  workload_->between_two();
  post_.add_listener(gate_);
  post_.add_listener(answers_);
  add_replicas();
  add_clients();
}

PairWorld::~PairWorld() = default;

void PairWorld::add_replicas() {
  constexpr TimeUs kStartUs = 1'700'000'000'000'000;
  for (uint16_t i = 0; i < 2; ++i) {
    PairSetup setup;
    setup.options.index = i;
    setup.options.clients = static_cast<uint16_t>(plan_.clients);
    setup.options.genesis = ledger_.token(BatchNumber());
    setup.options.silence_us = kSilenceUs;
    setup.options.progress_us = kProgressUs;
    setup.make_service = workload_->service();
    setup.request_cost_us = plan_.request_cost_us;
    setup.switch_every = plan_.switch_every;
    setup.arbiter = plan_.arbiter ? &arbiter_ : nullptr;
    setup.storage = plan_.storage;
    const auto off = random_.below(static_cast<uint64_t>(plan_.clocks.offset_us) + 1);
    replicas_[i] =
        std::make_unique<PairHost>(around_, setup, kStartUs + static_cast<TimeUs>(off),
                                   random_.next(), fibers_, authenticator_, digester_, ledger_);
  }
}

void PairWorld::add_clients() {
  for (uint16_t i = 0; i < plan_.clients; ++i) {
    ClientSetup setup;
    setup.options.model = plan_.model;
    setup.options.client = i;
    setup.options.nonce = random_.next();
    setup.options.max_bundles = plan_.max_bundles;
    setup.requests = 1 + plan_.requests / plan_.clients;
    setup.burst = plan_.burst;
    setup.duration_us = plan_.load_us;
    clients_.push_back(std::make_unique<ClientHost>(around_, setup, random_.next(), authenticator_,
                                                    digester_, *workload_, replies_, gate_));
  }
}

void PairWorld::receive(const wire::MessagePtr& message, Address from, Address to) {
  if (to.role == Role::kExecutor) {
    replicas_.at(to.index)->receive(message, from);
  } else {
    clients_.at(to.index)->receive(message, from);
  }
}

// ---- Faults ------------------------------------------------------------------------------------

TimeUs PairWorld::around_us(TimeUs mean) {
  return 1 + static_cast<TimeUs>(random_.below(static_cast<uint64_t>(2 * mean)));
}

void PairWorld::repeat(TimeUs every, std::function<void()> fault) {
  if (every == 0) return;
  queue_.at(queue_.now() + around_us(every), [this, every, fault] {
    if (stopped_) return;
    fault();
    repeat(every, fault);
  });
}

void PairWorld::start_faults() {
  repeat(plan_.faults.executor_crash_every_us, [this] { crash_one(); });
  if (lasting()) repeat(plan_.storage.together_every_us, [this] { crash_both(); });
  repeat(plan_.faults.partition_every_us, [this] { cut_some(); });
  repeat(plan_.faults.pause_every_us, [this] {
    PairHost& host = *replicas_.at(random_.below(2));
    host.pause_until(queue_.now() + around_us(plan_.faults.pause_us));
  });
  if (plan_.faults.slow_executor) replicas_.at(random_.below(2))->set_slow(true);
  if (!plan_.arbiter) return;
  repeat(plan_.faults.clog_every_us, [this] {
    arbiter_.set_reachable(false);
    queue_.at(queue_.now() + around_us(2 * kSilenceUs), [this] { arbiter_.set_reachable(true); });
  });
}

void PairWorld::stop_faults() {
  stopped_ = true;
  network_.calm();
  network_.heal();
  arbiter_.calm();
  for (const auto& host : replicas_) {
    host->calm();
    host->set_slow(false);
    if (!host->up()) host->start();
  }
}

bool PairWorld::lasting() const {
  const StoragePlan& plan = plan_.storage;
  return plan.lasting() &&
         (plan.durability == durability::Durability::kSync || plan.machine_per_mille == 0);
}

/// The other one could go on: nothing would be lost, and it knows, or will learn, that it may.
bool PairWorld::may_crash(uint16_t index) const {
  const PairHost& victim = *replicas_.at(index);
  const PairHost& survivor = *replicas_.at(pair::other_than(index));
  if (lasting()) return victim.up();
  if (!victim.up() || !survivor.up()) return false;
  // Its question may still name itself alone. One that came too late changes nothing.
  const auto last = victim.glance();
  if (last.asking && (!plan_.arbiter || arbiter_.record() == last.record)) return false;
  if (plan_.arbiter) {
    return arbiter_.record().lives.at(pair::other_than(index)) == survivor.life();
  }
  const auto other = survivor.glance();
  return other.in_sync && !other.in_doubt && other.record == last.record;
}

void PairWorld::crash_one() {
  const auto index = static_cast<uint16_t>(random_.below(2));
  if (may_crash(index)) crash(*replicas_.at(index));
}

void PairWorld::crash_both() {
  for (const auto& host : replicas_) {
    if (host->up()) crash(*host);
  }
}

void PairWorld::crash(PairHost& host) {
  ++crashes_;
  host.crash();
  for (const auto& client : clients_) client->disconnect(host.self());
  const TimeUs down = std::max(plan_.faults.down_us, kLeastDownUs);
  queue_.at(queue_.now() + around_us(down), [&host] {
    if (!host.up()) host.start();
  });
}

/// Any links: one way, both ways, of clients too.
void PairWorld::cut_some() {
  const size_t nodes = roster_.size();
  std::vector<bool> links(nodes * nodes, false);
  const bool between = random_.chance(1, 2);
  if (between) links[1] = links[nodes] = true;
  for (size_t link = 0; !between && link < links.size(); ++link) {
    links[link] = random_.chance(1, 3);
  }
  network_.cut(std::move(links));
  queue_.at(queue_.now() + around_us(plan_.faults.partition_us), [this] { network_.heal(); });
}

// ---- The run -----------------------------------------------------------------------------------

void PairWorld::check_all() {
  replies_.follow();
  if (workload_->right_footprints()) oracle_.follow(ledger_, *workload_);
  for (const auto& host : replicas_) {
    if (host->up()) host->check_state();
  }
}

bool PairWorld::done() const {
  return std::all_of(clients_.begin(), clients_.end(),
                     [](const auto& client) { return client->done(); });
}

bool PairWorld::converged() const {
  for (const auto& host : replicas_) {
    if (!host->up()) return false;
    const auto now = host->glance();
    if (!now.in_sync || !pair::names_both(now.record) || now.committed != ledger_.last()) {
      return false;
    }
  }
  return replicas_[0]->glance().record == replicas_[1]->glance().record;
}

void PairWorld::run() {
  for (const auto& host : replicas_) host->start();
  for (const auto& host : clients_) host->start();
  start_faults();
  for (uint32_t look = 1; look <= kLooks; ++look) {
    queue_.run_until(plan_.faults_until_us * look / kLooks, never);
    check_all();
  }
  stop_faults();
  queue_.run_until(plan_.duration_us, never);
  queue_.run_until(queue_.now() + kFinishUs, [this] { return done(); });
  if (!done()) throw Violation("liveness", "requests stay unanswered without faults");
  const TimeUs until = queue_.now() + kFinishUs;
  for (TimeUs nudge_at = queue_.now(); !converged() || !done();) {
    if (queue_.now() >= until) throw Violation("convergence", "the two stay apart without faults");
    if (queue_.now() >= nudge_at) {
      clients_.front()->nudge();
      nudge_at = queue_.now() + kNudgeUs;
    }
    queue_.run_until(queue_.now() + kLookUs, never);
  }
  check_all();
  workload_->check_history();
}

std::string PairWorld::describe_nodes() const {
  std::ostringstream out;
  out << "arbiter: " << pair::format_record(arbiter_.record()) << '\n';
  for (const auto& host : replicas_) {
    out << to_string(host->self());
    if (host->up()) {
      const auto now = host->status();
      out << " life " << host->life() << ", " << pair::format_record(now.record)
          << (now.leading ? ", leads" : "") << (now.in_doubt ? ", in doubt" : "") << ", committed "
          << now.committed.value() << " executed " << now.executed.value()
          << ", waits for: " << now.waiting_for;
    }
    out << '\n';
  }
  for (const auto& host : clients_) {
    const auto now = host->status();
    out << to_string(host->self()) << " primary " << now.primary << " outstanding "
        << now.outstanding << " completed " << now.completed << '\n';
  }
  return out.str();
}

Statistics PairWorld::statistics() const {
  Statistics all;
  all.seeds = 1;
  all.virtual_us = static_cast<uint64_t>(queue_.now());
  all.events = queue_.executed();
  all.messages = post_.delivered();
  all.batches = ledger_.last().value();
  all.divergences = ledger_.divergences();
  for (const auto& host : replicas_) {
    host->add_to(all);
    if (host->up()) {
      all.view_changes = std::max(all.view_changes, host->glance().record.epoch.value());
    }
  }
  for (const auto& host : clients_) {
    all.asking_us = std::max(all.asking_us, static_cast<uint64_t>(host->asking_us()));
    all.requests += host->status().completed;
    all.retries += host->status().retries;
  }
  all.sites = trace_.sites();
  return all;
}

}  // namespace eve::sim
