// What Engine and Fetch share.
#pragma once

#include "state/engine.h"
#include "state/store.h"

namespace eve::state {

struct Engine::Impl {
  Impl(const crypto::Digester& digester, size_t workers, const HistoryLimits& limits)
      : store(digester, workers, limits) {}
  Store store;
};

}  // namespace eve::state
