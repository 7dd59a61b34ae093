// What each command answers, as transcripts that are played and compared with what really happened.
#include <gtest/gtest.h>

#include "services/kv/command_table.h"
#include "services/kv/numbers.h"
#include "services/kv/test_support.h"

namespace eve::kv {
namespace {

void expect_played(const Bytes& script) {
  EXPECT_EQ(test::play(script), script);
}

TEST(CommandsTest, GetAndSet) {
  expect_played(R"(> GET k
$-1
> SET k hello
+OK
> get k
$5
hello
> SET k x NX
$-1
> SET k x XX GET
$5
hello
> SET other y XX
$-1
> SETNX k z
:0
> SETNX new z
:1
> GETSET k one
$1
x
> GETDEL k
$3
one
> GETDEL k
$-1
> MSET a 1 b 2
+OK
> MGET a b c
*3
$1
1
$1
2
$-1
> MSETNX c 3 a 4
:0
> MSETNX c 3 d 4
:1
> STRLEN new
:1
> SET k
-ERR wrong number of arguments for 'set' command
> SET k v EX 0
-ERR invalid expire time in 'set' command
> SET k v NX XX
-ERR syntax error
)");
}

TEST(CommandsTest, Numbers) {
  expect_played(R"(> INCR n
:1
> INCRBY n 41
:42
> DECR n
:41
> DECRBY n 1
:40
> INCRBYFLOAT n 0.5
$4
40.5
> INCR n
-ERR value is not an integer or out of range
> INCRBYFLOAT n x
-ERR value is not a valid float
> SET n 9223372036854775807
+OK
> INCR n
-ERR increment or decrement would overflow
> DECRBY n -9223372036854775808
-ERR decrement would overflow
)");
}

TEST(CommandsTest, PartsOfValues) {
  expect_played(R"(> APPEND k hello
:5
> APPEND k !
:6
> GETRANGE k 1 3
$3
ell
> SUBSTR k -2 -1
$2
o!
> GETRANGE k 4 1
$0

> SETRANGE k 8 x
:9
> STRLEN k
:9
> SETRANGE none 3 ""
:0
> SETRANGE k -1 x
-ERR offset is out of range
> SETRANGE k 8388608 x
-ERR string exceeds maximum allowed size (proto-max-bulk-len)
)");
}

TEST(CommandsTest, Expiry) {
  expect_played(R"(> SET k v PX 1500
+OK
> TTL k
:2
+ 400 ms
> TTL k
:1
> SET k w KEEPTTL
+OK
+ 1099 ms
> GET k
$1
w
+ 1 ms
> GET k
$-1
> TTL k
:-2
> SET k v
+OK
> TTL k
:-1
> EXPIRE k 100 XX
:0
> EXPIRE k 100 NX
:1
> EXPIRE k 50 GT
:0
> EXPIRE k 200 GT
:1
> EXPIRE k 300 LT
:0
> PERSIST k
:1
> PERSIST k
:0
> PEXPIREAT k 1800000000999
:1
> EXPIRETIME k
:1800000001
> PEXPIRETIME k
:1800000000999
> GETEX k PERSIST
$1
v
> EXPIRETIME k
:-1
> EXPIREAT k 1
:1
> EXISTS k
:0
> EXPIRE k 1 NX GT
-ERR NX and XX, GT or LT options at the same time are not compatible
> EXPIRE k 9223372036854775807
-ERR invalid expire time in 'expire' command
> SETEX k 10 v
+OK
> GETEX k EX 0
-ERR invalid expire time in 'getex' command
> RENAME k moved
+OK
> TTL moved
:10
> COPY moved k
:1
> TTL k
:10
)");
}

TEST(CommandsTest, Keys) {
  expect_played(R"(> MSET a 1 b 2
+OK
> EXISTS a a b c
:3
> TOUCH a c
:1
> TYPE a
+string
> TYPE c
+none
> RENAME a c
+OK
> RENAME a c
-ERR no such key
> RENAMENX c b
:0
> RENAMENX c a
:1
> COPY a b
:0
> COPY a b REPLACE
:1
> COPY a a
-ERR source and destination objects are the same
> DBSIZE
:2
> UNLINK a x
:1
> KEYS [a-c]
*1
$1
b
> RANDOMKEY
$1
b
> SCAN 0 MATCH x*
*2
$1
0
*0
> SCAN 0 TYPE string COUNT 100
*2
$1
0
*1
$1
b
> SCAN 0 TYPE hash
*2
$1
0
*0
> FLUSHALL
+OK
> RANDOMKEY
$-1
> DBSIZE
:0
)");
}

TEST(CommandsTest, Transactions) {
  expect_played(R"(> MULTI
+OK
> SET k 1
+QUEUED
> INCR k
+QUEUED
> PING
+QUEUED
> EXEC
*3
+OK
:2
+PONG
> MULTI
+OK
> GET
-ERR wrong number of arguments for 'get' command
> EXEC
-EXECABORT Transaction discarded because of previous errors.
> EXEC
-ERR EXEC without MULTI
)");
}

TEST(CommandsTest, WatchedKeys) {
  expect_played(R"(# Another client changes a watched key.
> WATCH k none
+OK
2> SET k 5
+OK
> MULTI
+OK
> SET k 6
+QUEUED
> EXEC
*-1
> GET k
$1
5
# Nobody does.
> WATCH k none
+OK
2> SET other 5
+OK
> MULTI
+OK
> SET k 6
+QUEUED
> EXEC
*1
+OK
# The same value again is a change too, and so is an expiry.
> WATCH k
+OK
2> SET k 6
+OK
> MULTI
+OK
> EXEC
*-1
> WATCH k
+OK
2> EXPIRE k 10
:1
> MULTI
+OK
> EXEC
*-1
> WATCH k
+OK
+ 10001 ms
> MULTI
+OK
> EXEC
*-1
> WATCH k
+OK
2> SET k 1
+OK
> UNWATCH
+OK
> MULTI
+OK
> DISCARD
+OK
> EXEC
-ERR EXEC without MULTI
)");
}

TEST(CommandsTest, ProtocolThree) {
  expect_played(R"(> HELLO 3 SETNAME me
%7
$6
server
$5
redis
$7
version
$6
7.0.15
$5
proto
:3
$2
id
:1
$4
mode
$10
standalone
$4
role
$6
master
$7
modules
*0
> GET none
_
> CONFIG GET save
%1
$4
save
$0

> INFO cluster
=34
txt:# Cluster
cluster_enabled:0

> WATCH k
+OK
2> SET k 1
+OK
> MULTI
+OK
> EXEC
_
> RESET
+RESET
> GET none
$-1
> CLIENT GETNAME
$-1
)");
}

TEST(CommandsTest, TheTableIsConsistent) {
  for (const Command& command : all_commands()) {
    EXPECT_FALSE(command.local != nullptr && command.replicated != nullptr) << command.name;
    const bool runs = command.local != nullptr || command.replicated != nullptr;
    EXPECT_TRUE(runs || command.has(kContainer)) << command.name;
    if (command.replicated == nullptr || command.name == "time") continue;
    EXPECT_NE(command.has(kWrite), command.has(kReadOnly)) << command.name;
    EXPECT_EQ(command.has(kWholeDatabase), command.first_key == 0) << command.name;
  }
}

TEST(NumbersTest, IntegersHaveOneSpelling) {
  EXPECT_EQ(parse_integer("-9223372036854775808"), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(parse_integer("0"), 0);
  for (const char* text : {"", "-", "-0", "+1", "01", " 1", "1 ", "9223372036854775808", "1.0"}) {
    EXPECT_FALSE(parse_integer(text)) << text;
  }
}

TEST(NumbersTest, FloatsPrintShort) {
  EXPECT_EQ(format_float(3.0L), "3");
  EXPECT_EQ(format_float(10.5L), "10.5");
  EXPECT_EQ(format_float(-0.0L), "0");
  EXPECT_EQ(format_float(100.0L), "100");
  EXPECT_FALSE(parse_float(ByteView("1\0", 2)));
}

}  // namespace
}  // namespace eve::kv
