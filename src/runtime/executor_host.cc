#include "runtime/executor_host.h"

#include "wire/codec.h"

namespace eve::runtime {

ExecutorHost::ExecutorHost(EventLoop& loop, Router& router,
                           const crypto::Authenticator& authenticator,
                           const crypto::Digester& digester, execution::ExecutorOptions options,
                           size_t threads, const execution::MakeService& make_service)
    : router_(router),
      address_(Address::executor(options.index)),
      stage_(loop, digester, threads, make_service, [&router] { router.flush_links(); }) {
  options.genesis = wire::genesis_token(stage_.empty_root(), digester);
  executor_ = std::make_unique<execution::Executor>(options, authenticator, digester);
}

void ExecutorHost::start(TimeUs now) {
  executor_->start(now, outbox_);
  hand_out();
}

void ExecutorHost::receive(const wire::Message& message, Address from, TimeUs now) {
  executor_->receive(message, from, now, outbox_);
  hand_out();
}

void ExecutorHost::tick(TimeUs now) {
  executor_->tick(now, outbox_);
  hand_out();
}

bool ExecutorHost::idle(TimeUs now) {
  auto events = stage_.take_events();
  for (auto& event : events) executor_->on_event(std::move(event), now, outbox_);
  executor_->idle(now, outbox_);
  refusals_seen_.pass_on(
      executor_->refusals(), [this](Address sender) { return router_.name_of(sender); },
      router_.links().refusals(), now);
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

}  // namespace eve::runtime
