#include "runtime/executor_host.h"

#include "runtime/log.h"
#include "wire/codec.h"

namespace eve::runtime {

ExecutorHost::ExecutorHost(EventLoop& loop, Router& router, const crypto::Digester& digester,
                           const execution::ExecutorOptions& options, size_t threads,
                           const execution::MakeService& make_service)
    : router_(router),
      address_(Address::executor(options.index)),
      stage_(loop, digester, threads, make_service, [&router] { router.flush_links(); }),
      verifiers_room_(options.model) {
  for (uint16_t i = 0; i < options.clients; ++i) clients_.push_back(Address::client(i));
}

ExecutorHost::~ExecutorHost() {
  stage_.stop();
  if (journal_ != nullptr) (void)journal_->close();
}

Result<std::unique_ptr<ExecutorHost>> ExecutorHost::create(
    EventLoop& loop, Router& router, const crypto::Authenticator& authenticator,
    const crypto::Digester& digester, execution::ExecutorOptions options, size_t threads,
    const execution::MakeService& make_service, const ExecutorMemoryOptions& memory) {
  std::unique_ptr<ExecutorHost> host(
      new ExecutorHost(loop, router, digester, options, threads, make_service));
  options.genesis = wire::genesis_token(host->stage_.empty_root(), digester);
  if (memory.durability != durability::Durability::kMemory) {
    const auto status = host->recover(loop, options, authenticator, digester, memory);
    if (!status) return Error{status.message()};
    return host;
  }
  auto restarted = start_without_memory(memory.directory, options.index);
  if (!restarted) return restarted.error();
  options.restarted = *restarted;
  host->executor_ = std::make_unique<execution::Executor>(options, authenticator, digester);
  return host;
}

Status ExecutorHost::recover(EventLoop& loop, const execution::ExecutorOptions& options,
                             const crypto::Authenticator& authenticator,
                             const crypto::Digester& digester,
                             const ExecutorMemoryOptions& memory) {
  auto found = open_executor_memory(memory, options.index, options.genesis, digester, stage_);
  if (!found) return found.status();
  disk_ = std::move(found->disk);
  recovered_ = std::move(found->opened.recovered);
  if (recovered_) view_ = recovered_->view;
  forgot_ = found->opened.restarted;
  execution::ExecutorOptions wanted = options;
  wanted.restarted = forgot_;
  executor_ = std::make_unique<execution::Executor>(wanted, authenticator, digester);
  JournalThreadOptions thread;
  thread.name = to_string(address_);
  thread.on_broken = [this] { stopped_ = true; };
  thread.background = [this](durability::Keeper& keeper) { return work_on_checkpoint(keeper); };
  places_ = std::move(found->opened.places);
  checkpoints_ = std::move(found->checkpoints);
  journal_ = std::make_unique<JournalThread>(loop, std::move(found->keeper), thread);
  stage_.keep_in({*journal_, *places_, *checkpoints_, found->opened.log_bytes},
                 std::move(*found->opened.recorder));
  return {};
}

// On the journal's thread.
bool ExecutorHost::work_on_checkpoint(durability::Keeper& keeper) {
  const auto before = checkpoints_->taker().counts();
  const bool more = checkpoints_->work(keeper);
  const auto after = checkpoints_->taker().counts();
  if (after.failed > before.failed) {
    log(LogLevel::kWarn, "checkpoint_failed",
        {{"role", to_string(address_)}, {"reason", after.trouble}});
  }
  if (after.taken + after.failed > before.taken + before.failed) stage_.ask_for_step();
  return more;
}

void ExecutorHost::start(TimeUs now) {
  if (recovered_) executor_->recover(std::move(*recovered_), now);
  recovered_.reset();
  executor_->start(now, outbox_);
  hand_out();
}

void ExecutorHost::receive(const wire::Message& message, Address from, TimeUs now) {
  if (stopped_) return;
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
  executor_->tick(now, outbox_);
  hand_out();
}

void ExecutorHost::watch_disk(TimeUs now) {
  if (now < watch_.due()) return;
  watch_.look(journal_ == nullptr ? JournalStatus() : journal_->status(), now);
  executor_->may_lead(watch_.keeps_up(), now, outbox_);
  wire::Room word;
  for (const Address node : verifiers_room_.low(now)) word.low.push_back(node);
  if (watch_.low()) word.low.insert(word.low.begin(), address_);
  if (word.low.empty() && !said_low_) return;
  if (!watch_.time_to_say(now)) return;
  said_low_ = !word.low.empty();
  outbox_.sends.push_back({clients_, std::make_shared<const wire::Message>(std::move(word))});
}

bool ExecutorHost::idle(TimeUs now) {
  if (stopped_) return false;
  auto events = stage_.take_events();
  for (auto& event : events) {
    if (const auto* entered = std::get_if<execution::ViewEntered>(&event)) view_ = entered->view;
    executor_->on_event(std::move(event), now, outbox_);
  }
  executor_->idle(now, outbox_);
  refusals_seen_.pass_on(
      executor_->refusals(), [this](Address sender) { return router_.name_of(sender); },
      router_.links().refusals(), now);
  if (forgot_) say_remembered();
  const bool sent = hand_out();
  const bool commanded = !outbox_.commands.empty();
  // Commands gather over the turn, so that one wake-up serves them all.
  stage_.submit(outbox_.commands);
  return !events.empty() || sent || commanded;
}

// Not before the log has the view that ended the silence: else the next process would take itself
// for one that remembers, in a view in which it may have spoken.
void ExecutorHost::say_remembered() {
  const auto status = executor_->glance();
  if (status.silent || status.view != view_) return;
  forgot_ = false;
  journal_->submit({{durability::kRemembered, 0, {}}}, durability::Keeper::Until::kLater, nullptr);
}

bool ExecutorHost::hand_out() {
  if (outbox_.sends.empty()) return false;
  router_.send(address_, outbox_.sends);
  return true;
}

execution::ExecutorStatus ExecutorHost::status() const {
  auto status = executor_->status();
  if (const auto kept = journal(); kept && !kept->trouble.empty()) {
    status.waiting_for = "the disk: " + kept->trouble;
  }
  return status;
}

bool ExecutorHost::want_checkpoint() {
  if (checkpoints_ != nullptr) stage_.want_checkpoint();
  return checkpoints_ != nullptr;
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
