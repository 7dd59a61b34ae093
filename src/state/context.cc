#include "eve/context.h"

#include "base/random.h"

namespace eve {

// Each request starts its stream at a place that hashes seed and index; streams are short, so they
// do not meet.
Context::Context(const Origin& origin, size_t worker, AccessHook* hook)
    : origin_(origin),
      worker_(worker),
      hook_(hook),
      random_state_(Random(Random(origin.seed).next() + origin.index).next()) {}

uint64_t Context::random() {
  return Random(random_state_++).next();
}

}  // namespace eve
