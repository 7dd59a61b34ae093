#include "execution/verdicts.h"

#include "base/limits.h"

namespace eve::execution {
namespace {

// As far behind as running can catch up, and a window for verifiers that are ahead of others.
constexpr size_t kMaxClaims = limits::kHistoryBatches + limits::kWindow;

// The newest numbers matter: they imply the older ones.
void keep_newest(std::map<BatchNumber, crypto::Digest>& tokens) {
  while (tokens.size() > kMaxClaims) tokens.erase(tokens.begin());
}

}  // namespace

Verdicts::Verdicts(const FaultModel& model) : model_(model), claims_(model.verifiers()) {}

bool Verdicts::commit(uint16_t verifier, const wire::Verdict& verdict) {
  if (verdict.number <= committed_) return false;
  auto& commits = claims_.at(verifier).commits;
  commits[verdict.number] = verdict.token;
  keep_newest(commits);

  size_t same = 0;
  for (const Claims& claims : claims_) {
    const auto claim = claims.commits.find(verdict.number);
    same += claim != claims.commits.end() && claim->second == verdict.token ? 1 : 0;
  }
  if (same < model_.vouched() || vouched_.contains(verdict.number)) return false;
  vouch(verdict.number, verdict.token);
  return true;
}

std::optional<wire::Verdict> Verdicts::rollback(uint16_t verifier, const wire::Verdict& verdict) {
  auto& own = claims_.at(verifier).rollback;
  if (own && own->view > verdict.view) return std::nullopt;
  own = verdict;

  size_t same = 0;
  for (const Claims& claims : claims_) same += claims.rollback == verdict ? 1 : 0;
  if (same < model_.vouched()) return std::nullopt;
  return verdict;
}

void Verdicts::vouch(BatchNumber number, const crypto::Digest& token) {
  if (number <= committed_) return;
  vouched_.emplace(number, token);
  keep_newest(vouched_);
}

void Verdicts::forget_through(BatchNumber number) {
  committed_ = number;
  vouched_.erase(vouched_.begin(), vouched_.upper_bound(number));
  for (Claims& claims : claims_) {
    claims.commits.erase(claims.commits.begin(), claims.commits.upper_bound(number));
  }
}

}  // namespace eve::execution
