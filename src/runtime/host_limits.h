// Limits of what the host itself holds for peers, clients and status readers, each with its reason.
// Limits of the protocol are in base/limits.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/ids.h"

namespace eve::runtime::host_limits {

// ---- Links ----

/// Bytes asked of a socket at once: many small frames a system call.
inline constexpr size_t kReadBytes = 128u << 10;
/// Reads of one socket before others have their turn.
inline constexpr size_t kReadsPerTurn = 8;
/// Larger payloads are queued by reference instead of being copied into the link's buffer.
inline constexpr size_t kShareBytes = 16u << 10;
/// Bytes encrypted ahead of the socket.
inline constexpr size_t kCipherBytes = 256u << 10;
/// The first frame of a connection, from a peer that is not known yet.
inline constexpr size_t kMaxHelloBytes = 160;
/// Connections accepted whose peer has not said who it is: from one address (many peers may share
/// it, and each needs one), and from all addresses that cluster.toml does not name. Beyond, one of
/// them makes room (waiting_room.h).
inline constexpr size_t kMaxPendingPerAddress = 64;
inline constexpr size_t kMaxPendingStrangers = 256;
/// How long it may take to say so, TLS included.
inline constexpr TimeUs kHandshakeUs = 5'000'000;
/// An attempt to connect that nobody answers: the next one may find the network healed.
inline constexpr TimeUs kConnectUs = 2'000'000;
inline constexpr TimeUs kMinBackoffUs = 50'000;
inline constexpr TimeUs kMaxBackoffUs = 250'000;
/// A peer that acknowledges nothing for this long has gone.
inline constexpr int kPeerGoneMs = 10'000;
/// Commands of the operator that run at a time.
inline constexpr size_t kMaxOperatorLinks = 4;
/// Between two lookups of the hosts in cluster.toml, and addresses kept of each.
inline constexpr TimeUs kLookUpUs = 60'000'000;
inline constexpr size_t kMaxAddressesPerHost = 16;
/// A host's name or address: what DNS allows, and a little more.
inline constexpr size_t kMaxHostBytes = 255;
/// Senders whose refused messages are counted each for itself; strangers beyond share one entry.
inline constexpr size_t kMaxRefusedSenders = 256;
/// Between two lines in the log about one sender.
inline constexpr TimeUs kRefusalLogUs = 10'000'000;
/// Of a reason that a stranger had a part in.
inline constexpr size_t kMaxReasonBytes = 160;

// ---- The loop ----

/// Handlers in one turn: bounds how long replies wait for what else is readable.
inline constexpr size_t kHandlersPerTurn = 512;
/// Rounds of local deliveries in one turn before sockets are looked at again.
inline constexpr size_t kRoundsPerTurn = 64;

// ---- Gateway ----

inline constexpr size_t kMaxGatewayConnections = 10'000;
/// Bytes that a client leaves unread before it is disconnected, and before no more is read from it.
inline constexpr size_t kMaxClientUnread = 64u << 20;
inline constexpr size_t kPauseClientUnread = 8u << 20;
/// Requests of one connection in flight before no more is read from it.
inline constexpr size_t kMaxClientOutstanding = 10'000;

// ---- Status ----

inline constexpr size_t kMaxHttpRequestBytes = 8u << 10;
inline constexpr size_t kMaxStatusConnections = 64;
inline constexpr TimeUs kStatusUs = 5'000'000;

/// Anything that is read whole from disk: configuration, keys.
inline constexpr size_t kMaxFileBytes = 4u << 20;

static_assert(kMaxPendingPerAddress < kMaxPendingStrangers);
static_assert(kPauseClientUnread < kMaxClientUnread);
static_assert(kMaxHelloBytes < kReadBytes && kShareBytes < kReadBytes);

}  // namespace eve::runtime::host_limits
