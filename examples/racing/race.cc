// race CLUSTER_TOML [ADDS]: many adds to a few counters at once, so that the planted race of
// racing.cc shows; prints what the counters hold in the end.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "eve/client.h"

namespace {

constexpr int kCounters = 4;

/// Sends all adds without waiting, then waits for all replies. False if one failed.
bool add_many(eve::Client& client, int adds) {
  std::vector<std::future<eve::Result<eve::Bytes>>> outstanding;
  for (int i = 0; i < adds; ++i) {
    outstanding.push_back(client.call("add " + std::to_string(i % kCounters)));
  }
  for (auto& reply : outstanding) {
    const auto result = reply.get();
    if (!result) {
      std::fprintf(stderr, "race: %s\n", result.message().c_str());
      return false;
    }
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s CLUSTER_TOML [ADDS]\n", argv[0]);
    return 2;
  }
  auto client = eve::Client::connect(argv[1], "client");
  if (!client) {
    std::fprintf(stderr, "race: %s\n", client.message().c_str());
    return 1;
  }
  if (!add_many(**client, argc > 2 ? std::atoi(argv[2]) : 400)) return 1;
  for (int i = 0; i < kCounters; ++i) {
    auto reply = (*client)->call_and_wait("get " + std::to_string(i));
    if (!reply) return 1;
    std::printf("counter %d: %s\n", i, reply->c_str());
  }
  return 0;
}
