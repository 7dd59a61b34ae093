// Which executors have the same batch as the one that a backup is taken from: one node may lie.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

#include "base/ids.h"
#include "crypto/digest.h"

namespace eve::cli {

/// What executors said of batches. Pure.
class Witnesses {
 public:
  /// Token and root, in hexadecimal digits.
  void said(const std::string& node, uint64_t number, std::string token, std::string root) {
    batches_[number][node] = {std::move(token), std::move(root)};
  }
  bool heard(const std::string& node, uint64_t number) const {
    const auto batch = batches_.find(number);
    return batch != batches_.end() && batch->second.contains(node);
  }

  struct Count {
    std::set<std::string> agree;
    std::set<std::string> differ;
  };
  Count count(uint64_t number, const crypto::Digest& token, const crypto::Digest& root) const;

 private:
  std::map<uint64_t, std::map<std::string, std::pair<std::string, std::string>>> batches_;
};

/// Whether a backup that `others` say that of may be believed. Empty, or why not. One that differs
/// is enough where no node lies (r = 0); else r+1 have to say the same, the source among them.
std::string why_not_believed(const Witnesses::Count& others, uint32_t r);

/// As why_not_believed(), of primary-backup. Without a word of the other replica one that leads
/// alone is believed: nobody else may answer, says the record (docs/primary-backup.md, P7).
std::string why_not_believed_of_pair(const Witnesses::Count& others, bool leads_alone);

/// What every acknowledged write is in: the (r+1)th highest of what executors say that they have
/// committed; r of them may boast.
uint64_t acknowledged_through(std::multiset<uint64_t> committed, uint32_t r);

}  // namespace eve::cli
