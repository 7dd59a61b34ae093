#include "runtime/frame.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/limits.h"
#include "base/random.h"
#include "runtime/host_limits.h"
#include "runtime/output_queue.h"

namespace eve::runtime {
namespace {

Bytes frame_of(const Bytes& payload) {
  const auto header = make_header(Address::executor(1), Address::verifier(300), payload.size());
  return Bytes(header.data(), header.size()) + payload;
}

/// Feeds `stream` in pieces of up to `most` bytes and returns the bodies.
std::vector<Bytes> cut(FrameReader& reader, ByteView stream, size_t most, Random& random) {
  std::vector<Bytes> bodies;
  while (!stream.empty()) {
    const auto room = reader.room();
    EXPECT_GT(room.size, 0u);
    const auto size = std::min({room.size, stream.size(), 1 + random.below(most)});
    std::memcpy(room.data, stream.data(), size);
    stream.remove_prefix(size);
    reader.filled(size);
    while (true) {
      auto body = reader.next();
      if (!body.ok()) {
        ADD_FAILURE() << body.message();
        return bodies;
      }
      if (!*body) break;
      bodies.emplace_back((*body)->view());
    }
  }
  return bodies;
}

TEST(Frame, RoutesSurvive) {
  const auto frame = frame_of("hello");
  const auto route = parse_route(ByteView(frame).substr(kLengthBytes));
  ASSERT_TRUE(route.has_value());
  EXPECT_EQ(route->from, Address::executor(1));
  EXPECT_EQ(route->to, Address::verifier(300));
  EXPECT_FALSE(parse_route(Bytes(5, '\1')).has_value());
  EXPECT_FALSE(parse_route(Bytes(6, '\0')).has_value());
  EXPECT_FALSE(parse_route(Bytes(6, '\4')).has_value());
}

TEST(Frame, CutsAnyStreamInAnyPieces) {
  Random random(7);
  for (size_t most : {1u, 7u, 4096u, 1u << 20}) {
    std::vector<Bytes> payloads;
    Bytes stream;
    const size_t frames = most == 1 ? 20 : 200;
    for (size_t i = 0; i < frames; ++i) {
      // Around the sizes where a body no longer fits the buffer, and many small ones.
      const size_t size = random.chance(1, 20) && most > 7
                              ? host_limits::kReadBytes / 2 - 20 + random.below(40) +
                                    random.below(3) * host_limits::kReadBytes
                              : random.below(200);
      payloads.push_back(Bytes(size, static_cast<char>('a' + i % 26)));
      stream += frame_of(payloads.back());
    }
    FrameReader reader;
    reader.set_limit(limits::kMaxFrameBytes);
    const auto bodies = cut(reader, stream, most, random);
    ASSERT_EQ(bodies.size(), payloads.size());
    for (size_t i = 0; i < bodies.size(); ++i) {
      ASSERT_EQ(bodies[i].substr(kRouteBytes), payloads[i]);
    }
  }
}

TEST(Frame, RefusesLengthsBeyondTheLimit) {
  for (uint32_t length : {0u, 161u, 0xffffffffu}) {
    FrameReader reader;
    const auto room = reader.room();
    for (size_t i = 0; i < 4; ++i) room.data[i] = static_cast<char>(length >> (8 * i));
    reader.filled(4);
    EXPECT_FALSE(reader.next().ok()) << length;
  }
}

TEST(Frame, HellosSurviveAndDamagedOnesAreRefused) {
  const auto frame = encode_hello({std::string(32, 'c'), "node-1"});
  const auto body = frame.substr(kLengthBytes);
  const auto hello = parse_hello(body);
  ASSERT_TRUE(hello.ok()) << hello.message();
  EXPECT_EQ(hello->cluster_id, std::string(32, 'c'));
  EXPECT_EQ(hello->node, "node-1");
  EXPECT_LE(body.size(), host_limits::kMaxHelloBytes);

  for (size_t size = 0; size < body.size(); ++size) {
    EXPECT_FALSE(parse_hello(body.substr(0, size)).ok());
  }
  EXPECT_FALSE(parse_hello(body + "x").ok());
  auto other_version = body;
  other_version[3] = 99;
  EXPECT_NE(parse_hello(other_version).message().find("\"node-1\", speaks version 99, this node "),
            std::string::npos);
  // One that has more to say is still understood so far; what is no name is not repeated.
  EXPECT_NE(parse_hello(other_version + "more").message().find("\"node-1\""), std::string::npos);
  other_version[other_version.size() - 1] = '\n';
  EXPECT_NE(parse_hello(other_version).message().find("the peer speaks version 99"),
            std::string::npos);
  EXPECT_FALSE(parse_hello("GET / HTTP/1.1").ok());
}

TEST(OutputQueue, GivesBackWhatWasPutIn) {
  Random random(3);
  OutputQueue queue;
  Bytes expected;
  Bytes got;
  for (int round = 0; round < 2000; ++round) {
    if (random.chance(1, 2)) {
      const auto size =
          random.chance(1, 10) ? host_limits::kShareBytes + random.below(99) : random.below(3000);
      const Bytes piece(size, static_cast<char>('a' + round % 26));
      expected += piece;
      if (random.chance(1, 2))
        queue.append(SharedBytes(piece));
      else
        queue.append(ByteView(piece));
    }
    iovec slots[4];
    const auto count = queue.gather(slots, 4);
    size_t available = 0;
    Bytes seen;
    for (size_t i = 0; i < count; ++i) {
      seen.append(static_cast<const char*>(slots[i].iov_base), slots[i].iov_len);
    }
    available = std::min(seen.size(), queue.bytes());
    if (available == 0) continue;
    const auto taken = 1 + random.below(available);
    got += seen.substr(0, taken);
    queue.consume(taken);
    ASSERT_EQ(queue.bytes(), expected.size() - got.size());
  }
  while (!queue.empty()) {
    const auto front = queue.front();
    ASSERT_FALSE(front.empty());
    got += front;
    queue.consume(front.size());
  }
  EXPECT_EQ(got, expected);
}

}  // namespace
}  // namespace eve::runtime
