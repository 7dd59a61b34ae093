// A replica's execution stage under SETs, that keeps what it has run as nodes do: the same batches
// in memory only, with the differences told but not kept, and kept at each durability. One thread
// does all of it, one batch after the other: a node keeps the next batch running during a sync.
#include <chrono>

#include "base/random.h"
#include "base/scheduler.h"
#include "bench/journal.h"
#include "bench/timing.h"
#include "crypto/digest.h"
#include "durability/executor_log.h"
#include "durability/executor_recorder.h"
#include "durability/keeper.h"
#include "eve/state.h"
#include "execution/runner.h"
#include "services/kv/request.h"
#include "services/kv/service.h"
#include "wire/codec.h"

namespace eve::bench {
namespace {

using durability::Durability;
using durability::Keeper;

constexpr uint64_t kKeys = 10'000;
constexpr size_t kStoredBytes = 64;  // of each value
constexpr size_t kBatches[] = {1, 100, 1000};
constexpr size_t kLoadBatch = 1000;

struct Level {
  const char* name;
  bool tells = false;  ///< the difference is made
  bool keeps = false;
  Durability durability = Durability::kMemory;
  size_t group = 1;  ///< batches for each sync
};

constexpr Level kLevels[] = {
    {"memory", false, false, Durability::kMemory, 1},
    {"difference told, not kept", true, false, Durability::kMemory, 1},
    {"async", true, true, Durability::kAsync, 1},
    {"sync, each batch", true, true, Durability::kSync, 1},
    {"sync, 8 batches together", true, true, Durability::kSync, 8},
};

/// Whose log recovery is measured with, and of which length.
constexpr const Level& kRecovered = kLevels[2];
constexpr uint64_t kRecoveredBytes = uint64_t{64} << 20;

TimeUs now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

struct NoNotes final : durability::NoteVisitor {
  Status note(journal::Position, uint16_t, uint64_t, ByteView) override { return {}; }
};

class Replica {
 public:
  explicit Replica(const Level& level)
      : level_(level),
        digester_(crypto::DigestAlgorithm::kXxh3, crypto::Secret{}),
        runner_(digester_, scheduler_, kv::make_service, now_us) {}

  /// Begins a log on `disk`, if the level keeps one, and fills the state.
  Status begin(std::unique_ptr<runtime::PosixDisk> disk) {
    disk_ = std::move(disk);
    if (level_.keeps) {
      NoNotes none;
      durability::Found found;
      auto keeper = Keeper::open(*disk_, keeper_options(), none, found);
      if (!keeper) return keeper.status();
      keeper_ = std::move(*keeper);
      const auto began =
          keeper_->keep({durability::note_of_genesis(genesis())}, Keeper::Until::kLater);
      if (!began) return began;
      recorder_.emplace(runner_);
    }
    if (auto status = run(opening()); !status) return status;
    for (uint64_t key = 0; key < kKeys; key += kLoadBatch) {
      if (auto status = run(sets(kLoadBatch, key)); !status) return status;
    }
    return {};
  }

  /// `count` batches of `requests` SETs each; their making is not measured.
  Status measure(size_t count, size_t requests, Cost& cost) {
    std::vector<wire::BatchPtr> batches;
    for (size_t i = 0; i < count; ++i) batches.push_back(sets(requests, random_.below(kKeys)));
    const Stopwatch watch;
    for (const auto& batch : batches) {
      if (auto status = run(batch); !status) return status;
    }
    cost += watch.elapsed();
    return {};
  }
  /// The log does not grow for ever.
  Status rest() {
    if (!keeper_) return {};
    return keeper_->cut(keeper_->end());
  }
  /// The next process's start: from the whole log to the state, on one thread.
  Status recover(Cost& cost) {
    if (auto status = keeper_->close(); !status) return status;
    const uint64_t bytes = written();
    keeper_.reset();
    std::unique_ptr<execution::Runner> fresh;
    const durability::ExecutorLogAccess log{
        [this](bool ran_before, durability::NoteVisitor& visitor, durability::Found& found) {
          auto options = keeper_options();
          options.ran_before = ran_before;
          auto keeper = Keeper::open(*disk_, options, visitor, found);
          if (keeper.ok()) keeper_ = std::move(*keeper);
          return keeper.status();
        },
        [](const std::string& why) { return Status(Error{why}); },
        nullptr,
        {}};
    const Stopwatch watch;
    auto opened =
        durability::open_executor(log, true, digester_, genesis(), [&]() -> execution::Runner& {
          fresh =
              std::make_unique<execution::Runner>(digester_, scheduler_, kv::make_service, now_us);
          return *fresh;
        });
    cost += watch.elapsed();
    if (!opened) return opened.status();
    if (fresh->root() != runner_.root()) return Error{"recovery has led to another state"};
    earlier_bytes_ = bytes;
    return {};
  }
  uint64_t written() const { return keeper_ ? earlier_bytes_ + keeper_->written_bytes() : 0; }

