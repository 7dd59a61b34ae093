#include "execution/command_queue.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace eve::execution {

void CommandQueue::push(Command command) {
  if (const auto* rollback = std::get_if<RollbackTo>(&command)) {
    drop_runs_after(rollback->number);
  } else if (std::holds_alternative<StartFetch>(command) ||
             std::holds_alternative<BeginEpoch>(command)) {
    // It begins at what is committed by then: runs that a commit in the queue makes final stay.
    BatchNumber final;
    for (const Command& waiting : commands_) {
      if (const auto* commit = std::get_if<CommitBatches>(&waiting)) {
        final = std::max(final, commit->number);
      }
    }
    drop_runs_after(final);
  }
  commands_.push_back(std::move(command));
}

Command CommandQueue::pop() {
  EVE_CHECK(!commands_.empty(), "there is a command");
  Command command = std::move(commands_.front());
  commands_.pop_front();
  return command;
}

void CommandQueue::drop_runs_after(BatchNumber kept) {
  std::erase_if(commands_, [kept](const Command& command) {
    const auto* run = std::get_if<RunBatch>(&command);
    return run != nullptr && run->batch->number > kept;
  });
}

}  // namespace eve::execution
