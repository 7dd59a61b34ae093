#include "services/kv/front_end.h"

#include "services/kv/connection.h"

namespace eve::kv {

std::unique_ptr<runtime::FrontEnd> FrontEndFactory::make(uint64_t connection_id,
                                                         const std::string& peer,
                                                         const runtime::GatewayStats& stats) {
  return std::make_unique<Connection>(connection_id, peer, stats);
}

}  // namespace eve::kv
