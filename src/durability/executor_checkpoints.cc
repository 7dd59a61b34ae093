#include "durability/executor_checkpoints.h"

namespace eve::durability {

bool ExecutorCheckpoints::work(Keeper& keeper) {
  const bool more = taker_.work([&](BatchNumber number) -> std::optional<CheckpointPlace> {
    // Whatever the durability: what the checkpoint is to be followed by must not take positions
    // that a lost end of the log has left.
    if (!keeper.keep({}, Keeper::Until::kSynced)) return std::nullopt;
    return places_.place_of(number, keeper.end());
  });
  if (const auto taken = taker_.taken()) {
    places_.cut(taken->position, taken->number);
    // A cut that fails is not repeated: the next one takes more.
    (void)keeper.cut(taken->position);
  }
  return more;
}

}  // namespace eve::durability
