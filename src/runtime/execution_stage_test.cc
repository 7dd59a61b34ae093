#include "runtime/execution_stage.h"

#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <thread>

#include "durability/checkpoint_reader.h"
#include "execution/runner_testing.h"
#include "runtime/executor_memory.h"
#include "runtime/test_support.h"
#include "wire/codec.h"

namespace eve::runtime {
namespace {

using execution::testing::call;
using execution::testing::digester;
using execution::testing::open;
using testing::eventually;

/// A stage that keeps what it does in a folder.
class LastingStage : public ::testing::Test {
 protected:
  LastingStage() : runner([this] { loop.run(); }) {}
  ~LastingStage() override {
    stop();
    loop.stop();
    runner.join();
  }
  /// On the loop's thread.
  void on_loop(const std::function<void()>& act) {
    std::promise<void> done;
    loop.post([&] {
      act();
      done.set_value();
    });
    done.get_future().wait();
  }

  void start() {
    stage = std::make_unique<ExecutionStage>(
        loop, digester(), 2,
        [](State& empty) { return std::make_unique<execution::testing::WordService>(empty); },
        [] {});
    ExecutorMemoryOptions wanted;
    wanted.directory = folder.path();
    wanted.cluster = "cluster";
    wanted.durability = durability::Durability::kAsync;
    wanted.checkpoint.least_log_bytes = least_log_bytes;
    auto opened = open_executor_memory(wanted, Address::executor(0), genesis(), digester(), *stage);
    ASSERT_TRUE(opened.ok()) << opened.message();
    memory.emplace(std::move(*opened));
    EXPECT_FALSE(memory->opened.restarted) << memory->opened.trouble;
    last =
        memory->opened.recovered ? memory->opened.recovered->committed.parts.number : BatchNumber();
    JournalThreadOptions options;
    options.name = "executor-0";
    options.background = [this](durability::Keeper& keeper) {
      return memory->checkpoints->work(keeper);
    };
    journal = std::make_unique<JournalThread>(loop, std::move(memory->keeper), options);
    stage->keep_in(
        {*journal, *memory->opened.places, *memory->checkpoints, memory->opened.log_bytes},
        std::move(*memory->opened.recorder));
  }
  void stop() {
    if (stage) stage->stop();
    if (journal) {
      EXPECT_TRUE(journal->close().ok());
    }
    journal.reset();
    memory.reset();
    stage.reset();
  }
  crypto::Digest genesis() const { return wire::genesis_token(stage->empty_root(), digester()); }
  /// Runs and commits a batch.
  execution::BatchExecuted run(std::vector<wire::BundlePtr> bundles) {
    last = last.next();
    std::vector<execution::Command> commands;
    commands.emplace_back(execution::RunBatch{
        0, wire::make_batch(View(), last, ++time, 7, std::move(bundles), digester()), {}, {}});
    commands.emplace_back(execution::CommitBatches{last});
    on_loop([&] { stage->submit(commands); });
    std::optional<execution::BatchExecuted> done;
    EXPECT_TRUE(eventually([&] {
      on_loop([&] {
        for (auto& event : stage->take_events()) {
          if (auto* executed = std::get_if<execution::BatchExecuted>(&event)) {
            done = std::move(*executed);
          }
        }
      });
      return done.has_value();
    }));
    return done.value_or(execution::BatchExecuted());
  }
  void write(int batches) {
    if (session == SessionId()) {
      session = execution::testing::Replica::id_in(run({open(0, 1)}).replies.front());
    }
    for (int i = 0; i < batches; ++i) {
      std::vector<Bytes> requests;
      for (int k = 0; k < 20; ++k) {
        const auto key = std::to_string((i * 20 + k) % 5000);
        requests.push_back("set k" + key + ' ' + Bytes(100, static_cast<char>('a' + i % 26)));
      }
      state = run({call(0, session, next, requests, next - 1)}).parts.state;
      next += requests.size();
    }
  }
  durability::CheckpointTaker::Counts counts() const {
    return memory->checkpoints->taker().counts();
  }

  testing::TemporaryFolder folder;
  EventLoop loop;
  std::thread runner;
  uint64_t least_log_bytes = uint64_t{256} << 10;
  std::unique_ptr<ExecutionStage> stage;
  std::optional<ExecutorMemory> memory;
  std::unique_ptr<JournalThread> journal;
  BatchNumber last;
  TimeUs time = 1'700'000'000'000'000;
  SessionId session;
  uint64_t next = 1;
  crypto::Digest state;
};

// Small batches run on the network thread, pieces are cut by the execution thread meanwhile.
TEST_F(LastingStage, TakesCheckpointsUnderLoadAndStartsFromThem) {
  start();
  ASSERT_TRUE(eventually(
      [&] {
        write(100);
        ExecutionStage::Counts unused;
        on_loop([&] { unused = stage->counts(); });  // perhaps while a piece is being cut
        return counts().taken >= 3;
      },
      60))
      << counts().trouble;
  EXPECT_EQ(counts().failed, 0u) << counts().trouble;
  const auto before = state;
  stop();
  start();
  EXPECT_TRUE(memory->opened.at_checkpoint);
  write(1);
  EXPECT_NE(state, before);
  stop();
}

TEST_F(LastingStage, TakesOneWhenAskedThoughNothingHappens) {
  least_log_bytes = uint64_t{1} << 40;
  start();
  write(3);
  for (uint64_t wanted = 1; wanted <= 3; ++wanted) {
    stage->want_checkpoint();
    ASSERT_TRUE(eventually([&] {
      stage->ask_for_step();
      return counts().taken >= wanted;
    })) << counts().trouble;
  }
  ExecutionStage::Counts found;
  on_loop([&] { found = stage->counts(); });
  EXPECT_GT(found.objects, 0u);
}

}  // namespace
}  // namespace eve::runtime
