#include "sim/world.h"

#include <algorithm>
#include <sstream>
#include <string>

#include "sim/faults.h"
#include "sim/light_authenticator.h"
#include "sim/violation.h"
#include "wire/codec.h"

namespace eve::sim {
namespace {

/// After the faults have stopped: how long outstanding requests may take (timeouts have doubled
/// while nothing worked), and how long until all nodes stand at the same batch.
constexpr TimeUs kFinishUs = 40'000'000;
constexpr TimeUs kConvergeUs = 30'000'000;
/// Where it may never come to that.
constexpr TimeUs kAftermathUs = 3'000'000;
/// Between two looks whether they do; a request in between tells who slept what happened.
constexpr TimeUs kNudgeUs = 1'000'000;

crypto::Digester make_digester(FaultModel model, Random& random) {
  crypto::Secret secret;
  for (uint8_t& byte : secret) byte = static_cast<uint8_t>(random.next());
  const auto algorithm =
      model.byzantine() ? crypto::DigestAlgorithm::kSha256 : crypto::DigestAlgorithm::kXxh3;
  return crypto::Digester(algorithm, secret);
}

bool never() {
  return false;
}

}  // namespace

World::World(const Plan& plan, Fibers& fibers, std::ostream* trace)
    : plan_(plan),
      random_(plan.seed),
      fibers_(fibers),
      roster_(plan.model, plan.clients + plan.byzantine.clients),
      digester_(make_digester(plan.model, random_)),
      network_(plan.network, roster_.size(), random_.next()),
      trace_(trace),
      post_(roster_, queue_, network_, trace_, digester_,
            [this](const wire::MessagePtr& message, Address from, Address to) {
              receive(message, from, to);
            }),
      around_{queue_, post_, trace_, false, plan.byzantine.promise == Promise::kSanity},
      twins_(random_.next(), queue_, roster_.size(), plan.byzantine.change_us),
      workload_(make_workload(plan.service)),
      oracle_(digester_, workload_->service()),
      ledger_(wire::genesis_token(oracle_.genesis_root(), digester_)),
      replies_(ledger_),
      conspiracy_(plan.model) {
  add_twin_posts();
  add_executors();
  add_verifiers();
  add_clients();
  add_rogues();
  add_liars();
  std::vector<Host*> executors;
  for (const auto& host : executors_) executors.push_back(host.get());
  std::vector<Host*> verifiers;
  for (const auto& host : verifiers_) verifiers.push_back(host.get());
  faults_ = std::make_unique<Faults>(plan_, random_.next(), queue_, network_, executors, verifiers,
                                     roster_.size(), [this](Address crashed) {
                                       for (const auto& client : clients_) {
                                         client->disconnect(crashed);
                                       }
                                     });
}

World::~World() = default;

TimeUs World::clock_offset() {
  constexpr TimeUs kStartUs = 1'700'000'000'000'000;  // an ordinary date
  const auto most = static_cast<uint64_t>(plan_.clock_offset_us);
  return kStartUs + static_cast<TimeUs>(random_.below(most + 1));
}

const crypto::Authenticator& World::authenticator_of(Address address) {
  if (plan_.model.byzantine()) {
    authenticators_.push_back(std::make_unique<LightAuthenticator>(address, digester_));
  } else {
    authenticators_.push_back(std::make_unique<crypto::NoAuthenticator>());
  }
  return *authenticators_.back();
}

std::unique_ptr<ExecutorHost> World::make_executor(uint16_t index, size_t instance) {
  ExecutorSetup setup;
  setup.options.model = plan_.model;
  setup.options.index = index;
  setup.options.clients = static_cast<uint16_t>(plan_.clients + plan_.byzantine.clients);
  setup.options.genesis = ledger_.token(BatchNumber());
  setup.make_service = workload_->service();
  setup.request_cost_us = plan_.request_cost_us;
  setup.switch_every = plan_.switch_every;
  const Address self = Address::executor(index);
  return std::make_unique<ExecutorHost>(around(self, instance), setup, clock_offset(),
                                        random_.next(), fibers_, authenticator_of(self), digester_,
                                        ledger_);
}

void World::add_executors() {
  for (uint16_t i = 0; i < plan_.model.executors(); ++i) executors_.push_back(make_executor(i, 0));
}

std::unique_ptr<VerifierHost> World::make_verifier(uint16_t index, size_t instance) {
  verification::VerifierOptions options;
  options.model = plan_.model;
  options.index = index;
  options.genesis = ledger_.token(BatchNumber());
  const Address self = Address::verifier(index);
  return std::make_unique<VerifierHost>(around(self, instance), options, clock_offset(),
                                        random_.next(), authenticator_of(self), digester_, ledger_);
}

void World::add_verifiers() {
  for (uint16_t i = 0; i < plan_.model.verifiers(); ++i) verifiers_.push_back(make_verifier(i, 0));
}

void World::add_clients() {
  for (uint16_t i = 0; i < plan_.clients; ++i) {
    ClientSetup setup;
    setup.options.model = plan_.model;
    setup.options.client = i;
    setup.options.nonce = random_.next();
    setup.options.max_bundles = plan_.max_bundles;
    setup.requests = 1 + plan_.requests / plan_.clients;
    setup.burst = plan_.burst;
    setup.duration_us = plan_.load_us;
    clients_.push_back(std::make_unique<ClientHost>(around_, setup, random_.next(),
                                                    authenticator_of(Address::client(i)), digester_,
                                                    *workload_, replies_));
  }
}

void World::receive(const wire::MessagePtr& message, Address from, Address to) {
  if (twins_.contains(to)) {
    receive_as_twin(message, from, to);
    return;
  }
  switch (to.role) {
    case Role::kExecutor:
      executors_[to.index]->receive(message, from);
      break;
    case Role::kVerifier:
      verifiers_[to.index]->receive(message, from);
      break;
    case Role::kClient:
      if (to.index < clients_.size()) {
        clients_[to.index]->receive(message, from);
      } else {
        rogues_[to.index - clients_.size()]->receive(message, from);
      }
      break;
  }
}

void World::run() {
  for (const auto& host : executors_) host->start();
  for (const auto& host : verifiers_) host->start();
  for (const auto& host : clients_) host->start();
  start_liars();
  faults_->start();
  queue_.run_until(plan_.faults_until_us, never);
  faults_->stop();
  forgetting_ = false;
  if (!plan_.byzantine.to_the_end) post_.end_lies();
  queue_.run_until(plan_.duration_us, never);
  if (plan_.byzantine.promise != Promise::kSanity) check_history();
  if (plan_.byzantine.promise == Promise::kAll) {
    finish_requests();
    if (plan_.byzantine.expiry) sleep();
    converge();
  } else {
    queue_.run_until(queue_.now() + kAftermathUs, never);
  }
  if (plan_.byzantine.promise != Promise::kSanity) check_history();
  for (const auto& host : executors_) {
    if (host->up()) host->check_state();
  }
}

/// The history as a whole; its parts were checked as they came.
void World::check_history() {
  replies_.follow();
  if (workload_->right_footprints()) oracle_.follow(ledger_);
}

bool World::clients_done() const {
  return std::all_of(clients_.begin(), clients_.end(),
                     [](const auto& client) { return client->done(); });
}

void World::finish_requests() {
  if (clients_done()) return;
  queue_.run_until(queue_.now() + kFinishUs, [this] { return clients_done(); });
  if (!clients_done()) throw Violation("liveness", "requests stay unanswered without faults");
}

/// Everybody stands at the last batch and votes again (E10, V6e, V9). Liars may stand anywhere:
/// others do not help them.
bool World::converged() const {
  const BatchNumber last = ledger_.last();
  const auto there = [this, last](const auto& host) {
    return unaccountable(host->self()) || (host->recovered() && host->status().committed == last);
  };
  return std::all_of(executors_.begin(), executors_.end(), there) &&
         std::all_of(verifiers_.begin(), verifiers_.end(), there);
}

void World::converge() {
  const TimeUs until = queue_.now() + kConvergeUs;
  for (;;) {
    queue_.run_until(queue_.now() + kNudgeUs, never);
    if (converged() && clients_done()) return;
    if (queue_.now() >= until) break;
    clients_.front()->nudge();
  }
  throw Violation("convergence", "nodes stay behind without faults");
}

std::string World::describe_nodes() const {
  std::ostringstream out;
  for (const auto& host : executors_) {
    out << to_string(host->self());
    if (host->up()) {
      const auto now = host->status();
      out << " view " << now.view.value() << " committed " << now.committed.value() << " executed "
          << now.executed.value() << (now.silent ? " silent" : "")
          << (now.fetching ? " fetching" : "") << ", waiting for: " << now.waiting_for;
    }
    out << '\n';
  }
  for (const auto& host : verifiers_) {
    out << to_string(host->self());
    if (host->up()) {
      const auto now = host->status();
      out << " view " << now.view.value() << " promised " << now.promised.value() << ' '
          << now.phase << " committed " << now.committed.value()
          << ", waiting for: " << now.waiting_for;
    }
    out << '\n';
  }
  for (const auto& host : clients_) {
    const auto now = host->status();
    out << to_string(host->self()) << (now.open ? " open" : " opening") << " primary "
        << now.primary << " outstanding " << now.outstanding << " completed " << now.completed
        << " retries " << now.retries << '\n';
  }
  return out.str();
}

Statistics World::statistics() const {
  Statistics all;
  all.seeds = 1;
  all.virtual_us = static_cast<uint64_t>(queue_.now() - slept_us_);
  all.events = queue_.executed();
  all.messages = post_.delivered();
  all.batches = ledger_.last().value();
  all.divergences = ledger_.divergences();
  uint64_t highest_view = 0;
  for (const auto& host : executors_) host->add_to(all);
  for (const auto& host : verifiers_) {
    if (host->up()) highest_view = std::max(highest_view, host->status().view.value());
  }
  all.view_changes = highest_view;
  for (const auto& host : clients_) {
    all.requests += host->status().completed;
    all.retries += host->status().retries;
  }
  all.executor_crashes = faults_->counts().executor_crashes;
  all.verifier_crashes = faults_->counts().verifier_crashes;
  all.partitions = faults_->counts().partitions;
  all.pauses = faults_->counts().pauses;
  all.strategies = post_.deeds();
  for (const auto& [name, deeds] : all.strategies) all.lies += deeds.touched;
  all.kept_apart = twins_.kept_apart();
  all.amnesias = amnesias_;
  all.expiries = expiries_;
  all.lost = network_.counts().lost;
  all.cut = network_.counts().cut;
  all.duplicated = network_.counts().duplicated;
  all.late = network_.counts().late;
  return all;
}

}  // namespace eve::sim
