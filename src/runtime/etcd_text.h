// What is said to etcd, over its v3 JSON gateway, and what it answers: a transaction that compares
// the record and swaps it, or tells what it is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "eve/result.h"
#include "pair/replica.h"

namespace eve::runtime {

struct EtcdEndpoint {
  std::string host;
  uint16_t port = 0;
};
/// "http://HOST:PORT" (an IPv6 address in brackets).
Result<EtcdEndpoint> parse_etcd_endpoint(std::string_view url);

/// What to do about an etcd that does not hold what it held.
inline constexpr std::string_view kPutRecordBack =
    "stop the replica whose executor-I.record is the older one, put into the key what the other's "
    "says, and start it again; never restore etcd from a backup (docs/operations.md)";

/// The whole HTTP request. One that wishes for what it expects changes nothing.
std::string etcd_swap_request(const EtcdEndpoint& endpoint, const std::string& key,
                              const pair::Request& request);
/// From the whole HTTP answer: the record as it is after the transaction. Errors say what is wrong
/// with etcd, or with what it holds.
Result<pair::Record> etcd_swap_answer(std::string_view answer, const pair::Request& request);

std::string to_base64(std::string_view bytes);
Result<std::string> from_base64(std::string_view text);

}  // namespace eve::runtime
