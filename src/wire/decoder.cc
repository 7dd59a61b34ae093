#include "wire/decoder.h"

#include <algorithm>
#include <bitset>

#include "base/limits.h"
#include "wire/bundle.h"
#include "wire/codec.h"
#include "wire/membership.h"

namespace eve::wire {

namespace {

// The least that one element of a list takes: what a count is compared with.
constexpr size_t kDigestBytes = 32;
constexpr size_t kLengthBytes = 4;
constexpr size_t kNodeBytes = 1 + 8;
constexpr size_t kVoteMinBytes = 2 + kLengthBytes;
constexpr size_t kGenesisBytes = 1 + kDigestBytes;
constexpr size_t kViewChangeMinBytes = 8 + 2 + kGenesisBytes + 2 * kLengthBytes;
constexpr size_t kPartsBytes = 8 + 4 * kDigestBytes;
constexpr size_t kLinkMinBytes = 4 + kPartsBytes + kLengthBytes;

/// Which verifiers a list has named: quorums count each once.
using Verifiers = std::bitset<limits::kMaxVerifiers>;

void name_once(Reader& in, Verifiers& named, uint16_t verifier) {
  if (in.failed()) return;
  if (named.test(verifier)) return in.fail("a verifier is named twice");
  named.set(verifier);
}

}  // namespace

void Decoder::read(BundleMessage& message) {
  message.retry = in_.boolean();
  auto bundle = read_bundle(in_, frame_);
  if (bundle) check_bundle(in_, *bundle);
  message.bundle = std::move(bundle);
}

void Decoder::read(BatchMessage& message) {
  const View view = in_.id<View>();
  auto batch = read_batch(in_, frame_, digester_);
  if (batch) batch->view = view;
  message.batch = std::move(batch);
}

void Decoder::read(Reply& reply) {
  reply.session = in_.id<SessionId>();
  reply.first = in_.id<RequestNumber>();
  reply.status = in_.enumerator(ReplyStatus::kExecuted, ReplyStatus::kQuarantined);
  reply.view = in_.id<View>();
  reply.digest = in_.digest();
  if (in_.boolean()) reply.payload = frame_.slice(in_.sized(limits::kMaxFrameBytes));
}

void Decoder::read(TokenParts& parts) {
  parts.number = in_.id<BatchNumber>();
  parts.previous = in_.digest();
  parts.batch = in_.digest();
  parts.state = in_.digest();
  parts.replies = in_.digest();
}

void Decoder::read(Token& token) {
  token.view = in_.id<View>();
  read(token.parts);
  token.token = in_.digest();
  if (!in_.failed() && token.token != token_of(token.parts, digester_)) {
    in_.fail("a token is not the digest of its parts");
  }
  if (in_.boolean()) token.sole = in_.digest();
}

void Decoder::read_point(Verdict& verdict, VerdictKind kind) {
  verdict.kind = kind;
  verdict.view = in_.id<View>();
  verdict.number = in_.id<BatchNumber>();
  verdict.token = in_.digest();
}

void Decoder::read(Verdict& verdict) {
  read_point(verdict, in_.enumerator(VerdictKind::kCommit, VerdictKind::kRollback));
  if (verdict.kind == VerdictKind::kCommit) return;
  verdict.quarantine = read_names(limits::kMaxQuarantine);
}

Names Decoder::read_names(size_t most) {
  Names names(in_.count(most, kDigestBytes));
  for (Digest& name : names) name = in_.digest();
  const auto out_of_order =
      std::adjacent_find(names.begin(), names.end(),
                         [](const Digest& left, const Digest& right) { return !(left < right); });
  if (!in_.failed() && out_of_order != names.end()) in_.fail("names are not in ascending order");
  return names;
}

void Decoder::read(Suspect& suspect) {
  suspect.view = in_.id<View>();
}

void Decoder::read(Hello& hello) {
  hello.restarted = in_.boolean();
  hello.view = in_.id<View>();
  hello.committed = in_.id<BatchNumber>();
}

void Decoder::read(Welcome& welcome) {
  welcome.promised = in_.id<View>();
  read_point(welcome.start, VerdictKind::kRollback);
  welcome.start.quarantine = read_names(limits::kMaxQuarantine);
  read_point(welcome.last, VerdictKind::kCommit);
}

Bytes Decoder::read_signature() {
  return Bytes(in_.sized(limits::kMaxSignatureBytes));
}

void Decoder::read(Prepare& prepare) {
  prepare.view = in_.id<View>();
  prepare.number = in_.id<BatchNumber>();
  prepare.token = in_.digest();
  prepare.previous = in_.digest();
  prepare.verifier = in_.index(limits::kMaxVerifiers);
  prepare.signature = read_signature();
}

void Decoder::read(Commit& commit) {
  commit.view = in_.id<View>();
  commit.number = in_.id<BatchNumber>();
  commit.token = in_.digest();
}

void Decoder::read(Certificate& certificate) {
  certificate.genesis = in_.boolean();
  certificate.token = in_.digest();
  if (certificate.genesis) return;
  certificate.view = in_.id<View>();
  certificate.number = in_.id<BatchNumber>();
  certificate.previous = in_.digest();
  read(certificate.votes);
}

void Decoder::read(std::vector<Certificate::Vote>& votes) {
  votes.resize(in_.count(limits::kMaxVerifiers, kVoteMinBytes));
  Verifiers named;
  for (Certificate::Vote& vote : votes) {
    vote.verifier = in_.index(limits::kMaxVerifiers);
    name_once(in_, named, vote.verifier);
    vote.signature = read_signature();
  }
}

void Decoder::read(ViewChange& change) {
  change.view = in_.id<View>();
  change.verifier = in_.index(limits::kMaxVerifiers);
  read(change.prepared);
  change.poison = read_names(limits::kMaxPoison);
  change.signature = read_signature();
}

void Decoder::read(NewView& new_view) {
  new_view.view = in_.id<View>();
  new_view.number = in_.id<BatchNumber>();
  new_view.token = in_.digest();
  new_view.verifier = in_.index(limits::kMaxVerifiers);
  new_view.proof.resize(in_.count(limits::kMaxVerifiers, kViewChangeMinBytes));
  Verifiers named;
  for (ViewChange& change : new_view.proof) {
    read(change);
    name_once(in_, named, change.verifier);
  }
  new_view.signature = read_signature();
}

void Decoder::read(TreeNode& node) {
  node.level = in_.integer<uint8_t>();
  node.index = in_.integer<uint64_t>();
}

void Decoder::read(StateRequest& request) {
  request.number = in_.id<BatchNumber>();
  request.nodes.resize(in_.count(limits::kTransferNodesPerRequest, kNodeBytes));
  for (TreeNode& node : request.nodes) read(node);
}

void Decoder::read(StateReply& reply) {
  reply.number = in_.id<BatchNumber>();
  if (in_.boolean()) read(reply.parts.emplace());
  reply.nodes.resize(in_.count(limits::kTransferNodesPerRequest, kNodeBytes + kLengthBytes));
  for (StateReply::Node& node : reply.nodes) {
    read(node.id);
    node.payload = frame_.slice(in_.sized(limits::kMaxFrameBytes));
  }
}

Address Decoder::read_replica() {
  Address node;
  node.role = in_.enumerator(Role::kExecutor, Role::kVerifier);
  const bool executor = node.role == Role::kExecutor;
  node.index = in_.index(executor ? limits::kMaxExecutors : limits::kMaxVerifiers);
  return node;
}

void Decoder::read(Needed& needed) {
  needed.view = in_.id<View>();
  needed.node = read_replica();
}

void Decoder::read(Room& room) {
  constexpr size_t kNodeSize = sizeof(uint8_t) + sizeof(uint16_t);
  room.low.resize(in_.count(limits::kMaxExecutors + limits::kMaxVerifiers, kNodeSize));
  for (size_t i = 0; i < room.low.size() && !in_.failed(); ++i) {
    room.low[i] = read_replica();
    if (i > 0 && !in_.failed() && room.low[i] <= room.low[i - 1]) in_.fail("nodes out of order");
  }
}

void Decoder::read(PairRecord& record) {
  record.epoch = in_.id<View>();
  for (uint64_t& life : record.lives) life = in_.integer<uint64_t>();
  const bool formed = record.lives != std::array<uint64_t, 2>{};
  const bool sound = formed ? record.lives[record.epoch.value() % 2] != 0 : record.epoch == View();
  if (!in_.failed() && !sound) in_.fail("a record whose primary is not in sync");
}

void Decoder::read(PairTerm& term) {
  term.epoch = in_.id<View>();
  term.round = in_.integer<uint64_t>();
}

void Decoder::read(PairPoint& point) {
  point.number = in_.id<BatchNumber>();
  point.token = in_.digest();
}

void Decoder::read(PairBeat& beat) {
  beat.life = in_.integer<uint64_t>();
  beat.process = in_.integer<uint64_t>();
  beat.beat = in_.integer<int64_t>();
  beat.echo = in_.integer<int64_t>();
  beat.echo_of = in_.integer<uint64_t>();
  beat.met = in_.integer<uint64_t>();
  beat.resumed = in_.boolean();
  read(beat.record);
  beat.joined = in_.boolean();
  read(beat.term);
  read(beat.start);
  beat.quarantine = read_names(limits::kMaxQuarantine);
  read(beat.committed);
  read(beat.reached);
  if (!in_.failed() && (beat.life == 0 || beat.process == 0)) in_.fail("a beat without a life");
}

void Decoder::read(PairBatch& message) {
  read(message.term);
  read(message.committed);
  auto batch = read_batch(in_, frame_, digester_);
  if (batch) batch->view = message.term.epoch;
  message.batch = std::move(batch);
}

void Decoder::read(PairToken& token) {
  read(token.term);
  read(token.reached);
}

// The frame may hold more: what is kept for long is a copy.
void Decoder::read(Evidence& evidence) {
  read(evidence.parts);
  const auto batch = read_batch(in_, frame_, digester_);
  if (!batch) return;
  const bool change =
      batch->bundles.size() == 1 && batch->bundles.front()->kind == BundleKind::kChange;
  if (!change) return in_.fail("what ends an epoch is a change of the members, alone");
  evidence.batch = copy_of(*batch, digester_);
}

void Decoder::read(EpochEnd& end) {
  end.epoch = in_.id<Epoch>();
  read(end.evidence);
}

void Decoder::read(Farewell& farewell) {
  farewell.epoch = in_.id<Epoch>();
  farewell.number = in_.id<BatchNumber>();
  farewell.token = in_.digest();
  farewell.verifier = in_.index(limits::kMaxVerifiers);
  farewell.signature = read_signature();
}

void Decoder::read(ChainWanted& wanted) {
  wanted.from = in_.id<Epoch>();
}

void Decoder::read(Candidate& candidate) {
  auto bundle = read_bundle(in_, frame_);
  if (bundle) check_bundle(in_, *bundle);
  if (bundle && bundle->kind != BundleKind::kChange) in_.fail("a candidate without a change");
  candidate.bundle = std::move(bundle);
}

void Decoder::read(Chain& chain) {
  chain.links.resize(in_.count(limits::kMaxLinks, kLinkMinBytes));
  if (chain.links.empty()) in_.fail("a chain without links");
  for (Link& link : chain.links) {
    if (in_.failed()) return;
    link.epoch = in_.id<Epoch>();
    read(link.evidence);
    read(link.farewells);
    if (link.epoch.value() - chain.links.front().epoch.value() !=
        static_cast<uint32_t>(&link - chain.links.data())) {
      in_.fail("links that do not follow each other");
    }
  }
}

}  // namespace eve::wire
