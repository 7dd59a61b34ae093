#include "services/kv/command_table.h"

#include <algorithm>
#include <array>

#include "services/kv/local_commands.h"
#include "services/kv/numbers.h"

namespace eve::kv {

namespace {

constexpr Command kCommands[] = {
    {"ping", -1, kFast, 0, 0, 0, "connection", "1.0.0", "Ping the server", local::ping, nullptr},
    {"echo", 2, kFast, 0, 0, 0, "connection", "1.0.0", "Echo the given string", local::echo,
     nullptr},
    {"hello", -1, kFast, 0, 0, 0, "connection", "6.0.0",
     "Choose the protocol version and introduce the client", local::hello, nullptr},
    {"auth", -2, kFast, 0, 0, 0, "connection", "1.0.0", "Authenticate to the server", local::auth,
     nullptr},
    {"select", 2, kFast, 0, 0, 0, "connection", "1.0.0",
     "Change the selected database for the current connection", local::select, nullptr},
    {"quit", -1, kFast | kAtOnce, 0, 0, 0, "connection", "1.0.0", "Close the connection",
     local::quit, nullptr},
    {"reset", 1, kFast | kAtOnce, 0, 0, 0, "connection", "6.2.0", "Reset the connection",
     local::reset, nullptr},
    {"client", -2, kContainer, 0, 0, 0, "connection", "2.4.0",
     "A container for client connection commands", nullptr, nullptr},
    {"client|id", 2, 0, 0, 0, 0, "connection", "5.0.0",
     "Returns the client ID for the current connection", local::client_id, nullptr},
    {"client|getname", 2, 0, 0, 0, 0, "connection", "2.6.9", "Get the current connection name",
     local::client_getname, nullptr},
    {"client|setname", 3, 0, 0, 0, 0, "connection", "2.6.9", "Set the current connection name",
     local::client_setname, nullptr},
    {"client|setinfo", -4, 0, 0, 0, 0, "connection", "7.2.0",
     "Set information about the client library", local::client_setinfo, nullptr},
    {"client|list", -2, kAdmin, 0, 0, 0, "connection", "2.4.0",
     "Get the list of client connections", local::client_list, nullptr},
    {"client|info", 2, 0, 0, 0, 0, "connection", "6.2.0", "Get information about this connection",
     local::client_info, nullptr},
    {"client|no-evict", 3, kAdmin, 0, 0, 0, "connection", "7.0.0",
     "Set client eviction mode for the current connection", local::client_no_evict, nullptr},
    {"client|reply", 3, 0, 0, 0, 0, "connection", "3.2.0",
     "Instruct the server whether to reply to commands", local::client_reply, nullptr},
    {"command", -1, kContainer, 0, 0, 0, "server", "2.8.13", "Get the details of all commands",
     local::command, nullptr},
    {"command|count", 2, 0, 0, 0, 0, "server", "2.8.13", "Get the number of commands",
     local::command_count, nullptr},
    {"command|docs", -2, 0, 0, 0, 0, "server", "7.0.0", "Get the documentation of commands",
     local::command_docs, nullptr},
    {"command|info", -2, 0, 0, 0, 0, "server", "2.8.13", "Get the details of commands",
     local::command_info, nullptr},
    {"command|list", -2, 0, 0, 0, 0, "server", "7.0.0", "Get the names of commands",
     local::command_list, nullptr},
    {"info", -1, 0, 0, 0, 0, "server", "1.0.0", "Get information and statistics about the server",
     local::info, nullptr},
    {"config", -2, kContainer, 0, 0, 0, "server", "2.0.0",
     "A container for server configuration commands", nullptr, nullptr},
    {"config|get", -3, kAdmin, 0, 0, 0, "server", "2.0.0",
     "Get the values of configuration parameters", local::config_get, nullptr},
    {"multi", 1, kFast | kAtOnce, 0, 0, 0, "transactions", "1.2.0",
     "Mark the start of a transaction block", local::multi, nullptr},
    {"exec", 1, kAtOnce, 0, 0, 0, "transactions", "1.2.0",
     "Execute all commands issued after MULTI", local::exec, nullptr},
    {"discard", 1, kFast | kAtOnce, 0, 0, 0, "transactions", "2.0.0",
     "Discard all commands issued after MULTI", local::discard, nullptr},
    {"watch", -2, kFast | kAtOnce, 1, -1, 1, "transactions", "2.2.0",
     "Run the next EXEC only if the given keys do not change before it", local::watch, nullptr},
    {"unwatch", 1, kFast, 0, 0, 0, "transactions", "2.2.0", "Forget about all watched keys",
     local::unwatch, nullptr},
    {"get", 2, kReadOnly | kFast, 1, 1, 1, "string", "1.0.0", "Get the value of a key", nullptr,
     replicated::get},
    {"set", -3, kWrite | kDenyOom, 1, 1, 1, "string", "1.0.0", "Set the string value of a key",
     nullptr, replicated::set},
    {"setnx", 3, kWrite | kDenyOom | kFast, 1, 1, 1, "string", "1.0.0",
     "Set the value of a key, only if the key does not exist", nullptr, replicated::setnx},
    {"setex", 4, kWrite | kDenyOom, 1, 1, 1, "string", "2.0.0",
     "Set the value and expiration of a key", nullptr, replicated::setex},
    {"psetex", 4, kWrite | kDenyOom, 1, 1, 1, "string", "2.6.0",
     "Set the value and expiration in milliseconds of a key", nullptr, replicated::psetex},
    {"getset", 3, kWrite | kDenyOom | kFast, 1, 1, 1, "string", "1.0.0",
     "Set the string value of a key and return its old value", nullptr, replicated::getset},
    {"getdel", 2, kWrite | kFast, 1, 1, 1, "string", "6.2.0",
     "Get the value of a key and delete the key", nullptr, replicated::getdel},
    {"getex", -2, kWrite | kFast, 1, 1, 1, "string", "6.2.0",
     "Get the value of a key and optionally set its expiration", nullptr, replicated::getex},
    {"mget", -2, kReadOnly | kFast, 1, -1, 1, "string", "1.0.0",
     "Get the values of all the given keys", nullptr, replicated::mget},
    {"mset", -3, kWrite | kDenyOom, 1, -1, 2, "string", "1.0.1",
     "Set multiple keys to multiple values", nullptr, replicated::mset},
    {"msetnx", -3, kWrite | kDenyOom, 1, -1, 2, "string", "1.0.1",
     "Set multiple keys to multiple values, only if none of the keys exist", nullptr,
     replicated::msetnx},
    {"append", 3, kWrite | kDenyOom | kFast, 1, 1, 1, "string", "2.0.0", "Append a value to a key",
     nullptr, replicated::append},
    {"strlen", 2, kReadOnly | kFast, 1, 1, 1, "string", "2.2.0",
     "Get the length of the value stored in a key", nullptr, replicated::strlen},
    {"getrange", 4, kReadOnly, 1, 1, 1, "string", "2.4.0",
     "Get a substring of the string stored at a key", nullptr, replicated::getrange},
    {"substr", 4, kReadOnly, 1, 1, 1, "string", "1.0.0",
     "Get a substring of the string stored at a key", nullptr, replicated::getrange},
    {"setrange", 4, kWrite | kDenyOom, 1, 1, 1, "string", "2.2.0",
     "Overwrite part of a value from an offset on", nullptr, replicated::setrange},
    {"incr", 2, kWrite | kDenyOom | kFast, 1, 1, 1, "string", "1.0.0",
     "Increment the integer value of a key by one", nullptr, replicated::incr},
    {"decr", 2, kWrite | kDenyOom | kFast, 1, 1, 1, "string", "1.0.0",
     "Decrement the integer value of a key by one", nullptr, replicated::decr},
    {"incrby", 3, kWrite | kDenyOom | kFast, 1, 1, 1, "string", "1.0.0",
     "Increment the integer value of a key by the given amount", nullptr, replicated::incrby},
    {"decrby", 3, kWrite | kDenyOom | kFast, 1, 1, 1, "string", "1.0.0",
     "Decrement the integer value of a key by the given number", nullptr, replicated::decrby},
    {"incrbyfloat", 3, kWrite | kDenyOom | kFast, 1, 1, 1, "string", "2.6.0",
     "Increment the float value of a key by the given amount", nullptr, replicated::incrbyfloat},
    {"del", -2, kWrite, 1, -1, 1, "generic", "1.0.0", "Delete a key", nullptr, replicated::del},
    {"unlink", -2, kWrite | kFast, 1, -1, 1, "generic", "4.0.0", "Delete a key", nullptr,
     replicated::del},
    {"exists", -2, kReadOnly | kFast, 1, -1, 1, "generic", "1.0.0", "Determine if a key exists",
     nullptr, replicated::exists},
    {"type", 2, kReadOnly | kFast, 1, 1, 1, "generic", "1.0.0", "Determine the type stored at key",
     nullptr, replicated::type},
    {"touch", -2, kReadOnly | kFast, 1, -1, 1, "generic", "3.2.1",
     "Count the given keys that exist", nullptr, replicated::exists},
    {"rename", 3, kWrite, 1, 2, 1, "generic", "1.0.0", "Rename a key", nullptr, replicated::rename},
    {"renamenx", 3, kWrite | kFast, 1, 2, 1, "generic", "1.0.0",
     "Rename a key, only if the new key does not exist", nullptr, replicated::renamenx},
    {"copy", -3, kWrite | kDenyOom, 1, 2, 1, "generic", "6.2.0", "Copy a key", nullptr,
     replicated::copy},
    {"expire", -3, kWrite | kFast, 1, 1, 1, "generic", "1.0.0",
     "Set a key's time to live in seconds", nullptr, replicated::expire},
    {"pexpire", -3, kWrite | kFast, 1, 1, 1, "generic", "2.6.0",
     "Set a key's time to live in milliseconds", nullptr, replicated::pexpire},
    {"expireat", -3, kWrite | kFast, 1, 1, 1, "generic", "1.2.0",
     "Set the expiration for a key as a UNIX timestamp in seconds", nullptr, replicated::expireat},
    {"pexpireat", -3, kWrite | kFast, 1, 1, 1, "generic", "2.6.0",
     "Set the expiration for a key as a UNIX timestamp in milliseconds", nullptr,
     replicated::pexpireat},
    {"ttl", 2, kReadOnly | kFast, 1, 1, 1, "generic", "1.0.0",
     "Get the time to live for a key in seconds", nullptr, replicated::ttl},
    {"pttl", 2, kReadOnly | kFast, 1, 1, 1, "generic", "2.6.0",
     "Get the time to live for a key in milliseconds", nullptr, replicated::pttl},
    {"persist", 2, kWrite | kFast, 1, 1, 1, "generic", "2.2.0", "Remove the expiration from a key",
     nullptr, replicated::persist},
    {"expiretime", 2, kReadOnly | kFast, 1, 1, 1, "generic", "7.0.0",
     "Get the expiration Unix timestamp for a key", nullptr, replicated::expiretime},
    {"pexpiretime", 2, kReadOnly | kFast, 1, 1, 1, "generic", "7.0.0",
     "Get the expiration Unix timestamp for a key in milliseconds", nullptr,
     replicated::pexpiretime},
    {"dbsize", 1, kReadOnly | kFast | kWholeDatabase, 0, 0, 0, "server", "1.0.0",
     "Return the number of keys in the selected database", nullptr, replicated::dbsize},
    {"flushall", -1, kWrite | kWholeDatabase, 0, 0, 0, "server", "1.0.0",
     "Remove all keys from all databases", nullptr, replicated::flush},
    {"flushdb", -1, kWrite | kWholeDatabase, 0, 0, 0, "server", "1.0.0",
     "Remove all keys from the current database", nullptr, replicated::flush},
    {"keys", 2, kReadOnly | kWholeDatabase, 0, 0, 0, "generic", "1.0.0",
     "Find all keys matching the given pattern", nullptr, replicated::keys},
    {"scan", -2, kReadOnly | kWholeDatabase, 0, 0, 0, "generic", "2.8.0",
     "Incrementally iterate the keys space", nullptr, replicated::scan},
    {"randomkey", 1, kReadOnly | kWholeDatabase, 0, 0, 0, "generic", "1.0.0",
     "Return a random key from the keyspace", nullptr, replicated::randomkey},
    {"time", 1, kFast, 0, 0, 0, "server", "2.6.0", "Return the current server time", nullptr,
     replicated::time},
};

constexpr size_t kMaxNameBytes = 32;
constexpr size_t kBuckets = 256;

uint32_t hash_name(ByteView lower) {
  uint32_t hash = 2166136261u;
  for (const char c : lower) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return hash ^ (hash >> 15);
}

/// Open addressing by name; built once.
class NameIndex {
 public:
  NameIndex() {
    static_assert(2 * std::size(kCommands) < kBuckets);
    for (const Command& command : kCommands) {
      size_t at = hash_name(command.name) % kBuckets;
      while (buckets_[at] != nullptr) at = (at + 1) % kBuckets;
      buckets_[at] = &command;
    }
  }

