#include "sim/stage_eyes.h"

#include <utility>

namespace eve::sim {
namespace {

std::string text(uint64_t value) {
  return std::to_string(value);
}

std::string text(bool value) {
  return value ? "yes" : "no";
}

}  // namespace

void StageEyes::forget(Address node) {
  executors_.erase(node);
  verifiers_.erase(node);
}

void StageEyes::look(const ExecutorHost& node) {
  if (!node.up()) return;
  const Address self = node.self();
  const auto now = node.status();
  const auto before = std::exchange(executors_[self], now);
  const auto grew = [&](uint64_t execution::ExecutorStatus::*counter) {
    return now.*counter > before.*counter;
  };
  using Status = execution::ExecutorStatus;
  if (now.silent && !before.silent) say(self, "silent: its memory is lost");
  if (now.view != before.view) say(self, "entered view " + text(now.view.value()));
  if (grew(&Status::rollbacks)) {
    say(self, "rolled back to batch " + text(now.executed.value()));
  }
  if (!now.silent && before.silent) say(self, "may speak again: no longer silent");
  if (grew(&Status::refused_messages)) say(self, "refused what came");
  if (grew(&Status::repairs)) say(self, "diverged: the committed token is another");
  if (now.fetching && !before.fetching) say(self, "needs the state of others");
  if (grew(&Status::transfers)) say(self, "the state is here");
  if (now.committed != before.committed) {
    say(self, "committed batch " + text(now.committed.value()) + ' ' +
                  names_.token(now.committed, now.token));
  }
  if (grew(&Status::failed_requests)) say(self, "a request had thrown: " + now.last_failure);
  if (grew(&Status::batches_sequential)) say(self, "batch given to one thread, in order");
}

void StageEyes::look(const VerifierHost& node) {
  if (!node.up()) return;
  const Address self = node.self();
  const auto now = node.status();
  const auto before = std::exchange(verifiers_[self], now);
  if (now.refused_messages > before.refused_messages) say(self, "refused what came");
  if (now.committed != before.committed) {
    say(self, "committed batch " + text(now.committed.value()) + ' ' +
                  names_.token(now.committed, now.token));
  }
  if (now.last_reason != before.last_reason) say(self, "asked for " + now.last_reason);
  if (now.phase == "recovering" && before.phase != now.phase) {
    say(self, "silent: its promises are lost, but for view " + text(now.promised.value()));
  }
  if (now.view_changes != before.view_changes) {
    say(self, "joined view " + text(now.view.value()));
  }
  if (before.phase == "starting" && now.phase == "normal") {
    say(self, "view " + text(now.view.value()) + " has started");
  }
}

std::optional<std::string> StageEyes::field(const ExecutorHost& node, const std::string& name) {
  const auto now = node.status();
  if (name == "view") return text(now.view.value());
  if (name == "committed") return text(now.committed.value());
  if (name == "executed") return text(now.executed.value());
  if (name == "token") return names_.token(now.committed, now.token);
  if (name == "silent") return text(now.silent);
  if (name == "fetching") return text(now.fetching);
  if (name == "rollbacks") return text(now.rollbacks);
  if (name == "repairs") return text(now.repairs);
  if (name == "transfers") return text(now.transfers);
  if (name == "refused") return text(now.refused_messages);
  if (name == "sequential") return text(now.batches_sequential);
  if (name == "failed") return text(now.failed_requests);
  return std::nullopt;
}

std::optional<std::string> StageEyes::field(const VerifierHost& node, const std::string& name) {
  const auto now = node.status();
  if (name == "view") return text(now.view.value());
  if (name == "promised") return text(now.promised.value());
  if (name == "phase") return now.phase;
  if (name == "committed") return text(now.committed.value());
  if (name == "token") return names_.token(now.committed, now.token);
  if (name == "divergences") return text(now.divergences);
  if (name == "refused") return text(now.refused_messages);
  return std::nullopt;
}

std::optional<std::string> StageEyes::field(const ClientHost& node, const std::string& name) {
  const auto now = node.status();
  if (name == "open") return text(now.open);
  if (name == "outstanding") return text(uint64_t{now.outstanding});
  if (name == "completed") return text(now.completed);
  if (name == "retries") return text(now.retries);
  if (name == "lost") return text(now.sessions_lost);
  if (name == "primary") return text(uint64_t{now.primary});
  return std::nullopt;
}

}  // namespace eve::sim
