// The commands that the replicated service executes. Each appends exactly one reply. The command
// table has checked the number of arguments, and the service the length of the keys.
#pragma once

#include "services/kv/reply.h"
#include "services/kv/request.h"
#include "services/kv/store.h"

namespace eve::kv {

struct Command;

/// One command while it executes.
struct Call {
  const Command& command;
  Args args;  ///< args[0] is the name
  Store& store;
  Reply reply;
};

namespace replicated {

// string_commands.cc
void get(Call& call);
void set(Call& call);
void setnx(Call& call);
void setex(Call& call);
void psetex(Call& call);
void getset(Call& call);
void getdel(Call& call);
void getex(Call& call);
void mget(Call& call);
void mset(Call& call);
void msetnx(Call& call);

// value_commands.cc
void append(Call& call);
void strlen(Call& call);
void getrange(Call& call);
void setrange(Call& call);
void incr(Call& call);
void decr(Call& call);
void incrby(Call& call);
void decrby(Call& call);
void incrbyfloat(Call& call);

// key_commands.cc
void del(Call& call);
void exists(Call& call);
void type(Call& call);
void rename(Call& call);
void renamenx(Call& call);
void copy(Call& call);

// expiry_commands.cc
void expire(Call& call);
void pexpire(Call& call);
void expireat(Call& call);
void pexpireat(Call& call);
void ttl(Call& call);
void pttl(Call& call);
void persist(Call& call);
void expiretime(Call& call);
void pexpiretime(Call& call);

// database_commands.cc
void dbsize(Call& call);
void flush(Call& call);
void keys(Call& call);
void scan(Call& call);
void randomkey(Call& call);
void time(Call& call);

}  // namespace replicated

/// Error texts that several commands share.
inline constexpr ByteView kSyntaxError = "ERR syntax error";
inline constexpr ByteView kNotAnInteger = "ERR value is not an integer or out of range";
inline constexpr ByteView kValueTooLong =
    "ERR string exceeds maximum allowed size (proto-max-bulk-len)";
inline constexpr ByteView kReplyTooLarge = "ERR reply too large: ask for fewer keys at a time";

/// "ERR invalid expire time in 'set' command"
void invalid_expiry(Call& call);

}  // namespace eve::kv
