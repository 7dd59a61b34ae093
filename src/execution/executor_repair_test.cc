// State transfer, requesting side: E7.
#include <gtest/gtest.h>

#include "execution/executor_testing.h"

namespace eve::execution::executor_testing {
namespace {

/// Executors 0, 1 and 2 of a cluster with u = 1. 0 leads; 2 has diverged at batch 2, of 3 that the
/// others have committed.
class E7Repair : public ::testing::TestWithParam<uint32_t> {
 protected:
  E7Repair() {
    for (uint16_t i = 0; i < 3; ++i) {
      ExecutorOptions chosen = options(1, GetParam(), i);
      replicas.push_back(std::make_unique<Replica>(chosen));
    }
    fetcher().runner.diverges = {2};
    propose({open(9)});
    commit_everywhere(1);
    propose({call(1)});
    propose({call(2)});
    commit_everywhere(3);
  }

  Replica& fetcher() { return *replicas[2]; }
  ExecutorStatus status() { return fetcher().executor->status(); }

  void propose(const std::vector<wire::BundlePtr>& bundles) {
    for (const auto& bundle : bundles) {
      replicas[0]->receive(Address::client(0), wire::BundleMessage{bundle});
    }
    replicas[0]->idle();
    for (auto& [to, message] : replicas[0]->sent<wire::BatchMessage>()) {
      replicas[to.index]->receive(Address::executor(0), message);
    }
  }
  void commit_everywhere(uint64_t number) {
    const crypto::Digest token = replicas[0]->runner.token(number);
    for (auto& replica : replicas) tell(*replica, GetParam() + 1, commit(number, token));
  }
  /// Carries questions to the holders and answers back until nobody says more. `change` may alter
  /// an answer; false drops it.
  void carry(const std::function<bool(uint16_t, wire::StateReply&)>& change =
                 [](uint16_t, wire::StateReply&) { return true; }) {
    for (int round = 0; round < 50; ++round) {
      const auto requests = fetcher().sent<wire::StateRequest>();
      if (requests.empty()) return;
      for (const auto& [to, request] : requests) {
        asked.push_back(to.index);
        replicas[to.index]->receive(Address::executor(2), request);
        for (auto& [peer, reply] : replicas[to.index]->sent<wire::StateReply>()) {
          wire::StateReply altered = reply;
          if (change(to.index, altered)) fetcher().receive(Address::executor(to.index), altered);
        }
      }
    }
  }

