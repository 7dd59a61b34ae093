// What `member replace` and `member list` share: the nodes of a cluster, asked at their status
// ports.
#pragma once

#include <cstdint>
#include <string>

#include "cli/ask_nodes.h"
#include "cli/commands.h"

namespace CLI {
class App;
}

namespace eve::cli {

struct ReplaceOptions {
  std::string cluster;
  std::string node;
  std::string with;
  std::string host;
  uint16_t port = 0;         ///< 0: that of the node that leaves
  uint16_t status_port = 0;  ///< 0: likewise
  uint32_t timeout_s = 60;
  bool dry_run = false;
  bool force = false;
  bool learn_first = false;  ///< ask when the new node is level
};
int run_member_replace(const Program& program, const ReplaceOptions& options);

struct MemberListOptions {
  std::string cluster;
  bool as_json = false;
};
int run_member_list(const Program& program, const MemberListOptions& options);

}  // namespace eve::cli
