// What this node refused, by sender: peers by their names in cluster.toml, strangers by the address
// that they came from. Counts; and says in the log who and why, once in a while for each sender.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/refusals.h"

namespace eve::runtime {

/// The loop's thread only. Holds each peer, at most host_limits::kMaxRefusedSenders strangers, and
/// one for the rest: however many addresses strangers come from, a peer that lies is named.
class RefusalLog {
 public:
  /// `self` names this node in the log; `peers` are the others of the cluster.
  explicit RefusalLog(std::string self, std::set<std::string> peers = {})
      : self_(std::move(self)), peers_(std::move(peers)) {}

  void add_peer(const std::string& name) { peers_.insert(name); }
  void add(const std::string& sender, std::string_view reason, TimeUs now, uint64_t times = 1);

  struct Entry {
    std::string sender;
    uint64_t count = 0;
    std::string reason;  ///< of the latest
  };
  /// The most refused first.
  std::vector<Entry> entries() const;
  uint64_t total() const { return total_; }
  uint64_t lines() const { return lines_; }  ///< written to the log

 private:
  struct Sender {
    uint64_t count = 0;
    uint64_t logged = 0;  ///< of them when the last line was written
    TimeUs quiet_until = 0;
    std::string reason;
  };

  std::string self_;
  std::set<std::string> peers_;
  size_t strangers_ = 0;  ///< of the senders
  std::map<std::string, Sender> senders_;
  uint64_t total_ = 0;
  uint64_t lines_ = 0;
};

/// Passes on what a state machine has refused since the last time.
class RefusalsSeen {
 public:
  /// `name_of(sender)` is the node that plays it.
  template <typename NameOf>
  void pass_on(const Refusals& refusals, NameOf name_of, RefusalLog& log, TimeUs now) {
    if (refusals.total() == total_) return;
    total_ = refusals.total();
    for (const auto& [sender, entry] : refusals.by_sender()) {
      auto& seen = seen_[sender];
      if (entry.count == seen) continue;
      log.add(name_of(sender), entry.reason, now, entry.count - seen);
      seen = entry.count;
    }
  }

 private:
  uint64_t total_ = 0;
  std::map<Address, uint64_t> seen_;
};

}  // namespace eve::runtime
