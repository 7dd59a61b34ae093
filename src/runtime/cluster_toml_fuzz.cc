// libFuzzer: cluster.toml. What is accepted is written and read again as the same cluster.
#include <cstdint>

#include "base/check.h"
#include "runtime/cluster_config.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace eve::runtime;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  auto config = parse_cluster_toml(text);
  if (!config.ok()) {
    EVE_CHECK(!config.status().message().empty(), "an error says what is wrong");
    return 0;
  }
  (void)validate(*config);
  const std::string written = format_cluster_toml(*config);
  auto again = parse_cluster_toml(written);
  EVE_CHECK(again.ok() && format_cluster_toml(*again) == written, "another cluster");
  return 0;
}
