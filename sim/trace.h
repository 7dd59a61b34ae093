// The running digest of everything that happens, and, for a person, the same as text. Equal seeds
// give equal digests: that is what replaying means. Counts what is worth counting (sites).
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>

#include "base/ids.h"
#include "sim/diagram.h"
#include "sim/sites.h"
#include "wire/messages.h"

namespace eve::sim {

class Trace {
 public:
  /// Text goes to `out`, a picture to `diagram`, unless they are null.
  explicit Trace(std::ostream* out, Diagram* diagram = nullptr) : out_(out), diagram_(diagram) {}

  /// `content` is a hash of what happened; `text` is asked for only if somebody reads.
  void note(TimeUs now, Address where, uint64_t content, const std::function<std::string()>& text);

  /// A message arrives; `content` is a hash of it.
  void arrived(TimeUs now, Address from, Address to, uint64_t content,
               const wire::Message& message);
  void hit(Site site) { sites_.hit(site); }

  uint64_t digest() const { return digest_; }
  const Sites& sites() const { return sites_; }

 private:
  void digest(TimeUs now, Address where, uint64_t content);
  void print(TimeUs now, Address where, const std::string& text);

  std::ostream* out_;
  Diagram* diagram_;
  uint64_t digest_ = 0;
  Sites sites_;
};

/// "Token view 1 number 5 1f0c..": one line.
std::string describe(const wire::Message& message);

}  // namespace eve::sim
