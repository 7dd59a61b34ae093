// Every message of the protocol (DESIGN 6). Plain values; wire/codec.h turns them into canonical
// bytes and back, and is the one place where untrusted bytes are validated: a decoded message is
// well-formed and within limits, though what it claims may be a lie.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/tree_node.h"
#include "crypto/digest.h"
#include "eve/bytes.h"

namespace eve::wire {

using crypto::Digest;

// ---- Clients and executors ---------------------------------------------------------------------

enum class BundleKind : uint8_t { kCall = 1, kOpen = 2, kChange = 3 };

/// Consecutive requests of one session, under one signature; the unit of retry and of the reply
/// cache. A retry is byte for byte the same bundle. kOpen opens a session: no requests, and
/// `first` is a nonce of the client's, so that a repeated open gives the same session. kChange is
/// the operator's: of no session, with one request, a Change (wire/membership.h); `first` is the
/// epoch that it begins.
struct Bundle {
  BundleKind kind = BundleKind::kCall;
  uint16_t client = 0;             ///< index of the client that signs it
  SessionId session;               ///< 0 for kOpen
  RequestNumber first;             ///< number of requests[0]; the nonce for kOpen
  RequestNumber acknowledged;      ///< replies up to and including this one have been received
  std::vector<ByteView> requests;  ///< into `raw`
  Bytes signature;
  SharedBytes raw;       ///< the whole bundle's canonical encoding, signature included
  ByteView signed_part;  ///< what the signature covers; into `raw`
};
using BundlePtr = std::shared_ptr<const Bundle>;

/// What a primary proposes as number `number` of its view. The digest of a batch covers number,
/// time, seed and bundles, not the view.
struct Batch {
  View view;
  BatchNumber number;
  TimeUs time_us = 0;
  uint64_t seed = 0;
  std::vector<BundlePtr> bundles;
  Digest digest;  ///< filled in by whoever built or decoded the batch (codec.h)
};
using BatchPtr = std::shared_ptr<const Batch>;

struct BatchMessage {
  BatchPtr batch;
};

struct BundleMessage {
  BundlePtr bundle;
  bool retry = false;  ///< sent to every executor: forward it, and watch the primary
};

enum class ReplyStatus : uint8_t {
  kExecuted = 1,        ///< payload: the replies, or for kOpen the session's id (8 bytes)
  kUnknownSession = 2,  ///< never opened, or expired: nothing was executed
  kOutOfOrder = 3,      ///< not the session's next request: nothing was executed
  kOverloaded = 4,      ///< too many sessions or unacknowledged bundles: nothing was executed
  kQuarantined = 5,     ///< executors cannot agree on it: nothing was executed, nor ever will be
};

/// The answer to one bundle. The payload is canonical: for each request a 4-byte length and the
/// bytes. Some executors send the digest only; a client needs one payload and r+1 digests.
struct Reply {
  SessionId session;    ///< as in the bundle
  RequestNumber first;  ///< as in the bundle
  ReplyStatus status = ReplyStatus::kExecuted;
  View view;      ///< the sender's, so that clients find the primary
  Digest digest;  ///< of status and payload
  std::optional<SharedBytes> payload;
};

// ---- Executors and verifiers -------------------------------------------------------------------

/// What a token hashes: the token of batch n is the digest of (n, previous, batch, state, replies).
struct TokenParts {
  BatchNumber number;
  Digest previous;  ///< the token of n-1
  Digest batch;
  Digest state;
  Digest replies;
  bool operator==(const TokenParts&) const = default;
};

struct Token {
  View view;
  TokenParts parts;
  Digest token;  ///< codec.h: token_of(parts); checked when decoded
  /// Of the first batch after a start point, where that is a single call bundle: its name
  /// (bundle_name). A claim, not part of the token: counted like a vote.
  std::optional<Digest> sole{};
};

/// Names of bundles, in ascending order, each once.
using Names = std::vector<Digest>;

enum class VerdictKind : uint8_t { kCommit = 1, kRollback = 2 };

/// kCommit: everything up to `number`, whose token is `token`, is final.
/// kRollback: view `view` starts from (number, token): drop what came after it. In this view the
/// bundles of `quarantine` are answered, not executed.
struct Verdict {
  VerdictKind kind = VerdictKind::kCommit;
  View view;
  BatchNumber number;
  Digest token;
  Names quarantine{};  ///< of a rollback
  bool operator==(const Verdict&) const = default;
};

/// An executor's word that the primary of `view` does not do its work.
struct Suspect {
  View view;
};

/// A restarted or lagging node asks where everybody is. `restarted`: the sender lost its memory; a
/// verifier that says so needs a new view to come back (DESIGN 6.8).
struct Hello {
  bool restarted = false;
  View view;              ///< the highest the sender knows of, asked for or joined
  BatchNumber committed;  ///< the sender's last committed batch
};

/// A verifier's answer to Hello; `start` and `last` say what it would say in verdicts.
struct Welcome {
  View promised;  ///< the highest view asked for or joined
  Verdict start;  ///< rollback verdict of its current view (view 0: genesis)
  Verdict last;   ///< its latest commit verdict
};

// ---- Verifiers ---------------------------------------------------------------------------------

/// Another verifier's word that `node` lost its memory, or is stuck beyond `view`, and needs the
/// view after `view` (V6e).
struct Needed {
  View view;
  Address node;
};

/// Signed over (view, number, token, previous). For a view's start point `previous` stands for what
/// is quarantined in the view: quarantine_digest (codec.h), zero where nothing is.
struct Prepare {
  View view;
  BatchNumber number;
  Digest token;
  Digest previous;
  uint16_t verifier = 0;
  Bytes signature;
};

struct Commit {
  View view;
  BatchNumber number;
  Digest token;
};

/// u+r+1 PREPAREs for one (view, number, token): proof for third parties. Genesis is the
/// certificate with number 0, no signatures, and `genesis` set.
struct Certificate {
  bool genesis = true;
  View view;
  BatchNumber number;
  Digest token;
  Digest previous;
  struct Vote {
    uint16_t verifier = 0;
    Bytes signature;
  };
  std::vector<Vote> votes;
};

/// "I ask for view `view`; the highest certificate I hold is this; the bundles of `poison` made K
/// views fail" (V11). Signed.
struct ViewChange {
  View view;
  Certificate prepared;
  uint16_t verifier = 0;
  Bytes signature;
  Names poison{};
};

/// The start of a view, with u+r+1 VIEW-CHANGEs from which everyone recomputes it, and what is
/// quarantined in the view. Signed.
struct NewView {
  View view;
  BatchNumber number;  ///< n*
  Digest token;        ///< token*
  std::vector<ViewChange> proof;
  uint16_t verifier = 0;
  Bytes signature;
};

// ---- State transfer between executors ----------------------------------------------------------

/// Asks for nodes of the state as of batch `number`. With no nodes: for the token's parts only.
/// Number 0 and no nodes: for the parts of the newest batch that the receiver knows to be
/// committed.
struct StateRequest {
  BatchNumber number;
  std::vector<TreeNode> nodes;
};

/// `number` is that of the request; `parts` is set when the sender holds that version. Nodes come
/// in the order asked, as many as fit.
struct StateReply {
  BatchNumber number;
  std::optional<TokenParts> parts;
  struct Node {
    TreeNode id;
    SharedBytes payload;
  };
  std::vector<Node> nodes;
};

// ---- Primary and backup (docs/primary-backup.md) ------------------------------------------------

/// Who is in sync: the life of each replica's state, 0 where it is not. The primary is executor
/// `epoch mod 2`. All zero before the cluster is formed.
struct PairRecord {
  View epoch;
  std::array<uint64_t, 2> lives{};
  bool operator==(const PairRecord&) const = default;
};

/// What a primary leads: from one start point on, under one record.
struct PairTerm {
  View epoch;
  uint64_t round = 0;
  auto operator<=>(const PairTerm&) const = default;
};

struct PairPoint {
  BatchNumber number;
  Digest token;
  bool operator==(const PairPoint&) const = default;
};

/// What the two tell each other all the time.
struct PairBeat {
  uint64_t life = 0;     ///< of the sender's state
  uint64_t process = 0;  ///< the sender's; drawn when it started
  TimeUs beat = 0;       ///< the sender's time
  TimeUs echo = 0;       ///< `beat` of the last one that the sender has had from the receiver
  uint64_t echo_of = 0;  ///< `process` of that one
  uint64_t met = 0;      ///< the receiver's process that the sender deals with; 0: none yet
  bool resumed = false;  ///< the sender has a state of before its start, and was in no term since
  PairRecord record;     ///< as the sender knows it
  bool joined =
      false;  ///< the sender leads, or follows, in `term`; else what follows means nothing
  PairTerm term;
  PairPoint start;      ///< of the term
  Names quarantine{};   ///< in the term
  PairPoint committed;  ///< the sender's last
  PairPoint reached;    ///< the last batch that the sender has run in order
};

/// A batch that the backup is to run; `committed` as in PairBeat.
struct PairBatch {
  PairTerm term;
  PairPoint committed;
  BatchPtr batch;
};

/// What running it came to.
struct PairToken {
  PairTerm term;
  PairPoint reached;
};

// ---- Disks
// ---------------------------------------------------------------------------------------

/// Whose disks have too little room for more work, as the sender knows it; none: all is well. A
/// verifier speaks for itself to executors, an executor for itself and for verifiers to clients.
/// Repeated while it lasts, and nothing in the protocol rests on it.
struct Room {
  std::vector<Address> low;  ///< executors and verifiers, in ascending order, each once
};

// ---- Membership (docs/membership.md) ------------------------------------------------------------

/// What was run as the last batch of an epoch: a batch that holds a change and nothing else, and
/// the parts of its token.
struct Evidence {
  TokenParts parts;
  BatchPtr batch;  ///< its view is not told: 0
};

/// An executor's word to verifiers that `epoch` ends with this.
struct EpochEnd {
  Epoch epoch;
  Evidence evidence;
};

/// A verifier's word that (number, token) is committed in `epoch`, and ends it. Signed.
struct Farewell {
  Epoch epoch;
  BatchNumber number;
  Digest token;
  uint16_t verifier = 0;
  Bytes signature;
};

/// Proof that `epoch` ended so: with the farewells of u+r+1 of its verifiers.
struct Link {
  Epoch epoch;
  Evidence evidence;
  std::vector<Certificate::Vote> farewells;
};

/// Asks for the links from `from` on.
struct ChainWanted {
  Epoch from;
};

/// Links of epochs that follow each other; not empty.
struct Chain {
  std::vector<Link> links;
};

/// A message of an epoch above 0: it counts in that one only. Those of membership name theirs
/// themselves, and are not enclosed.
struct Enclosed;
struct InEpoch {
  Epoch epoch;
  std::shared_ptr<const Enclosed> enclosed;
};

/// The operator's word about who is about to come: the change that it is going to ask for (M14). It
/// names its epoch itself, and is not enclosed.
struct Candidate {
  BundlePtr bundle;  ///< of kind kChange
};

using Message = std::variant<BundleMessage, BatchMessage, Reply, Token, Verdict, Suspect, Hello,
                             Welcome, Prepare, Commit, ViewChange, NewView, StateRequest,
                             StateReply, Needed, PairBeat, PairBatch, PairToken, Room, EpochEnd,
                             Farewell, ChainWanted, Chain, InEpoch, Candidate>;
struct Enclosed {
  Message message;
};
using MessagePtr = std::shared_ptr<const Message>;

/// One effect: send `message` to each of `to`. Hosts encode it once. Delivery is not certain and
/// not in order across links.
struct Send {
  std::vector<Address> to;
  MessagePtr message;
};

}  // namespace eve::wire
