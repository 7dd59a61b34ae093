#include "execution/session_mirror.h"

#include <gtest/gtest.h>

#include "execution/executor_testing.h"

namespace eve::execution::executor_testing {
namespace {

constexpr uint64_t kSession = 1 << 16;

/// Runs batches on a fake runner, so that the mirror gets what a runner would answer.
class Mirrored : public ::testing::Test {
 protected:
  void commit_batch(const std::vector<wire::BundlePtr>& bundles) {
    const wire::BatchMessage message = batch(0, ++number_, bundles);
    runner_.apply(RunBatch{0, message.batch, RunMode::kParallel}, [&](Event event) {
      mirror.apply(*message.batch, std::get<BatchExecuted>(event).replies);
    });
  }
  SessionMirror mirror;

 private:
  FakeRunner runner_;
  uint64_t number_ = 0;
};

TEST_F(Mirrored, FollowsASession) {
  EXPECT_EQ(mirror.standing(*open(9)), Standing::kNext);
  EXPECT_EQ(mirror.standing(*call(1)), Standing::kUnknown);
  commit_batch({open(9)});
  EXPECT_EQ(mirror.standing(*open(9)), Standing::kAnswered);
  EXPECT_EQ(mirror.standing(*call(1)), Standing::kNext);
  EXPECT_EQ(mirror.standing(*call(3)), Standing::kEarly);
  commit_batch({call(1, 2)});
  EXPECT_EQ(mirror.standing(*call(1, 2)), Standing::kAnswered);
  EXPECT_EQ(mirror.standing(*call(2)), Standing::kStale);  // in the middle of a bundle
  EXPECT_EQ(mirror.standing(*call(3)), Standing::kNext);
}

TEST_F(Mirrored, ForgetsWhatIsAcknowledged) {
  commit_batch({open(9)});
  commit_batch({call(1), call(2)});
  commit_batch({call(3, 1, kSession, 0, 1)});
  EXPECT_EQ(mirror.standing(*call(1)), Standing::kStale);
  EXPECT_EQ(mirror.standing(*call(2)), Standing::kAnswered);
}

TEST_F(Mirrored, RefusedBundlesChangeNothing) {
  commit_batch({open(9)});
  commit_batch({call(5), call(1, 1, kSession, 1)});  // out of order; of another client
  EXPECT_EQ(mirror.standing(*call(1)), Standing::kNext);
  EXPECT_EQ(mirror.standing(*call(1, 1, kSession, 1)), Standing::kUnknown);
}

TEST_F(Mirrored, ASessionMovesPastWhatIsQuarantined) {
  commit_batch({open(9)});
  const wire::BatchMessage message = batch(0, 2, {call(1)});
  const BundleReply refused{
      0, SessionId(kSession), RequestNumber(1), wire::ReplyStatus::kQuarantined, {}, {}};
  mirror.apply(*message.batch, {refused});
  ASSERT_EQ(mirror.standing(*call(1)), Standing::kAnswered);
  EXPECT_EQ(mirror.answer(*call(1))->status, wire::ReplyStatus::kQuarantined);
  EXPECT_EQ(mirror.standing(*call(2)), Standing::kNext);
}

TEST_F(Mirrored, HoldsNoMoreSessionsThanTheReplicatedTable) {
  for (uint64_t nonce = 1; nonce <= limits::kMaxSessions + 100; ++nonce) {
    const wire::BatchMessage message = batch(0, nonce, {open(nonce)});
    Bytes id;
    Codec<uint64_t>::encode(nonce, id);
    mirror.apply(*message.batch, {{0,
                                   SessionId(),
                                   RequestNumber(nonce),
                                   wire::ReplyStatus::kExecuted,
                                   {},
                                   SharedBytes(id)}});
  }
  EXPECT_EQ(mirror.sessions(), limits::kMaxSessions);
  EXPECT_EQ(mirror.standing(*open(1)), Standing::kNext);  // the oldest made room
}

TEST_F(Mirrored, InstalledSessionsAnswerTheirOpenings) {
  const BundleReply opening{0,
                            SessionId(),
                            RequestNumber(9),
                            wire::ReplyStatus::kExecuted,
                            {},
                            SharedBytes("the session")};
  mirror.install({{0, SessionId(kSession), RequestNumber(9), RequestNumber(1), {opening}}});
  EXPECT_EQ(mirror.standing(*open(9)), Standing::kAnswered);
  ASSERT_NE(mirror.answer(*open(9)), nullptr);
  EXPECT_EQ(mirror.answer(*open(9))->payload.view(), "the session");
  EXPECT_EQ(mirror.standing(*open(8)), Standing::kNext);
}

TEST_F(Mirrored, InstallNamesWhatWasNotHereBefore) {
  commit_batch({open(9)});
  commit_batch({call(1)});
  const BundleReply known = *mirror.answer(*call(1));
  const BundleReply fresh{0,  SessionId(kSession), RequestNumber(2), wire::ReplyStatus::kExecuted,
                          {}, SharedBytes("new")};
  const auto news = mirror.install(
      {{0, SessionId(kSession), RequestNumber(9), RequestNumber(4), {known, fresh}}});
  ASSERT_EQ(news.size(), 1u);
  EXPECT_EQ(news[0].first, RequestNumber(2));
  EXPECT_EQ(mirror.standing(*call(2, 2)), Standing::kAnswered);
  EXPECT_EQ(mirror.standing(*call(4)), Standing::kNext);
}

}  // namespace
}  // namespace eve::execution::executor_testing
