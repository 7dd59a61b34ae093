// From a Service to a running, replicated server in one line of main().
#pragma once

#include <string_view>

#include "eve/service.h"

namespace eve {

/// Runs the program of a replicated service: call it from main() and return what it returns. The
/// program then has Eve's subcommands:
///
///   PROGRAM dev      a whole cluster on this machine, one process a node
///   PROGRAM init     cluster.toml and keys for separate machines
///   PROGRAM serve    one node
///   PROGRAM status   what every node is doing
///
/// `name` goes into cluster.toml; `factory` builds the service over an empty state and must do the
/// same on every replica. Clients connect with eve::Client (eve/client.h).
int serve(int argc, char** argv, std::string_view name, ServiceFactory factory);

}  // namespace eve
