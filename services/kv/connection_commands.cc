// Commands about the connection itself, and the doors of a transaction.
#include <algorithm>
#include <limits>
#include <string>

#include "services/kv/connection.h"
#include "services/kv/local_commands.h"
#include "services/kv/numbers.h"

namespace eve::kv {

namespace {

constexpr ByteView kWrongPassword = "WRONGPASS invalid username-password pair or user is disabled.";
constexpr ByteView kBadName =
    "ERR Client names cannot contain spaces, newlines or special characters.";

bool is_plain_name(ByteView name) {
  return std::all_of(name.begin(), name.end(), [](char c) { return c >= '!' && c <= '~'; });
}

/// There is one user, and it needs no password.
bool is_user(ByteView name) {
  return name == "default";
}

/// What HELLO's words ask for. `error` is empty if they are in order.
struct Greeting {
  ByteView user = "default";
  ByteView name;
  bool has_name = false;
  Bytes error;
};

Greeting parse_greeting(Args words) {
  Greeting greeting;
  for (size_t i = 0; i < words.size(); ++i) {
    const size_t more = words.size() - i - 1;
    if (equal_ignoring_case(words[i], "AUTH") && more >= 2) {
      greeting.user = words[i + 1];
      i += 2;
    } else if (equal_ignoring_case(words[i], "SETNAME") && more >= 1) {
      greeting.name = words[++i];
      greeting.has_name = true;
    } else {
      const ByteView word = words[i].substr(0, words[i].find('\0'));
      greeting.error = "ERR Syntax error in HELLO option '" + Bytes(word) + "'";
      return greeting;
    }
  }
  if (!is_user(greeting.user)) {
    greeting.error = kWrongPassword;
  } else if (!is_plain_name(greeting.name)) {
    greeting.error = kBadName;
  }
  return greeting;
}

void introduce(Connection& connection) {
  Reply reply = connection.reply();
  reply.map(7);
  reply.bulk("server");
  reply.bulk("redis");
  reply.bulk("version");
  reply.bulk(kRedisVersion);
  reply.bulk("proto");
  reply.integer(static_cast<int64_t>(connection.protocol()));
  reply.bulk("id");
  reply.integer(static_cast<int64_t>(connection.id()));
  reply.bulk("mode");
  reply.bulk("standalone");
  reply.bulk("role");
  reply.bulk("master");
  reply.bulk("modules");
  reply.array(0);
}

}  // namespace

namespace local {

void ping(Connection& connection, Args args) {
  if (args.size() > 2) {
    return connection.reply().error("ERR wrong number of arguments for 'ping' command");
  }
  args.size() == 2 ? connection.reply().bulk(args[1]) : connection.reply().status("PONG");
}

void echo(Connection& connection, Args args) {
  connection.reply().bulk(args[1]);
}

void hello(Connection& connection, Args args) {
  if (args.size() == 1) return introduce(connection);
  const auto version = parse_integer(args[1]);
  if (!version) {
    return connection.reply().error("ERR Protocol version is not an integer or out of range");
  }
  if (*version != 2 && *version != 3) {
    return connection.reply().error("NOPROTO unsupported protocol version");
  }
  const Greeting greeting = parse_greeting(args.subspan(2));
  if (!greeting.error.empty()) return connection.reply().error(greeting.error);
  if (greeting.has_name) connection.set_name(greeting.name);
  connection.set_protocol(*version == 3 ? Protocol::kResp3 : Protocol::kResp2);
  introduce(connection);
}

void auth(Connection& connection, Args args) {
  if (args.size() > 3) return connection.reply().error(kSyntaxError);
  if (args.size() == 2) {
    return connection.reply().error(
        "ERR AUTH <password> called without any password configured for the default user. Are you "
        "sure your configuration is correct?");
  }
  is_user(args[1]) ? connection.reply().ok() : connection.reply().error(kWrongPassword);
}

void select(Connection& connection, Args args) {
  const auto database = parse_integer(args[1]);
  if (!database) return connection.reply().error(kNotAnInteger);
  using Range = std::numeric_limits<int32_t>;
  if (*database < Range::min() || *database > Range::max()) {
    return connection.reply().error(
        "ERR value is out of range, value must between -2147483648 and 2147483647");
  }
  *database == 0 ? connection.reply().ok()
                 : connection.reply().error("ERR DB index is out of range");
}

void quit(Connection& connection, Args /*args*/) {
  connection.reply().ok();
  connection.finish();
}

void reset(Connection& connection, Args /*args*/) {
  connection.reset();
  connection.reply().status("RESET");
}

void client_id(Connection& connection, Args /*args*/) {
  connection.reply().integer(static_cast<int64_t>(connection.id()));
}

void client_getname(Connection& connection, Args /*args*/) {
  connection.name().empty() ? connection.reply().null()
                            : connection.reply().bulk(connection.name());
}

void client_setname(Connection& connection, Args args) {
  if (!is_plain_name(args[2])) return connection.reply().error(kBadName);
  connection.set_name(args[2]);
  connection.reply().ok();
}

void client_setinfo(Connection& connection, Args /*args*/) {
  // Libraries announce their name and version; nothing here shows it.
  connection.reply().ok();
}

void client_list(Connection& connection, Args args) {
  const bool plain = args.size() == 2;
  const bool by_type = args.size() == 4 && equal_ignoring_case(args[2], "TYPE");
  const bool by_id = args.size() >= 4 && equal_ignoring_case(args[2], "ID");
  if (!plain && !by_type && !by_id) return connection.reply().error(kSyntaxError);
  bool listed = plain || (by_type && equal_ignoring_case(args[3], "normal"));
  for (size_t i = 3; by_id && i < args.size(); ++i) {
    const auto id = parse_integer(args[i]);
    if (!id) return connection.reply().error("ERR Invalid client ID");
    listed = listed || static_cast<uint64_t>(*id) == connection.id();
  }
  connection.reply().verbatim(listed ? connection.description("client|list") : Bytes());
}

void client_info(Connection& connection, Args /*args*/) {
  connection.reply().verbatim(connection.description("client|info"));
}

void client_no_evict(Connection& connection, Args args) {
  const bool known = equal_ignoring_case(args[2], "ON") || equal_ignoring_case(args[2], "OFF");
  known ? connection.reply().ok() : connection.reply().error(kSyntaxError);
}

void client_reply(Connection& connection, Args args) {
  if (equal_ignoring_case(args[2], "ON")) {
    connection.set_reply_mode(Connection::ReplyMode::kOn);
    connection.reply().ok();
  } else if (equal_ignoring_case(args[2], "OFF")) {
    connection.set_reply_mode(Connection::ReplyMode::kOff);
  } else if (equal_ignoring_case(args[2], "SKIP")) {
    connection.skip_next_reply();
  } else {
    connection.reply().error(kSyntaxError);
  }
}

void multi(Connection& connection, Args /*args*/) {
  if (connection.transaction().open()) {
    return connection.reply().error("ERR MULTI calls can not be nested");
  }
  connection.transaction().begin();
  connection.reply().ok();
}

void exec(Connection& connection, Args /*args*/) {
  if (!connection.transaction().open()) {
    return connection.reply().error("ERR EXEC without MULTI");
  }
  connection.exec();
}

void discard(Connection& connection, Args /*args*/) {
  if (!connection.transaction().open()) {
    return connection.reply().error("ERR DISCARD without MULTI");
  }
  connection.transaction().clear();
  connection.reply().ok();
}

void watch(Connection& connection, Args args) {
  if (connection.transaction().open()) {
    return connection.reply().error("ERR WATCH inside MULTI is not allowed");
  }
  connection.watch(args.subspan(1));
}

void unwatch(Connection& connection, Args /*args*/) {
  // Queued within MULTI it comes too late to matter: EXEC has its conditions already.
  if (!connection.transaction().open()) connection.transaction().forget_watches();
  connection.reply().ok();
}

}  // namespace local
}  // namespace eve::kv
