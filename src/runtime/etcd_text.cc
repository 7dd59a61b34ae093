#include "runtime/etcd_text.h"

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

namespace eve::runtime {
namespace {

using nlohmann::json;

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

Result<pair::Record> record_of(const json& body) {
  const json* value = nullptr;
  const auto responses = body.find("responses");
  if (responses != body.end() && responses->is_array() && !responses->empty()) {
    const json& first = responses->front();
    const auto range = first.is_object() ? first.find("response_range") : first.end();
    if (range != first.end() && range->is_object()) {
      const auto kvs = range->find("kvs");
      const bool some = kvs != range->end() && kvs->is_array() && !kvs->empty();
      if (some && kvs->front().is_object() && kvs->front().contains("value")) {
        value = &kvs->front()["value"];
      }
    }
  }
  if (value == nullptr || !value->is_string()) {
    return Error{"etcd has lost the record of who is in sync: " + std::string(kPutRecordBack)};
  }
  const auto text = from_base64(value->get<std::string>());
  if (!text) return text.error();
  auto record = pair::parse_record(*text);
  if (!record) return Error{"etcd's key " + record.message()};
  return record;
}

}  // namespace

Result<EtcdEndpoint> parse_etcd_endpoint(std::string_view url) {
  const Error wrong{"an endpoint of etcd is \"http://HOST:PORT\", not \"" + std::string(url) +
                    "\""};
  constexpr std::string_view kScheme = "http://";
  if (!url.starts_with(kScheme)) return wrong;
  std::string_view rest = url.substr(kScheme.size());
  const auto colon = rest.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return wrong;
  EtcdEndpoint endpoint;
  std::string_view host = rest.substr(0, colon);
  const std::string_view port = rest.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
  if (error != std::errc() || end != port.data() + port.size() || endpoint.port == 0) return wrong;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.empty() || host.find_first_of("/ \r\n\t\"[]") != std::string_view::npos) return wrong;
  endpoint.host = std::string(host);
  return endpoint;
}

std::string etcd_swap_request(const EtcdEndpoint& endpoint, const std::string& key,
                              const pair::Request& request) {
  const std::string name = to_base64(key);
  json compare = {{"key", name}, {"result", "EQUAL"}};
  if (pair::formed(request.expected)) {
    compare["target"] = "VALUE";
    compare["value"] = to_base64(pair::format_record(request.expected));
  } else {
    compare["target"] = "CREATE";
    compare["create_revision"] = "0";
  }
  json success = json::array();
  if (request.wanted != request.expected) {
    const json put = {{"key", name}, {"value", to_base64(pair::format_record(request.wanted))}};
    success.push_back({{"request_put", put}});
  }
  const json body = {{"compare", {compare}},
                     {"success", success},
                     {"failure", {{{"request_range", {{"key", name}}}}}}};
  const std::string text = body.dump();
  // 1.0: the answer then ends with the connection, in one piece.
  return "POST /v3/kv/txn HTTP/1.0\r\nHost: " + endpoint.host +
         "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(text.size()) +
         "\r\n\r\n" + text;
}

Result<pair::Record> etcd_swap_answer(std::string_view answer, const pair::Request& request) {
  const auto head_end = answer.find("\r\n\r\n");
  if (head_end == std::string_view::npos || !answer.starts_with("HTTP/1.")) {
    return Error{"what answers is not etcd"};
  }
  constexpr size_t kStatusAt = 9;
  const std::string_view status = answer.substr(kStatusAt, 3);
  const json body = json::parse(answer.substr(head_end + 4), nullptr, false);
  if (status != "200" || !body.is_object()) {
    return Error{"etcd answers with status " + std::string(status)};
  }
  if (body.value("succeeded", json(false)) == json(true)) return request.wanted;
  return record_of(body);
}

std::string to_base64(std::string_view bytes) {
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    for (size_t j = 0; j < 3; ++j) {
      const auto at = i + j;
      group = group << 8 | (at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0u);
    }
    for (size_t j = 0; j < 4; ++j) {
      const bool padding = i + j > bytes.size();
      text += padding ? '=' : kAlphabet[(group >> (18 - 6 * j)) & 63];
    }
  }
  return text;
}

Result<std::string> from_base64(std::string_view text) {
  const Error wrong{"what etcd holds is not Base64"};
  if (text.size() % 4 != 0) return wrong;
  std::string bytes;
  for (size_t i = 0; i < text.size(); i += 4) {
    uint32_t group = 0;
    size_t padding = 0;
    for (size_t j = 0; j < 4; ++j) {
      const char c = text[i + j];
      const bool last = i + 4 == text.size();
      if (c == '=' && last && j >= 2) {
        ++padding;
        group <<= 6;
        continue;
      }
      const auto digit = kAlphabet.find(c);
      if (digit == std::string_view::npos || padding > 0) return wrong;
      group = group << 6 | static_cast<uint32_t>(digit);
    }
    for (size_t j = 0; j + padding < 3; ++j) {
      bytes += static_cast<char>((group >> (16 - 8 * j)) & 255);
    }
  }
  return bytes;
}

}  // namespace eve::runtime
