#include "client/flight.h"

#include <algorithm>

namespace eve::client {
namespace {

bool is_try_later(wire::ReplyStatus status) {
  return status == wire::ReplyStatus::kOutOfOrder || status == wire::ReplyStatus::kOverloaded;
}

}  // namespace

void Flight::sent_to_one(uint16_t executor, TimeUs now, TimeUs wait) {
  sole_receiver_ = executor;
  wait_ = wait;
  retry_at_ = now + wait_;
}

void Flight::sent_to_all(TimeUs now, TimeUs longest) {
  sole_receiver_.reset();
  wait_ = std::min(2 * wait_, longest);
  retry_at_ = now + wait_;
  std::erase_if(votes_, [](const auto& entry) { return is_try_later(entry.second.status); });
}

void Flight::add(uint16_t executor, const wire::Reply& reply) {
  const auto found = votes_.find(executor);
  if (found == votes_.end()) {
    votes_.emplace(executor, Vote{reply.status, reply.digest, reply.payload});
    return;
  }
  Vote& vote = found->second;
  if (vote.status == wire::ReplyStatus::kExecuted && is_try_later(reply.status)) return;
  const bool same = vote.status == reply.status && vote.digest == reply.digest;
  if (same && !reply.payload) return;
  vote = Vote{reply.status, reply.digest, reply.payload};
}

size_t Flight::executed_as(const crypto::Digest& digest) const {
  return static_cast<size_t>(
      std::count_if(votes_.begin(), votes_.end(), [&digest](const auto& entry) {
        return entry.second.status == wire::ReplyStatus::kExecuted && entry.second.digest == digest;
      }));
}

std::vector<uint16_t> Flight::contradicted(size_t quorum) const {
  std::vector<uint16_t> liars;
  for (const auto& [truthful, truth] : votes_) {
    if (executed_as(truth.digest) < quorum) continue;
    for (const auto& [executor, vote] : votes_) {
      const bool executed = vote.status == wire::ReplyStatus::kExecuted;
      if (executed && vote.digest != truth.digest) liars.push_back(executor);
    }
    break;
  }
  return liars;
}

bool Flight::refused(wire::ReplyStatus status, size_t quorum) const {
  const auto said = std::count_if(votes_.begin(), votes_.end(), [status](const auto& entry) {
    return entry.second.status == status;
  });
  return static_cast<size_t>(said) >= quorum;
}

std::optional<SharedBytes> Flight::vouched_payload(size_t quorum) const {
  for (const auto& [holder, candidate] : votes_) {
    if (candidate.status != wire::ReplyStatus::kExecuted || !candidate.payload) continue;
    size_t matching = 0;
    for (const auto& [voter, vote] : votes_) {
      matching += vote.status == candidate.status && vote.digest == candidate.digest ? 1 : 0;
    }
    if (matching >= quorum) return candidate.payload;
  }
  return std::nullopt;
}

}  // namespace eve::client
