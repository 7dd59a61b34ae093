// Limits of the KV server, with their reasons. What depends on the protocol's limits is asserted.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/limits.h"

namespace eve::kv {

/// A bulk string: the argument of a command, and the value of a key (Redis's proto-max-bulk-len,
/// 512 MiB there). A request must fit one bundle.
inline constexpr size_t kMaxBulkBytes = limits::kMaxRequestBytes;
/// A key; eve::ByteMap takes no longer ones.
inline constexpr size_t kMaxKeyBytes = 64u << 10;
/// Arguments of one command.
inline constexpr int64_t kMaxArguments = 1 << 20;
/// An inline command, and a line that announces a length.
inline constexpr size_t kMaxLineBytes = 64u << 10;
/// Bytes that a connection may have sent without having completed a command, or while EXEC waits
/// for WATCH: several of the largest commands.
inline constexpr size_t kMaxQueryBytes = 4 * limits::kMaxRequestBytes;
/// Replies that wait behind an earlier one: what a client that asks faster than the cluster answers
/// may cost the gateway.
inline constexpr size_t kMaxWaitingReplyBytes = 64u << 20;
/// Commands in one transaction.
inline constexpr size_t kMaxTransactionCommands = 65'536;
/// A transaction's replies; past it the remaining ones become short errors. Below kMaxReplyBytes by
/// what that many errors need.
inline constexpr size_t kMaxErrorBytes = 96;
inline constexpr size_t kMaxTransactionReplyBytes = 9u << 20;

static_assert(kMaxTransactionReplyBytes + kMaxTransactionCommands * kMaxErrorBytes <
              limits::kMaxReplyBytes);
static_assert(kMaxBulkBytes + 64 < kMaxTransactionReplyBytes);

}  // namespace eve::kv
