// call CLUSTER_TOML REQUEST...: sends each request to the service, one after the other, and prints
// the replies. For services whose requests are text, such as outline.
#include <cstdio>

#include "eve/client.h"

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: %s CLUSTER_TOML REQUEST...\n", argv[0]);
    return 2;
  }
  auto client = eve::Client::connect(argv[1], "client");
  if (!client) {
    std::fprintf(stderr, "call: %s\n", client.message().c_str());
    return 1;
  }
  for (int i = 2; i < argc; ++i) {
    auto reply = (*client)->call_and_wait(argv[i]);
    if (!reply) {
      std::fprintf(stderr, "call: %s\n", reply.message().c_str());
      return 1;
    }
    std::printf("%s\n", reply->c_str());
  }
  return 0;
}
