// libFuzzer: a whole client connection, in front of a service that executes what is submitted. What
// is submitted and answered may not depend on the pieces in which the client's bytes arrive, every
// request gets its answer, and no answer is lost behind another.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "services/kv/connection.h"
#include "services/kv/test_support.h"

namespace eve::kv {
namespace {

using runtime::Outcome;

constexpr size_t kMostAnswers = 200;

struct Seen {
  Bytes sent;
  std::vector<Bytes> submitted;
  int closes = 0;
  bool operator==(const Seen&) const = default;
};

/// `choices`: of what becomes of each request, in turn.
Seen serve(ByteView stream, size_t piece, uint8_t choices) {
  test::FakeHost host;
  host.overloaded = (choices & 0x80) != 0;
  const runtime::GatewayStats stats;
  Connection connection(7, "127.0.0.1:9", stats);
  std::optional<test::Replica> replica;
  Seen seen;
  for (size_t at = 0; at < stream.size(); at += piece) {
    connection.on_bytes(host, stream.substr(at, piece));
  }
  while (!host.submitted.empty() && seen.submitted.size() < kMostAnswers) {
    seen.submitted.push_back(host.submitted.front());
    host.submitted.pop_front();
    if (!replica) replica.emplace();
    const Bytes reply = replica->run(seen.submitted.back(), host.time_us);
    const bool lost = seen.submitted.size() % 8 == (choices & 7u);
    const Outcome failure = (choices & 8) != 0 ? Outcome::kUnknown : Outcome::kQuarantined;
    connection.on_reply(host, lost ? failure : Outcome::kExecuted, lost ? ByteView() : reply);
  }
  seen.sent = host.take_sent();
  seen.closes = host.closes;
  EVE_CHECK(seen.closes <= 1, "a connection closes once");
  return seen;
}

}  // namespace
}  // namespace eve::kv

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace eve;
  if (size < 2) return 0;
  const ByteView stream(reinterpret_cast<const char*>(data) + 2, size - 2);
  const size_t piece = size_t{1} + data[0] % 32;
  kv::Seen whole = kv::serve(stream, std::max<size_t>(1, stream.size()), data[1]);
  kv::Seen pieces = kv::serve(stream, piece, data[1]);
  // CLIENT INFO says how much has arrived.
  if (whole.sent.find(" qbuf=") != Bytes::npos) whole.sent = pieces.sent = "";
  EVE_CHECK(pieces == whole, "pieces change nothing");
  return 0;
}
