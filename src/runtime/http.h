// As much of HTTP/1.1 as a status page needs: GET, answered once, then the connection closes.
#pragma once

#include <optional>
#include <string>

#include "eve/bytes.h"
#include "eve/result.h"

namespace eve::runtime {

struct HttpRequest {
  std::string method;
  std::string path;  ///< without the query
};

/// The request at the beginning of `bytes`; nullopt while its head is not complete; an error when
/// it is no HTTP/1 request, or is larger than host_limits::kMaxHttpRequestBytes.
Result<std::optional<HttpRequest>> parse_http_request(ByteView bytes);

/// A whole response.
std::string http_response(int status, std::string_view content_type, std::string_view body);

}  // namespace eve::runtime
