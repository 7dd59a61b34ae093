// count CLUSTER_TOML [NODE]: adds one to the counter ten times and prints what it gets.
#include <cstdio>

#include "eve/client.h"

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s CLUSTER_TOML [NODE]\n", argv[0]);
    return 2;
  }
  auto client = eve::Client::connect(argv[1], argc > 2 ? argv[2] : "client");
  if (!client) {
    std::fprintf(stderr, "count: %s\n", client.message().c_str());
    return 1;
  }
  for (int i = 0; i < 10; ++i) {
    auto reply = (*client)->call_and_wait("add");
    if (!reply) {
      std::fprintf(stderr, "count: %s\n", reply.message().c_str());
      return 1;
    }
    std::printf("%s\n", reply->c_str());
  }
  return 0;
}
