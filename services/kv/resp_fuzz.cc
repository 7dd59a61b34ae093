// libFuzzer target: any stream from a client, then any bytes as a request to the service. Nothing
// may crash, and the parser's outcome may not depend on the pieces in which the stream arrives.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/check.h"
#include "services/kv/command_table.h"
#include "services/kv/parser.h"
#include "services/kv/request.h"

namespace eve::kv {
namespace {

Bytes parse(ByteView stream, size_t piece) {
  Parser parser;
  Bytes seen;
  std::vector<ByteView> args;
  for (size_t at = 0; at < stream.size(); at += piece) {
    parser.feed(stream.substr(at, piece));
    Parser::Outcome outcome = Parser::Outcome::kCommand;
    while ((outcome = parser.next(args)) == Parser::Outcome::kCommand) {
      const Command* command = find_command(args);
      seen.append(refusal(command, args));
      const Bytes request = command_request(Protocol::kResp2, args);
      RequestReader reader(request);
      ArgList read;
      reader.octet();
      reader.protocol();
      reader.arguments(read);
      EVE_CHECK(reader.ok() && reader.at_end(), "what was written can be read");
      for (const ByteView arg : read.view()) append_bytes(seen, arg);
    }
    if (outcome == Parser::Outcome::kError) return seen + parser.error();
  }
  return seen;
}

}  // namespace
}  // namespace eve::kv

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace eve;
  if (size == 0) return 0;
  const ByteView bytes(reinterpret_cast<const char*>(data), size);
  const size_t piece = 1 + static_cast<uint8_t>(bytes[0]) % 16;
  const Bytes whole = kv::parse(bytes.substr(1), size);
  EVE_CHECK(kv::parse(bytes.substr(1), piece) == whole, "pieces change nothing");
  return 0;
}
