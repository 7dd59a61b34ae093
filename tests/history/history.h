// Histories of one key, whose replies tell the order in which the server applied them; checked for
// linearizability exactly, and against a single-threaded model.
//
// A write's reply names its place: INCRBY the new sum, APPEND the new length, SET ... GET the value
// before. A read names the place after which it happened. So the order is known, and checking it
// costs a sort instead of a search.
//
// Whoever lost its connection does not know what came of its writes: each took effect once, some
// time after it was asked for, or never. Others see which.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace eve::history {

enum class Kind { kCounter, kLog, kRegister };

struct Operation {
  bool write = false;
  double invoked_us = 0;
  double completed_us = 0;
  std::string argument;  ///< writes: what was added, appended, set
  std::string reply;     ///< the reply's value; for a null: empty
  bool null = false;
  bool unknown = false;  ///< a write without a reply: may have happened, then or later, or not
};

/// What the model expects of a key after its history.
struct Outcome {
  std::string error;  ///< empty: linearizable and equal to the model
  std::optional<std::string> final_value;
};

/// Orders the operations by their replies, replays them on a model, and checks that the order
/// respects real time. With writes whose outcome is unknown: registers and logs only, and the last
/// operation is a read that began when all others with a reply had ended.
Outcome check(Kind kind, std::vector<Operation> operations);

}  // namespace eve::history
