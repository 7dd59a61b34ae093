// libFuzzer: what anybody may send to the status port. More bytes never change what a complete
// head was understood as.
#include <cstdint>

#include "base/check.h"
#include "runtime/http.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace eve;
  using namespace eve::runtime;
  const ByteView bytes(reinterpret_cast<const char*>(data), size);
  auto whole = parse_http_request(bytes);
  for (size_t length = 0; length < size; ++length) {
    auto part = parse_http_request(bytes.substr(0, length));
    if (!part.ok()) {
      EVE_CHECK(!whole.ok(), "a refused beginning becomes right");
      break;
    }
    if (!*part) continue;
    EVE_CHECK(whole.ok() && *whole, "what was complete is not any more");
    EVE_CHECK((*whole)->method == (*part)->method && (*whole)->path == (*part)->path,
              "the same request");
    break;
  }
  if (!whole.ok() || !*whole) return 0;
  EVE_CHECK((*whole)->path.find('?') == std::string::npos, "the path is without the query");
  EVE_CHECK((*whole)->path.size() + (*whole)->method.size() <= size, "more than was sent");
  return 0;
}
