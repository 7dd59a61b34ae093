#include "verification/votes.h"

#include <utility>

#include "base/limits.h"

namespace eve::verification {

bool PrepareVotes::add(const wire::Prepare& prepare) {
  if (!claimed_.add(prepare.verifier, Link{prepare.token, prepare.previous})) return false;
  prepares_.emplace(prepare.verifier, prepare);
  return true;
}

void PrepareVotes::add_own(const wire::Prepare& prepare) {
  const bool added = add(prepare);
  EVE_CHECK(added, "a verifier sends one PREPARE for a (view, number)");
  checked_.add(prepare.verifier, Link{prepare.token, prepare.previous});
}

std::optional<Link> PrepareVotes::reached(size_t quorum,
                                          const std::optional<crypto::Digest>& previous,
                                          const Notary& notary) {
  for (const auto& [voter, link] : claimed_.votes()) {
    if (previous && link.previous != *previous) continue;
    if (claimed_.count(link) < quorum) continue;
    check(link, quorum, notary);
    if (checked_.count(link) >= quorum) return link;
  }
  return std::nullopt;
}

void PrepareVotes::check(const Link& link, size_t quorum, const Notary& notary) {
  for (const auto& [voter, claimed] : claimed_.votes()) {
    if (checked_.count(link) >= quorum) return;
    if (claimed != link || checked_.has(voter) || refused_.contains(voter)) continue;
    if (notary.valid(prepares_.at(voter))) {
      checked_.add(voter, link);
    } else {
      refused_.insert(voter);
      newly_refused_.push_back(voter);
    }
  }
}

wire::Certificate PrepareVotes::certificate(View view, BatchNumber number, const Link& link) const {
  wire::Certificate result{false, view, number, link.token, link.previous, {}};
  for (const auto& [voter, checked] : checked_.votes()) {
    if (checked == link) result.votes.push_back({voter, prepares_.at(voter).signature});
  }
  return result;
}

std::vector<uint16_t> PrepareVotes::take_refused() {
  return std::exchange(newly_refused_, {});
}

void CommitVotes::Votes::leave(View view) {
  const auto counted = of_view.find(view);
  if (--counted->second == 0) of_view.erase(counted);
}

void CommitVotes::add(uint16_t verifier, const wire::Commit& commit) {
  Votes& votes = votes_[verifier];
  const auto [position, inserted] =
      votes.by_number.try_emplace(commit.number, Vote{commit.view, commit.token});
  if (inserted) ++votes.of_view[commit.view];
  if (!inserted && commit.view > position->second.view) {
    votes.leave(position->second.view);
    ++votes.of_view[commit.view];
    position->second = {commit.view, commit.token};
  }
  if (votes.by_number.size() > 2 * limits::kWindow) {
    votes.leave(votes.by_number.begin()->second.view);
    votes.by_number.erase(votes.by_number.begin());
  }
}

bool CommitVotes::reached(const wire::Commit& commit) const {
  Ballot<Vote> ballot;
  for (const auto& [verifier, votes] : votes_) {
    const auto found = votes.by_number.find(commit.number);
    if (found != votes.by_number.end()) ballot.add(verifier, found->second);
  }
  return ballot.count({commit.view, commit.token}) >= model_.agreement();
}

std::optional<wire::Commit> CommitVotes::said(uint16_t verifier, BatchNumber number) const {
  const auto of = votes_.find(verifier);
  if (of == votes_.end()) return std::nullopt;
  const auto found = of->second.by_number.find(number);
  if (found == of->second.by_number.end()) return std::nullopt;
  return wire::Commit{found->second.view, number, found->second.token};
}

size_t CommitVotes::beyond(BatchNumber number, View view) const {
  size_t ahead = 0;
  for (const auto& [verifier, votes] : votes_) {
    if (votes.by_number.empty()) continue;
    const bool found =
        votes.by_number.rbegin()->first > number || votes.of_view.rbegin()->first > view;
    ahead += found ? 1 : 0;
  }
  return ahead;
}

}  // namespace eve::verification
