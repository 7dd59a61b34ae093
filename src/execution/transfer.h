// State transfer at the runner (rule E7, DESIGN 6.5): serving nodes of the versions that are held,
// and fetching the state of an agreed token.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "execution/commands.h"
#include "execution/history.h"
#include "state/engine.h"

namespace eve::execution {

/// What a peer asked for, as far as it is here and fits into one chunk; at least one node, if any
/// is here. Without parts if that version is not held. Number 0 without nodes asks for the newest
/// committed one.
wire::StateReply serve_state(const state::Engine& engine, const History& history,
                             const wire::StateRequest& request);

/// A fetch under way. The engine must be left alone while this exists. One thread at a time.
class StateFetch {
 public:
  /// Precondition: the engine's last batch is committed, no batch is open.
  StateFetch(state::Engine& engine, const wire::TokenParts& target);

  /// Goes on towards a newer state; keeps what is the same there.
  void retarget(const wire::TokenParts& target);
  /// Takes what a peer sent; returns how many of its nodes were not what was asked for.
  uint32_t supply(const SupplyFetch& supply);
  /// The next nodes to ask for.
  std::vector<TreeNode> wants();
  /// True once the engine has the target's state, committed. This object is then spent.
  bool install(Scheduler& scheduler);

  const wire::TokenParts& target() const { return target_; }

 private:
  state::Engine& engine_;
  wire::TokenParts target_;
  std::unique_ptr<state::Fetch> fetch_;
  std::set<TreeNode> asked_;  ///< not answered yet: bounds what is under way
};

}  // namespace eve::execution
