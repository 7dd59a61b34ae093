// transfers CLUSTER_TOML: opens accounts, moves money between them with many transfers outstanding,
// and checks that the sum of all money is what it was.
#include <cstdio>
#include <string>
#include <vector>

#include "eve/client.h"

namespace {

constexpr int kAccounts = 20;
constexpr int kTransfers = 2'000;
constexpr long kOpening = 1'000;

/// Sends all requests without waiting in between; false, with a message, if one failed.
bool all_done(eve::Client& client, const std::vector<std::string>& requests) {
  std::vector<std::future<eve::Result<eve::Bytes>>> outstanding;
  for (const auto& request : requests) outstanding.push_back(client.call(request));
  bool done = true;
  for (auto& reply : outstanding) {
    const auto result = reply.get();
    if (result) continue;
    std::fprintf(stderr, "transfers: %s\n", result.message().c_str());
    done = false;
  }
  return done;
}

std::string name(int account) {
  return "account" + std::to_string(account);
}

/// The sum of all balances; -1 if one cannot be read.
long sum_of_balances(eve::Client& client) {
  long sum = 0;
  for (int i = 0; i < kAccounts; ++i) {
    const auto balance = client.call_and_wait("balance " + name(i));
    if (!balance || balance->starts_with("error")) return -1;
    sum += std::stol(*balance);
  }
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s CLUSTER_TOML\n", argv[0]);
    return 2;
  }
  auto client = eve::Client::connect(argv[1], "client");
  if (!client) {
    std::fprintf(stderr, "transfers: %s\n", client.message().c_str());
    return 1;
  }
  std::vector<std::string> requests;
  for (int i = 0; i < kAccounts; ++i) {
    requests.push_back("open " + name(i) + " " + std::to_string(kOpening));
  }
  for (int i = 0; i < kTransfers; ++i) {
    requests.push_back("transfer " + name(i % kAccounts) + " " + name(i * 7 % kAccounts) + " " +
                       std::to_string(i % 50));
  }
  if (!all_done(**client, requests)) return 1;
  const long sum = sum_of_balances(**client);
  std::printf("%d transfers, %ld in all accounts, %ld at the start\n", kTransfers, sum,
              kAccounts * kOpening);
  return sum == kAccounts * kOpening ? 0 : 1;
}
