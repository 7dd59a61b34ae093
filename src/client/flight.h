// One bundle on its way: who it was sent to, when it is sent again, and what executors answered
// (rules C2, C3, C5). Knows nothing of sessions or of other bundles. Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "crypto/digest.h"
#include "eve/bytes.h"
#include "wire/messages.h"

namespace eve::client {

class Flight {
 public:
  Flight(wire::BundlePtr bundle, std::vector<uint64_t> tickets)
      : bundle_(std::move(bundle)), tickets_(std::move(tickets)) {}

  const wire::BundlePtr& bundle() const { return bundle_; }
  const std::vector<uint64_t>& tickets() const { return tickets_; }
  /// Number of the last request in it.
  RequestNumber last() const {
    return RequestNumber(bundle_->first.value() + bundle_->requests.size() - 1);
  }

  /// It was sent to one executor, and waits `wait` for the answer.
  void sent_to_one(uint16_t executor, TimeUs now, TimeUs wait);
  /// It was sent to all; the next wait is twice the one before, at most `longest`. Refusals of
  /// earlier attempts are forgotten.
  void sent_to_all(TimeUs now, TimeUs longest);
  TimeUs retry_at() const { return retry_at_; }
  bool was_sent_to_one() const { return sole_receiver_.has_value(); }
  bool was_sent_only_to(uint16_t executor) const { return sole_receiver_ == executor; }

  /// Notes an answer. An executor's newest one counts; but what it executed stays executed when a
  /// refusal that was sent before comes late. Precondition: a payload hashes to the digest.
  void add(uint16_t executor, const wire::Reply& reply);
  /// Who has answered does not count any more.
  void forget_answers() { votes_.clear(); }
  /// At least `quorum` executors answered with this status. Never for an answer: replies with
  /// different digests do not add up.
  bool refused(wire::ReplyStatus status, size_t quorum) const;
  /// What the bundle came to: it was executed, or it is quarantined (then the payload is empty).
  struct Answer {
    wire::ReplyStatus status = wire::ReplyStatus::kExecuted;
    SharedBytes payload;
  };
  /// The answer that `quorum` executors vouch for, once its payload and their digests are here.
  std::optional<Answer> vouched_answer(size_t quorum) const;

  /// Executors whose replies differ from the one that `quorum` others vouch for.
  std::vector<uint16_t> contradicted(size_t quorum) const;

  /// The accepted answer waits here until all earlier bundles are complete.
  void accept(Answer answer) { accepted_ = std::move(answer); }
  const std::optional<Answer>& accepted() const { return accepted_; }

 private:
  struct Vote {
    wire::ReplyStatus status;
    crypto::Digest digest;
    std::optional<SharedBytes> payload;
  };

  size_t executed_as(const crypto::Digest& digest) const;

  wire::BundlePtr bundle_;
  std::vector<uint64_t> tickets_;
  std::optional<uint16_t> sole_receiver_;
  TimeUs wait_ = 0;
  TimeUs retry_at_ = 0;
  std::map<uint16_t, Vote> votes_;
  std::optional<Answer> accepted_;
};

}  // namespace eve::client
