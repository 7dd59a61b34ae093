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

/// The whole HTTP request.
std::string etcd_swap_request(const EtcdEndpoint& endpoint, const std::string& key,
                              const pair::Request& request);
/// From the whole HTTP answer: the record as it is after the transaction. Errors say what is wrong
/// with etcd, or with what it holds.
Result<pair::Record> etcd_swap_answer(std::string_view answer, const pair::Request& request);

std::string to_base64(std::string_view bytes);
Result<std::string> from_base64(std::string_view text);

}  // namespace eve::runtime
