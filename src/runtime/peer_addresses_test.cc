#include "runtime/peer_addresses.h"

#include <gtest/gtest.h>

#include <thread>

#include "runtime/host_limits.h"

namespace eve::runtime {
namespace {

TEST(PeerAddresses, LiteralsCountAtOnce) {
  EventLoop loop;
  PeerAddresses addresses(loop, {"192.0.2.1", "2001:db8::1", "::ffff:192.0.2.7"});
  EXPECT_TRUE(addresses.contains("192.0.2.1"));
  EXPECT_TRUE(addresses.contains("2001:db8::1"));
  EXPECT_TRUE(addresses.contains("192.0.2.7"));
  EXPECT_FALSE(addresses.contains("192.0.2.2"));
  EXPECT_EQ(addresses.due(), kNever);
  addresses.tick(0);
}

TEST(PeerAddresses, NamesAreLookedUpNowAndAgain) {
  EventLoop loop;
  PeerAddresses addresses(loop, {"localhost", "no-such-host.invalid"});
  EXPECT_FALSE(addresses.contains("127.0.0.1"));
  EXPECT_EQ(addresses.due(), 0);
  addresses.tick(1'000);
  EXPECT_EQ(addresses.due(), 1'000 + host_limits::kLookUpUs);
  loop.context().run_for(std::chrono::seconds(10));
  EXPECT_TRUE(addresses.contains("127.0.0.1") || addresses.contains("::1"));
  addresses.tick(2'000);
  EXPECT_EQ(addresses.due(), 1'000 + host_limits::kLookUpUs);
}

TEST(PeerAddresses, MayGoWhileALookupIsUnderWay) {
  EventLoop loop;
  {
    PeerAddresses addresses(loop, {"localhost"});
    addresses.tick(0);
  }
  loop.context().run_for(std::chrono::seconds(10));
}

TEST(PeerAddresses, AnIPv4PeerOfAnIPv6SocketIsItself) {
  EXPECT_EQ(address_text(asio::ip::make_address("::ffff:10.1.2.3")), "10.1.2.3");
  EXPECT_EQ(address_text(asio::ip::make_address("::1")), "::1");
}

}  // namespace
}  // namespace eve::runtime