  const Command* find(ByteView lower) const {
    size_t at = hash_name(lower) % kBuckets;
    while (buckets_[at] != nullptr && buckets_[at]->name != lower) at = (at + 1) % kBuckets;
    return buckets_[at];
  }

 private:
  std::array<const Command*, kBuckets> buckets_{};
};

const Command* find_name(ByteView lower) {
  static const NameIndex index;
  return index.find(lower);
}

/// A name in lower case, and perhaps a second one behind a '|'.
class LowerName {
 public:
  /// False if it is longer than any name.
  bool append(ByteView text) {
    if (size_ + text.size() > text_.size()) return false;
    for (const char c : text) text_[size_++] = lower_case(c);
    return true;
  }
  ByteView view() const { return {text_.data(), size_}; }

 private:
  std::array<char, kMaxNameBytes> text_;
  size_t size_ = 0;
};

/// `text` as C would print it with a limit: up to its first zero.
ByteView printable(ByteView text, size_t limit) {
  return text.substr(0, std::min(limit, text.find('\0')));
}

Bytes upper_case(ByteView text) {
  Bytes upper(text);
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c;
  return upper;
}

constexpr size_t kPreviewBytes = 128;

Bytes unknown_command(Args args) {
  Bytes preview;
  for (size_t i = 1; i < args.size() && preview.size() < kPreviewBytes; ++i) {
    const size_t room = kPreviewBytes - preview.size();
    preview.append("'").append(printable(args[i], room)).append("' ");
  }
  return "ERR unknown command '" + Bytes(printable(args[0], kPreviewBytes)) +
         "', with args beginning with: " + preview;
}

Bytes unknown_subcommand(const Command& container, Args args) {
  return "ERR unknown subcommand '" + Bytes(printable(args[1], kPreviewBytes)) + "'. Try " +
         upper_case(container.name) + " HELP.";
}

}  // namespace

std::span<const Command> all_commands() {
  return kCommands;
}

std::span<const Command> subcommands(const Command& container) {
  const Command* first = &container + 1;
  const Command* last = first;
  const Bytes prefix = Bytes(container.name) + "|";
  while (last != std::end(kCommands) && last->name.starts_with(prefix)) ++last;
  return {first, last};
}

const Command* find_command(Args args) {
  LowerName name;
  // A '|' only ever stands between a container and its subcommand.
  if (args[0].find('|') != ByteView::npos || !name.append(args[0])) return nullptr;
  const Command* command = find_name(name.view());
  if (command == nullptr || !command->has(kContainer) || args.size() == 1) return command;
  const bool fits = name.append("|") && name.append(args[1]);
  const Command* subcommand = fits ? find_name(name.view()) : nullptr;
  return subcommand != nullptr ? subcommand : command;
}

Bytes wrong_arity(const Command& command) {
  return "ERR wrong number of arguments for '" + Bytes(command.name) + "' command";
}

Bytes refusal(const Command* command, Args args) {
  if (command == nullptr) return unknown_command(args);
  if (command->has(kContainer) && args.size() > 1) return unknown_subcommand(*command, args);
  const auto given = static_cast<int>(args.size());
  const bool right = command->arity < 0 ? given >= -command->arity : given == command->arity;
  return right ? Bytes() : wrong_arity(*command);
}

}  // namespace eve::kv
