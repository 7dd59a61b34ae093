#include "runtime/http.h"

#include <algorithm>

#include "runtime/host_limits.h"

namespace eve::runtime {
namespace {

constexpr ByteView kHeadEnd = "\r\n\r\n";

const char* reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 409:
      return "Conflict";
    default:
      return "Service Unavailable";
  }
}

bool is_visible(ByteView text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

}  // namespace

Result<std::optional<HttpRequest>> parse_http_request(ByteView bytes) {
  const auto head_end = bytes.find(kHeadEnd);
  if (std::min(head_end, bytes.size()) > host_limits::kMaxHttpRequestBytes) {
    return Error{"the request is too large"};
  }
  if (head_end == ByteView::npos) return std::optional<HttpRequest>();
  const auto line = bytes.substr(0, bytes.find("\r\n"));
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == ByteView::npos || first == last || !line.substr(last + 1).starts_with("HTTP/1.")) {
    return Error{"this is no HTTP/1 request"};
  }
  const auto target = line.substr(first + 1, last - first - 1);
  if (first == 0 || !is_visible(line.substr(0, first)) || !is_visible(target) ||
      !target.starts_with('/')) {
    return Error{"the request line is malformed"};
  }
  HttpRequest request;
  request.method = line.substr(0, first);
  request.path = target.substr(0, target.find('?'));
  return std::optional(std::move(request));
}

std::string http_response(int status, std::string_view content_type, std::string_view body) {
  std::string response = "HTTP/1.1 " + std::to_string(status) + " " + reason_of(status) +
                         "\r\nContent-Type: " + std::string(content_type) +
                         "\r\nContent-Length: " + std::to_string(body.size()) +
                         "\r\nConnection: close\r\n\r\n";
  response += body;
  return response;
}

}  // namespace eve::runtime
