#include "runtime/room_book.h"

#include <algorithm>

namespace eve::runtime {

void RoomBook::forget(TimeUs now) {
  std::erase_if(words_, [now](const auto& entry) { return entry.second.until <= now; });
}

void RoomBook::heard(const wire::Room& word, Address from, TimeUs now) {
  if (word.low.empty()) {
    words_.erase(from);
  } else {
    words_[from] = {word.low, now + kWordUs};
  }
}

std::set<Address> RoomBook::low(TimeUs now) {
  forget(now);
  std::set<Address> all;
  for (const auto& [from, word] : words_) all.insert(word.low.begin(), word.low.end());
  return all;
}

// Of itself everybody may say that it is low; of a verifier only executors that do not lie know.
std::vector<Address> RoomBook::in_the_way(TimeUs now) {
  if (words_.empty()) return {};
  forget(now);
  std::map<Address, size_t> voices;
  for (const auto& [from, word] : words_) {
    for (const Address node : word.low) {
      if (node == from || node.role == Role::kVerifier) ++voices[node];
    }
  }
  std::vector<Address> executors;
  std::vector<Address> verifiers;
  for (const auto& [node, count] : voices) {
    if (node.role == Role::kExecutor) executors.push_back(node);
    if (node.role == Role::kVerifier && count >= model_.vouched()) verifiers.push_back(node);
  }
  // A replica of a pair says it only when the other one cannot go on without it (PairHost).
  if (model_.is_primary_backup()) return executors;
  std::vector<Address> all;
  for (const auto* group : {&executors, &verifiers}) {
    if (group->size() > model_.u()) all.insert(all.end(), group->begin(), group->end());
  }
  return all;
}

}  // namespace eve::runtime
