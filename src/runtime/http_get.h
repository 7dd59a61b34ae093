// A small blocking HTTP client for a node's status port.
#pragma once

#include <cstdint>
#include <string>

#include "eve/result.h"

namespace eve::runtime {

/// The body of GET `path` at host:port, or why there is none (refused, timed out, not status 200).
/// `timeout_ms` is for all of it, however slowly it comes. Answers beyond 4 MiB are refused.
Result<std::string> http_get(const std::string& host, uint16_t port, const std::string& path,
                             int timeout_ms);

/// As http_get, of POST `path` without a body. An answer with another status than 200 is an error
/// that has its body.
Result<std::string> http_post(const std::string& host, uint16_t port, const std::string& path,
                              int timeout_ms);

}  // namespace eve::runtime
