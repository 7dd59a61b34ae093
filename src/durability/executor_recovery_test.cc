// X1 to X3: whatever a runner is told to do, and wherever it is cut off, its notes lead back there.
#include "durability/executor_recovery.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/limits.h"
#include "base/random.h"
#include "durability/executor_recorder.h"
#include "execution/runner_testing.h"

namespace eve::durability {
namespace {

using execution::BatchExecuted;
using execution::Command;
using execution::Event;
using execution::Recovered;
using execution::testing::call;
using execution::testing::digester;
using execution::testing::open;
using execution::testing::Replica;

crypto::Digest genesis() {
  return wire::genesis_token(Replica().runner.empty_root(), digester());
}

/// A replica, what it leaves in its log, and what is known of where it stands.
class Life {
 public:
  explicit Life(uint64_t seed) : random_(seed) { begin(std::make_unique<Replica>(2)); }

  std::vector<Event> apply(const Command& command) {
    std::vector<Event> events = replica->apply(command);
    auto recorded = recorder_->record(command, events);
    EXPECT_TRUE(recorded.ok());
    if (recorded->epoch) {
      EXPECT_EQ(recorded->until, Keeper::Until::kDurable);
    }
    const journal::Position first(log.size() + 1);
    for (Note& note : recorded->notes) log.push_back(std::move(note));
    recorded->tell(*places_, first, journal::Position(log.size() + 1));
    return events;
  }

  void run(std::vector<wire::BundlePtr> bundles) {
    const auto batch = wire::make_batch(view, last.next(), ++time_, random_.next(),
                                        std::move(bundles), digester());
    const auto mode =
        random_.chance(1, 3) ? execution::RunMode::kSequential : execution::RunMode::kParallel;
    const auto events = apply(execution::RunBatch{1, batch, mode, {}});
    ASSERT_EQ(events.size(), 1u);
    const auto& done = std::get<BatchExecuted>(events.front());
    last = batch->number;
    above.push_back({batch, done});
    const auto [word, first] = said.emplace(last, done.token);
    if (!first && word->second != done.token) word->second.reset();
    follow(*batch, done);
  }
  void run() {
    if (session_ == SessionId() || random_.chance(1, 8)) return run({open(0, nonce_++)});
    std::vector<Bytes> requests(1 + random_.below(4));
    for (Bytes& request : requests) request = word();
    std::vector<wire::BundlePtr> bundles{
        call(0, session_, next_, requests, next_ - 1 - random_.below(next_))};
    if (random_.chance(1, 4)) bundles.push_back(bundles.front());  // repeated: from the cache
    if (random_.chance(1, 8)) bundles.push_back(call(3, SessionId(77), 1, {"get k"}));
    run(std::move(bundles));
  }
  void commit(BatchNumber number) {
    apply(execution::CommitBatches{number});
    committed = number;
    std::erase_if(above, [&](const auto& run) { return run.batch->number <= number; });
    std::erase_if(said, [&](const auto& token) { return token.first <= number; });
  }
  void enter_view(BatchNumber from) {
    view = view.next();
    said.clear();
    start = from;
    apply(execution::EnterView{view, start, {}});
    if (last > start) roll_back(std::max(start, committed));
  }
  void roll_back(BatchNumber number) {
    apply(execution::RollbackTo{number});
    drop_after(number);
  }
  /// Amid a fetch, too.
  void enter_epoch() {
    const PresentEpoch begins = draw_start();
    apply(execution::BeginEpoch{begins.epoch, begins.start, begins.token});
    EXPECT_EQ(replica->runner.resume().parts.number, committed);
    forget_epoch();
  }
  /// Of a state that others have come to. False: it was not finished.
  bool fetch(Replica& peer, const wire::TokenParts& parts, bool to_the_end) {
    drop_after(committed);
    std::vector<Event> events = apply(execution::StartFetch{parts});
    while (true) {
      if (const auto* fetched = std::get_if<execution::Fetched>(&events.front())) {
        committed = last = fetched->parts.number;
        std::erase_if(said, [&](const auto& token) { return token.first <= committed; });
        session_ = fetched->sessions.empty() ? SessionId() : fetched->sessions.back().session;
        next_ = fetched->sessions.empty() ? 1 : fetched->sessions.back().next.value();
        return true;
      }
      if (!to_the_end && random_.chance(1, 3)) return false;
      const auto& wants = std::get<execution::FetchWants>(events.front());
      const auto served =
          peer.apply(execution::ServeState{Address::executor(1), {parts.number, wants.nodes}});
      auto reply = std::get<execution::StateServed>(served.front()).reply;
      std::vector<TreeNode> failed;
      if (random_.chance(1, 4) && !reply.nodes.empty()) {
        failed.push_back(reply.nodes.back().id);
        reply.nodes.pop_back();
      }
      events = apply(execution::SupplyFetch{Address::executor(1), reply, failed});
    }
  }

