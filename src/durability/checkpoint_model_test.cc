// A node that runs batches, logs them, takes checkpoints and cuts its log, on a disk that fails,
// fills up and loses power anywhere: what was acknowledged is there again, whatever happened.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>

#include "durability/checkpoint_taker.h"
#include "durability/checkpoint_testing.h"
#include "journal/log_reader.h"
#include "journal/log_writer.h"

namespace eve::durability {
namespace {

using journal::LogWriter;
using journal::Position;
using testing::digester;
using testing::Replica;
using testing::TestDisk;

/// What has happened, as no node knows it: by number of the batch.
struct Past {
  struct Batch {
    wire::BatchPtr batch;
    crypto::Digest root;
    uint64_t next_request = 1;
    TimeUs time = 0;
  };
  std::vector<Batch> batches{Batch()};
  SessionId session;
  uint64_t acknowledged = 0;
};

journal::LogOptions log_options() {
  auto options = journal::testing::small_options();
  options.owner = testing::header().owner;
  options.segment_bytes = 3 * journal::kBlockBytes;
  return options;
}

CheckpointOptions options() {
  CheckpointOptions options;
  options.header = testing::header();
  options.policy = {2'000, 0.1, 5, 20};
  options.rate = {1'000'000'000, 100};
  options.file = {2'000, 0};
  options.chunk_bytes = 400;
  options.pieces_in_flight = 3;
  return options;
}

/// One life of the process.
class Node {
 public:
  Node(TestDisk& disk, Past& past)
      : disk_(disk), past_(past), taker_(disk, digester(), options(), [this] { return ++now_; }) {}
  ~Node() { taker_.stop(); }

  /// False: the disk refuses, for now. Throws nothing; what must not be fails the test.
  bool start() {
    journal::testing::Collector seen;
    auto recovery = journal::read_log(disk_, log_options(), seen);
    if (!recovery) return false;
    EXPECT_TRUE(recovery->damage.empty());
    auto log = recovery->empty ? LogWriter::create(disk_, log_options(), testing::header().life)
                               : LogWriter::resume(disk_, log_options(), *recovery);
    if (!log) return false;
    log_ = std::move(*log);
    auto wanted = testing::wanted();
    wanted.log_begin = recovery->begin;
    const auto found = read_checkpoint(disk_, wanted, replica_.runner);
    if (!found) return false;
    EXPECT_TRUE(found->troubles.empty()) << found->troubles.front();
    Position from(1);
    if (found->checkpoint) {
      const auto& end = found->checkpoint->end;
      from = end.position;
      replica_.number = end.parts.number.value();
      EXPECT_EQ(end.context, context_of(replica_.number));
      EXPECT_EQ(end.parts.state, past_.batches.at(replica_.number).root);
      EXPECT_LE(end.position, log_->end()) << "positions after it would be used again";
    }
    EXPECT_LE(recovery->begin, from) << "the log was cut without a checkpoint";
    for (const auto& record : seen.records) {
      if (record.position >= from) replay(record.number);
    }
    EXPECT_GE(replica_.number, past_.acknowledged);
    past_.batches.resize(replica_.number + 1);
    past_.acknowledged = replica_.number;
    replica_.time = std::max(replica_.time, past_.batches.back().time);
    next_request_ = past_.batches.back().next_request;
    replica_.commit(replica_.number);
    return true;
  }

  bool run(Random& random) {
    wire::BatchPtr batch;
    if (replica_.number == 0) {
      batch = replica_.batch({execution::testing::open(0, 1)});
    } else {
      std::vector<Bytes> requests;
      for (uint64_t i = random.below(12) + 1; i > 0; --i) {
        requests.push_back("set k" + std::to_string(random.below(60)) + " " +
                           std::string(random.below(40) + 1, 'v') +
                           std::to_string(random.below(10)));
      }
      const uint64_t acknowledged = next_request_ - 1;
      batch = replica_.batch(
          {execution::testing::call(0, past_.session, next_request_, requests, acknowledged)});
      next_request_ += requests.size();
    }
    const auto done = replica_.run(batch);
    if (replica_.number == 1) past_.session = Replica::id_in(done.replies.front());
    past_.batches.resize(replica_.number);
    past_.batches.push_back({batch, done.parts.state, next_request_, batch->time_us});
    return log_run();
  }
  bool flush() {
    if (!log_->flush().ok()) return false;
    past_.acknowledged = replica_.number;
    replica_.commit(replica_.number);
    return true;
  }
  void step() { taker_.step(replica_.runner, log_->written_bytes()); }
  /// False: the log is poisoned.
  bool work() {
    (void)taker_.work([this](BatchNumber number) { return place_of(number); });
    const auto taken = taker_.taken();
    if (!taken) return true;
    EXPECT_LE(taken->number.value(), past_.acknowledged);
    return log_->cut(taken->position).ok();
  }
  /// Until there has been one in this life.
  bool take_checkpoint() {
    taker_.want();
    for (int i = 0; i < 2000 && taker_.counts().taken == 0; ++i) {
      step();
      if (!work()) return false;
    }
    return true;
  }
  const CheckpointTaker& taker() const { return taker_; }
  int taken() const { return static_cast<int>(taker_.counts().taken); }

 private:
  static Bytes context_of(uint64_t number) { return "view of " + std::to_string(number); }

  void replay(uint64_t number) {
    ASSERT_EQ(number, replica_.number + 1);
    const auto& past = past_.batches.at(number);
    const auto done = replica_.run(past.batch);
    ASSERT_EQ(done.parts.state, past.root) << number;
    replica_.number = number;
    places_.emplace(number, Position());
  }
  bool log_run() {
    const auto position =
        log_->append(1, replica_.number, Bytes(200, 'r') + std::to_string(replica_.number));
    if (!position.ok()) return false;
    places_[replica_.number] = position->next();
    return true;
  }
  std::optional<CheckpointPlace> place_of(BatchNumber number) {
    const auto found = places_.find(number.value());
    if (found == places_.end() || found->second == Position()) return std::nullopt;
    return CheckpointPlace{found->second, context_of(number.value())};
  }

  TestDisk& disk_;
  Past& past_;
  Replica replica_;
  TimeUs now_ = 0;
  CheckpointTaker taker_;
  std::unique_ptr<LogWriter> log_;
  std::map<uint64_t, Position> places_;  ///< of this life's batches
  uint64_t next_request_ = 1;
};

/// Starts nodes on the disk until one comes up.
std::unique_ptr<Node> next_life(TestDisk& disk, Past& past) {
  auto node = std::make_unique<Node>(disk, past);
  if (node->start()) return node;
  disk.permits = nullptr;
  disk.capacity = uint64_t{1} << 40;
  node = std::make_unique<Node>(disk, past);
  EXPECT_TRUE(node->start());
  return node;
}

struct Lives {
  uint64_t taken = 0;
  uint64_t failed = 0;
  uint64_t crashes = 0;
};

void live(uint64_t seed, int steps, Lives& lives) {
  Random random(seed);
  TestDisk disk(seed + 1);
  Past past;
  auto node = next_life(disk, past);
  for (int i = 0; i < steps && !::testing::Test::HasFailure(); ++i) {
    bool fine = true;
    const uint64_t drawn = random.below(40);
    if (drawn < 8) fine = node->run(random);
    if (drawn >= 8 && drawn < 14) fine = node->flush();
    for (int turn = 0; drawn >= 14 && drawn < 38 && fine && turn < 4; ++turn) {
      if (random.chance(1, 2)) node->step();
      fine = node->work();
    }
    if (drawn == 38 && random.chance(1, 4)) {
      const uint64_t odds = random.below(30);
      disk.permits = [&random, odds](const std::string&) { return !random.chance(odds, 1000); };
    }
    if (drawn == 38 && random.chance(1, 8)) disk.capacity = disk.used() + random.below(30'000);
    const bool stops = drawn == 39 && random.chance(1, 6);
    if (fine && !stops) continue;
    lives.taken += node->taker().counts().taken;
    lives.failed += node->taker().counts().failed;
    node.reset();
    if (random.chance(1, 2)) disk.crash();
    ++lives.crashes;
    node = next_life(disk, past);
  }
  lives.taken += node->taker().counts().taken;
  lives.failed += node->taker().counts().failed;
}

TEST(CheckpointModel, WhatWasAcknowledgedIsThereAgain) {
  Lives lives;
  for (uint64_t seed = 1; seed <= 60 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    live(seed, 1200, lives);
  }
  EXPECT_GT(lives.taken, 200u);
  EXPECT_GT(lives.failed, 50u);
  EXPECT_GT(lives.crashes, 400u);
}

RC_GTEST_PROP(CheckpointModel, OfAnySeed, ()) {
  Lives lives;
  live(*rc::gen::arbitrary<uint64_t>(), 400, lives);
  RC_ASSERT(!::testing::Test::HasFailure());
}

/// Two checkpoints and batches in between; stops where the disk does.
void script(Node& node) {
  Random random(5);
  for (int checkpoint = 0; checkpoint < 2; ++checkpoint) {
    for (int i = 0; i < 10; ++i) {
      if (!node.run(random) || !node.flush()) return;
    }
    for (int i = 0; node.taken() <= checkpoint && i < 400; ++i) {
      node.step();
      if (!node.work()) return;
      if (i % 20 == 0 && (!node.run(random) || !node.flush())) return;
    }
  }
}

size_t operations_of_script() {
  TestDisk disk;
  Past past;
  const auto node = next_life(disk, past);
  script(*node);
  EXPECT_GE(node->taker().counts().taken, 2u);
  return disk.calls.size();
}

TEST(CheckpointModel, PowerMayFailAtEveryOperation) {
  const size_t operations = operations_of_script();
  ASSERT_GT(operations, 150u);
  for (size_t stop = 0; stop < operations && !HasFailure(); ++stop) {
    SCOPED_TRACE("operation " + std::to_string(stop));
    TestDisk disk(stop);
    disk.permits = [&](const std::string&) { return disk.calls.size() <= stop; };
    Past past;
    auto node = std::make_unique<Node>(disk, past);
    if (node->start()) script(*node);
    node.reset();
    disk.permits = nullptr;
    disk.crash();
    node = next_life(disk, past);
    ASSERT_TRUE(node->take_checkpoint());
  }
}

TEST(CheckpointModel, OneFailureAnywhereCostsTheCheckpointAtMost) {
  const size_t operations = operations_of_script();
  uint64_t failed = 0;
  for (size_t at = 0; at < operations && !HasFailure(); ++at) {
    SCOPED_TRACE("operation " + std::to_string(at));
    TestDisk disk(at);
    disk.permits = [&](const std::string& call) {
      // The log's own troubles are those of log_model_test.cc.
      return disk.calls.size() != at + 1 || call.find("check") == std::string::npos;
    };
    Past past;
    auto node = next_life(disk, past);
    script(*node);
    ASSERT_TRUE(node->take_checkpoint());
    EXPECT_GE(node->taker().counts().taken, 1u);
    failed += node->taker().counts().failed;
    node.reset();
    disk.crash();
    node = next_life(disk, past);
  }
  EXPECT_GT(failed, 100u);
}

TEST(CheckpointModel, OlderOnesAreGone) {
  TestDisk disk;
  Past past;
  auto node = next_life(disk, past);
  script(*node);
  ASSERT_TRUE(node->take_checkpoint());
  size_t whole = 0;
  for (const auto& name : disk.names()) {
    if (const auto parsed = parse_checkpoint_name(name)) {
      EXPECT_EQ(parsed->kind, journal::FileKind::kSegment) << name;
      ++whole;
    }
  }
  EXPECT_EQ(whole, 1u);
}

}  // namespace
}  // namespace eve::durability
