// A node for the models of checkpoints: it runs batches, logs their numbers, takes checkpoints and
// cuts its log; started again it must have all that was acknowledged. The log says which batches,
// and `Past`, which survives everything, what was in them.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "durability/checkpoint_taker.h"
#include "durability/checkpoint_testing.h"
#include "journal/log_reader.h"
#include "journal/log_writer.h"

namespace eve::durability::testing {

using journal::LogWriter;

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

inline journal::LogOptions log_options() {
  auto options = journal::testing::small_options();
  options.owner = header().owner;
  options.segment_bytes = 3 * journal::kBlockBytes;
  return options;
}

inline CheckpointOptions node_options() {
  CheckpointOptions options;
  options.header = header();
  options.policy = {2'000, 0.1, 5, 20};
  options.rate = {1'000'000'000, 100};
  options.file = {2'000, 0};
  options.chunk_bytes = 400;
  options.bytes_in_flight = 1'000;
  return options;
}

/// One life of the process.
class Node {
 public:
  Node(journal::Disk& disk, Past& past)
      : disk_(disk),
        past_(past),
        taker_(disk, digester(), node_options(), [this] { return ++now_; }) {}
  ~Node() { taker_.stop(); }

  /// False: the disk refuses, for now; `told`: it has given an error of late. What must not be
  /// fails the test.
  bool start(const std::function<bool()>& told = [] { return false; }) {
    journal::testing::Collector seen;
    auto recovery = journal::read_log(disk_, log_options(), seen);
    if (!recovery || (told() && !recovery->damage.empty())) return false;
    EXPECT_TRUE(recovery->damage.empty());
    auto log = recovery->empty ? LogWriter::create(disk_, log_options(), header().life)
                               : LogWriter::resume(disk_, log_options(), *recovery);
    if (!log) return false;
    log_ = std::move(*log);
    auto wanted = durability::testing::wanted();
    wanted.log_begin = recovery->begin;
    const auto found = read_checkpoint(disk_, wanted, replica_.runner);
    if (!found || (told() && !found->troubles.empty())) return false;
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

  journal::Disk& disk_;
  Past& past_;
  Replica replica_;
  TimeUs now_ = 0;
  CheckpointTaker taker_;
  std::unique_ptr<LogWriter> log_;
  std::map<uint64_t, Position> places_;  ///< of this life's batches
  uint64_t next_request_ = 1;
};

}  // namespace eve::durability::testing
