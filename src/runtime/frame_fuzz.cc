// libFuzzer: a stream from an unknown peer, in pieces: frames, hello, routes. The frames may not
// depend on the pieces in which the stream arrives.
#include <algorithm>
#include <cstring>
#include <vector>

#include "base/check.h"
#include "runtime/frame.h"

namespace eve::runtime {
namespace {

std::vector<Bytes> frames_of(ByteView stream, size_t piece, size_t limit) {
  FrameReader reader;
  reader.set_limit(limit);
  std::vector<Bytes> frames;
  while (!stream.empty()) {
    const FrameReader::Room room = reader.room();
    EVE_CHECK(room.size > 0, "there is always room");
    const size_t size = std::min({room.size, piece, stream.size()});
    std::memcpy(room.data, stream.data(), size);
    reader.filled(size);
    stream.remove_prefix(size);
    for (;;) {
      auto frame = reader.next();
      if (!frame.ok()) return frames;
      if (!*frame) break;
      EVE_CHECK((*frame)->view().size() <= limit, "a frame over the limit");
      frames.emplace_back((*frame)->view());
    }
  }
  return frames;
}

void check_body(ByteView body) {
  auto hello = parse_hello(body);
  if (hello.ok()) {
    EVE_CHECK(ByteView(encode_hello(*hello)).substr(kLengthBytes) == body, "hello not canonical");
  }
  const auto route = parse_route(body);
  if (!route) return;
  const FrameHeader header = make_header(route->from, route->to, body.size() - kRouteBytes);
  EVE_CHECK(ByteView(header.data() + kLengthBytes, kRouteBytes) == body.substr(0, kRouteBytes),
            "route not canonical");
}

}  // namespace
}  // namespace eve::runtime

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace eve;
  using namespace eve::runtime;
  if (size == 0) return 0;
  const ByteView stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  const size_t limit = data[0] % 2 == 0 ? 64 : 4096;
  const auto frames = frames_of(stream, stream.size(), limit);
  EVE_CHECK(frames_of(stream, 1 + data[0] / 16, limit) == frames, "pieces change nothing");
  for (const Bytes& frame : frames) check_body(frame);
  check_body(stream);
  return 0;
}