  std::vector<std::unique_ptr<Replica>> replicas;
  std::vector<uint16_t> asked;
};

TEST_P(E7Repair, EndsWithTheCommittedStateAndCountsOnce) {
  ASSERT_TRUE(status().fetching);
  carry();
  EXPECT_FALSE(status().fetching);
  EXPECT_EQ(status().committed, BatchNumber(3));
  EXPECT_EQ(status().token, replicas[0]->runner.token(3));
  EXPECT_EQ(status().repairs, 1u);
  EXPECT_EQ(status().transfers, 1u);
  EXPECT_GT(status().transfer_bytes, 0u);
  EXPECT_EQ(status().waiting_for, "");
}

// What is fetched may be of a view that this executor does not know of yet. Batches of the view
// before, whose primary could not know that either, do not follow it; nobody made them badly.
TEST(E7RepairAcrossViews, ABatchOfTheViewBeforeBlamesNobody) {
  Replica ahead(options(1, 1, 0));
  tell(ahead, 2, rollback(1, 0, genesis()));
  ahead.receive(Address::executor(1), batch(1, 1, {open(9)}, 1'500'000));
  tell(ahead, 2, commit(1, ahead.runner.token(1), 1));
  Replica behind(options(1, 1, 2));
  behind.receive(Address::executor(0), batch(0, 1, {open(8)}));
  behind.receive(Address::executor(0), batch(0, 2, {open(7)}));
  tell(behind, 2, commit(1, ahead.runner.token(1), 1));
  for (int round = 0; round < 20 && behind.executor->status().fetching; ++round) {
    for (const auto& [to, request] : behind.sent<wire::StateRequest>()) {
      if (to == Address::executor(0)) ahead.receive(Address::executor(2), request);
    }
    for (const auto& [to, reply] : ahead.sent<wire::StateReply>()) {
      behind.receive(Address::executor(0), reply);
    }
  }
  ASSERT_EQ(behind.executor->status().committed, BatchNumber(1));
  EXPECT_EQ(behind.executor->status().executed, BatchNumber(1)) << "batch 2 is not later";
  EXPECT_TRUE(behind.executor->refusals().by_sender().empty());
}

TEST_P(E7Repair, BatchesThatArriveMeanwhileRunAfterIt) {
  propose({call(3)});
  propose({call(4)});
  EXPECT_EQ(fetcher().runner.runs.size(), 3u);
  carry();
  EXPECT_EQ(status().executed, BatchNumber(5));
  commit_everywhere(5);
  EXPECT_EQ(status().committed, BatchNumber(5));
}

// Else repairs to ever newer targets gather ever more batches.
TEST_P(E7Repair, BatchesUpToTheTargetMakeRoom) {
  ASSERT_TRUE(status().fetching);
  EXPECT_EQ(fetcher().executor->load().window_batches, 0u);
  propose({call(3)});
  EXPECT_EQ(fetcher().executor->load().window_batches, 1u);
  EXPECT_EQ(fetcher().executor->load().window_end, BatchNumber(4));
  commit_everywhere(4);
  carry([](uint16_t, wire::StateReply& reply) {
    reply.nodes.clear();
    reply.parts.reset();
    return true;
  });
  fetcher().pass(150'000);
  ASSERT_TRUE(status().fetching);
  EXPECT_EQ(fetcher().executor->load().window_batches, 0u) << "the target is 4 now";
}

TEST_P(E7Repair, ACommitThatWasHeardMeanwhileIsReached) {
  propose({call(3)});
  commit_everywhere(4);
  carry();
  EXPECT_EQ(status().committed, BatchNumber(4));
}

TEST_P(E7Repair, ALyingPeerCostsTimeOnly) {
  const auto lie = [](uint16_t peer, wire::StateReply& reply) {
    if (peer == 0) {
      for (auto& node : reply.nodes) node.payload = SharedBytes("a lie");
    }
    return true;
  };
  carry(lie);
  for (int i = 0; i < 5 && status().fetching; ++i) {
    fetcher().pass(100'000);
    carry(lie);
  }
  EXPECT_EQ(status().committed, BatchNumber(3));
  EXPECT_EQ(status().refused_messages, 1u);  // then it was left out
}

TEST_P(E7Repair, PartsThatAreNotTheTokensAreNotUsed) {
  carry([](uint16_t peer, wire::StateReply& reply) {
    if (peer == 0) reply.parts->state = digest_of("another state");
    return true;
  });
  EXPECT_EQ(status().committed, BatchNumber(3));
  EXPECT_EQ(status().refused_messages, 0u) << "it may have diverged in good faith";
}

TEST_P(E7Repair, APeerThatStallsIsReplaced) {
  bool parts_seen = false;
  const auto stall = [&](uint16_t peer, wire::StateReply& reply) {
    if (peer == 0 && reply.nodes.empty()) parts_seen = true;
    return peer != 0 || reply.nodes.empty();
  };
  carry(stall);
  EXPECT_TRUE(parts_seen);
  fetcher().pass(200'000);
  carry(stall);
  EXPECT_EQ(status().committed, BatchNumber(3));
}

TEST_P(E7Repair, LostAnswersAreAskedForAgain) {
  carry([](uint16_t, wire::StateReply&) { return false; });
  EXPECT_TRUE(status().fetching);
  fetcher().pass(200'000);
  carry();
  EXPECT_EQ(status().committed, BatchNumber(3));
}

TEST_P(E7Repair, JunkThatWasNotAskedForIsIgnored) {
  wire::StateReply junk{BatchNumber(3), std::nullopt, {}};
  for (uint64_t i = 0; i < 100; ++i) junk.nodes.push_back({{5, i}, SharedBytes("junk")});
  fetcher().receive(Address::executor(0), junk);
  junk.number = BatchNumber(99);
  fetcher().receive(Address::executor(0), junk);
  carry();
  EXPECT_EQ(status().transfer_bytes, FakeRunner::kNodes * (std::string("node 0 of ").size() + 64));
}

TEST_P(E7Repair, TurnsToANewerCommitWhenNobodyHoldsTheOldOne) {
  const auto gone = [](uint16_t, wire::StateReply& reply) {
    if (reply.number == BatchNumber(3)) reply.parts.reset();
    if (reply.number == BatchNumber(3)) reply.nodes.clear();
    return true;
  };
  carry(gone);
  fetcher().pass(60'000);
  EXPECT_TRUE(status().fetching);
  fetcher().pass(150'000);
  EXPECT_FALSE(fetcher().sent<wire::Hello>().empty());  // asks for a newer one
  propose({call(3)});
  commit_everywhere(4);
  fetcher().pass(60'000);
  carry(gone);
  EXPECT_EQ(status().committed, BatchNumber(4));
  EXPECT_FALSE(status().fetching);
}

// Found by the simulator (bft, seed 1010886): the liar never answered, so not everybody had denied,
// and asking again began the wait anew.
TEST_P(E7Repair, TurnsToANewerCommitWhenOneIsSilentAndTheOthersDoNotHoldTheOld) {
  const auto gone_or_silent = [](uint16_t peer, wire::StateReply& reply) {
    if (reply.number != BatchNumber(3)) return true;
    reply.parts.reset();
    reply.nodes.clear();
    return peer != 0;
  };
  carry(gone_or_silent);
  propose({call(3)});
  commit_everywhere(4);
  for (int i = 0; i < 10; ++i) {
    fetcher().pass(60'000);
    carry(gone_or_silent);
  }
  EXPECT_EQ(status().committed, BatchNumber(4));
  EXPECT_FALSE(status().fetching);
}

TEST_P(E7Repair, TurnsToANewerCommitAlthoughALiarSaysThatItHoldsTheOldAndSendsNothing) {
  const auto liar = [](uint16_t peer, wire::StateReply& reply) {
    if (reply.number != BatchNumber(3)) return true;
    if (peer == 0) return reply.nodes.empty();  // parts, but never a node
    reply.parts.reset();
    reply.nodes.clear();
    return true;
  };
  carry(liar);
  propose({call(3)});
  commit_everywhere(4);
  for (int i = 0; i < 200; ++i) {  // 12 s
    fetcher().pass(60'000);
    carry(liar);
  }
  EXPECT_EQ(status().committed, BatchNumber(4));
  EXPECT_FALSE(status().fetching);
}

TEST_P(E7Repair, TurnsToANewerCommitInTheMiddleOfAFetch) {
  const auto gone_soon = [](uint16_t, wire::StateReply& reply) {
    if (reply.number != BatchNumber(3) || reply.nodes.empty()) return true;
    reply.parts.reset();
    reply.nodes.clear();
    return true;
  };
  carry(gone_soon);  // its parts are known, its nodes are gone
  propose({call(3)});
  commit_everywhere(4);
  fetcher().pass(60'000);
  carry(gone_soon);
  fetcher().pass(150'000);
  carry(gone_soon);
  EXPECT_EQ(status().committed, BatchNumber(4));
}

TEST_P(E7Repair, ClientsThatAskedAreAnsweredFromTheFetchedCache) {
  fetcher().receive(Address::client(0), wire::BundleMessage{call(1), true});
  fetcher().sent<wire::Reply>();
  carry();
  const auto replies = fetcher().sent<wire::Reply>();
  ASSERT_FALSE(replies.empty());
  EXPECT_EQ(replies[0].second.first, RequestNumber(1));
  EXPECT_TRUE(replies[0].second.payload.has_value());
  // What nobody asked this executor for goes as a digest, where that is worth something.
  EXPECT_EQ(replies.size(), 1u + GetParam());
  fetcher().receive(Address::client(0), wire::BundleMessage{call(2), true});
  EXPECT_TRUE(fetcher().sent<wire::Reply>().at(0).second.payload.has_value());
}

TEST_P(E7Repair, ANewViewMeanwhileIsEntered) {
  for (auto& replica : replicas) {
    tell(*replica, GetParam() + 1, rollback(1, 3, replicas[0]->runner.token(3)));
  }
  carry();
  EXPECT_EQ(status().view, View(1));
  EXPECT_EQ(status().committed, BatchNumber(3));
  EXPECT_FALSE(status().fetching);
}

TEST_P(E7Repair, AsManyQuestionsAsAPeerMayHaveAreServed) {
  Replica& holder = *replicas[0];
  holder.eager = false;
  for (int i = 0; i < 10; ++i) {
    holder.receive(Address::executor(1), wire::StateRequest{BatchNumber(3), {}});
  }
  EXPECT_EQ(holder.executor->status().refused_messages, 6u);
  EXPECT_TRUE(holder.executor->refusals().by_sender().empty()) << "asking often is no lie";
  holder.run();
  EXPECT_EQ(holder.sent<wire::StateReply>().size(), 4u);
}

INSTANTIATE_TEST_SUITE_P(Liars, E7Repair, ::testing::Values(0u, 1u));

}  // namespace
}  // namespace eve::execution::executor_testing
