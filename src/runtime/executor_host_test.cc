// An executor's host through epochs, and through lives that have lost what the one before said.
#include "runtime/executor_host.h"

#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <thread>

#include "execution/runner_testing.h"
#include "membership/testing.h"
#include "runtime/promise_file.h"
#include "runtime/test_support.h"

namespace eve::runtime {
namespace {

using durability::Durability;
using execution::testing::digester;
using testing::eventually;

const FaultModel kModel(1, 0);

class Said final : public Outlet {
 public:
  void send(std::vector<wire::Send>& sends) override {
    for (const wire::Send& send : sends) messages.push_back(send.message);
    sends.clear();
  }
  void flush() override {}
  std::string name_of(Address) const override { return ""; }
  bool reachable(Address) const override { return true; }
  RefusalLog& refusals() override { return refusals_; }

  std::vector<wire::MessagePtr> messages;

 private:
  RefusalLog refusals_{"node-0"};
};

class ExecutorHostTest : public ::testing::TestWithParam<Durability>, EventLoop::Member {
 protected:
  // Not in the constructor: the loop calls what the test itself may override.
  void SetUp() override {
    loop.add(*this);
    thread = std::thread([this] { loop.run(); });
  }
  void TearDown() override {
    stop();
    loop.stop();
    thread.join();
  }
  template <typename Function>
  auto on_loop(Function function) {
    std::promise<decltype(function())> result;
    loop.post([&] { result.set_value(function()); });
    return result.get_future().get();
  }

  std::filesystem::path state() const { return folder.path() / "node-0"; }
  Seating seating(uint32_t epoch) const {
    Seating seating;
    seating.epoch = Epoch(epoch);
    seating.seat = 0;
    seating.start = BatchNumber();
    seating.token = wire::genesis_token(execution::testing::Replica().runner.root(), digester());
    seating.keys = std::make_shared<membership::testing::TestKeys>(Address::executor(0));
    return seating;
  }
  /// Another life, that its links seat in this epoch.
  void start(uint32_t epoch) {
    ASSERT_EQ(on_loop([&]() -> std::string {
                ExecutorHostOptions options;
                options.model = kModel;
                options.node = Address::executor(0);
                options.clients = 1;
                options.make_service = execution::testing::make_words;
                options.memory.directory = state();
                options.memory.cluster = "a cluster";
                options.memory.durability = GetParam();
                auto made = ExecutorHost::create(loop, outlet, digester(), options, seating(epoch));
                if (!made) return made.message();
                host = std::move(*made);
                host->start(loop.now());
                return "";
              }),
              "");
  }
  void stop() {
    on_loop([this] {
      host = nullptr;
      return true;
    });
  }
  Status enter(uint32_t epoch) {
    const Status status = on_loop([&] { return host->begin_epoch(seating(epoch)); });
    if (!status) return status;
    const bool begun = eventually([&] { return on_loop([&] { return host->seated(); }); });
    return begun ? status : Status(Error{"the epoch does not begin"});
  }
  bool silent() {
    return on_loop([this] { return host->status().silent; });
  }
  /// The whole folder, with the log, the links and the marks in it. What is beside the key stays.
  void lose_folder() {
    stop();
    std::filesystem::remove_all(state());
  }

  testing::TemporaryFolder folder;
  EventLoop loop;
  Said outlet;
  std::unique_ptr<ExecutorHost> host;
  std::thread thread;

 private:
  bool idle(TimeUs now) override { return host != nullptr && host->idle(now); }
  TimeUs deadline() const override { return host == nullptr ? kNever : host->deadline(); }
  void tick(TimeUs now) override {
    if (host != nullptr && host->deadline() <= now) host->tick(now);
  }
};

INSTANTIATE_TEST_SUITE_P(, ExecutorHostTest,
                         ::testing::Values(Durability::kSync, Durability::kMemory),
                         [](const auto& each) {
                           return each.param == Durability::kSync ? "sync" : "memory";
                         });

// M12, X6: the links went with the folder, so it begins where it has never been, it seems.
TEST_P(ExecutorHostTest, IsSilentInEveryEpochInWhichALifeThatItLostMayHaveSpoken) {
  start(0);
  EXPECT_FALSE(silent());
  ASSERT_TRUE(enter(1).ok());
  EXPECT_FALSE(silent());
  ASSERT_TRUE(enter(4).ok()) << "it was behind, and got several links at once";
  EXPECT_FALSE(silent());
  EXPECT_TRUE(std::filesystem::exists(folder.path() / "node-0.executor-0.e4.ran"));

  lose_folder();
  start(0);
  EXPECT_TRUE(silent());
  ASSERT_TRUE(enter(1).ok());
  EXPECT_TRUE(silent());
  ASSERT_TRUE(enter(2).ok());
  ASSERT_TRUE(enter(4).ok()) << "now it is told one by one";
  EXPECT_TRUE(silent());
  ASSERT_TRUE(enter(5).ok());
  EXPECT_FALSE(silent()) << "there it has never been";

  if (GetParam() == Durability::kMemory) return;
  stop();
  start(5);
  EXPECT_FALSE(silent()) << "it remembers again";
}

// The log says itself that it is not whole, until it may speak again.
TEST_P(ExecutorHostTest, StaysSilentThroughAnotherStart) {
  start(0);
  ASSERT_TRUE(enter(1).ok());
  lose_folder();
  start(0);
  ASSERT_TRUE(enter(1).ok());
  stop();
  start(1);
  EXPECT_TRUE(silent());
}

// Who comes has no seat before its first epoch, and starts as often as it likes.
TEST_P(ExecutorHostTest, AFirstStartInALaterEpochSpeaksAndLeavesItsMark) {
  start(3);
  EXPECT_FALSE(silent());
  EXPECT_EQ(*last_started(state(), Address::executor(0)), Epoch(3));
  lose_folder();
  EXPECT_EQ(*last_started(state(), Address::executor(0)), Epoch(3));
  start(0);
  ASSERT_TRUE(enter(3).ok());
  EXPECT_TRUE(silent());
}

TEST_P(ExecutorHostTest, WithoutAMarkNoEpochBegins) {
  start(0);
  const auto in_the_way = state() / "executor-0.e1.ran.new";
  std::filesystem::create_directories(folder.path() / "node-0.executor-0.e1.ran.new" / "x");
  std::filesystem::create_directories(in_the_way / "x");
  EXPECT_FALSE(on_loop([&] { return host->begin_epoch(seating(1)); }).ok());
  std::filesystem::remove_all(in_the_way);
  std::filesystem::remove_all(folder.path() / "node-0.executor-0.e1.ran.new");
  ASSERT_TRUE(enter(1).ok());
  EXPECT_FALSE(silent());
}

}  // namespace
}  // namespace eve::runtime
