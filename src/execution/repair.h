// Gets a committed state from other executors (E7, DESIGN 6.5): asks who holds it, has the runner
// compare trees, carries the nodes that it wants to peers and their payloads back.
//
//   idle --begin--> asking --right parts from a peer--> fetching --fetched--> idle
//                     ^                                   |
//                     +------- begin with a newer target -+
//
// Trusts no peer: parts count only if they hash to the committed token, nodes are checked by the
// runner, and a peer that lies, stalls or dies is left out until nobody else is left. So a bad
// source costs time only. Invariant: a node is asked of at most one peer at a time, and each peer
// has at most one question to answer.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/quorum.h"
#include "base/tree_node.h"
#include "crypto/digest.h"
#include "execution/commands.h"
#include "execution/executor.h"
#include "wire/messages.h"

namespace eve::execution {

class Repair {
 public:
  /// `digester` must outlive this. `self` is not asked. `helpers`: as ExecutorOptions::helpers.
  Repair(const FaultModel& model, uint16_t self, TimeUs patience_us,
         const crypto::Digester& digester, uint16_t helpers = 0);

  /// Starts to fetch the state whose token is vouched for; or turns to a newer one.
  void begin(BatchNumber number, const crypto::Digest& token, TimeUs now, Outbox& out);

  bool active() const { return phase_ != Phase::kIdle; }
  BatchNumber target() const { return target_; }
  /// Nobody seems to hold the target: all say so, or nobody has said otherwise for a
  /// while. A newer one may be needed. Turning to newer ones without finding a holder makes the
  /// while longer: the answer of one who holds them may take that long.
  bool stuck(TimeUs now) const;

  /// False if what `peer` says is a lie.
  bool on_reply(const wire::StateReply& reply, uint16_t peer, TimeUs now, Outbox& out);
  /// The peer whose nodes this is about, if it sent wrong ones.
  std::optional<uint16_t> on_wants(const FetchWants& wants, TimeUs now, Outbox& out);
  void on_fetched(BatchNumber number);
  /// Gives the target up. The runner still answers what it was told.
  void stop();
  /// Whether the runner has yet to answer a fetch command.
  bool awaits_runner() const { return !supplies_.empty(); }
  /// Gives up on peers that did not answer in time.
  void check(TimeUs now, Outbox& out);

  uint64_t bytes() const { return bytes_; }  ///< received, of all transfers
  std::string waiting_for() const;

 private:
  enum class Phase : uint8_t { kIdle, kAsking, kFetching };
  struct Peer {
    bool holder = false;
    bool denied = false;  // said that it does not hold the target
    bool busy = false;
    TimeUs asked_at = 0;
    TimeUs patience_us = 0;
    std::vector<TreeNode> asked;
  };

  void ask_for_parts(TimeUs now, Outbox& out);
  void start_fetch(const wire::TokenParts& parts, Outbox& out);
  void supply(const wire::StateReply& reply, uint16_t peer, Outbox& out);
  /// Frees the peer; returns the nodes asked of it that are wanted still.
  std::vector<TreeNode> release(Peer& peer);
  void give_up(uint16_t peer, Outbox& out);
  void send_supply(uint16_t peer, wire::StateReply reply, std::vector<TreeNode> failed,
                   Outbox& out);
  void spread(TimeUs now, Outbox& out);
  size_t holders() const;
  bool is_peer(size_t index) const { return index != self_; }

  FaultModel model_;
  uint16_t self_;
  TimeUs patience_us_;
  const crypto::Digester& digester_;

  Phase phase_ = Phase::kIdle;
  BatchNumber target_;
  crypto::Digest token_;
  wire::TokenParts parts_;
  TimeUs parts_asked_at_ = 0;
  TimeUs held_at_ = 0;  // when it became the target, somebody first held it, or sent some of it
  TimeUs stuck_after_us_ = 0;
  TimeUs runner_heard_at_ = 0;
  std::vector<Peer> peers_;  // by executor; the own place is unused

  // Nodes that the runner wants: those in the queue are asked of nobody yet.
  std::map<TreeNode, bool> wanted_;  // true: in the queue
  std::deque<TreeNode> queue_;
  // Whose supplies the runner has not answered yet, oldest first; nullopt: a StartFetch.
  std::deque<std::optional<uint16_t>> supplies_;
  uint64_t bytes_ = 0;
};

}  // namespace eve::execution
