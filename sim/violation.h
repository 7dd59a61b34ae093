// A broken promise of the cluster, found by a checker. Thrown from wherever it is seen, caught
// where the seed is run.
#pragma once

#include <stdexcept>
#include <string>

namespace eve::sim {

class Violation : public std::runtime_error {
 public:
  /// `invariant`: its short name; `detail`: what was seen.
  Violation(std::string invariant, const std::string& detail)
      : std::runtime_error(invariant + ": " + detail), invariant_(std::move(invariant)) {}
  const std::string& invariant() const { return invariant_; }

 private:
  std::string invariant_;
};

}  // namespace eve::sim
