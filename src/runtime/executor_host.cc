#include "runtime/executor_host.h"

#include "membership/steward.h"
#include "runtime/log.h"
#include "runtime/promise_file.h"
#include "wire/codec.h"

namespace eve::runtime {

ExecutorHost::ExecutorHost(EventLoop& loop, Outlet& outlet, const crypto::Digester& digester,
                           const ExecutorHostOptions& options, const Seating& seating)
    : loop_(loop),
      outlet_(outlet),
      digester_(digester),
      options_(options),
      seating_(seating),
      stage_(loop, digester, options.threads, options.make_service, [&outlet] { outlet.flush(); }),
      verifiers_room_(options.model) {
  for (uint16_t i = 0; i < options.clients; ++i) clients_.push_back(Address::client(i));
}

ExecutorHost::~ExecutorHost() {
  stage_.stop();
  if (journal_ != nullptr) (void)journal_->close();
}

Result<std::unique_ptr<ExecutorHost>> ExecutorHost::create(EventLoop& loop, Outlet& outlet,
                                                           const crypto::Digester& digester,
                                                           const ExecutorHostOptions& options,
                                                           const Seating& seating) {
  std::unique_ptr<ExecutorHost> host(new ExecutorHost(loop, outlet, digester, options, seating));
  if (auto status = host->remember(); !status) return Error{status.message()};
  return host;
}

Status ExecutorHost::remember() {
  const ExecutorMemoryOptions& memory = options_.memory;
  // Of earlier lives: before this one leaves marks of its own.
  const auto last = last_started(memory.directory, options_.node);
  if (!last) return last.status();
  spoke_until_ = *last;
  if (memory.durability != durability::Durability::kMemory) return recover();
  if (memory.begin) {
    const auto time = stage_.begin(memory.begin);
    if (!time) return time.status();
    genesis_time_us_ = *time;
  }
  const auto restarted = start_without_memory(memory.directory, options_.node);
  if (!restarted) return restarted.status();
  if (auto marked = mark_epoch(seating_); !marked) return marked;
  forgot_ = *restarted;
  if (seating_.epoch != Epoch()) begins_ = stage_.resume();
  make_executor(forgot_);
  return {};
}

Status ExecutorHost::recover() {
  const crypto::Digest genesis =
      wire::genesis_token(options_.memory.genesis.value_or(stage_.empty_root()), digester_);
  auto found = open_executor_memory(options_.memory, options_.node, genesis, digester_, stage_,
                                    {seating_.epoch, seating_.start, seating_.token});
  if (!found) return found.status();
  if (auto marked = mark_epoch(seating_); !marked) return marked;
  disk_ = std::move(found->disk);
  recovered_ = std::move(found->opened.recovered);
  if (recovered_) {
    view_ = recovered_->view;
  } else if (seating_.epoch != Epoch()) {
    begins_ = stage_.resume();
  }
  forgot_ = found->opened.restarted;
  genesis_time_us_ = found->opened.genesis_time_us;
  make_executor(forgot_);
  JournalThreadOptions thread;
  thread.name = to_string(options_.node);
  thread.on_broken = [this] { stopped_ = true; };
  thread.background = [this](durability::Keeper& keeper) { return work_on_checkpoint(keeper); };
  places_ = std::move(found->opened.places);
  checkpoints_ = std::move(found->checkpoints);
  journal_ = std::make_unique<JournalThread>(loop_, std::move(found->keeper), thread);
  stage_.keep_in({*journal_, *places_, *checkpoints_, found->opened.log_bytes},
                 std::move(*found->opened.recorder));
  return {};
}

// ---- Epochs ------------------------------------------------------------------------------------

// M12: whoever finds it, and does not know what it said, says nothing in that epoch. The mark of
// the first one is there since the first start.
Status ExecutorHost::mark_epoch(const Seating& seating) const {
  if (!seating.seat) return {};
  return mark_started(options_.memory.directory, name_in(options_.node, seating.epoch)).status();
}

/// One for the present epoch, if there is a seat.
void ExecutorHost::make_executor(bool restarted) {
  executor_.reset();
  learner_.reset();
  refusals_seen_ = {};
  if (seating_.comes) {
    learner_ =
        std::make_unique<execution::Learner>(execution::LearnerOptions{options_.model}, digester_);
  }
  if (!seating_.seat) return;
  execution::ExecutorOptions wanted;
  wanted.model = options_.model;
  wanted.index = *seating_.seat;
  wanted.clients = options_.clients;
  wanted.restarted = restarted;
  wanted.epoch = seating_.epoch;
  wanted.start = seating_.start;
  wanted.genesis = seating_.token;
  wanted.genesis_time_us = genesis_time_us_;
  wanted.helpers = seating_.helpers;
  wanted.guests = membership::kGuests;
  executor_ = std::make_unique<execution::Executor>(wanted, *seating_.keys, digester_);
}

// What the Executor before has committed is what the next one begins with, so its last commands
// are carried out.
Status ExecutorHost::begin_epoch(const Seating& seating) {
  if (auto marked = mark_epoch(seating); !marked) return marked;
  if (executor_) {
    last_ = executor_->glance();
    tokens_.add(executor_->recent());
  }
  stage_.submit(outbox_.commands);
  outbox_.sends.clear();
  executor_.reset();
  learner_.reset();
  seating_ = seating;
  verifiers_room_ = RoomBook(options_.model);
  outbox_.commands.push_back(execution::BeginEpoch{seating.epoch, seating.start, seating.token});
  stage_.submit(outbox_.commands);
  return {};
}

void ExecutorHost::begin_executor(const execution::EpochBegun& begun, TimeUs now) {
  if (begun.epoch != seating_.epoch) return;  // another has begun meanwhile
  last_.committed = begun.state.parts.number;
  // The links may have been lost together with the memory: then it hears again of epochs in which
  // it has spoken. In one that is later than all marks it has never been, so nothing that it may
  // have said there is lost.
  const bool may_have_spoken = forgot_ && begun.epoch <= spoke_until_;
  make_executor(may_have_spoken);
  view_ = View();
  if (forgot_ && !may_have_spoken) remembers();
  if (learner_) return start_learner(&begun.state, now);
  if (!executor_) return;
  executor_->begin(begun.state, now);
  executor_->start(now, outbox_);
  hand_out();
}

void ExecutorHost::start_learner(const execution::Fetched* held, TimeUs now) {
  if (held != nullptr) learner_->begin(*held);
  learner_->start(now, outbox_);
  hand_out();
}

// M10: a bounded number at a time; who is not answered asks again.
void ExecutorHost::serve(const wire::Message& message, Address from) {
  constexpr size_t kMostServing = 4;
  const auto* request = std::get_if<wire::StateRequest>(&message);
  if (request == nullptr || from.role != Role::kExecutor || serving_ >= kMostServing) return;
  if (seating_.seat) return;
  ++serving_;
  outbox_.commands.push_back(execution::ServeState{from, *request});
}

// ---- The journal -------------------------------------------------------------------------------

// On the journal's thread.
bool ExecutorHost::work_on_checkpoint(durability::Keeper& keeper) {
  const auto before = checkpoints_->taker().counts();
  const bool more = checkpoints_->work(keeper);
  const auto after = checkpoints_->taker().counts();
  if (after.failed > before.failed) {
    log(LogLevel::kWarn, "checkpoint_failed",
        {{"role", to_string(options_.node)}, {"reason", after.trouble}});
  }
  if (after.taken + after.failed > before.taken + before.failed) stage_.ask_for_step();
  return more;
}

// ---- Host --------------------------------------------------------------------------------------

void ExecutorHost::start(TimeUs now) {
  if (executor_) {
    if (recovered_) executor_->recover(std::move(*recovered_), now);
    if (begins_) executor_->begin(*begins_, now);
    executor_->start(now, outbox_);
    hand_out();
  } else {
    last_.committed = recovered_ ? recovered_->committed.parts.number
                      : begins_  ? begins_->parts.number
                                 : BatchNumber();
    if (learner_) {
      start_learner(recovered_ ? &recovered_->committed : begins_ ? &*begins_ : nullptr, now);
    }
  }
  recovered_.reset();
  begins_.reset();
}

void ExecutorHost::receive(const wire::Message& message, Address from, TimeUs now) {
  if (stopped_) return;
  if (learner_) {
    learner_->receive(message, from, now, outbox_);
    hand_out();
    return;
  }
  if (!executor_) return serve(message, from);
  const auto* room = std::get_if<wire::Room>(&message);
  if (room != nullptr && from.role == Role::kVerifier) {
    verifiers_room_.heard(*room, from, now);
    return;
  }
  executor_->receive(message, from, now, outbox_);
  hand_out();
}

void ExecutorHost::tick(TimeUs now) {
  if (stopped_) return;
  watch_disk(now);
  if (executor_) executor_->tick(now, outbox_);
  if (learner_) learner_->tick(now, outbox_);
  hand_out();
}

TimeUs ExecutorHost::deadline() const {
  if (stopped_) return kNever;
  if (learner_) return std::min(learner_->deadline(), watch_.due());
  return executor_ ? std::min(executor_->deadline(), watch_.due()) : watch_.due();
}

void ExecutorHost::watch_disk(TimeUs now) {
  if (now < watch_.due()) return;
  watch_.look(journal_ == nullptr ? JournalStatus() : journal_->status(), now);
  if (!executor_) return;
  executor_->may_lead(watch_.keeps_up(), now, outbox_);
  wire::Room word;
  for (const Address node : verifiers_room_.low(now)) word.low.push_back(node);
  if (watch_.low()) word.low.insert(word.low.begin(), Address::executor(*seating_.seat));
  if (word.low.empty() && !said_low_) return;
  if (!watch_.time_to_say(now)) return;
  said_low_ = !word.low.empty();
  outbox_.sends.push_back({clients_, std::make_shared<const wire::Message>(std::move(word))});
}

bool ExecutorHost::idle(TimeUs now) {
  if (stopped_) return false;
  auto events = stage_.take_events();
  for (auto& event : events) happened(std::move(event), now);
  if (executor_) {
    executor_->idle(now, outbox_);
    pass_on_refusals(executor_->refusals(), now);
    if (forgot_) say_remembered();
    if (tokens_.behind(executor_->glance().committed)) tokens_.add(executor_->recent());
  }
  if (learner_) pass_on_refusals(learner_->refusals(), now);
  const bool sent = hand_out();
  const bool commanded = !outbox_.commands.empty();
  // Commands gather over the turn, so that one wake-up serves them all.
  stage_.submit(outbox_.commands);
  return !events.empty() || sent || commanded;
}

void ExecutorHost::pass_on_refusals(const Refusals& refusals, TimeUs now) {
  refusals_seen_.pass_on(
      refusals, [this](Address sender) { return outlet_.name_of(sender); }, outlet_.refusals(),
      now);
}

// While an epoch begins, what the Executor before had asked for is nobody's.
void ExecutorHost::happened(execution::Event event, TimeUs now) {
  if (const auto* begun = std::get_if<execution::EpochBegun>(&event)) {
    begin_executor(*begun, now);
  } else if (learner_) {
    learner_->on_event(event, now, outbox_);
  } else if (executor_) {
    if (const auto* entered = std::get_if<execution::ViewEntered>(&event)) view_ = entered->view;
    executor_->on_event(std::move(event), now, outbox_);
  } else if (auto* served = std::get_if<execution::StateServed>(&event)) {
    if (serving_ == 0) return;
    --serving_;
    outbox_.sends.push_back(
        {{served->peer}, std::make_shared<const wire::Message>(std::move(served->reply))});
  }
}

// Not before the log has the view that ended the silence: else the next process would take itself
// for one that remembers, in a view in which it may have spoken. Nor in an epoch before another one
// in which it may have.
void ExecutorHost::say_remembered() {
  const auto status = executor_->glance();
  if (status.silent || status.view != view_ || seating_.epoch < spoke_until_) return;
  remembers();
}

void ExecutorHost::remembers() {
  forgot_ = false;
  if (journal_ == nullptr) return;
  journal_->submit({{durability::kRemembered, 0, {}}}, durability::Keeper::Until::kLater, nullptr);
}

bool ExecutorHost::hand_out() {
  if (outbox_.sends.empty()) return false;
  outlet_.send(outbox_.sends);
  return true;
}

execution::ExecutorStatus ExecutorHost::status() const {
  auto status = executor_ ? executor_->status() : last_;
  if (const auto learning = learner()) {
    status.committed = learning->held;
    status.token = learning->token;
    status.state_root = learning->state_root;
    status.fetching = learning->fetching;
    status.transfers = learning->transfers;
    status.transfer_bytes = learning->transfer_bytes;
    status.refused_messages = learning->refused_messages;
    status.waiting_for = learning->waiting_for;
  }
  if (const auto kept = journal(); kept && !kept->trouble.empty()) {
    status.waiting_for = "the disk: " + kept->trouble;
  }
  return status;
}

std::optional<execution::LearnerStatus> ExecutorHost::learner() const {
  if (!learner_) return std::nullopt;
  return learner_->status();
}

std::vector<execution::Executor::Committed> ExecutorHost::recent() const {
  return executor_ ? executor_->recent() : std::vector<execution::Executor::Committed>();
}

bool ExecutorHost::want_checkpoint() {
  if (checkpoints_ != nullptr) stage_.want_checkpoint();
  return checkpoints_ != nullptr;
}

std::optional<execution::Executor::Committed> ExecutorHost::committed(BatchNumber number) {
  if (executor_) tokens_.add(executor_->recent());
  return tokens_.find(number);
}

std::optional<durability::CheckpointTaker::Counts> ExecutorHost::checkpoints() const {
  if (checkpoints_ == nullptr) return std::nullopt;
  return checkpoints_->taker().counts();
}

std::optional<JournalStatus> ExecutorHost::journal() const {
  if (journal_ == nullptr) return std::nullopt;
  return journal_->status();
}

}  // namespace eve::runtime