  /// What is committed now is what the next checkpoint is of.
  void pin() { pinned_ = {committed, log.size()}; }
  /// That is written down, when more has happened; as far as the log is on the disk by then.
  void checkpoint() {
    const journal::Position most(
        std::max<uint64_t>(log.size() + 1 - random_.below(3), pinned_.log_size + 1));
    const auto place = places_->place_of(pinned_.number, most);
    if (!place) return;  // of before a cut
    EXPECT_LE(place->position, most);
    checkpoint_ = {pinned_.number, pinned_.log_size, *place};
    if (random_.chance(1, 2)) places_->cut(place->position, pinned_.number);
  }

  /// The process ends, and another begins from the notes, and perhaps the checkpoint.
  void restart(bool from_checkpoint = false, bool link_kept = false) {
    PresentEpoch begins{present, {}, {}};
    if (link_kept) {  // and nothing else of its epoch
      begins = draw_start();
      (void)replica->apply(execution::BeginEpoch{begins.epoch, begins.start, begins.token});
      forget_epoch();
    }
    const crypto::Digest expected_root = replica->runner.root();
    auto fresh = std::make_unique<Replica>(2);
    auto places = std::make_unique<LogPlaces>();
    ExecutorRecovery recovery(fresh->runner, digester(), genesis(), *places, begins);
    uint64_t position = 1;
    if (checkpoint_.number > BatchNumber() && (from_checkpoint || random_.chance(1, 2))) {
      LogPlaces unused;
      ExecutorRecovery before(fresh->runner, digester(), genesis(), unused, {present, {}, {}});
      visit(before, 1, checkpoint_.log_size);
      ASSERT_TRUE(before.finish(false).ok());
      position = checkpoint_.place.position.value();
      const auto context = read_context(checkpoint_.place.context);
      ASSERT_TRUE(context.ok());
      ASSERT_TRUE(recovery.begin_at(checkpoint_.place.position, checkpoint_.number, *context).ok());
    }
    visit(recovery, position, log.size());
    const auto recovered = recovery.finish(true);
    ASSERT_TRUE(recovered.ok()) << recovered.message();
    EXPECT_EQ(fresh->runner.root(), expected_root);
    EXPECT_EQ(fresh->runner.recompute_root(), expected_root);
    compare(*recovered);
    EXPECT_EQ(recovery.epoch() < present, link_kept);
    for (Note& note : recovery.opening_notes()) log.push_back(std::move(note));
    if (link_kept) {
      EXPECT_EQ(log.back().kind, static_cast<uint16_t>(ExecutorNote::kEpoch));
      EXPECT_EQ(log.back().number, present.value());
      places->entered(present, journal::Position(log.size()));
    }
    replica = std::move(fresh);
    recorder_.emplace(replica->runner);
    places_ = std::move(places);
    places_->ends_at(journal::Position(log.size() + 1));
  }
  void visit(ExecutorRecovery& recovery, uint64_t from, uint64_t to) const {
    for (uint64_t position = from; position <= to; ++position) {
      const Note& note = log[position - 1];
      const auto status =
          recovery.note(journal::Position(position), note.kind, note.number, note.payload);
      ASSERT_TRUE(status.ok()) << status.message();
    }
  }
  void compare(const Recovered& recovered) const {
    EXPECT_EQ(recovered.view, view);
    EXPECT_EQ(recovered.start, start);
    EXPECT_EQ(recovered.committed.parts.number, committed);
    ASSERT_EQ(recovered.above.size(), above.size());
    for (size_t i = 0; i < above.size(); ++i) {
      const auto& was = above[i];
      const auto& is = recovered.above[i];
      EXPECT_EQ(is.batch->view, was.batch->view);
      EXPECT_EQ(is.batch->number, was.batch->number);
      EXPECT_EQ(is.batch->time_us, was.batch->time_us);
      EXPECT_EQ(is.result.token, was.result.token);
      ASSERT_EQ(is.result.replies.size(), was.result.replies.size());
      for (size_t b = 0; b < was.result.replies.size(); ++b) {
        EXPECT_EQ(is.result.replies[b].payload.view(), was.result.replies[b].payload.view());
        EXPECT_EQ(is.result.replies[b].digest, was.result.replies[b].digest);
        EXPECT_EQ(is.result.replies[b].status, was.result.replies[b].status);
        EXPECT_EQ(is.batch->bundles[b]->first, was.batch->bundles[b]->first);
        EXPECT_EQ(is.batch->bundles[b]->requests.size(), was.batch->bundles[b]->requests.size());
      }
    }
    std::map<BatchNumber, std::optional<crypto::Digest>> again;
    for (const wire::Token& token : recovered.said) {
      EXPECT_EQ(token.view, view);
      again.emplace(token.parts.number, token.token);
    }
    for (const BatchNumber number : recovered.unsure) again.emplace(number, std::nullopt);
    EXPECT_EQ(again, said);
  }

