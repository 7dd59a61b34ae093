// Random commands for this room's tests.
#pragma once

#include <cctype>
#include <sstream>
#include <string>
#include <vector>

#include "base/random.h"
#include "eve/bytes.h"

namespace eve::kv::test {

/// "a; b c" -> "a", "b c"
inline std::vector<Bytes> split(const Bytes& text) {
  std::istringstream stream(text);
  std::vector<Bytes> parts;
  for (Bytes part; std::getline(stream >> std::ws, part, ';');) parts.push_back(part);
  return parts;
}

/// Random commands, mostly well-formed, over few keys so that they meet.
class CommandSource {
 public:
  explicit CommandSource(uint64_t seed) : random_(seed) {}

  std::vector<Bytes> next() {
    const auto& shape = pick(kShapes);
    std::vector<Bytes> args;
    std::istringstream words(shape);
    for (Bytes word; words >> word;) expand(word, args);
    if (random_.chance(1, 40)) args.push_back(value());
    if (random_.chance(1, 40) && args.size() > 1) args.pop_back();
    if (random_.chance(1, 4)) {
      for (char& c : args[0]) c = static_cast<char>(std::tolower(c));
    }
    return args;
  }

 private:
  /// K key, V value, N number, O an option of SET, G of GETEX, E of EXPIRE, T a far moment in s.
  static inline const std::vector<Bytes> kShapes = split(
      R"(GET K; GET K; SET K V; SET K V; SET K N; SET K V O; SET K V O O; SETNX K V; SETEX K 1000 V;
SETEX K X V; PSETEX K 1000000 V; GETSET K V; GETDEL K; GETEX K; GETEX K G; GETEX K G G; MGET
K K K; MSET K V K V; MSETNX K V K N; DEL K; DEL K K; UNLINK K; EXISTS K K; TYPE K; INCR K;
DECR K; INCRBY K N; DECRBY K N; INCRBYFLOAT K F; SET K F; APPEND K V; STRLEN K; GETRANGE K N
N; SUBSTR K N N; SETRANGE K N V; EXPIRE K 1000; EXPIRE K X; EXPIREAT K T; PEXPIREAT K T000;
EXPIRE K X; PEXPIRE K 1000000; EXPIREAT K T E; EXPIREAT K T E E; TTL K; PERSIST K;
EXPIRETIME K; TOUCH K K; RENAME K K; RENAMENX K K; COPY K K; COPY K K REPLACE; COPY K K DB
0; DBSIZE; MULTI; EXEC; EXEC; DISCARD; WATCH K; UNWATCH; PING; PING V; ECHO V; SELECT 0;
FLUSHALL V; SCAN 0 COUNT x; NOSUCH V K; HELLO 9; CLIENT GETNAME; CLIENT NOSUCH;
CONFIG GET save; PEXPIRETIME K; SETRANGE K 0 V; SCAN x; RESET; QUIET)");

  template <typename T>
  const T& pick(const std::vector<T>& from) {
    return from[random_.below(from.size())];
  }

  Bytes value() {
    static const std::vector<Bytes> kValues =
        split(";a;hello world;10;-1;3.0;0x10;1e3;nan;inf;007;-0;NX;99999999999999999999");
    static const std::vector<Bytes> kOdd = {"", "\r\n", "  7", Bytes("\0x", 2)};
    if (random_.chance(1, 8)) return pick(kOdd);
    return random_.chance(1, 8) ? Bytes(random_.below(2000), 'v') : pick(kValues);
  }
  Bytes number() {
    static const std::vector<Bytes> kEdges = {
        "0", "-1", "9223372036854775807", "-9223372036854775808", "x", "1.5", "2147483648"};
    if (random_.chance(1, 8)) return pick(kEdges);
    return std::to_string(static_cast<int64_t>(random_.below(40)) - 10);
  }
  void expand(const Bytes& word, std::vector<Bytes>& args) {
    static const std::vector<Bytes> kSet = {"NX",
                                            "XX",
                                            "GET",
                                            "KEEPTTL",
                                            "EX 1000",
                                            "PX 1000000",
                                            "EXAT 99999999999",
                                            "PXAT 99999999999999",
                                            "EX 0",
                                            "EX x",
                                            "EX",
                                            "PERSIST"};
    static const std::vector<Bytes> kGetex = {"PERSIST",          "EX 1000", "PX 1000000", "PXAT 5",
                                              "EXAT 99999999999", "EX 0",    "NX",         "EX"};
    static const std::vector<Bytes> kExpire = {"NX", "XX", "GT", "LT", "nx", "V"};
    static const std::vector<Bytes> kDelays = {
        "0", "-1", "x", "5000", "9223372036854775807", "-9223372036854775808"};
    static const std::vector<Bytes> kFloats = {
        "0.1", "-3",    "1e3",          "5.5e-3", "x",
        "inf", "1e400", "100000000000", " 1",     "0.30000000000000004"};
    if (word == "K") return args.push_back("key" + std::to_string(random_.below(6)));
    if (word == "V") return args.push_back(value());
    if (word == "N") return args.push_back(number());
    if (word == "X") return args.push_back(pick(kDelays));
    if (word == "F") return args.push_back(pick(kFloats));
    if (word == "E") return args.push_back(pick(kExpire));
    if (word[0] == 'T' && word.find_first_not_of("T0") == Bytes::npos) {
      return args.push_back(std::to_string(4'000'000'000 + random_.below(9)) + word.substr(1));
    }
    if (word != "O" && word != "G") return args.push_back(word);
    std::istringstream options(pick(word == "O" ? kSet : kGetex));
    for (Bytes option; options >> option;) args.push_back(option);
  }

  Random random_;
};

}  // namespace eve::kv::test
