// The JSON of GET /status; its shape is documented in node.h.
#pragma once

#include <string>

#include "runtime/client_host.h"
#include "runtime/executor_host.h"
#include "runtime/gateway.h"
#include "runtime/member_gate.h"
#include "runtime/node_core.h"
#include "runtime/pair_host.h"
#include "runtime/verifier_host.h"

namespace eve::runtime {

/// What a node plays; null what it does not.
struct NodeParts {
  ExecutorHost* executor = nullptr;
  PairHost* pair = nullptr;
  const VerifierHost* verifier = nullptr;
  ClientHost* client = nullptr;
  const Gateway* gateway = nullptr;
  const MemberGate* executor_gate = nullptr;
  const MemberGate* verifier_gate = nullptr;
  const MemberGate* client_gate = nullptr;
};

/// On the loop's thread. `uptime_us`: since the node began to serve.
std::string status_json(NodeCore& core, const NodeParts& parts, TimeUs uptime_us);

}  // namespace eve::runtime
