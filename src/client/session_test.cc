// Rules C1 to C5 of docs/protocol.md against scripted executors.
#include "client/session.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/limits.h"
#include "eve/codec.h"
#include "wire/codec.h"

namespace eve::client {
namespace {

constexpr TimeUs kRetry = 1000;

/// Signs with its own name, so that a test sees who signed what.
class NamedAuthenticator final : public crypto::Authenticator {
 public:
  Bytes sign(crypto::Domain, ByteView bytes) const override {
    return "me:" + Bytes(bytes.substr(0, 16));
  }
  bool verify(Address, crypto::Domain, ByteView, ByteView) const override { return true; }
};

/// One session, and what left it.
class Client {
 public:
  explicit Client(FaultModel model, size_t max_bundles = 4)
      : model_(model),
        digester_(crypto::DigestAlgorithm::kXxh3, crypto::Secret{}),
        session_(SessionOptions{.model = model,
                                .client = 3,
                                .nonce = 77,
                                .retry_after_us = kRetry,
                                .max_bundles = max_bundles,
                                .max_waiting_bytes = 40u << 20},
                 authenticator_, digester_) {}

  void start() { session_.start(now_, out_); }
  /// Opens session `id` with everybody's agreement.
  void open(uint64_t id = 9) {
    start();
    answer_open(id);
    out_ = {};
  }
  void answer_open(uint64_t id) {
    const auto bundle = last_bundle();
    Bytes payload;
    Codec<uint64_t>::encode(id, payload);
    for (uint16_t e = 0; e < model_.vouched(); ++e) reply(e, *bundle, payload);
    out_.sends.clear();
    session_.idle(now_, out_);
  }
  bool submit(Bytes request, Ticket ticket) { return session_.submit(std::move(request), ticket); }
  void idle() { session_.idle(now_, out_); }
  void tick_at(TimeUs now) {
    now_ = now;
    session_.tick(now_, out_);
  }
  void new_members() { session_.on_new_members(now_, out_); }
  void disconnect(uint16_t e) { session_.on_disconnect(Address::executor(e), now_, out_); }

  wire::Reply make_reply(const wire::Bundle& bundle, const Bytes& payload,
                         wire::ReplyStatus status = wire::ReplyStatus::kExecuted) const {
    wire::Reply reply;
    reply.session = bundle.session;
    reply.first = bundle.first;
    reply.status = status;
    reply.view = view_;
    reply.digest = wire::reply_digest(status, payload, digester_);
    reply.payload = SharedBytes(payload);
    return reply;
  }
  void give(Address from, wire::Reply reply) {
    session_.receive(wire::Message(std::move(reply)), from, now_, out_);
  }
  void reply(uint16_t executor, const wire::Bundle& bundle, const Bytes& payload) {
    give(Address::executor(executor), make_reply(bundle, payload));
  }
  void reply_digest_only(uint16_t executor, const wire::Bundle& bundle, const Bytes& payload) {
    auto message = make_reply(bundle, payload);
    message.payload.reset();
    give(Address::executor(executor), std::move(message));
  }
  void refuse(uint16_t executor, const wire::Bundle& bundle, wire::ReplyStatus status) {
    give(Address::executor(executor), make_reply(bundle, {}, status));
  }

  const std::vector<wire::Send>& sends() const { return out_.sends; }
  static const wire::BundleMessage& message(const wire::Send& send) {
    return std::get<wire::BundleMessage>(*send.message);
  }
  wire::BundlePtr bundle(size_t i) const { return message(out_.sends.at(i)).bundle; }
  wire::BundlePtr last_bundle() const { return message(out_.sends.back()).bundle; }
  const std::vector<Completion>& completions() const { return out_.completions; }
  void forget() { out_ = {}; }
  Session::Status status() const { return session_.status(); }
  const Refusals& refusals() const { return session_.refusals(); }
  TimeUs deadline() const { return session_.deadline(); }
  void set_view(uint64_t view) { view_ = View(view); }

