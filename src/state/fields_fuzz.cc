// libFuzzer: hostile bytes where a structure or a key is expected. What is accepted is canonical:
// it becomes the same bytes again.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "base/check.h"
#include "eve/fields.h"
#include "eve/key_codec.h"

namespace {

using eve::Bytes;
using eve::ByteView;

struct Part {
  int16_t number = 0;
  std::optional<std::string> text;
  template <typename A>
  void fields(A& archive) {
    archive(number, text);
  }
};
struct Whole {
  bool flag = false;
  std::vector<Part> parts;
  std::array<uint8_t, 3> bytes{};
  std::pair<uint64_t, Part> pair;
  template <typename A>
  void fields(A& archive) {
    archive(flag, parts, bytes, pair);
  }
};
using Key = std::tuple<int32_t, std::string, bool, std::string>;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView bytes(reinterpret_cast<const char*>(data), size);
  if (const auto whole = eve::Codec<Whole>::decode(bytes)) {
    Bytes again;
    eve::Codec<Whole>::encode(*whole, again);
    EVE_CHECK(again == bytes, "two encodings of one structure");
  }
  if (const auto key = eve::KeyCodec<Key>::decode(bytes)) {
    Bytes again;
    eve::KeyCodec<Key>::encode(*key, again);
    EVE_CHECK(again == bytes, "two encodings of one key");
  }
  return 0;
}
