#include "sim/request_code.h"

#include "eve/codec.h"

namespace eve::sim {
namespace {

/// Cuts one field off the front of `bytes`, which are long enough.
template <typename T>
T take(ByteView& bytes) {
  const T value = *Codec<T>::decode(bytes.substr(0, sizeof(T)));
  bytes.remove_prefix(sizeof(T));
  return value;
}

template <typename T>
void put(const T& value, Bytes& out) {
  Codec<T>::encode(value, out);
}

constexpr size_t kRequestBytes = 1 + 8 + 4 + 4 + 4;
constexpr size_t kAnswerBytes = 4 + 8;

}  // namespace

uint64_t unique_id(uint16_t client, uint64_t number) {
  return (static_cast<uint64_t>(client) << 48) | number;
}

Bytes encode(const Request& request) {
  Bytes out;
  put(request.operation, out);
  put(request.id, out);
  put(request.first, out);
  put(request.second, out);
  put(request.amount, out);
  return out;
}

Bytes encode(const Answer& answer) {
  Bytes out;
  put(answer.times, out);
  put(answer.value, out);
  return out;
}

std::optional<Request> decode_request(ByteView bytes) {
  if (bytes.size() != kRequestBytes) return std::nullopt;
  Request request;
  request.operation = take<char>(bytes);
  request.id = take<uint64_t>(bytes);
  request.first = take<uint32_t>(bytes);
  request.second = take<uint32_t>(bytes);
  request.amount = take<uint32_t>(bytes);
  return request;
}

std::optional<Answer> decode_answer(ByteView bytes) {
  if (bytes.size() != kAnswerBytes) return std::nullopt;
  Answer answer;
  answer.times = take<uint32_t>(bytes);
  answer.value = take<int64_t>(bytes);
  return answer;
}

}  // namespace eve::sim
