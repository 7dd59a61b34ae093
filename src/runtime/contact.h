// What a change of the members says of who comes (wire::Change::contact): name, host, ports and
// public key, as bytes that everybody reads the same way.
#pragma once

#include "eve/bytes.h"
#include "eve/result.h"
#include "runtime/cluster_config.h"
#include "wire/membership.h"

namespace eve::runtime {

/// All but the roles, which follow from the change, and the service port, which members lack.
/// Precondition: decode_contact() takes it; validate_joined() does not look at the host's letters.
Bytes encode_contact(const NodeConfig& node);

/// The node without roles. Of any bytes; what is accepted is what encode_contact() makes of it.
Result<NodeConfig> decode_contact(ByteView bytes);

/// Who comes by that change, with the addresses that it has for ever.
Result<NodeConfig> newcomer(const FaultModel& model, const wire::Change& change);

}  // namespace eve::runtime
