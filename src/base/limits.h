// Every limit of the protocol, with its reason. Those that depend on each other are asserted below.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/ids.h"

namespace eve::limits {

/// Batches that may be executed beyond the last committed one (W). More hides longer verification;
/// fewer means less to undo.
inline constexpr uint64_t kWindow = 16;

/// One request, and one reply. Redis allows 512 MiB; a batch must stay transferable in a frame.
inline constexpr size_t kMaxRequestBytes = 8u << 20;
inline constexpr size_t kMaxReplyBytes = 16u << 20;

/// Requests and bytes in one signed bundle.
inline constexpr size_t kMaxBundleRequests = 4096;
inline constexpr size_t kMaxBundleBytes = 16u << 20;

/// Bundles and bytes in one batch.
inline constexpr size_t kMaxBatchBundles = 1024;
inline constexpr size_t kMaxBatchBytes = 32u << 20;

/// A signature: Ed25519's 64 bytes, with room for another scheme.
inline constexpr size_t kMaxSignatureBytes = 128;

/// A frame on a link: a batch with its envelope, or a bundle of the largest replies.
inline constexpr size_t kMaxFrameBytes = 80u << 20;

/// Bytes waiting for one slow peer; beyond it the link is closed and the peer catches up by itself.
inline constexpr size_t kMaxLinkQueueBytes = 256u << 20;

/// Bundles of a session that may be unacknowledged (C): what its reply cache holds.
inline constexpr size_t kMaxSessionBundles = 64;
/// Sessions at once; the oldest idle one makes room only by expiring.
inline constexpr size_t kMaxSessions = 10'000;
inline constexpr size_t kMaxSessionsPerClient = 1'000;
/// A session unused for this long, in batch time, may be dropped.
inline constexpr TimeUs kSessionExpiryUs = 3'600'000'000;

/// Requests waiting at a primary.
inline constexpr size_t kMaxPendingBundles = 4096;

/// How far a batch's time may lie from an executor's own clock.
inline constexpr TimeUs kMaxClockSkewUs = 60'000'000;

/// Committed batches whose old versions are kept for state transfer.
inline constexpr uint64_t kHistoryBatches = 64;
/// Bytes of leaves in one chunk of state transfer, and chunks asked for at once.
inline constexpr size_t kTransferChunkBytes = 1u << 20;
inline constexpr size_t kTransferNodesPerRequest = 512;

/// Bundles that one verifier names as poison in a VIEW-CHANGE, and bundles that a view quarantines:
/// more poison than that at one time is dealt with one view change after the other.
inline constexpr size_t kMaxPoison = 4;
inline constexpr size_t kMaxQuarantine = 16;

/// A record of the journal: what a frame can bring, with room for what a batch made of it. More is
/// split by who appends it. What may be buffered before a flush: that is read again, in memory a
/// group at a time, after a crash.
inline constexpr size_t kMaxJournalRecordBytes = 128u << 20;
inline constexpr size_t kMaxJournalBufferBytes = 256u << 20;

inline constexpr size_t kMaxExecutors = 64;
inline constexpr size_t kMaxVerifiers = 96;
inline constexpr size_t kMaxClients = 1024;

/// The operator's index as a client: nobody else's.
inline constexpr uint16_t kOperator = kMaxClients;
/// What is said of a new member: a name, addresses, keys and certificates.
inline constexpr size_t kMaxContactBytes = 8u << 10;
/// Links of the chain of epochs in one message.
inline constexpr size_t kMaxLinks = 16;

static_assert(kMaxRequestBytes < kMaxBundleBytes && kMaxBundleBytes < kMaxBatchBytes);
static_assert(kMaxBatchBytes + kMaxBundleBytes < kMaxFrameBytes);
static_assert(2 * kMaxFrameBytes < kMaxLinkQueueBytes);
static_assert(kMaxFrameBytes < kMaxJournalRecordBytes &&
              kMaxJournalRecordBytes < kMaxJournalBufferBytes);
static_assert(kHistoryBatches > 2 * kWindow);

}  // namespace eve::limits
