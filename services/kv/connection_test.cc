#include "services/kv/connection.h"

#include <gtest/gtest.h>

#include "services/kv/front_end.h"
#include "services/kv/limits.h"
#include "services/kv/test_support.h"

namespace eve::kv {
namespace {

using test::resp;

class ConnectionTest : public testing::Test {
 protected:
  void send(ByteView bytes) { connection_->on_bytes(host_, bytes); }
  void answer(ByteView reply, runtime::Outcome outcome = runtime::Outcome::kExecuted) {
    ASSERT_FALSE(host_.submitted.empty());
    host_.submitted.pop_front();
    connection_->on_reply(host_, outcome, reply);
  }
  Bytes sent() { return host_.take_sent(); }
  static Bytes version(uint64_t batch) {
    Bytes bytes;
    Version{batch, 0}.append_to(bytes);
    return bytes;
  }

  test::FakeHost host_;
  runtime::GatewayStats stats_;
  FrontEndFactory factory_;
  std::unique_ptr<runtime::FrontEnd> connection_ = factory_.make(7, "127.0.0.1:9", stats_);
};

TEST_F(ConnectionTest, LocalRepliesWaitForEarlierReplicatedOnes) {
  send("PING\r\nGET a\r\nPING 1\r\nECHO 2\r\nGET b\r\nPING 3\r\n");
  EXPECT_EQ(sent(), "+PONG\r\n");
  answer("$1\r\nA\r\n");
  EXPECT_EQ(sent(), "$1\r\nA\r\n$1\r\n1\r\n$1\r\n2\r\n");
  answer("$1\r\nB\r\n");
  EXPECT_EQ(sent(), "$1\r\nB\r\n$1\r\n3\r\n");
}

TEST_F(ConnectionTest, QuitClosesOnlyAfterEveryReply) {
  send("GET a\r\nQUIT\r\nGET never\r\n");
  EXPECT_EQ(host_.submitted.size(), 1u);
  EXPECT_EQ(host_.closes, 0);
  answer("$-1\r\n");
  EXPECT_EQ(sent(), "$-1\r\n+OK\r\n");
  EXPECT_EQ(host_.closes, 1);
  send("PING\r\n");
  EXPECT_EQ(sent(), "");
}

TEST_F(ConnectionTest, AProtocolErrorIsSaidAndClosesTheConnection) {
  send("GET a\r\n*1\r\n+\r\nPING\r\n");
  answer("$-1\r\n");
  EXPECT_EQ(sent(), "$-1\r\n-ERR Protocol error: expected '$', got '+'\r\n");
  EXPECT_EQ(host_.closes, 1);
}

TEST_F(ConnectionTest, ABrowserIsShownTheDoor) {
  send("POST / HTTP/1.1\r\nHost: x\r\n\r\nSET a b\r\n");
  EXPECT_EQ(host_.closes, 1);
  EXPECT_TRUE(host_.submitted.empty());
}

TEST_F(ConnectionTest, AnUnknownOutcomeIsAnErrorThatSaysWhatToDo) {
  send("INCR a\r\nPING\r\n");
  answer("", runtime::Outcome::kUnknown);
  EXPECT_EQ(
      sent(),
      "-ERR outcome unknown: the command may or may not have run; read its keys before trying "
      "again\r\n+PONG\r\n");
}

TEST_F(ConnectionTest, AQuarantinedCommandIsAnErrorThatSaysThatItDidNotRun) {
  send("INCR a\r\nPING\r\n");
  answer("", runtime::Outcome::kQuarantined);
  EXPECT_EQ(sent(),
            "-QUARANTINED the command did not run and never will: the replicas cannot agree on it, "
            "or on another that was sent with it; see the operations guide\r\n+PONG\r\n");
}

TEST_F(ConnectionTest, AnOverloadedGatewayRefusesInOrder) {
  send("GET a\r\n");
  host_.overloaded = true;
  send("GET b\r\n");
  host_.overloaded = false;
  send("GET c\r\n");
  answer("+a\r\n");
  answer("+c\r\n");
  EXPECT_EQ(sent(),
            "+a\r\n-OOM the gateway is overloaded: the command did not run; try again later\r\n"
            "+c\r\n");
}

TEST_F(ConnectionTest, CommandsThatChangeDataAreRefusedWhileDisksAreLow) {
  host_.low = {"executor-1", "executor-2"};
  send("SET a 1\r\nGET a\r\nDEL a\r\nPING\r\n");
  ASSERT_EQ(host_.submitted.size(), 1u);
  answer("$-1\r\n");
  const Bytes refused =
      "-MISCONF Too little disk space, or a disk that fails, on executor-1, executor-2: commands "
      "that may change data are refused, others run. Make room there; nothing has to be "
      "restarted\r\n";
  EXPECT_EQ(sent(), refused + "$-1\r\n" + refused + "+PONG\r\n");
  send("MULTI\r\nSET a 1\r\nEXEC\r\n");
  EXPECT_EQ(sent(), "+OK\r\n" + refused +
                        "-EXECABORT Transaction discarded because of previous errors.\r\n");
  send("MULTI\r\nGET a\r\nEXEC\r\n");
  EXPECT_EQ(host_.submitted.size(), 1u) << "it only reads";
  answer("*1\r\n$-1\r\n");
  (void)sent();
  host_.low.clear();
  send("MULTI\r\nSET a 1\r\n");
  host_.low = {"executor-1"};
  send("EXEC\r\n");
  EXPECT_TRUE(
      sent().starts_with("+OK\r\n+QUEUED\r\n-EXECABORT Transaction discarded because of: "
                         "MISCONF Too little disk space, or a disk that fails, on "
                         "executor-1: "));
  EXPECT_TRUE(host_.submitted.empty());
  host_.low.clear();
  send("SET a 1\r\n");
  EXPECT_EQ(host_.submitted.size(), 1u);
}

TEST_F(ConnectionTest, ExecWaitsForTheVersionsOfItsWatch) {
  send("WATCH a b\r\nMULTI\r\nGET a\r\nEXEC\r\nPING\r\n");
  ASSERT_EQ(host_.submitted.size(), 1u);
  EXPECT_EQ(host_.submitted[0], "W" + Bytes("\x02\x01"
                                            "a\x01"
                                            "b"));
  answer(version(5) + version(0));
  EXPECT_EQ(sent(), "+OK\r\n+OK\r\n+QUEUED\r\n");
  ASSERT_EQ(host_.submitted.size(), 1u);
  EXPECT_EQ(host_.submitted[0], Bytes("T\x02\x02\x01"
                                      "a") +
                                    version(5) +
                                    "\x01"
                                    "b" +
                                    version(0) +
                                    "\x01\x02\x02\x03GET\x01"
                                    "a");
  answer("*1\r\n$-1\r\n");
  EXPECT_EQ(sent(), "*1\r\n$-1\r\n+PONG\r\n");
}

TEST_F(ConnectionTest, VersionsOfForgottenWatchesAreIgnored) {
  send("WATCH a\r\nUNWATCH\r\nWATCH b\r\nMULTI\r\nEXEC\r\n");
  ASSERT_EQ(host_.submitted.size(), 2u);
  answer(version(1));
  answer(version(2));
  ASSERT_EQ(host_.submitted.size(), 1u);
  EXPECT_EQ(host_.submitted[0], Bytes("T\x02\x01\x01"
                                      "b") +
                                    version(2) + Bytes(1, '\0'));
}

TEST_F(ConnectionTest, AWatchThatFailedMakesExecFail) {
  send("WATCH a\r\n");
  answer("", runtime::Outcome::kUnknown);
  EXPECT_TRUE(sent().starts_with("-ERR outcome unknown"));
  send("MULTI\r\nSET a 1\r\nEXEC\r\n");
  EXPECT_EQ(sent(), "+OK\r\n+QUEUED\r\n*-1\r\n");
  host_.overloaded = true;
  send("WATCH a\r\n");
  host_.overloaded = false;
  EXPECT_TRUE(sent().starts_with("-OOM"));
  send("MULTI\r\nSET a 1\r\nEXEC\r\nMULTI\r\nEXEC\r\n");
  EXPECT_EQ(sent(), "+OK\r\n+QUEUED\r\n*-1\r\n+OK\r\n");
  EXPECT_EQ(host_.submitted.size(), 1u) << "the failure ended with its EXEC";
}

TEST_F(ConnectionTest, ExecCarriesRepliesThatAreKnownHere) {
  send("MULTI\r\nPING\r\nHELLO 3\r\nGET a\r\nCLIENT GETNAME\r\nEXEC\r\n");
  ASSERT_EQ(host_.submitted.size(), 1u);
  const Bytes request = host_.submitted[0];
  EXPECT_TRUE(request.starts_with(Bytes("T\x02\0\x04\0\x07+PONG\r\n", 13)));
  EXPECT_NE(request.find("\x03\x02\x03GET\x01"
                         "a"),
            Bytes::npos)
      << "RESP3 after HELLO 3";
  EXPECT_TRUE(request.ends_with(Bytes("\0\x03_\r\n", 5)));
}

TEST_F(ConnectionTest, TooLargeTransactionsAreRefused) {
  send("MULTI\r\n");
  const Bytes set = resp({"SET", "k", Bytes(3u << 20, 'v')});
  send(set + set + set + set);
  send("EXEC\r\n");
  EXPECT_EQ(sent(),
            "+OK\r\n+QUEUED\r\n+QUEUED\r\n"
            "-ERR transaction too large: EXEC will refuse it; use several smaller ones\r\n"
            "+QUEUED\r\n-EXECABORT Transaction discarded because of previous errors.\r\n");
  send(resp({"MSET", "a", Bytes(5u << 20, 'v'), "b", Bytes(5u << 20, 'v')}));
  EXPECT_TRUE(sent().starts_with("-ERR command too large"));
  EXPECT_TRUE(host_.submitted.empty());
}

TEST_F(ConnectionTest, ClientReplyHidesReplies) {
  send(
      "CLIENT REPLY SKIP\r\nGET a\r\nGET b\r\nCLIENT REPLY OFF\r\nGET c\r\nPING\r\n"
      "CLIENT REPLY ON\r\nPING\r\n");
  answer("+a\r\n");
  answer("+b\r\n");
  answer("+c\r\n");
  EXPECT_EQ(sent(), "+b\r\n+OK\r\n+PONG\r\n");
}

TEST_F(ConnectionTest, WhatAClientSendsAheadIsBounded) {
  send("GET a\r\n");
  const Bytes echo = resp({"ECHO", Bytes(1u << 20, 'e')});
  for (size_t i = 0; i <= kMaxWaitingReplyBytes >> 20; ++i) send(echo);
  answer("$-1\r\n");
  EXPECT_TRUE(
      sent().ends_with("-ERR too much sent ahead of the replies: the connection is closed\r\n"));
  EXPECT_EQ(host_.closes, 1);
}

TEST_F(ConnectionTest, WhatWaitsForExecIsBounded) {
  send("WATCH a\r\nMULTI\r\nEXEC\r\n");
  const Bytes ping = resp({"PING", Bytes(1u << 20, 'p')});
  for (size_t i = 0; i <= kMaxQueryBytes >> 20; ++i) send(ping);
  answer(version(0));
  EXPECT_TRUE(host_.submitted.empty()) << "EXEC did not run";
  EXPECT_TRUE(sent().ends_with(
      "\r\n-ERR too much sent ahead of the replies: the connection is closed\r\n"));
  EXPECT_EQ(host_.closes, 1);
}

TEST_F(ConnectionTest, ClientsLearnWhoTheyAre) {
  send("CLIENT ID\r\nCLIENT SETNAME me\r\nCLIENT GETNAME\r\nCLIENT SETINFO LIB-NAME x\r\n");
  EXPECT_EQ(sent(), ":7\r\n+OK\r\n$2\r\nme\r\n+OK\r\n");
  send("CLIENT INFO\r\n");
  const Bytes line = sent();
  EXPECT_NE(line.find("id=7 addr=127.0.0.1:9 name=me"), Bytes::npos) << line;
  send("CLIENT LIST ID 8\r\nCLIENT NO-EVICT ON\r\n");
  EXPECT_EQ(sent(), "$0\r\n\r\n+OK\r\n");
}

TEST_F(ConnectionTest, LibrariesLearnTheCommands) {
  send("COMMAND COUNT\r\nCOMMAND LIST FILTERBY PATTERN mget*\r\nCOMMAND INFO get nosuch\r\n");
  EXPECT_EQ(
      sent(),
      ":61\r\n*1\r\n$4\r\nmget\r\n*2\r\n*10\r\n$3\r\nget\r\n:2\r\n*2\r\n+readonly\r\n+fast\r\n"
      ":1\r\n:1\r\n:1\r\n*0\r\n*0\r\n*0\r\n*0\r\n$-1\r\n");
  send("COMMAND\r\nCOMMAND DOCS\r\nCOMMAND DOCS get\r\n");
  EXPECT_NE(sent().find("$7\r\nsummary\r\n$22\r\nGet the value of a key\r\n"), Bytes::npos);
}

TEST_F(ConnectionTest, InfoShowsTheGatewaysNumbers) {
  stats_.connections = 3;
  stats_.port = 6380;
  send("INFO clients\r\nINFO nothing\r\n");
  EXPECT_EQ(sent(), "$32\r\n# Clients\r\nconnected_clients:3\r\n\r\n$0\r\n\r\n");
  send("INFO\r\n");
  const Bytes all = sent();
  for (const char* wanted : {"redis_version:7.0.15", "tcp_port:6380", "role:master"}) {
    EXPECT_NE(all.find(wanted), Bytes::npos) << wanted;
  }
}

}  // namespace
}  // namespace eve::kv
