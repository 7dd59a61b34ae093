// The addresses that cluster.toml names: which connections may be a peer's, before they have said
// so. A hint, not a proof: who comes from there has places of its own among those that wait
// (waiting_room.h), and no more than that.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/event_loop.h"

namespace eve::runtime {

/// As it stands in the log and is compared: of an IPv4 peer of an IPv6 socket, the IPv4 address.
std::string address_text(const asio::ip::address& address);

/// The loop's thread only.
class PeerAddresses {
 public:
  /// Addresses count at once; names are looked up from the first tick() on, off the loop's thread,
  /// and again every kLookUpUs: they may move, or not be known yet. A lookup that fails leaves
  /// what the last one gave. The loop outlives it.
  PeerAddresses(EventLoop& loop, const std::vector<std::string>& hosts);
  ~PeerAddresses();
  PeerAddresses(const PeerAddresses&) = delete;
  PeerAddresses& operator=(const PeerAddresses&) = delete;

  /// One more host; as in the constructor.
  void add(const std::string& host);
  bool contains(const std::string& address) const;
  /// When tick() would look names up; kNever when there are none.
  TimeUs due() const;
  void tick(TimeUs now);

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace eve::runtime