  std::unique_ptr<Replica> replica;
  std::vector<Note> log;
  Epoch present;
  View view;
  BatchNumber start;
  BatchNumber last;
  BatchNumber committed;
  std::vector<execution::RecoveredBatch> above;
  std::map<BatchNumber, std::optional<crypto::Digest>> said;  ///< in `view`

 private:
  void begin(std::unique_ptr<Replica> fresh) {
    replica = std::move(fresh);
    log.push_back(note_of_genesis(genesis()));
    recorder_.emplace(replica->runner);
    places_->begin_at(journal::Position(1), BatchNumber(), {});
    places_->ends_at(journal::Position(log.size() + 1));
  }
  Bytes word() {
    const Bytes key = "k" + std::to_string(random_.below(9));
    switch (random_.below(5)) {
      case 0:
        return "set " + key + ' ' + Bytes(random_.below(2000), 'v');
      case 1:
        return "lie counter";
      case 2:
        return random_.chance(1, 4) ? "fail " + key : "stamp";
      default:
        return "set " + key + " 1";
    }
  }
  void follow(const wire::Batch& batch, const BatchExecuted& done) {
    for (size_t i = 0; i < batch.bundles.size(); ++i) {
      const auto& reply = done.replies[i];
      if (reply.status != wire::ReplyStatus::kExecuted) continue;
      if (batch.bundles[i]->kind == wire::BundleKind::kOpen) {
        session_ = Replica::id_in(reply);
        next_ = 1;
      } else {
        next_ = batch.bundles[i]->first.value() + batch.bundles[i]->requests.size();
      }
    }
  }
  /// The next epoch begins with a batch that ran here, or with one that did not.
  PresentEpoch draw_start() {
    present = present.next();
    if (above.empty() || random_.chance(1, 3)) return {present, last.next(), {}};
    const auto& chosen = above[random_.below(above.size())];
    const bool another = random_.chance(1, 4);
    if (!another) committed = chosen.batch->number;
    return {present, chosen.batch->number, another ? crypto::Digest() : chosen.result.token};
  }
  void forget_epoch() {
    view = View();
    start = BatchNumber();
    said.clear();
    above.clear();
    drop_after(committed);
  }
  void drop_after(BatchNumber number) {
    last = std::min(last, number);
    std::erase_if(above, [&](const auto& run) { return run.batch->number > number; });
    session_ = SessionId();  // perhaps it was never opened
  }

  Random random_;
  struct Checkpoint {
    BatchNumber number;
    uint64_t log_size = 0;
    CheckpointPlace place;
  };

  struct Pinned {
    BatchNumber number;
    uint64_t log_size = 0;
  };

