// Answers that no honest executor gives: a session neither opens nor ends by them.
#include <gtest/gtest.h>

#include "client/session.h"
#include "eve/codec.h"
#include "wire/codec.h"

namespace eve::client {
namespace {

constexpr TimeUs kRetry = 1000;

class Hostile : public ::testing::Test {
 protected:
  Hostile() { session_.start(0, out_); }

  wire::BundlePtr sent() const {
    return std::get<wire::BundleMessage>(*out_.sends.back().message).bundle;
  }
  wire::Reply reply(const Bytes& payload) const {
    const wire::BundlePtr bundle = sent();
    return {bundle->session,
            bundle->first,
            wire::ReplyStatus::kExecuted,
            View(),
            wire::reply_digest(wire::ReplyStatus::kExecuted, payload, digester_),
            SharedBytes(payload)};
  }
  /// From as many as can vouch for it.
  void give(const wire::Reply& reply) {
    for (uint16_t i = 0; i < kModel.vouched(); ++i) {
      session_.receive(reply, Address::executor(i), 0, out_);
    }
  }
  static Bytes id(uint64_t value) {
    Bytes payload;
    Codec<uint64_t>::encode(value, payload);
    return payload;
  }
  void open(uint64_t session) {
    give(reply(id(session)));
    session_.idle(0, out_);
    ASSERT_TRUE(session_.status().open);
  }

  static constexpr FaultModel kModel{1, 1};
  crypto::NoAuthenticator authenticator_;
  crypto::Digester digester_{crypto::DigestAlgorithm::kXxh3, crypto::Secret{}};
  Session session_{
      SessionOptions{.model = kModel, .client = 1, .nonce = 7, .retry_after_us = kRetry},
      authenticator_, digester_};
  Outbox out_;
};

TEST_F(Hostile, AnOpeningIsAnsweredWithASessionOrNotAtAll) {
  for (const Bytes& payload : {Bytes("abc"), Bytes(), id(0)}) {
    give(reply(payload));
    EXPECT_FALSE(session_.status().open);
  }
  wire::Reply another = reply(id(5));
  another.session = SessionId(5);
  give(another);
  another = reply(id(5));
  another.first = RequestNumber(8);
  give(another);
  EXPECT_FALSE(session_.status().open);
  open(9);
}

TEST_F(Hostile, OneExecutorAloneOpensNoSession) {
  session_.receive(reply(id(5)), Address::executor(0), 0, out_);
  session_.receive(reply(id(5)), Address::executor(0), 0, out_);
  session_.receive(reply(id(6)), Address::executor(1), 0, out_);
  EXPECT_FALSE(session_.status().open);
  session_.receive(reply(id(6)), Address::executor(2), 0, out_);
  EXPECT_TRUE(session_.status().open);
}

TEST_F(Hostile, OnlyRepliesThatCameAreAcknowledged) {
  open(9);
  session_.submit("a", 1);
  session_.idle(0, out_);
  session_.submit("b", 2);
  session_.idle(0, out_);
  EXPECT_EQ(sent()->acknowledged, RequestNumber(0));
  give(reply(wire::encode_replies({"late"})));  // to the second, which came first
  session_.submit("c", 3);
  session_.idle(0, out_);
  EXPECT_EQ(sent()->acknowledged, RequestNumber(0));
}

TEST_F(Hostile, AnExecutorsNewestWordCounts) {
  give(reply(id(0)));  // of those that lied once, one may be believed later
  open(9);
}

TEST_F(Hostile, ABrokenLinkOfSomebodyElseIsNothing) {
  open(9);
  session_.submit("a", 1);
  session_.idle(0, out_);
  out_.sends.clear();
  session_.on_disconnect(Address::executor(3), 0, out_);
  session_.on_disconnect(Address::verifier(0), 0, out_);
  session_.on_disconnect(Address::executor(1), 0, out_);  // it was not sent there
  EXPECT_TRUE(out_.sends.empty());
  session_.on_disconnect(Address::executor(0), 0, out_);
  EXPECT_EQ(out_.sends.size(), 1u);
}

TEST_F(Hostile, RepliesOfAnySortAfterTheLastAnswerChangeNothing) {
  open(9);
  session_.submit("a", 1);
  session_.idle(0, out_);
  const Bytes payload = wire::encode_replies({"done"});
  const wire::Reply answer = reply(payload);
  give(answer);
  ASSERT_EQ(out_.completions.size(), 1u);
  wire::Reply late = answer;
  late.status = wire::ReplyStatus::kUnknownSession;
  late.payload.reset();
  give(late);
  EXPECT_EQ(session_.status().sessions_lost, 0u);
  EXPECT_EQ(out_.completions.size(), 1u);
}

TEST_F(Hostile, ARefusalThatBecomesAnExecutionCounts) {
  open(9);
  session_.submit("a", 1);
  session_.idle(0, out_);
  const wire::Reply answer = reply(wire::encode_replies({"done"}));
  wire::Reply refusal = answer;
  refusal.status = wire::ReplyStatus::kOverloaded;
  refusal.payload.reset();
  give(refusal);
  EXPECT_TRUE(out_.completions.empty());
  give(answer);
  ASSERT_EQ(out_.completions.size(), 1u);
  EXPECT_EQ(out_.completions[0].reply, "done");
}

}  // namespace
}  // namespace eve::client
