// What was committed: the one history that all nodes must share. Fed by the simulator, which sees
// inside every node; asks nobody.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "crypto/digest.h"
#include "execution/commands.h"
#include "wire/messages.h"

namespace eve::sim {

class Ledger {
 public:
  /// One committed batch, and what the replicas that computed its token answered.
  struct Entry {
    crypto::Digest token;
    wire::TokenParts parts;
    wire::BatchPtr batch;
    std::vector<execution::BundleReply> replies;
  };

  explicit Ledger(const crypto::Digest& genesis) : genesis_(genesis) {}

  /// A batch that somebody runs.
  void saw_batch(const wire::BatchPtr& batch);
  /// A token that a replica computed.
  void saw_executed(const execution::BatchExecuted& executed);

  /// A node says what it has committed. Throws if a number has two tokens (agreement), the node's
  /// number falls (no regress), or the token is one that nobody computed (validity). Appends to the
  /// history what is new.
  void committed(Address node, BatchNumber number, const crypto::Digest& token);
  /// The node lost its memory: its number may start over.
  void restarted(Address node) { last_.erase(node); }

  /// What the node said last.
  BatchNumber committed_by(Address node) const {
    const auto said = last_.find(node);
    return said == last_.end() ? BatchNumber() : said->second;
  }

  /// Two nodes speak under this address: its number may fall.
  void twin(Address node) { twins_.insert(node); }

  BatchNumber last() const { return BatchNumber(history_.size()); }
  /// Precondition: 1 <= number <= last().
  const Entry& entry(BatchNumber number) const { return history_[number.value() - 1]; }
  crypto::Digest token(BatchNumber number) const {
    return number == BatchNumber() ? genesis_ : entry(number).token;
  }
  /// Numbers for which two replicas computed different tokens from the same batch and past.
  uint64_t divergences() const { return divergences_; }
  /// Numbers for which a third one was computed.
  uint64_t third_tokens() const { return third_tokens_; }

 private:
  struct Computed {
    wire::TokenParts parts;
    std::vector<execution::BundleReply> replies;
  };
  void extend(const crypto::Digest& token, BatchNumber number);

  crypto::Digest genesis_;
  std::vector<Entry> history_;
  std::map<Address, BatchNumber> last_;
  std::set<Address> twins_;
  std::unordered_map<crypto::Digest, wire::BatchPtr> batches_;  ///< by digest, uncommitted
  std::unordered_map<crypto::Digest, Computed> computed_;       ///< by token, uncommitted
  /// By what came before and the batch: the tokens.
  std::map<std::pair<crypto::Digest, crypto::Digest>, std::set<crypto::Digest>> outcomes_;
  uint64_t divergences_ = 0;
  uint64_t third_tokens_ = 0;
};

}  // namespace eve::sim
