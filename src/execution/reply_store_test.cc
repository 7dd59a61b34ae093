#include "execution/reply_store.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "execution/reply_cache.h"
#include "wire/codec.h"

namespace eve::execution {
namespace {

TEST(ReplyStore, KeepsRepliesOfAllWorkers) {
  ReplyStore store(2);
  store.start(3);
  store.scratch(0) = "left over";
  EXPECT_TRUE(store.scratch(0).empty());
  EXPECT_TRUE(store.keep(0, 2, "two"));
  EXPECT_TRUE(store.keep(1, 0, "zero"));
  EXPECT_TRUE(store.keep(0, 1, ""));
  EXPECT_EQ(store.at(0), "zero");
  EXPECT_EQ(store.at(1), "");
  EXPECT_EQ(store.at(2), "two");
  EXPECT_EQ(store.bytes(), 7u);
  store.start(1);
  EXPECT_EQ(store.bytes(), 0u);
}

TEST(ReplyStore, InOrderCutsWhatTheBatchCannotHold) {
  const Bytes most(limits::kMaxReplyBytes, 'x');
  const size_t fitting = kMaxBatchReplyBytes / most.size();
  ReplyStore store(16);
  store.start(fitting + 2);
  for (size_t i = 0; i < fitting; ++i) store.keep_in_order(3, i, i == 0 ? most + "y" : most);
  store.keep_in_order(3, fitting, most);
  store.keep_in_order(3, fitting + 1, "small");
  EXPECT_EQ(store.at(0), kReplyTooLarge);
  EXPECT_EQ(store.at(fitting - 1).size(), most.size());
  EXPECT_EQ(store.at(fitting), kReplyTooLarge);
  EXPECT_EQ(store.at(fitting + 1), "small");
  store.start(4);
  EXPECT_TRUE(store.keep(0, 0, most));
  EXPECT_TRUE(store.keep(0, 1, most));
  EXPECT_FALSE(store.keep(0, 2, most));
}

TEST(CachedReply, PayloadIsTheWiresEncoding) {
  const std::vector<Bytes> replies{"one", "", "three"};
  CachedReplyBuilder builder(replies.size(), wire::ReplyStatus::kExecuted, 0);
  for (const Bytes& reply : replies) builder.add(reply);
  const CachedReply cached = builder.take();
  EXPECT_EQ(cached.requests(), 3u);
  EXPECT_EQ(cached.payload().view(), wire::encode_replies(replies));
}

}  // namespace
}  // namespace eve::execution
