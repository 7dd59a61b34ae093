// The connection half of the KV server: RESP in, requests of request.h out.
#pragma once

#include <memory>
#include <string>

#include "runtime/front_end.h"

namespace eve::kv {

/// Used by one gateway's thread. `stats` must outlive the connections.
class FrontEndFactory final : public runtime::FrontEndFactory {
 public:
  std::unique_ptr<runtime::FrontEnd> make(uint64_t connection_id, const std::string& peer,
                                          const runtime::GatewayStats& stats) override;
};

}  // namespace eve::kv
