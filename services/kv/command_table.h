// Every command: what it is called, how many arguments it takes, where its keys are, and which
// function carries it out: on the connection (local) or in the replicated service.
#pragma once

#include <cstdint>
#include <span>

#include "services/kv/replicated_commands.h"
#include "services/kv/request.h"

namespace eve::kv {

class Connection;

enum CommandFlag : uint32_t {
  kWrite = 1,
  kReadOnly = 2,
  kDenyOom = 4,
  kFast = 8,
  kAdmin = 16,
  kWholeDatabase = 32,  ///< runs alone: it may touch every key
  kAtOnce = 64,         ///< carried out at once within MULTI, not queued
  kContainer = 128,     ///< has subcommands
};

/// Names and texts are constants of the program.
struct Command {
  ByteView name;  ///< lower case; "client|id" for a subcommand
  int arity;      ///< arguments with the name; negative: at least so many
  uint32_t flags;
  int first_key;  ///< positions among the arguments, 0: no keys
  int last_key;   ///< -1: the last argument
  int key_step;
  ByteView group;
  ByteView since;  ///< Redis's version
  ByteView summary;
  void (*local)(Connection& connection, Args args);
  void (*replicated)(Call& call);  ///< local and replicated both null: only its subcommands run

  bool has(CommandFlag flag) const { return (flags & flag) != 0; }
};

/// In the order of documentation; a container's subcommands follow it.
std::span<const Command> all_commands();
std::span<const Command> subcommands(const Command& container);

/// The command that `args` call (a subcommand where there is one), or null. Any case.
/// Precondition: args is not empty.
const Command* find_command(Args args);

/// The reason, as Redis puts it, why `args` call no command or not with so many arguments; empty if
/// they are right. `command` is what find_command(args) gave.
Bytes refusal(const Command* command, Args args);
/// "ERR wrong number of arguments for 'get' command"
Bytes wrong_arity(const Command& command);

/// Calls `visit` with every argument that is a key. Precondition: refusal() is empty.
template <typename Visit>
void for_each_key(const Command& command, Args args, const Visit& visit) {
  if (command.first_key == 0) return;
  const auto last = command.last_key < 0 ? args.size() - 1 : static_cast<size_t>(command.last_key);
  const auto step = static_cast<size_t>(command.key_step);
  for (auto i = static_cast<size_t>(command.first_key); i <= last; i += step) visit(args[i]);
}

}  // namespace eve::kv