 private:
  durability::KeeperOptions keeper_options() const {
    durability::KeeperOptions options;
    options.log = log_options();
    options.durability = level_.durability;
    options.machine_start = "this one";
    return options;
  }
  crypto::Digest genesis() const { return wire::genesis_token(runner_.empty_root(), digester_); }
  wire::BatchPtr opening() {
    return batch_of(wire::make_bundle(
        {wire::BundleKind::kOpen, 0, SessionId(0), RequestNumber(1), {}}, {}, no_signature));
  }
  wire::BatchPtr sets(size_t requests, uint64_t first_key) {
    std::vector<Bytes> commands;
    for (size_t i = 0; i < requests; ++i) {
      const uint64_t key = requests == kLoadBatch ? first_key + i : random_.below(kKeys);
      const Bytes name = "key:" + std::to_string(1'000'000'000'000 + key % kKeys);
      const Bytes value(kStoredBytes, static_cast<char>('a' + random_.below(26)));
      const ByteView args[] = {"SET", name, value};
      commands.push_back(kv::command_request(kv::Protocol::kResp2, args));
    }
    auto bundle = wire::make_bundle(
        {wire::BundleKind::kCall, 0, session_, RequestNumber(next_), RequestNumber(next_ - 1)},
        commands, no_signature);
    next_ += requests;
    return batch_of(std::move(bundle));
  }
  wire::BatchPtr batch_of(wire::BundlePtr bundle) {
    made_ = made_.next();
    return wire::make_batch(View(0), made_, static_cast<TimeUs>(made_.value()), 7,
                            {std::move(bundle)}, digester_);
  }
  static Bytes no_signature(ByteView) { return {}; }

  Status run(const wire::BatchPtr& batch) {
    const execution::Command command = execution::RunBatch{0, batch, execution::RunMode::kParallel};
    const auto events = carry_out(command);
    if (session_ == SessionId(0)) take_session(events);
    if (level_.tells && !level_.keeps) {
      const auto told = runner_.difference(batch->number, durability::kPieceBytes,
                                           [](Bytes piece) { bench::keep(piece.data()); });
      if (!told) return told;
    }
    const bool last = batch->number.value() % level_.group == 0;
    if (auto status = keep(command, events, last); !status) return status;
    const execution::Command commit = execution::CommitBatches{batch->number};
    return keep(commit, carry_out(commit), false);
  }
  std::vector<execution::Event> carry_out(const execution::Command& command) {
    std::vector<execution::Event> events;
    runner_.apply(command, [&](execution::Event event) { events.push_back(std::move(event)); });
    return events;
  }
  Status keep(const execution::Command& command, const std::vector<execution::Event>& events,
              bool durable) {
    if (!keeper_) return {};
    auto recorded = recorder_->record(command, events);
    if (!recorded) return recorded.status();
    return keeper_->keep(std::move(recorded->notes),
                         durable ? recorded->until : Keeper::Until::kLater);
  }
  void take_session(const std::vector<execution::Event>& events) {
    const auto& executed = std::get<execution::BatchExecuted>(events.at(0));
    const auto reply = executed.replies.at(0).payload.view();
    session_ = SessionId(Codec<uint64_t>::decode(reply).value_or(0));
  }

