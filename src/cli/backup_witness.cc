#include "cli/backup_witness.h"

#include <iterator>

namespace eve::cli {
namespace {

std::string list(const std::set<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

Witnesses::Count Witnesses::count(uint64_t number, const crypto::Digest& token,
                                  const crypto::Digest& root) const {
  Count count;
  const auto batch = batches_.find(number);
  if (batch == batches_.end()) return count;
  for (const auto& [node, said] : batch->second) {
    const bool same = said.first == token.hex() && said.second == root.hex();
    (same ? count.agree : count.differ).insert(node);
  }
  return count;
}

std::string why_not_believed(const Witnesses::Count& others, uint32_t r) {
  const auto agree = others.agree.size() + 1;
  if (agree >= r + 1 && (r > 0 || others.differ.empty())) return {};
  std::string why = std::to_string(agree) + " executors have this state, the source among them";
  if (r > 0) why += ", and " + std::to_string(r + 1) + " must, for one may lie";
  if (!others.differ.empty()) return why + "; another one have " + list(others.differ);
  return why + "; no other one could say what it has of this batch";
}

std::string why_not_believed_of_pair(const Witnesses::Count& others, bool leads_alone) {
  if (!others.differ.empty()) {
    return "the two replicas have different states, this one and " + list(others.differ);
  }
  if (leads_alone || !others.agree.empty()) return {};
  return "the other replica could not say what it has, and this one does not lead alone: it may be "
         "one that was left behind";
}

uint64_t acknowledged_through(std::multiset<uint64_t> committed, uint32_t r) {
  if (committed.size() <= r) return 0;
  return *std::next(committed.rbegin(), r);
}

}  // namespace eve::cli
