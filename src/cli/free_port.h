// Free TCP ports on loopback, for clusters on one machine.
#pragma once

#include <cstdint>
#include <vector>

namespace eve::cli {

/// Hands out ports that were free, each once. They are held (bound, not listening) until the source
/// is destroyed, so that two calls never give the same one.
class PortSource {
 public:
  PortSource() = default;
  ~PortSource();
  PortSource(const PortSource&) = delete;
  PortSource& operator=(const PortSource&) = delete;

  /// 0 if there was none; ok() is false from then on.
  uint16_t next();
  bool ok() const { return ok_; }

 private:
  std::vector<int> sockets_;
  bool ok_ = true;
};

}  // namespace eve::cli