 private:
  FaultModel model_;
  NamedAuthenticator authenticator_;
  crypto::Digester digester_;
  Session session_;
  Outbox out_;
  TimeUs now_ = 0;
  View view_;
};

const Bytes kOne = wire::encode_replies({"one"});

TEST(Session, OpensWithItsNonceAndSignsAsItself) {
  Client client(FaultModel(1, 0));
  client.start();
  ASSERT_EQ(client.sends().size(), 1u);
  EXPECT_EQ(client.sends()[0].to, std::vector<Address>{Address::executor(0)});
  const auto opening = client.bundle(0);
  EXPECT_EQ(opening->kind, wire::BundleKind::kOpen);
  EXPECT_EQ(opening->first, RequestNumber(77));
  EXPECT_EQ(opening->client, 3);
  EXPECT_EQ(opening->signature, "me:" + Bytes(opening->signed_part.substr(0, 16)));
  EXPECT_FALSE(client.status().open);
  client.answer_open(5);
  EXPECT_TRUE(client.status().open);
}

TEST(Session, RequestsBeforeTheSessionIsOpenWait) {
  Client client(FaultModel(1, 0));
  client.start();
  client.submit("a", 1);
  client.idle();
  EXPECT_EQ(client.sends().size(), 1u);
  client.answer_open(5);
  ASSERT_EQ(client.sends().size(), 1u);
  EXPECT_EQ(client.bundle(0)->session, SessionId(5));
  EXPECT_EQ(client.bundle(0)->first, RequestNumber(1));
}

// C1
TEST(Session, GathersWhileBundlesAreInFlight) {
  Client client(FaultModel(1, 0), 1);
  client.open();
  client.submit("a", 1);
  EXPECT_TRUE(client.sends().empty()) << "nothing leaves before idle()";
  client.idle();
  ASSERT_EQ(client.sends().size(), 1u);
  const auto first = client.bundle(0);
  client.submit("b", 2);
  client.submit("c", 3);
  client.idle();
  EXPECT_EQ(client.sends().size(), 1u);
  client.reply(0, *first, wire::encode_replies({"A"}));
  client.idle();
  ASSERT_EQ(client.sends().size(), 2u);
  EXPECT_EQ(client.bundle(1)->requests, (std::vector<ByteView>{"b", "c"}));
  EXPECT_EQ(client.bundle(1)->first, RequestNumber(2));
  EXPECT_EQ(client.bundle(1)->acknowledged, RequestNumber(1)) << "it has received reply 1";
}

TEST(Session, CutsBundlesAtTheLimits) {
  Client client(FaultModel(1, 0));
  client.open();
  for (size_t i = 0; i < limits::kMaxBundleRequests + 1; ++i) client.submit("x", i);
  client.idle();
  ASSERT_EQ(client.sends().size(), 2u);
  EXPECT_EQ(client.bundle(0)->requests.size(), limits::kMaxBundleRequests);
  EXPECT_EQ(client.bundle(1)->first, RequestNumber(limits::kMaxBundleRequests + 1));
  client.forget();
  for (int i = 0; i < 3; ++i) client.submit(Bytes(7u << 20, 'x'), 1);
  client.idle();
  ASSERT_EQ(client.sends().size(), 2u);
  EXPECT_EQ(client.bundle(0)->requests.size(), 2u);
  EXPECT_LE(client.bundle(0)->raw.size(), limits::kMaxBundleBytes);
}

TEST(Session, RefusesWhatDoesNotFit) {
  Client client(FaultModel(1, 0));
  client.open();
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(client.submit(Bytes(8u << 20, 'x'), 1));
  EXPECT_TRUE(client.submit(Bytes(7u << 20, 'x'), 1));
  EXPECT_FALSE(client.submit(Bytes(8u << 20, 'x'), 1));
  client.idle();
  EXPECT_TRUE(client.submit(Bytes(8u << 20, 'x'), 1)) << "what has left makes room";
}

// C2
TEST(Session, RetriesTheSameBytesAtEveryExecutorWithDoublingWaits) {
  Client client(FaultModel(1, 0));
  client.open();
  client.submit("a", 1);
  client.idle();
  const Bytes raw(client.bundle(0)->raw.view());
  EXPECT_FALSE(Client::message(client.sends()[0]).retry);
  EXPECT_EQ(client.deadline(), kRetry);
  TimeUs at = kRetry;
  for (const TimeUs wait : {2, 4, 8, 8, 8}) {
    client.forget();
    client.tick_at(at - 1);
    EXPECT_TRUE(client.sends().empty());
    client.tick_at(at);
    ASSERT_EQ(client.sends().size(), 1u);
    EXPECT_EQ(client.sends()[0].to.size(), 3u);
    EXPECT_TRUE(Client::message(client.sends()[0]).retry);
    EXPECT_EQ(client.last_bundle()->raw.view(), raw);
    at += wait * kRetry;
    EXPECT_EQ(client.deadline(), at);
  }
  EXPECT_EQ(client.status().retries, 5u);
}

TEST(Session, ABrokenLinkSendsToAllAtOnce) {
  Client client(FaultModel(1, 0));
  client.open();
  client.submit("a", 1);
  client.idle();
  client.disconnect(1);
  EXPECT_EQ(client.sends().size(), 1u) << "executor 1 was not asked";
  client.disconnect(0);
  ASSERT_EQ(client.sends().size(), 2u);
  EXPECT_TRUE(Client::message(client.sends()[1]).retry);
  client.disconnect(0);
  EXPECT_EQ(client.sends().size(), 2u) << "it went to all already";
  client.submit("b", 2);
  client.idle();
  EXPECT_EQ(client.sends().back().to.size(), 3u) << "the primary is away";
  client.reply(0, *client.last_bundle(), kOne);
  client.submit("c", 3);
  client.idle();
  EXPECT_EQ(client.sends().back().to.size(), 1u) << "the primary spoke again";
}

// C3
TEST(Session, OneReplyIsEnoughWhereNobodyLies) {
  Client client(FaultModel(1, 0));
  client.open();
  client.submit("a", 42);
  client.idle();
  client.reply(2, *client.bundle(0), kOne);
  ASSERT_EQ(client.completions().size(), 1u);
  EXPECT_EQ(client.completions()[0].ticket, 42u);
  EXPECT_TRUE(client.completions()[0].executed);
  EXPECT_EQ(client.completions()[0].reply, "one");
  EXPECT_EQ(client.deadline(), std::numeric_limits<TimeUs>::max());
  EXPECT_EQ(client.status().outstanding, 0u);
}

TEST(Session, DuplicatesAndLateRepliesAreIgnored) {
  Client client(FaultModel(1, 0));
  client.open();
  client.submit("a", 1);
  client.idle();
  const auto bundle = client.bundle(0);
  for (uint16_t e = 0; e < 3; ++e) client.reply(e, *bundle, kOne);
  EXPECT_EQ(client.completions().size(), 1u);
}

TEST(Session, StrangersAndOtherSessionsAreIgnored) {
  Client client(FaultModel(1, 0));
  client.open();
  client.submit("a", 1);
  client.idle();
  const auto bundle = client.bundle(0);
  client.give(Address::executor(3), client.make_reply(*bundle, kOne));
  client.give(Address::verifier(0), client.make_reply(*bundle, kOne));
  client.give(Address::client(0), client.make_reply(*bundle, kOne));
  auto reply = client.make_reply(*bundle, kOne);
  reply.session = SessionId(10);
  client.give(Address::executor(0), reply);
  reply = client.make_reply(*bundle, kOne);
  reply.first = RequestNumber(2);
  client.give(Address::executor(0), reply);
  EXPECT_TRUE(client.completions().empty());
}

TEST(Session, TwoMatchingRepliesWhereOneMayLie) {
  Client client(FaultModel(1, 1));
  client.open();
  client.submit("a", 1);
  client.idle();
  const auto bundle = client.bundle(0);
  client.reply(0, *bundle, wire::encode_replies({"lie"}));
  client.reply(0, *bundle, wire::encode_replies({"lie"}));
  EXPECT_TRUE(client.completions().empty()) << "one executor has one vote";
  client.reply_digest_only(1, *bundle, kOne);
  client.reply_digest_only(2, *bundle, kOne);
  EXPECT_TRUE(client.completions().empty()) << "vouched for, but nobody sent the payload";
  client.reply(2, *bundle, kOne);
  ASSERT_EQ(client.completions().size(), 1u);
  EXPECT_EQ(client.completions()[0].reply, "one");
  const auto& blamed = client.refusals().by_sender();
  ASSERT_EQ(blamed.size(), 1u);
  EXPECT_EQ(blamed.begin()->first, Address::executor(0));
}

TEST(Session, WhenThePrimarySendsAnotherPayloadTheOthersAreAskedAtOnce) {
  Client client(FaultModel(1, 1));
  client.open();
  client.submit("a", 1);
  client.idle();
  const auto bundle = client.last_bundle();
  const size_t before = client.sends().size();
  client.reply(0, *bundle, wire::encode_replies({"lie"}));
  client.reply_digest_only(1, *bundle, kOne);
  EXPECT_EQ(client.sends().size(), before) << "one against one";
  client.reply_digest_only(2, *bundle, kOne);
  ASSERT_EQ(client.sends().size(), before + 1);
  EXPECT_EQ(client.sends().back().to.size(), 3u);
  EXPECT_TRUE(std::get<wire::BundleMessage>(*client.sends().back().message).retry);
  client.reply(0, *bundle, wire::encode_replies({"another lie"}));
  EXPECT_EQ(client.sends().size(), before + 1) << "once is enough";
  client.reply(1, *bundle, kOne);
  EXPECT_EQ(client.completions().size(), 1u);
}

TEST(Session, APayloadThatIsNotItsDigestDoesNotCount) {
  Client client(FaultModel(1, 1));
  client.open();
  client.submit("a", 1);
  client.idle();
  const auto bundle = client.bundle(0);
  auto lie = client.make_reply(*bundle, kOne);
  lie.payload = SharedBytes(wire::encode_replies({"two"}));
  client.give(Address::executor(0), lie);
  ASSERT_TRUE(client.refusals().by_sender().contains(Address::executor(0)));
  client.reply_digest_only(1, *bundle, kOne);
  EXPECT_TRUE(client.completions().empty());
  client.reply(2, *bundle, kOne);
  ASSERT_EQ(client.completions().size(), 1u);
  EXPECT_EQ(client.completions()[0].reply, "one");
}

TEST(Session, TwoLiarsOfFiveCannotForgeAReply) {
  Client client(FaultModel(2, 2));
  client.open();
  client.submit("a", 1);
  client.idle();
  const auto bundle = client.bundle(0);
  for (uint16_t e = 0; e < 2; ++e) client.reply(e, *bundle, wire::encode_replies({"lie"}));
  for (uint16_t e = 2; e < 4; ++e) client.reply_digest_only(e, *bundle, kOne);
  EXPECT_TRUE(client.completions().empty());
  client.reply(4, *bundle, kOne);
  ASSERT_EQ(client.completions().size(), 1u);
  EXPECT_EQ(client.completions()[0].reply, "one");
}

TEST(Session, CompletesInOrderOfSubmission) {
  Client client(FaultModel(1, 0));
  client.open();
  client.submit("a", 1);
  client.idle();
  client.submit("b", 2);
  client.idle();
  client.reply(0, *client.bundle(1), wire::encode_replies({"B"}));
  EXPECT_TRUE(client.completions().empty());
  client.reply(0, *client.bundle(0), wire::encode_replies({"A"}));
  ASSERT_EQ(client.completions().size(), 2u);
  EXPECT_EQ(client.completions()[0].reply, "A");
  EXPECT_EQ(client.completions()[1].reply, "B");
}

TEST(Session, AVouchedReplyOfTheWrongShapeIsAnUnknownOutcome) {
  Client client(FaultModel(1, 0));
  client.open();
  client.submit("a", 1);
  client.idle();
  client.reply(0, *client.bundle(0), wire::encode_replies({"A", "B"}));
  ASSERT_EQ(client.completions().size(), 1u);
  EXPECT_FALSE(client.completions()[0].executed);
}

// C4
TEST(Session, FollowsTheHighestViewThatOneHonestExecutorNames) {
  Client client(FaultModel(1, 1));
  client.open();
  client.set_view(5);
  client.submit("a", 1);
  client.idle();
  const auto bundle = client.bundle(0);
  client.reply(0, *bundle, kOne);
  EXPECT_EQ(client.status().primary, 0) << "one executor may lie";
  client.set_view(4);
  client.reply(1, *bundle, kOne);
  EXPECT_EQ(client.status().primary, 1) << "view 4 is reached or passed by two";
  client.submit("b", 2);
  client.idle();
  EXPECT_EQ(client.sends().back().to, std::vector<Address>{Address::executor(1)});
}

// C5
TEST(Session, ALostSessionTellsAndStartsAnew) {
  Client client(FaultModel(1, 1), 1);
  client.open();
  client.submit("a", 1);
  client.idle();
  client.submit("b", 2);
  const auto bundle = client.bundle(0);
  client.refuse(0, *bundle, wire::ReplyStatus::kUnknownSession);
  EXPECT_TRUE(client.completions().empty()) << "one executor may lie";
  client.refuse(1, *bundle, wire::ReplyStatus::kUnknownSession);
  ASSERT_EQ(client.completions().size(), 1u);
  EXPECT_FALSE(client.completions()[0].executed);
  EXPECT_EQ(client.status().sessions_lost, 1u);
  const auto opening = client.last_bundle();
  EXPECT_EQ(opening->kind, wire::BundleKind::kOpen);
  EXPECT_NE(opening->first, RequestNumber(77)) << "the old nonce would find the old session";
  client.answer_open(10);
  ASSERT_EQ(client.sends().size(), 1u);
  EXPECT_EQ(client.bundle(0)->session, SessionId(10));
  EXPECT_EQ(client.bundle(0)->first, RequestNumber(1));
  EXPECT_EQ(client.bundle(0)->requests, std::vector<ByteView>{"b"});
}

TEST(Session, RefusalsAreRetriedLater) {
  for (const auto status : {wire::ReplyStatus::kOutOfOrder, wire::ReplyStatus::kOverloaded}) {
    Client client(FaultModel(1, 0));
    client.open();
    client.submit("a", 1);
    client.idle();
    const auto bundle = client.bundle(0);
    client.refuse(0, *bundle, status);
    EXPECT_TRUE(client.completions().empty());
    EXPECT_EQ(client.sends().size(), 1u);
    client.tick_at(kRetry);
    EXPECT_EQ(client.sends().size(), 2u);
    client.reply(0, *bundle, kOne);
    EXPECT_EQ(client.completions().size(), 1u);
    client.refuse(1, *bundle, status);
    EXPECT_EQ(client.completions().size(), 1u);
  }
}

TEST(Session, ABundleThatCameTooEarlyIsSentAgainWhenItsTurnComes) {
  Client client(FaultModel(1, 0));
  client.open();
  client.submit("a", 1);
  client.idle();
  client.submit("b", 2);
  client.idle();
  const auto second = client.bundle(1);
  client.refuse(0, *second, wire::ReplyStatus::kOutOfOrder);
  const auto before = client.sends().size();
  client.reply(0, *client.bundle(0), wire::encode_replies({"A"}));
  ASSERT_EQ(client.sends().size(), before + 1);
  EXPECT_EQ(client.last_bundle(), second);
}

TEST(Session, ALateRefusalDoesNotTakeBackAnExecution) {
  Client client(FaultModel(1, 1));
  client.open();
  client.submit("a", 1);
  client.idle();
  const auto bundle = client.bundle(0);
  client.reply_digest_only(1, *bundle, kOne);
  client.refuse(1, *bundle, wire::ReplyStatus::kOutOfOrder);
  client.reply(2, *bundle, kOne);
  EXPECT_EQ(client.completions().size(), 1u);
}

TEST(Session, C6AQuarantinedBundleWasNotExecuted) {
  Client client(FaultModel(1, 1));
  client.open();
  client.submit("a", 1);
  client.submit("b", 2);
  client.idle();
  const auto bundle = client.bundle(0);
  client.refuse(0, *bundle, wire::ReplyStatus::kQuarantined);
  EXPECT_TRUE(client.completions().empty()) << "one may lie";
  client.refuse(1, *bundle, wire::ReplyStatus::kQuarantined);
  client.refuse(2, *bundle, wire::ReplyStatus::kOutOfOrder);
  ASSERT_EQ(client.completions().size(), 2u);
  for (const Completion& completion : client.completions()) {
    EXPECT_FALSE(completion.executed);
    EXPECT_TRUE(completion.quarantined);
    EXPECT_TRUE(completion.reply.empty());
  }
  EXPECT_EQ(client.status().quarantined, 2u);
  EXPECT_EQ(client.status().sessions_lost, 0u);
  client.submit("c", 3);
  client.idle();
  EXPECT_EQ(client.last_bundle()->first, RequestNumber(3)) << "the session goes on";
}

// ---- M13: other nodes sit at the executors' seats -----------------------------------------------

TEST(NewMembers, WhatThoseBeforeSaidDoesNotAddUpWithWhatTheNewOnesSay) {
  Client client(FaultModel(1, 1));
  client.open();
  ASSERT_TRUE(client.submit("put", 5));
  client.idle();
  const auto bundle = client.last_bundle();
  client.reply(1, *bundle, wire::encode_replies({"a lie"}));
  client.forget();
  client.new_members();
  ASSERT_EQ(client.sends().size(), 1u);
  EXPECT_EQ(client.sends()[0].to.size(), 3u) << "it is sent to all of the new members";
  client.reply(0, *bundle, wire::encode_replies({"a lie"}));
  EXPECT_TRUE(client.completions().empty());
  client.reply(2, *bundle, wire::encode_replies({"the truth"}));
  EXPECT_TRUE(client.completions().empty());
  client.reply(1, *bundle, wire::encode_replies({"the truth"}));
  ASSERT_EQ(client.completions().size(), 1u);
  EXPECT_EQ(client.completions()[0].reply, "the truth");
}

TEST(NewMembers, TheirViewsBeginAnew) {
  Client client(FaultModel(1, 0));
  client.set_view(4);
  client.open();
  ASSERT_EQ(client.status().primary, 1);
  client.new_members();
  EXPECT_EQ(client.status().primary, 0);
  ASSERT_TRUE(client.submit("put", 5));
  client.forget();
  client.idle();
  ASSERT_EQ(client.sends().size(), 1u);
  EXPECT_EQ(client.sends()[0].to, std::vector<Address>{Address::executor(0)});
}

}  // namespace
}  // namespace eve::client
