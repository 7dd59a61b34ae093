#include "runtime/peer_addresses.h"

#include <algorithm>
#include <map>
#include <set>

#include "runtime/host_limits.h"

namespace eve::runtime {

using asio::ip::tcp;

std::string address_text(const asio::ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
  }
  return address.to_string();
}

/// Lives as long as a lookup that is under way.
struct PeerAddresses::Shared : std::enable_shared_from_this<PeerAddresses::Shared> {
  explicit Shared(EventLoop& loop) : resolver(loop.context()) {}

  void look_up(const std::string& host) {
    resolver.async_resolve(
        host, "",
        [self = shared_from_this(), host](const std::error_code& failure,
                                          const tcp::resolver::results_type& found) {
          if (failure) return;
          auto& addresses = self->by_name[host];
          addresses.clear();
          for (const auto& entry : found) {
            if (addresses.size() == host_limits::kMaxAddressesPerHost) break;
            addresses.insert(address_text(entry.endpoint().address()));
          }
        });
  }

  tcp::resolver resolver;
  std::set<std::string> literal;
  std::map<std::string, std::set<std::string>> by_name;
  TimeUs due = 0;
};

PeerAddresses::PeerAddresses(EventLoop& loop, const std::vector<std::string>& hosts)
    : shared_(std::make_shared<Shared>(loop)) {
  for (const auto& host : hosts) add(host);
}

void PeerAddresses::add(const std::string& host) {
  std::error_code error;
  const auto address = asio::ip::make_address(host, error);
  if (!error) {
    shared_->literal.insert(address_text(address));
  } else if (shared_->by_name.emplace(host, std::set<std::string>()).second) {
    shared_->due = 0;
  }
}

PeerAddresses::~PeerAddresses() {
  shared_->resolver.cancel();
}

bool PeerAddresses::contains(const std::string& address) const {
  if (shared_->literal.contains(address)) return true;
  return std::any_of(shared_->by_name.begin(), shared_->by_name.end(),
                     [&](const auto& host) { return host.second.contains(address); });
}

TimeUs PeerAddresses::due() const {
  return shared_->by_name.empty() ? kNever : shared_->due;
}

void PeerAddresses::tick(TimeUs now) {
  if (due() > now) return;
  shared_->due = now + host_limits::kLookUpUs;
  shared_->resolver.cancel();
  for (const auto& host : shared_->by_name) shared_->look_up(host.first);
}

}  // namespace eve::runtime
