#include "sim/world.h"

#include <algorithm>
#include <set>
#include <sstream>
#include <string>

#include "sim/faults.h"
#include "sim/light_authenticator.h"
#include "sim/real_authenticator.h"
#include "sim/violation.h"
#include "wire/codec.h"

namespace eve::sim {
namespace {

/// After the faults have stopped: how long outstanding requests may take (timeouts have doubled
/// while nothing worked), and how long until all nodes stand at the same batch.
constexpr TimeUs kFinishUs = 40'000'000;
constexpr TimeUs kConvergeUs = 30'000'000;
/// A view that diverges, with a batch that takes long and a leader that lies, on average.
constexpr TimeUs kFailedViewUs = 4'000'000;
/// How often each executor leads, at most, before all that was asked for has been answered.
constexpr TimeUs kTurns = 3;
/// After an outage that was longer than all timeouts: several of the longest.
constexpr TimeUs kOutageUs = 100'000'000;
/// What a disk may have begun before the faults stopped (DiskFault::kStall).
constexpr TimeUs kLongestStallUs = 41'000'000;
/// Where it may never come to that.
constexpr TimeUs kAftermathUs = 3'000'000;
/// Between two looks whether they do. A request now and then tells who slept what happened; many
/// would take away from him what he has to find out by himself.
constexpr TimeUs kLookUs = 1'000'000;
constexpr TimeUs kNudgeUs = 6'000'000;
/// How often the history is looked at as a whole, before the faults stop and after.
constexpr uint32_t kLooks = 3;

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

World::World(const Plan& plan, Fibers& fibers, std::ostream* trace, Diagram* diagram)
    : plan_(plan),
      random_(plan.seed),
      fibers_(fibers),
      roster_(plan.model, plan.clients + plan.byzantine.clients),
      digester_(make_digester(plan.model, random_)),
      network_(plan.network, roster_.size(), random_.next()),
      trace_(trace, diagram),
      post_(roster_, queue_, network_, trace_, digester_,
            [this](const wire::MessagePtr& message, Address from, Address to) {
              receive(message, from, to);
            }),
      around_{queue_, post_, trace_, false, plan.byzantine.promise == Promise::kSanity, &blame_},
      twins_(random_.next(), queue_, roster_.size(), plan.byzantine.change_us),
      workload_(make_workload(plan.service)),
      oracle_(digester_, workload_->service()),
      ledger_(wire::genesis_token(oracle_.genesis_root(), digester_)),
      replies_(ledger_),
      gate_(plan.model, ledger_, replies_),
      authenticity_(ledger_, digester_),
      witness_(trace_),
      primaries_(plan.model),
      votes_(plan.model, ledger_),
      quarantines_(plan.model, digester_),
      conspiracy_(plan.model) {
  if (plan_.byzantine.executors > 0) workload_->expect_liars();
  add_twin_posts();
  add_executors();
  add_verifiers();
  add_clients();
  add_rogues();
  add_liars();
  add_listeners();
  if (plan_.clocks.beyond_skew) blame_.excuse(executors_.back()->self());
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
  const auto most = static_cast<uint64_t>(plan_.clocks.offset_us);
  return kStartUs + static_cast<TimeUs>(random_.below(most + 1));
}

const crypto::Authenticator& World::authenticator_of(Address address) {
  if (!plan_.model.byzantine()) {
    authenticators_.push_back(std::make_unique<crypto::NoAuthenticator>());
  } else if (plan_.real_signatures) {
    if (keys_ == nullptr) keys_ = std::make_unique<RealKeys>(plan_.seed, roster_);
    authenticators_.push_back(keys_->authenticator(address));
    trace_.hit(Site::kRealSignatures);
  } else {
    authenticators_.push_back(std::make_unique<LightAuthenticator>(address, digester_));
  }
  return *authenticators_.back();
}

/// Some are impatient, some are slow to lose patience: between half of the usual and four times.
TimeUs World::patience(TimeUs usual) {
  if (!plan_.mixed_patience) return usual;
  trace_.hit(Site::kMixedPatience);
  return (usual / 2) << random_.below(4);
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
  setup.silence = &silence_;
  setup.storage = plan_.storage.of(Address::executor(index), plan_.model);
  setup.options.suspect_after_us = patience(setup.options.suspect_after_us);
  setup.options.resend_after_us = patience(setup.options.resend_after_us);
  if (workload_->deterministic()) setup.sequential = &sequential_;
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
  options.divergence_delay_us = patience(options.divergence_delay_us);
  options.progress_timeout_us = patience(options.progress_timeout_us);
  options.view_timeout_us = patience(options.view_timeout_us);
  options.resend_after_us = patience(options.resend_after_us);
  const Address self = Address::verifier(index);
  // Who lies keeps what it likes.
  const bool keeps = plan_.storage.verifiers_too() && !plan_.byzantine.faulty(self, plan_.model);
  return std::make_unique<VerifierHost>(
      around(self, instance), options, clock_offset(), random_.next(), authenticator_of(self),
      digester_, ledger_,

      keeps ? std::optional(plan_.storage.of(self, plan_.model)) : std::nullopt);
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
    setup.sleep_us = plan_.sleep_us;
    setup.may_lose_session = plan_.sleep_us != 0;
    setup.options.retry_after_us = patience(setup.options.retry_after_us);
    clients_.push_back(std::make_unique<ClientHost>(around_, setup, random_.next(),
                                                    authenticator_of(Address::client(i)), digester_,
                                                    *workload_, replies_, gate_));
  }
}

/// Of faulty nodes nothing is asked but what lying does not touch.
void World::add_listeners() {
  views_ = std::make_unique<ViewConduct>(plan_.model, ledger_.token(BatchNumber()),
                                         authenticator_of(Address::verifier(0)));
  const std::array<Conduct*, 7> conducts = {&authenticity_, &tokens_,      &silence_,   &primaries_,
                                            &votes_,        &quarantines_, views_.get()};
  const bool spoken_for = plan_.byzantine.manner == Manner::kStrategies;
  for (const Address node : roster_.addresses()) {
    if (node.role == Role::kClient && node.index >= plan_.clients) {
      authenticity_.ignore(node.index);
      blame_.excuse(node);
    }
    if (node.role == Role::kClient || !plan_.byzantine.faulty(node, plan_.model)) continue;
    blame_.excuse(node);
    if (node.role == Role::kExecutor) tokens_.expect_liars();
    if (node.role == Role::kVerifier) {
      votes_.distrust(node);
      quarantines_.distrust(node);
    }
    if (spoken_for) continue;
    gate_.excuse(node);
    for (Conduct* conduct : conducts) conduct->excuse(node);
  }
  post_.add_listener(witness_);
  post_.add_listener(gate_);
  for (Conduct* conduct : conducts) post_.add_listener(*conduct);
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
  run_checked_until(plan_.faults_until_us);
  faults_->stop();
  forgetting_ = false;
  if (!plan_.byzantine.to_the_end) post_.end_lies();
  run_checked_until(plan_.duration_us);
  if (plan_.promises_liveness()) {
    finish_requests();
    if (plan_.byzantine.expiry) sleep();
    converge();
  } else {
    queue_.run_until(queue_.now() + kAftermathUs, never);
    for (const auto& client : clients_) client->leave_unanswered();
  }
  check_history();
  if (plan_.byzantine.promise != Promise::kSanity) workload_->check_history();
  check_states();
}

/// Stops now and then to look at everything.
void World::run_checked_until(TimeUs until) {
  const TimeUs span = (until - queue_.now()) / kLooks;
  for (uint32_t look = 1; look <= kLooks; ++look) {
    queue_.run_until(look == kLooks ? until : queue_.now() + span, never);
    check_history();
  }
  check_states();
}

/// The history as a whole; its parts were checked as they came.
void World::check_history() {
  if (plan_.byzantine.promise == Promise::kSanity) return;
  replies_.follow();
  authenticity_.follow();
  if (workload_->right_footprints()) oracle_.follow(ledger_, *workload_);
}

void World::check_states() const {
  for (const auto& host : executors_) {
    if (host->up()) host->check_state();
  }
}

bool World::clients_done() const {
  return std::all_of(clients_.begin(), clients_.end(),
                     [](const auto& client) { return client->done(); });
}

/// While too few could answer, timeouts doubled: each may be as long as all that was waited for,
/// and with a liar among them verifiers need several to meet in one view. A liar that leads may
/// propose the largest batch that clients allow, and be waited for twice as long as that takes
/// (E9); then the next views' batches wait for it to end on the slower executors.
TimeUs World::patience_lost() const {
  // A bundle on which replicas never agree fails in so many views before it is quarantined (V11).
  const TimeUs views = plan_.model.executors() * plan_.model.verifiers();
  const TimeUs quarantine = workload_->deterministic() ? 0 : views * kFailedViewUs;
  TimeUs longest = 0;
  for (const auto& host : executors_) longest = std::max(longest, host->longest_run());
  const TimeUs slow_batches = kTurns * plan_.model.executors() * 2 * longest;
  const bool stalls = plan_.storage.disk[DiskFault::kStall] > 0 ||
                      (plan_.storage.damaged > 0 && plan_.storage.damage[DiskFault::kStall] > 0);
  const TimeUs stall = stalls ? kLongestStallUs : 0;
  return (plan_.faults.long_pause_us > 0 ? kOutageUs : 0) + quarantine + slow_batches + stall;
}

void World::finish_requests() {
  if (clients_done()) return;
  queue_.run_until(queue_.now() + kFinishUs + patience_lost(), [this] { return clients_done(); });
  if (!clients_done()) throw Violation("liveness", "requests stay unanswered without faults");
}

/// Everybody stands at the last batch and votes again (E10, V6e, V9). Liars may stand anywhere:
/// others do not help them.
bool World::converged() const {
  const BatchNumber last = ledger_.last();
  // Whose clock is beyond the skew allowed refuses every batch, and is always a fetch behind.
  std::set<Address> excused;
  if (plan_.clocks.beyond_skew) excused.insert(executors_.back()->self());
  const auto there = [this, &excused, last](const auto& host) {
    return excused.contains(host->self()) || unaccountable(host->self()) ||
           (host->recovered() && host->glance().committed == last);
  };
  const auto votes = [&there](const auto& host) { return host->retired() || there(host); };
  return std::all_of(executors_.begin(), executors_.end(), there) &&
         std::all_of(verifiers_.begin(), verifiers_.end(), votes);
}

void World::converge() {
  const TimeUs until = queue_.now() + kConvergeUs + patience_lost();
  TimeUs nudge_at = queue_.now();
  for (;;) {
    queue_.run_until(queue_.now() + kLookUs, never);
    if (converged() && clients_done()) return;
    if (queue_.now() >= until) break;
    if (queue_.now() < nudge_at) continue;
    clients_.front()->nudge();
    nudge_at = queue_.now() + kNudgeUs;
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

uint64_t World::quarantined() const {
  uint64_t all = 0;
  for (const auto& host : clients_) all += host->status().quarantined;
  return all;
}

TimeUs World::answered_at() const {
  TimeUs last = 0;
  for (const auto& host : clients_) last = std::max(last, host->answered_at());
  return last;
}

Statistics World::statistics() const {
  Statistics all;
  all.seeds = 1;
  const TimeUs slept = std::min(slept_us_ + plan_.slept_us(), queue_.now());
  all.virtual_us = static_cast<uint64_t>(queue_.now() - slept);
  all.slept_us = static_cast<uint64_t>(slept);
  all.events = queue_.executed();
  all.messages = post_.delivered();
  all.batches = ledger_.last().value();
  all.divergences = ledger_.divergences();
  uint64_t highest_view = 0;
  for (const auto& host : executors_) host->add_to(all);
  for (const auto& host : verifiers_) {
    if (host->up()) highest_view = std::max(highest_view, host->glance().view.value());
  }
  all.view_changes = highest_view;
  for (const auto& host : clients_) {
    all.asking_us = std::max(all.asking_us, static_cast<uint64_t>(host->asking_us()));
    all.requests += host->status().completed;
    all.retries += host->status().retries;
  }
  all.strategies = post_.deeds();
  for (const auto& [name, deeds] : all.strategies) all.lies += deeds.touched;
  all.kept_apart = twins_.kept_apart();
  all.amnesias = amnesias_;
  all.expiries = expiries_;
  all.sites = trace_.sites();
  all.sites += faults_->sites();
  all.sites.hit(Site::kLost, network_.counts().lost);
  all.sites.hit(Site::kDuplicated, network_.counts().duplicated);
  all.sites.hit(Site::kReplayed, network_.counts().replayed);
  all.sites.hit(Site::kLate, network_.counts().late);
  all.sites.hit(Site::kOvertaken, network_.counts().overtaken);
  all.sites.hit(Site::kSlowedByBandwidth, network_.counts().slowed);
  all.sites.hit(Site::kClogged, network_.counts().clogged);
  all.sites.hit(Site::kCut, network_.counts().cut);
  all.sites.hit(Site::kLie, all.lies);
  all.sites.hit(Site::kDivergence, ledger_.divergences());
  all.sites.hit(Site::kThreeWayDivergence, ledger_.third_tokens());
  return all;
}

}  // namespace eve::sim
