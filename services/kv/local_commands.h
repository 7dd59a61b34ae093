// The commands that a connection answers by itself. Each writes at most one reply. The command
// table has checked the number of arguments.
#pragma once

#include "services/kv/request.h"

namespace eve::kv {

class Connection;

namespace local {

// connection_commands.cc
void ping(Connection& connection, Args args);
void echo(Connection& connection, Args args);
void hello(Connection& connection, Args args);
void auth(Connection& connection, Args args);
void select(Connection& connection, Args args);
void quit(Connection& connection, Args args);
void reset(Connection& connection, Args args);
void client_id(Connection& connection, Args args);
void client_getname(Connection& connection, Args args);
void client_setname(Connection& connection, Args args);
void client_setinfo(Connection& connection, Args args);
void client_list(Connection& connection, Args args);
void client_info(Connection& connection, Args args);
void client_no_evict(Connection& connection, Args args);
void client_reply(Connection& connection, Args args);
void multi(Connection& connection, Args args);
void exec(Connection& connection, Args args);
void discard(Connection& connection, Args args);
void watch(Connection& connection, Args args);
void unwatch(Connection& connection, Args args);

// introspection_commands.cc
void command(Connection& connection, Args args);
void command_count(Connection& connection, Args args);
void command_docs(Connection& connection, Args args);
void command_info(Connection& connection, Args args);
void command_list(Connection& connection, Args args);
void info(Connection& connection, Args args);
void config_get(Connection& connection, Args args);

}  // namespace local

/// The Redis version whose behaviour this is; client libraries look at it.
inline constexpr ByteView kRedisVersion = "7.0.15";

}  // namespace eve::kv
