// COMMAND, INFO and CONFIG: what clients and their libraries ask to find out where they are.
#include <algorithm>
#include <string>
#include <vector>

#include "services/kv/command_table.h"
#include "services/kv/connection.h"
#include "services/kv/glob.h"
#include "services/kv/limits.h"
#include "services/kv/local_commands.h"
#include "services/kv/numbers.h"

namespace eve::kv {

namespace {

bool is_subcommand(const Command& command) {
  return command.name.find('|') != ByteView::npos;
}

std::vector<const Command*> top_level_commands() {
  std::vector<const Command*> commands;
  for (const Command& command : all_commands()) {
    if (!is_subcommand(command)) commands.push_back(&command);
  }
  return commands;
}

/// `name` is "get" or "client|id", in any case.
const Command* find_by_name(ByteView name) {
  for (const Command& command : all_commands()) {
    if (equal_ignoring_case(command.name, name)) return &command;
  }
  return nullptr;
}

std::span<const Command> contained(const Command& command) {
  return command.has(kContainer) ? subcommands(command) : std::span<const Command>();
}

void write_flags(Reply& reply, const Command& command) {
  struct Name {
    CommandFlag flag;
    ByteView text;
  };
  constexpr Name kNames[] = {{kWrite, "write"},
                             {kReadOnly, "readonly"},
                             {kDenyOom, "denyoom"},
                             {kAdmin, "admin"},
                             {kFast, "fast"}};
  const auto shown = [&](const Name& name) { return command.has(name.flag); };
  reply.set(static_cast<size_t>(std::count_if(std::begin(kNames), std::end(kNames), shown)));
  for (const Name& name : kNames) {
    if (shown(name)) reply.status(name.text);
  }
}

void write_info(Reply& reply, const Command& command) {
  reply.array(10);
  reply.bulk(command.name);
  reply.integer(command.arity);
  write_flags(reply, command);
  reply.integer(command.first_key);
  reply.integer(command.last_key);
  reply.integer(command.key_step);
  reply.set(0);    // access control categories: there is no access control
  reply.array(0);  // tips
  reply.set(0);    // key specifications beyond the three numbers above
  reply.array(contained(command).size());
  for (const Command& inner : contained(command)) write_info(reply, inner);
}

void write_docs(Reply& reply, const Command& command) {
  const auto inside = contained(command);
  reply.bulk(command.name);
  reply.map(inside.empty() ? 3 : 4);
  reply.bulk("summary");
  reply.bulk(command.summary);
  reply.bulk("since");
  reply.bulk(command.since);
  reply.bulk("group");
  reply.bulk(command.group);
  if (inside.empty()) return;
  reply.bulk("subcommands");
  reply.map(inside.size());
  for (const Command& inner : inside) write_docs(reply, inner);
}

struct Parameter {
  ByteView name;
  Bytes value;
};

std::vector<Parameter> parameters(const runtime::GatewayStats& stats) {
  return {{"appendonly", "no"},
          {"databases", "1"},
          {"maxmemory", "0"},
          {"maxmemory-policy", "noeviction"},
          {"port", std::to_string(stats.port)},
          {"proto-max-bulk-len", std::to_string(kMaxBulkBytes)},
          {"save", ""},
          {"timeout", "0"}};
}

struct Section {
  ByteView name;
  Bytes lines;
};

std::vector<Section> sections(const Connection& connection) {
  const runtime::GatewayStats& stats = connection.stats();
  const auto line = [](ByteView name, const Bytes& value) {
    return Bytes(name) + ":" + value + "\r\n";
  };
  const auto number = [&](ByteView name, uint64_t value) {
    return line(name, std::to_string(value));
  };
  const auto up_s = static_cast<uint64_t>(
      std::max<int64_t>(connection.now_us() - stats.started_us, 0) / 1'000'000);
  return {
      {"Server", line("redis_version", Bytes(kRedisVersion)) + line("server_name", "eve") +
                     line("redis_mode", "standalone") + number("arch_bits", 64) +
                     number("tcp_port", stats.port) + number("uptime_in_seconds", up_s) +
                     number("uptime_in_days", up_s / 86'400)},
      {"Clients", number("connected_clients", stats.connections)},
      {"Persistence", number("loading", 0)},
      {"Stats", number("total_connections_received", stats.connections_total) +
                    number("total_commands_processed", stats.requests) +
                    number("total_net_input_bytes", stats.bytes_in) +
                    number("total_net_output_bytes", stats.bytes_out) +
                    number("rejected_connections", stats.connections_refused)},
      {"Replication", line("role", "master") + number("connected_slaves", 0)},
      {"Cluster", number("cluster_enabled", 0)},
  };
}

/// INFO without a name, or with one that stands for all, shows every section.
bool wants_section(Args names, ByteView section) {
  if (names.empty()) return true;
  return std::any_of(names.begin(), names.end(), [&](ByteView name) {
    return equal_ignoring_case(name, section) || equal_ignoring_case(name, "all") ||
           equal_ignoring_case(name, "default") || equal_ignoring_case(name, "everything");
  });
}

}  // namespace

namespace local {

void command(Connection& connection, Args args) {
  command_info(connection, args.first(1));
}

void command_count(Connection& connection, Args /*args*/) {
  connection.reply().integer(static_cast<int64_t>(top_level_commands().size()));
}

void command_docs(Connection& connection, Args args) {
  std::vector<const Command*> shown;
  if (args.size() <= 2) shown = top_level_commands();
  for (size_t i = 2; i < args.size(); ++i) {
    if (const Command* found = find_by_name(args[i])) shown.push_back(found);
  }
  Reply reply = connection.reply();
  reply.map(shown.size());
  for (const Command* each : shown) write_docs(reply, *each);
}

void command_info(Connection& connection, Args args) {
  std::vector<const Command*> shown;
  if (args.size() <= 2) shown = top_level_commands();
  for (size_t i = 2; i < args.size(); ++i) shown.push_back(find_by_name(args[i]));
  Reply reply = connection.reply();
  reply.array(shown.size());
  for (const Command* each : shown) each != nullptr ? write_info(reply, *each) : reply.null();
}

void command_list(Connection& connection, Args args) {
  const bool plain = args.size() == 2;
  const bool filtered = args.size() == 5 && equal_ignoring_case(args[2], "FILTERBY");
  const bool by_pattern = filtered && equal_ignoring_case(args[3], "PATTERN");
  // There are no modules and no access control categories: nothing is in them.
  const bool by_nothing = filtered && (equal_ignoring_case(args[3], "MODULE") ||
                                       equal_ignoring_case(args[3], "ACLCAT"));
  if (!plain && !by_pattern && !by_nothing) return connection.reply().error(kSyntaxError);
  std::vector<const Command*> shown = top_level_commands();
  std::erase_if(shown, [&](const Command* each) {
    return by_nothing || (by_pattern && !glob_match(args[4], each->name));
  });
  Reply reply = connection.reply();
  reply.array(shown.size());
  for (const Command* each : shown) reply.bulk(each->name);
}

void info(Connection& connection, Args args) {
  Bytes text;
  for (const Section& section : sections(connection)) {
    if (!wants_section(args.subspan(1), section.name)) continue;
    if (!text.empty()) text.append("\r\n");
    text.append("# ").append(section.name).append("\r\n").append(section.lines);
  }
  connection.reply().verbatim(text);
}

void config_get(Connection& connection, Args args) {
  std::vector<Parameter> shown = parameters(connection.stats());
  std::erase_if(shown, [&](const Parameter& parameter) {
    return std::none_of(args.begin() + 2, args.end(), [&](ByteView pattern) {
      Bytes lower(pattern);
      std::transform(lower.begin(), lower.end(), lower.begin(), lower_case);
      return glob_match(lower, parameter.name);
    });
  });
  Reply reply = connection.reply();
  reply.map(shown.size());
  for (const Parameter& parameter : shown) {
    reply.bulk(parameter.name);
    reply.bulk(parameter.value);
  }
}

}  // namespace local
}  // namespace eve::kv
