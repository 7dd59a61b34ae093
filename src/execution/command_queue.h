// Commands on their way from the executor to the runner. Where batches take longer than views last,
// each view adds runs that the next one undoes before they have begun: those that wait are left
// out, so that a replica is behind by the batch that runs now and no more.
#pragma once

#include <deque>

#include "execution/commands.h"

namespace eve::execution {

/// Not thread-safe.
class CommandQueue {
 public:
  /// Adds `command`. Runs before it that it undoes leave the queue: no event comes for them.
  void push(Command command);
  /// Precondition: not empty.
  Command pop();

  bool empty() const { return commands_.empty(); }
  size_t size() const { return commands_.size(); }
  void clear() { commands_.clear(); }

 private:
  void drop_runs_after(BatchNumber kept);

  std::deque<Command> commands_;
};

}  // namespace eve::execution
