// The running digest of everything that happens, and, for a person, the same as text. Equal seeds
// give equal digests: that is what replaying means. Counts what is worth counting (sites).
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>

#include "base/ids.h"
#include "sim/sites.h"
#include "wire/messages.h"

namespace eve::sim {

class Trace {
 public:
  /// Text goes to `out` if it is not null.
  explicit Trace(std::ostream* out) : out_(out) {}

  /// `content` is a hash of what happened; `text` is asked for only if somebody reads.
  void note(TimeUs now, Address where, uint64_t content, const std::function<std::string()>& text);

  void hit(Site site) { sites_.hit(site); }

  uint64_t digest() const { return digest_; }
  const Sites& sites() const { return sites_; }

 private:
  std::ostream* out_;
  uint64_t digest_ = 0;
  Sites sites_;
};

/// "Token view 1 number 5 1f0c..": one line.
std::string describe(const wire::Message& message);

}  // namespace eve::sim
