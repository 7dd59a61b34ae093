#include "services/kv/service.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "services/kv/command_source.h"
#include "services/kv/limits.h"
#include "services/kv/test_support.h"

namespace eve::kv {
namespace {

using test::Client;
using test::Replica;

constexpr int64_t kNowUs = 1'700'000'000'000'000;

Bytes request_of(const std::vector<Bytes>& words, Protocol protocol = Protocol::kResp2) {
  const std::vector<ByteView> args(words.begin(), words.end());
  return command_request(protocol, args);
}

TEST(ServiceTest, AnswersAnyBytes) {
  Replica replica;
  const Bytes good = request_of({"SET", "k", "v"});
  const Bytes transaction = Bytes("T\x02\0\x01", 4) + good.substr(1);
  ASSERT_EQ(replica.run(good, kNowUs), "+OK\r\n");
  ASSERT_EQ(replica.run(transaction, kNowUs), "*1\r\n+OK\r\n");
  for (const Bytes& request : {good, transaction, Bytes("W\x01\x01k")}) {
    for (size_t size = 0; size < request.size(); ++size) {
      EXPECT_EQ(replica.run(request.substr(0, size), kNowUs), kMalformedRequest) << size;
    }
    EXPECT_EQ(replica.run(request + "x", kNowUs), kMalformedRequest);
  }
  Random random(3);
  for (int i = 0; i < 20'000; ++i) {
    Bytes request = random.chance(1, 2) ? good : transaction;
    for (uint64_t n = random.below(4); n > 0; --n) {
      request[random.below(request.size())] = static_cast<char>(random.below(256));
    }
    replica.footprint(request);
    EXPECT_NE(replica.run(request, kNowUs), "");
  }
}

TEST(ServiceTest, CountsHaveOneSpelling) {
  Replica replica;
  EXPECT_EQ(replica.run(Bytes("C\x02\x01\x04PING"), kNowUs),
            "-ERR 'ping' is not replicated: send it to a front end\r\n");
  EXPECT_EQ(replica.run(Bytes("C\x02\x81\x00\x04PING", 9), kNowUs), kMalformedRequest);
}

TEST(ServiceTest, ATransactionWithAMalformedEndDoesNothing) {
  Replica replica;
  const Bytes before = replica.run(request_of({"GET", "k"}), kNowUs);
  const Bytes set = request_of({"SET", "k", "v"}).substr(1);
  EXPECT_EQ(replica.run(Bytes("T\x02\0\x02", 4) + set + "\x02\x01", kNowUs), kMalformedRequest);
  EXPECT_EQ(replica.run(request_of({"GET", "k"}), kNowUs), before);
}

TEST(ServiceTest, KeysHaveALimit) {
  Replica replica;
  EXPECT_EQ(replica.run(request_of({"SET", Bytes(kMaxKeyBytes, 'k'), "v"}), kNowUs), "+OK\r\n");
  EXPECT_EQ(replica.run(request_of({"MGET", "a", Bytes(kMaxKeyBytes + 1, 'k')}), kNowUs),
            "-ERR key too long: the limit is 65536 bytes\r\n");
}

TEST(ServiceTest, RepliesHaveALimit) {
  Replica replica;
  replica.run(request_of({"SETRANGE", "k", std::to_string(5 << 20), "x"}), kNowUs);
  EXPECT_EQ(replica.run(request_of({"MGET", "k", "k", "k", "k"}), kNowUs),
            "-ERR reply too large: ask for fewer keys at a time\r\n");
  Bytes transaction("T\x02\0\x03", 4);
  for (int i = 0; i < 3; ++i) transaction += request_of({"GET", "k"}).substr(1);
  const Bytes reply = replica.run(transaction, kNowUs);
  const Bytes error = "-ERR executed, but the transaction's replies are too large\r\n";
  EXPECT_TRUE(reply.starts_with("*3\r\n$5242881\r\n"));
  EXPECT_TRUE(reply.ends_with(error + error));
}

TEST(ServiceTest, ExpiredKeysAreAbsentAndLeaveWhenWalkedOver) {
  Replica replica;
  for (int i = 0; i < 10; ++i) {
    replica.run(request_of({"SET", "k" + std::to_string(i), "v", "PX", "100"}), kNowUs);
  }
  const int64_t later = kNowUs + 100'000;
  const auto root = replica.root();
  EXPECT_EQ(replica.run(request_of({"GET", "k1"}), later), "$-1\r\n");
  EXPECT_EQ(replica.root(), root) << "a read writes nothing";
  EXPECT_EQ(replica.run(request_of({"DBSIZE"}), later), ":10\r\n");
  EXPECT_EQ(replica.run(request_of({"DEL", "k1"}), later), ":0\r\n");
  EXPECT_EQ(replica.run(request_of({"DBSIZE"}), later), ":9\r\n");
  EXPECT_EQ(replica.run(request_of({"KEYS", "*"}), later), "*0\r\n");
  EXPECT_EQ(replica.run(request_of({"DBSIZE"}), later), ":0\r\n");
}

TEST(ServiceTest, ScanGivesEveryKeyOnceWhateverTheCount) {
  Replica replica;
  for (int i = 0; i < 500; ++i) replica.run(request_of({"SET", std::to_string(i), "v"}), kNowUs);
  for (const char* count : {"1", "7", "10", "1000"}) {
    Bytes cursor = "0";
    std::multiset<Bytes> seen;
    do {
      std::istringstream reply(replica.run(request_of({"SCAN", cursor, "COUNT", count}), kNowUs));
      std::vector<Bytes> lines;
      for (Bytes line; std::getline(reply, line);) lines.push_back(line.substr(0, line.size() - 1));
      cursor = lines[2];
      for (size_t i = 5; i < lines.size(); i += 2) seen.insert(lines[i]);
    } while (cursor != "0");
    EXPECT_EQ(seen.size(), 500u) << count;
    EXPECT_EQ(std::set<Bytes>(seen.begin(), seen.end()).size(), 500u) << count;
  }
}

// ---- Footprints ----

uint64_t hash_of_key(ByteView key) {
  Footprint footprint;
  footprint.read(key);
  return footprint.keys()[0].hash;
}

/// What a footprint says of one key.
struct Use {
  bool touched = false;
  bool written = false;
};
Use use_of(const Footprint& footprint, ByteView key) {
  Use use;
  for (const Footprint::Key& each : footprint.keys()) {
    if (each.hash != hash_of_key(key)) continue;
    use.touched = true;
    use.written = use.written || each.write;
  }
  return use;
}

/// A key as one line: expiry, version and value.
Bytes look(Replica& replica, const Bytes& key) {
  return replica.run(request_of({"GET", key}), kNowUs) +
         replica.run(request_of({"PEXPIRETIME", key}), kNowUs);
}

/// A command may read only keys that its footprint names: on a replica that has only these keys the
/// reply must be the same. And it may change only keys that its footprint names as written.
TEST(ServiceTest, FootprintsNameEveryKeyThatACommandTouches) {
  test::CommandSource source(11);
  std::vector<Bytes> keys;
  for (int i = 0; i < 6; ++i) keys.push_back("key" + std::to_string(i));
  Random random(5);
  int checked = 0;
  for (int i = 0; i < 3000; ++i) {
    const Bytes request = request_of(source.next());
    Replica full;
    const Footprint footprint = full.footprint(request);
    if (footprint.is_alone()) continue;
    Replica part;
    std::map<Bytes, Bytes> before;
    for (const Bytes& key : keys) {
      const Bytes value = std::to_string(random.below(30));
      const Bytes set = random.chance(1, 2) ? request_of({"SETEX", key, "5000", value})
                                            : request_of({"SET", key, value});
      if (random.chance(1, 4)) continue;
      full.run(set, kNowUs);
      if (use_of(footprint, key).touched) part.run(set, kNowUs);
    }
    for (const Bytes& key : keys) before[key] = look(full, key);
    ASSERT_EQ(full.run(request, kNowUs), part.run(request, kNowUs)) << request;
    for (const Bytes& key : keys) {
      const Use use = use_of(footprint, key);
      ASSERT_TRUE(!use.touched || look(full, key) == look(part, key)) << request;
      ASSERT_TRUE(use.written || look(full, key) == before[key]) << request;
    }
    ++checked;
  }
  EXPECT_GT(checked, 2000);
}

TEST(ServiceTest, FootprintsOfTransactionsAndWholeDatabaseCommands) {
  Replica replica;
  Bytes version;
  Version{1, 0}.append_to(version);
  const Bytes watches = Bytes("T\x02\x01\x01w") + version + "\x02";
  const Footprint both = replica.footprint(watches + request_of({"GET", "r"}).substr(1) +
                                           request_of({"SET", "s", "v"}).substr(1));
  EXPECT_TRUE(use_of(both, "w").touched && !use_of(both, "w").written);
  EXPECT_TRUE(use_of(both, "r").touched && !use_of(both, "r").written);
  EXPECT_TRUE(use_of(both, "s").written);
  EXPECT_FALSE(both.is_alone());
  EXPECT_TRUE(
      replica.footprint(Bytes("T\x02\0\x01", 4) + request_of({"DBSIZE"}).substr(1)).is_alone());
  for (const char* name : {"DBSIZE", "FLUSHALL", "FLUSHDB", "RANDOMKEY"}) {
    EXPECT_TRUE(replica.footprint(request_of({name})).is_alone()) << name;
  }
  EXPECT_TRUE(replica.footprint(request_of({"KEYS", "*"})).is_alone());
  EXPECT_TRUE(use_of(replica.footprint(Bytes("W\x01\x01k")), "k").touched);
  EXPECT_TRUE(replica.footprint(request_of({"TIME"})).keys().empty());
}

}  // namespace
}  // namespace eve::kv
