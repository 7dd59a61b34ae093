#include "wire/reader.h"

#include <algorithm>

namespace eve::wire {

void Reader::fail(const char* problem) {
  if (failed()) return;
  failed_at_ = position();
  problem_ = problem;
  rest_ = rest_.substr(rest_.size());
}

ByteView Reader::raw(size_t size) {
  if (size > rest_.size()) {
    fail("ends too early");
    return {};
  }
  const ByteView part = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return part;
}

bool Reader::boolean() {
  const auto value = integer<uint8_t>();
  if (value > 1) fail("a boolean is neither 0 nor 1");
  return value == 1;
}

uint16_t Reader::index(size_t limit) {
  const auto value = integer<uint16_t>();
  if (value >= limit) fail("an index of a node or client is out of range");
  return value;
}

crypto::Digest Reader::digest() {
  crypto::Digest digest;
  const ByteView bytes = raw(digest.bytes.size());
  std::copy(bytes.begin(), bytes.end(), digest.bytes.begin());
  return digest;
}

size_t Reader::count(size_t limit, size_t min_bytes) {
  const size_t count = integer<uint32_t>();
  if (count > limit) {
    fail("a count is beyond its limit");
    return 0;
  }
  if (count * min_bytes > rest_.size()) {
    fail("a count is larger than what follows");
    return 0;
  }
  return count;
}

ByteView Reader::sized(size_t limit) {
  const size_t size = integer<uint32_t>();
  if (size > limit) {
    fail("a length is beyond its limit");
    return {};
  }
  return raw(size);
}

}  // namespace eve::wire
