// The requests and replies of the simulator's own services: fixed-width fields.
#pragma once

#include <cstdint>
#include <optional>

#include "eve/bytes.h"

namespace eve::sim {

struct Request {
  char operation = 0;
  uint64_t id = 0;  ///< of no other request
  uint32_t first = 0;
  uint32_t second = 0;
  uint32_t amount = 0;
};

struct Answer {
  uint32_t times = 0;  ///< how often this request has run, this time included
  int64_t value = 0;
};

uint64_t unique_id(uint16_t client, uint64_t number);
Bytes encode(const Request& request);
Bytes encode(const Answer& answer);
std::optional<Request> decode_request(ByteView bytes);
std::optional<Answer> decode_answer(ByteView bytes);

}  // namespace eve::sim