  Pinned pinned_;
  Checkpoint checkpoint_;
  std::optional<ExecutorRecorder> recorder_;
  std::unique_ptr<LogPlaces> places_ = std::make_unique<LogPlaces>();
  SessionId session_;
  uint64_t next_ = 1;
  uint64_t nonce_ = 1;
  TimeUs time_ = 1'700'000'000'000'000;
};

class Lives : public ::testing::TestWithParam<uint64_t> {};

TEST_P(Lives, AreGoneOnWithAnywhere) {
  Random random(GetParam());
  Life life(GetParam());
  Replica peer;
  for (int step = 0; step < 60 && !HasFatalFailure(); ++step) {
    bool unfinished = false;
    switch (random.below(11)) {
      case 0:
        if (life.last > life.committed) {
          const uint64_t ahead = life.last.value() - life.committed.value();
          life.roll_back(BatchNumber(life.committed.value() + random.below(ahead)));
        }
        break;
      case 1:
        life.enter_view(BatchNumber(life.committed.value() + random.below(3)));
        break;
      case 2: {
        if (life.committed.value() >= peer.number) {
          const SessionId id = peer.open_session(1, 1000 + peer.number);
          while (peer.number <= life.committed.value()) peer.run({call(1, id, 1, {"set p 1"})});
        }
        peer.run({open(2, 5000 + peer.number)});
        const auto batch = peer.batch({open(1, 9000 + peer.number)});
        const BatchExecuted done = peer.run(batch);
        unfinished = !life.fetch(peer, done.parts, random.chance(1, 2));
        break;
      }
      case 3:
      case 4:
        if (life.last > life.committed) {
          const uint64_t ahead = life.last.value() - life.committed.value();
          life.commit(BatchNumber(life.committed.value() + 1 + random.below(ahead)));
        }
        break;
      case 10:
        if (random.chance(1, 3)) life.enter_epoch();
        break;
      default:
        if (life.last.value() < life.committed.value() + limits::kWindow) life.run();
    }
    if (!unfinished && random.chance(1, 4)) life.pin();
    if (random.chance(1, 4)) life.checkpoint();
    if (unfinished && random.chance(1, 3)) {
      life.enter_epoch();
    } else if (unfinished || random.chance(1, 6)) {
      life.restart(false, random.chance(1, 4));
    }
  }
}

TEST(ExecutorRecovery, ALargeDifferenceIsKeptInPieces) {
  Life life(1);
  life.run();
  const SessionId id = Replica::id_in(life.above.back().result.replies.front());
  std::vector<Bytes> requests;
  for (int i = 0; i < 12; ++i) {
    requests.push_back("set k" + std::to_string(i) + ' ' + Bytes(900'000, 'v'));
  }
  for (uint64_t nonce = 100; nonce < 115; ++nonce) life.run({open(0, nonce)});
  life.commit(BatchNumber(16));
  life.pin();
  life.run({call(0, id, 1, requests)});  // so many after the last place: another one
  const auto pieces = std::count_if(life.log.begin(), life.log.end(), [](const Note& note) {
    return note.kind == static_cast<uint16_t>(ExecutorNote::kPiece);
  });
  EXPECT_GE(pieces, 2);
  // The log that a checkpoint needs begins with the first of them: as told by who wrote it, and as
  // found by who read it.
  for (int i = 0; i < 2; ++i) {
    life.checkpoint();
    life.restart(true);
  }
}

// An executor that lost its memory has only what was committed; what it had run is undone, for
// good.
TEST(ExecutorRecovery, OfALogThatIsNotWholeOnlyWhatIsCommittedCounts) {
  Life life(1);
  life.run();
  life.commit(BatchNumber(1));
  const crypto::Digest committed_root = life.replica->runner.root();
  life.run();
  Replica fresh;
  LogPlaces places;
  ExecutorRecovery recovery(fresh.runner, digester(), genesis(), places);
  life.visit(recovery, 1, life.log.size());
  const auto recovered = recovery.finish(false);
  ASSERT_TRUE(recovered.ok());
  EXPECT_EQ(fresh.runner.root(), committed_root);
  EXPECT_TRUE(recovered->above.empty());
  EXPECT_TRUE(recovered->said.empty());
  const auto notes = recovery.opening_notes();
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_EQ(notes[0].kind, static_cast<uint16_t>(ExecutorNote::kRollback));
  EXPECT_EQ(notes[0].number, 1u);
}

TEST(ExecutorRecovery, ALogOfAnotherServiceIsLeftAlone) {
  Replica fresh;
  LogPlaces places;
  ExecutorRecovery recovery(fresh.runner, digester(), genesis(), places);
  const Note note = note_of_genesis(crypto::Digest{});
  const auto status = recovery.note(journal::Position(1), note.kind, 0, note.payload);
  EXPECT_FALSE(status.ok());
  EXPECT_TRUE(recovery.refused());
}

TEST(ExecutorRecovery, AnotherDifferenceThanTheTokensIsNotBelieved) {
  Life life(1);
  life.run();
  Life other(2);
  other.run();
  other.commit(BatchNumber(1));
  auto mixed = read_run(life.log[1].payload);
  ASSERT_TRUE(mixed.ok());
  mixed->run.parts.state = other.replica->runner.empty_root();
  Replica fresh;
  LogPlaces places;
  ExecutorRecovery recovery(fresh.runner, digester(), genesis(), places);
  const Note note = note_of(mixed->run, mixed->last_piece);
  ASSERT_TRUE(recovery.note(journal::Position(1), note.kind, note.number, note.payload).ok());
  const Note commit = note_of(execution::CommitBatches{BatchNumber(1)});
  const auto status = recovery.note(journal::Position(2), commit.kind, commit.number, {});
  EXPECT_FALSE(status.ok());
  EXPECT_FALSE(recovery.refused());
  EXPECT_EQ(fresh.runner.root(), fresh.runner.empty_root());
}

// The process was killed amid the pieces of a run, and the next one runs the batch again.
TEST(ExecutorRecovery, PiecesOfARunThatWasNotWrittenDownAreNotPiecesOfTheNext) {
  Life life(1);
  life.log.push_back(piece_note(BatchNumber(1), "a part of what was"));
  life.restart();
  life.run();
  life.restart();
  life.log.push_back(piece_note(BatchNumber(1), "a part of what was"));
  life.enter_epoch();
  life.run();
  life.restart();
}

TEST(ExecutorRecovery, AnEpochThatIsNotLaterThanTheOneBeforeIsDamage) {
  for (const uint32_t again : {1u, 2u}) {
    Replica fresh;
    LogPlaces places;
    ExecutorRecovery recovery(fresh.runner, digester(), genesis(), places, {Epoch(9), {}, {}});
    ASSERT_TRUE(recovery.note(journal::Position(1), 9, 2, {}).ok());
    EXPECT_FALSE(recovery.note(journal::Position(2), 9, again, {}).ok());
    EXPECT_TRUE(recovery.failed());
    EXPECT_FALSE(recovery.refused());
  }
  Replica fresh;
  LogPlaces places;
  ExecutorRecovery recovery(fresh.runner, digester(), genesis(), places, {Epoch(9), {}, {}});
  EXPECT_FALSE(recovery.note(journal::Position(1), 9, 0, {}).ok());
  EXPECT_FALSE(recovery.refused());
}

TEST(ExecutorRecovery, ALogOfALaterEpochThanTheLinksIsLeftAlone) {
  Replica fresh;
  LogPlaces places;
  ExecutorRecovery recovery(fresh.runner, digester(), genesis(), places, {Epoch(1), {}, {}});
  ASSERT_TRUE(recovery.note(journal::Position(1), 9, 1, {}).ok());
  EXPECT_FALSE(recovery.note(journal::Position(2), 9, 2, {}).ok());
  EXPECT_TRUE(recovery.refused());
}

// Whoever ran it may not have heard that it is committed: nobody else holds it, perhaps.
TEST(ExecutorRecovery, WhatTheEpochBeginsWithIsCommittedIfItRan) {
  Life life(1);
  life.run();
  life.run();
  life.run();
  const auto start = life.above[1];
  const PresentEpoch begins{Epoch(1), BatchNumber(2), start.result.token};
  for (const bool whole : {true, false}) {
    Replica fresh;
    LogPlaces places;
    ExecutorRecovery recovery(fresh.runner, digester(), genesis(), places, begins);
    life.visit(recovery, 1, life.log.size());
    const auto recovered = recovery.finish(whole);
    ASSERT_TRUE(recovered.ok());
    EXPECT_EQ(recovered->committed.parts.number, BatchNumber(2));
    EXPECT_EQ(recovered->committed.token, start.result.token);
    EXPECT_TRUE(recovered->above.empty());
    const auto notes = recovery.opening_notes();
    ASSERT_EQ(notes.size(), 3u);
    EXPECT_EQ(notes[0].kind, static_cast<uint16_t>(ExecutorNote::kCommit));
    EXPECT_EQ(notes[1].kind, static_cast<uint16_t>(ExecutorNote::kRollback));
    EXPECT_EQ(notes[2].kind, static_cast<uint16_t>(ExecutorNote::kEpoch));
  }
  Replica other;
  LogPlaces places;
  ExecutorRecovery recovery(other.runner, digester(), genesis(), places,
                            {Epoch(1), BatchNumber(2), {}});
  life.visit(recovery, 1, life.log.size());
  const auto recovered = recovery.finish(true);
  ASSERT_TRUE(recovered.ok());
  EXPECT_EQ(recovered->committed.parts.number, BatchNumber(0)) << "it had run something else";
}

INSTANTIATE_TEST_SUITE_P(Seeds, Lives, ::testing::Range<uint64_t>(1, 101));

}  // namespace
}  // namespace eve::durability
