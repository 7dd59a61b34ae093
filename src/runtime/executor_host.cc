#include "runtime/executor_host.h"

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
  auto found = open_executor_memory(memory, options.index, options.genesis, stage_);
  if (!found) return found.status();
  disk_ = std::move(found->disk);
  recovered_ = std::move(found->opened.recovered);
  forgot_ = found->opened.restarted;
  execution::ExecutorOptions wanted = options;
  wanted.restarted = forgot_;
  executor_ = std::make_unique<execution::Executor>(wanted, authenticator, digester);
  JournalThreadOptions thread;
  thread.name = to_string(address_);
  thread.on_broken = [this] { stopped_ = true; };
  journal_ = std::make_unique<JournalThread>(loop, std::move(found->keeper), thread);
  stage_.keep_in(*journal_, std::move(*found->opened.recorder));
  return {};
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
  for (auto& event : events) executor_->on_event(std::move(event), now, outbox_);
  executor_->idle(now, outbox_);
  refusals_seen_.pass_on(
      executor_->refusals(), [this](Address sender) { return router_.name_of(sender); },
      router_.links().refusals(), now);
  if (forgot_ && !executor_->glance().silent) {
    forgot_ = false;
    journal_->submit({{durability::kRemembered, 0, {}}}, durability::Keeper::Until::kLater,
                     nullptr);
  }
  const bool sent = hand_out();
  const bool commanded = !outbox_.commands.empty();
  // Commands gather over the turn, so that one wake-up serves them all.
  stage_.submit(outbox_.commands);
  return !events.empty() || sent || commanded;
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

std::optional<JournalStatus> ExecutorHost::journal() const {
  if (journal_ == nullptr) return std::nullopt;
  return journal_->status();
}

}  // namespace eve::runtime
