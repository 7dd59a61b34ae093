// libFuzzer: what a change says of who comes. What is accepted is what is written.
#include <cstdint>

#include "base/check.h"
#include "base/limits.h"
#include "runtime/contact.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace eve;
  const ByteView bytes(reinterpret_cast<const char*>(data), size);
  const auto node = runtime::decode_contact(bytes);
  if (!node.ok()) {
    EVE_CHECK(!node.message().empty(), "an error says what is wrong");
    return 0;
  }
  EVE_CHECK(runtime::encode_contact(*node) == bytes, "another contact");
  EVE_CHECK(size <= limits::kMaxContactBytes, "no change could hold it");
  wire::Change change{Epoch(static_cast<uint32_t>(size & 1)), 0, std::nullopt, Bytes(bytes)};
  const auto joined = runtime::newcomer(FaultModel(1, 1), change);
  EVE_CHECK(joined.ok(), "a node that cannot join");
  // It can stand in cluster.toml.
  runtime::ClusterConfig config;
  config.joined = {*joined};
  const auto text = runtime::format_cluster_toml(config);
  EVE_CHECK(text.find("[[joined]]\nname = ") != std::string::npos, "it is not there");
  return 0;
}
