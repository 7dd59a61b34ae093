#include "services/kv/parser.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "services/kv/limits.h"

namespace eve::kv {
namespace {

using Outcome = Parser::Outcome;

/// What the parser makes of a stream that arrives in pieces: one line a command, words in brackets.
Bytes parse(const std::vector<Bytes>& pieces) {
  Parser parser;
  Bytes seen;
  std::vector<ByteView> args;
  for (const Bytes& piece : pieces) {
    parser.feed(piece);
    Outcome outcome = Outcome::kCommand;
    while ((outcome = parser.next(args)) == Outcome::kCommand) {
      for (const ByteView arg : args) seen.append("[").append(arg).append("]");
      seen += "\n";
    }
    if (outcome == Outcome::kError) return seen + parser.error();
  }
  return seen;
}

std::vector<Bytes> chop(const Bytes& stream, size_t size) {
  std::vector<Bytes> pieces;
  for (size_t i = 0; i < stream.size(); i += size) pieces.push_back(stream.substr(i, size));
  return pieces;
}

const Bytes kStream =
    "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*1\r\n$4\r\nPING\r\nPING\r\n\r\n*0\r\n*-1\r\n"
    "*3\r\n$3\r\nSET\r\n$0\r\n\r\n$4\r\n\r\n\r\n\r\nset \"a b\" 'c' "
    "\"\\x41\\n\"\n*1\r\n$1\r\nx\r\n";
const Bytes kCommands = "[GET][k]\n[PING]\n[PING]\n[SET][][\r\n\r\n]\n[set][a b][c][A\n]\n[x]\n";

TEST(ParserTest, ReadsAStreamInPiecesOfAnySize) {
  for (size_t size = 1; size <= kStream.size(); ++size) {
    EXPECT_EQ(parse(chop(kStream, size)), kCommands) << size;
  }
}

TEST(ParserTest, ReadsAStreamCutAnywhere) {
  for (size_t cut = 0; cut <= kStream.size(); ++cut) {
    EXPECT_EQ(parse({kStream.substr(0, cut), kStream.substr(cut)}), kCommands) << cut;
  }
}

TEST(ParserTest, WordsErrorsAsRedisDoes) {
  const std::vector<std::pair<Bytes, Bytes>> cases = {
      {"*a\r\n", "invalid multibulk length"},
      {"*1048577\r\n", "invalid multibulk length"},
      {"*99999999999999999999\r\n", "invalid multibulk length"},
      {"*1\r\n+1\r\n", "expected '$', got '+'"},
      {"*1\r\n$a\r\n", "invalid bulk length"},
      {"*1\r\n$-1\r\n", "invalid bulk length"},
      {"*1\r\n$8388609\r\n", "invalid bulk length"},
      {"\"unbalanced\r\n", "unbalanced quotes in request"},
      {"\"ab\"c\r\n", "unbalanced quotes in request"},
      {"'ab\r\n", "unbalanced quotes in request"},
      {Bytes(kMaxLineBytes + 1, 'x'), "too big inline request"},
      {"*" + Bytes(kMaxLineBytes, '1'), "too big mbulk count string"},
      {"*1\r\n$" + Bytes(kMaxLineBytes, '1'), "too big bulk count string"},
  };
  for (const auto& [stream, error] : cases) {
    EXPECT_EQ(parse({stream}), "Protocol error: " + error) << stream.substr(0, 50);
  }
}

TEST(ParserTest, SplitsInlineCommandsAsRedisDoes) {
  EXPECT_EQ(parse({"ab\"c d\"\r\n"}), "[abc d]\n");
  EXPECT_EQ(parse({"  a\tb  \r\n"}), "[a][b]\n");
  EXPECT_EQ(parse({"'it\\'s' \"\\t\\\"\\xzz\" \"\"\n"}), "[it's][\t\"xzz][]\n");
}

TEST(ParserTest, TheLargestArgumentPassesInPieces) {
  const Bytes value(kMaxBulkBytes, 'v');
  const Bytes stream = "*1\r\n$" + std::to_string(value.size()) + "\r\n" + value + "\r\n";
  EXPECT_EQ(parse(chop(stream, 65'536)), "[" + value + "]\n");
}

/// Garbage that looks like the protocol: the outcome must not depend on how it arrives.
TEST(ParserTest, PiecesNeverChangeTheOutcome) {
  const std::vector<Bytes> parts = {"*",  "2",  "1",   "$",  "3",           "\r\n",
                                    "\n", "\r", "GET", "\"", "'",           "\\",
                                    " ",  "x",  "-1",  "0",  "$1\r\na\r\n", "*1\r\n"};
  Random random(7);
  for (int i = 0; i < 20'000; ++i) {
    Bytes stream;
    for (uint64_t n = random.below(20); n > 0; --n) stream += parts[random.below(parts.size())];
    const Bytes whole = parse({stream});
    ASSERT_EQ(parse(chop(stream, 1)), whole) << stream;
    ASSERT_EQ(parse(chop(stream, 1 + random.below(7))), whole) << stream;
  }
}

}  // namespace
}  // namespace eve::kv
