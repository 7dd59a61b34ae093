// libFuzzer: hostile frames and payloads. Whatever is accepted must be the one encoding of what it
// means, have the shape that the README promises, and every view must lie inside the frame
// (AddressSanitizer watches).
#include <algorithm>
#include <cstdint>
#include <functional>
#include <set>

#include "base/check.h"
#include "base/limits.h"
#include "wire/codec.h"

namespace {

using eve::Bytes;
using eve::ByteView;
using eve::SharedBytes;
using eve::crypto::DigestAlgorithm;
using eve::crypto::Digester;
namespace limits = eve::limits;
using namespace eve::wire;

void check_replies(ByteView payload) {
  if (payload.empty()) return;
  const auto expected = static_cast<size_t>(static_cast<unsigned char>(payload.front()));
  const ByteView rest = payload.substr(1);
  auto replies = decode_replies(rest, expected);
  if (!replies.ok()) return;
  EVE_CHECK(encode_replies({replies->begin(), replies->end()}) == rest, "replies not canonical");
}

void check_names(const Names& names, size_t most) {
  const auto wrong = std::adjacent_find(names.begin(), names.end(), std::greater_equal<>());
  EVE_CHECK(names.size() <= most && wrong == names.end(), "names are few, in order, each once");
}

/// What those who use a decoded message rely on.
struct Shape {
  const Digester& digester;

  void operator()(const Token& token) const {
    EVE_CHECK(token.token == token_of(token.parts, digester), "a token is that of its parts");
  }
  void operator()(const Verdict& verdict) const {
    const bool commit = verdict.kind == VerdictKind::kCommit;
    EVE_CHECK(commit || verdict.kind == VerdictKind::kRollback, "no such verdict");
    check_names(verdict.quarantine, limits::kMaxQuarantine);
  }
  void operator()(const Welcome& welcome) const {
    EVE_CHECK(welcome.start.kind == VerdictKind::kRollback, "how a view starts");
    EVE_CHECK(welcome.last.kind == VerdictKind::kCommit, "what is committed");
    check_names(welcome.start.quarantine, limits::kMaxQuarantine);
  }
  void operator()(const ViewChange& change) const {
    std::set<uint16_t> voters;
    for (const auto& vote : change.prepared.votes) voters.insert(vote.verifier);
    EVE_CHECK(voters.size() == change.prepared.votes.size(), "one vote each");
    EVE_CHECK(!change.prepared.genesis || voters.empty(), "nobody votes for genesis");
    check_names(change.poison, limits::kMaxPoison);
  }
  void operator()(const NewView& begins) const {
    std::set<uint16_t> askers;
    for (const ViewChange& change : begins.proof) {
      askers.insert(change.verifier);
      (*this)(change);
    }
    EVE_CHECK(askers.size() == begins.proof.size(), "each asks once");
  }
  void operator()(const Reply& reply) const {
    EVE_CHECK(reply.status >= ReplyStatus::kExecuted && reply.status <= ReplyStatus::kQuarantined,
              "no such status");
  }
  void operator()(const BundleMessage& message) const { check(*message.bundle); }
  void operator()(const BatchMessage& message) const {
    for (const BundlePtr& bundle : message.batch->bundles) check(*bundle);
  }
  void operator()(const PairBeat& beat) const {
    const PairRecord& record = beat.record;
    const bool primary = record.lives[record.epoch.value() % 2] != 0;
    EVE_CHECK(record == PairRecord{} || primary, "a record's primary is in sync");
    EVE_CHECK(beat.life != 0 && beat.process != 0, "who beats lives");
    check_names(beat.quarantine, limits::kMaxQuarantine);
  }
  void operator()(const PairBatch& message) const {
    EVE_CHECK(message.batch->view == message.term.epoch, "a batch of its epoch");
    for (const BundlePtr& bundle : message.batch->bundles) check(*bundle);
  }
  void operator()(const auto& /*plain*/) const {}

  static void check(const Bundle& bundle) {
    const bool opening = bundle.kind == BundleKind::kOpen;
    EVE_CHECK(opening || bundle.kind == BundleKind::kCall, "no such kind of bundle");
    EVE_CHECK(!opening || bundle.requests.empty(), "an opening with requests");
    EVE_CHECK(opening || bundle.acknowledged < bundle.first, "acknowledges its own replies");
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Digester digester(DigestAlgorithm::kXxh3, {});
  const Bytes bytes(reinterpret_cast<const char*>(data), size);
  auto message = decode(SharedBytes(bytes), digester);
  if (message.ok()) {
    EVE_CHECK(encode(*message) == bytes, "message not canonical");
    std::visit(Shape{digester}, *message);
  }
  check_replies(bytes);
  return 0;
}