  const Level& level_;
  crypto::Digester digester_;
  InlineScheduler scheduler_;
  execution::Runner runner_;
  std::unique_ptr<runtime::PosixDisk> disk_;
  std::unique_ptr<Keeper> keeper_;
  std::optional<durability::ExecutorRecorder> recorder_;
  uint64_t earlier_bytes_ = 0;  ///< written before the last recover()
  Random random_{5};
  BatchNumber made_;
  SessionId session_;
  uint64_t next_ = 1;
};

struct Measured {
  Series cost;
  std::vector<double> amplification;
};

Status measure(Replica& replica, size_t requests, double seconds, Measured& out) {
  const size_t count = requests == 1 ? 64 : 8;
  const uint64_t written = replica.written();
  Cost cost;
  size_t batches = 0;
  while (cost.wall < seconds * 1e9) {
    if (auto status = replica.measure(count, requests, cost); !status) return status;
    batches += count;
  }
  out.cost.add(cost, batches * requests, 1e-3);
  out.amplification.push_back(static_cast<double>(replica.written() - written) /
                              static_cast<double>(batches * requests * kStoredBytes));
  return replica.rest();
}

Row row_of(const Level& level, size_t requests, const Measured& measured, const Measured& memory) {
  Row row;
  row.name = "batches of " + std::to_string(requests) + ", " + level.name;
  row.unit = "us/request";
  row.values = measured.cost.cpu;
  row.wall = measured.cost.wall;
  if (&measured != &memory) {
    row.baseline = kLevels[0].name;
    row.baseline_values = memory.cost.cpu;
    row.baseline_wall = memory.cost.wall;
  }
  if (level.keeps) {
    row.others = {{"bytes_written_per_byte_set", median(measured.amplification)}};
  }
  return row;
}

/// ns/byte are s/GB.
Result<Row> recovery_row(const BenchOptions& options, const BenchFolder& folder, size_t requests) {
  auto disk = folder.disk("recovery-" + std::to_string(requests));
  if (!disk) return disk.error();
  Replica replica(kRecovered);
  if (auto status = replica.begin(std::move(*disk)); !status) return Error{status.message()};
  Cost unused;
  while (replica.written() < kRecoveredBytes) {
    const size_t count = requests == 1 ? 64 : 8;
    if (auto status = replica.measure(count, requests, unused); !status) {
      return Error{status.message()};
    }
  }
  Series series;
  const uint64_t bytes = replica.written();
  for (size_t run = 0; run < options.runs; ++run) {
    Cost cost;
    if (auto status = replica.recover(cost); !status) return Error{status.message()};
    series.add(cost, bytes, 1);
  }
  Row row;
  row.name = "recovery from a log, batches of " + std::to_string(requests);
  row.unit = "s/GB";
  row.values = series.cpu;
  row.wall = series.wall;
  row.others = {{"log_bytes", static_cast<double>(bytes)}};
  return row;
}

}  // namespace

Status add_recovery_rows(const BenchOptions& options, const BenchFolder& folder, Report& report) {
  for (const size_t requests : kBatches) {
    auto row = recovery_row(options, folder, requests);
    if (!row) return row.status();
    report.rows.push_back(std::move(*row));
  }
  return {};
}

Status add_durability_rows(const BenchOptions& options, const BenchFolder& folder, Report& report) {
  constexpr size_t kCount = std::size(kLevels);
  std::vector<std::unique_ptr<Replica>> replicas;
  for (size_t i = 0; i < kCount; ++i) {
    auto disk = folder.disk("level-" + std::to_string(i));
    if (!disk) return disk.status();
    replicas.push_back(std::make_unique<Replica>(kLevels[i]));
    if (auto status = replicas.back()->begin(std::move(*disk)); !status) return status;
  }
  for (const size_t requests : kBatches) {
    std::vector<Measured> measured(kCount);
    Status status;
    for (size_t run = 0; run < options.runs; ++run) {
      std::vector<std::function<void()>> turns;
      for (size_t i = 0; i < kCount; ++i) {
        turns.push_back([&, i] {
          if (!status) return;
          status = measure(*replicas[i], requests, options.seconds / 2, measured[i]);
        });
      }
      in_turn(run, turns);
      if (!status) return status;
    }
    for (size_t i = 0; i < kCount; ++i) {
      report.rows.push_back(row_of(kLevels[i], requests, measured[i], measured[0]));
    }
  }
  return {};
}

}  // namespace eve::bench
