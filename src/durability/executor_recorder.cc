#include "durability/executor_recorder.h"

#include <variant>

#include "base/check.h"

namespace eve::durability {
namespace {

using execution::BundleReply;

/// What the state holds need not be in the note as well.
bool is_cached(const execution::Runner& runner, const BundleReply& reply) {
  const auto cached = runner.cached_reply(reply.session, reply.first);
  return cached && *cached == reply.payload.view();
}

RunNote head_of(const execution::Runner& runner, const wire::Batch& batch,
                const execution::BatchExecuted& executed) {
  RunNote run{batch.view,
              batch.time_us,
              executed.parts,
              executed.requests,
              executed.failed,
              executed.quarantined,
              {}};
  run.bundles.reserve(batch.bundles.size());
  for (size_t i = 0; i < batch.bundles.size(); ++i) {
    const wire::Bundle& bundle = *batch.bundles[i];
    const BundleReply& reply = executed.replies[i];
    run.bundles.push_back({bundle.kind, bundle.acknowledged,
                           static_cast<uint32_t>(bundle.requests.size()), reply,
                           is_cached(runner, reply)});
  }
  return run;
}

template <typename Wanted>
const Wanted* find(const std::vector<execution::Event>& events) {
  for (const execution::Event& event : events) {
    if (const auto* found = std::get_if<Wanted>(&event)) return found;
  }
  return nullptr;
}

}  // namespace

void Recorded::tell(LogPlaces& places, journal::Position first, journal::Position end) const {
  if (reaches) places.reaches(*reaches, first);
  if (entered) places.entered(*entered, first);
  if (epoch) places.entered(*epoch, journal::Position(end.value() - 1));
  places.ends_at(end);
}

Result<Recorded> ExecutorRecorder::record(const execution::Command& command,
                                          const std::vector<execution::Event>& events) {
  Recorded recorded;
  if (const auto* run = std::get_if<execution::RunBatch>(&command)) {
    const auto* executed = find<execution::BatchExecuted>(events);
    if (executed == nullptr) return recorded;  // it was not the next one
    if (auto status = record_run(*run, *executed, recorded.notes); !status) {
      return Error{status.message()};
    }
    recorded.reaches = executed->parts.number;
    recorded.until = Keeper::Until::kDurable;
  } else if (const auto* commit = std::get_if<execution::CommitBatches>(&command)) {
    recorded.notes.push_back(note_of(*commit));
  } else if (const auto* rollback = std::get_if<execution::RollbackTo>(&command)) {
    recorded.notes.push_back(note_of(*rollback));
  } else if (const auto* view = std::get_if<execution::EnterView>(&command)) {
    recorded.notes.push_back(note_of(*view));
    recorded.entered = *view;
    recorded.until = Keeper::Until::kDurable;
  } else if (const auto* fetch = std::get_if<execution::StartFetch>(&command)) {
    recorded.notes.push_back(note_of(*fetch));
    recorded.reaches = fetch->parts.number;
  } else if (const auto* supply = std::get_if<execution::SupplyFetch>(&command)) {
    recorded.notes.push_back(note_of(*supply));
  } else if (const auto* begin = std::get_if<execution::BeginEpoch>(&command)) {
    // What it committed may have been committed by the link alone.
    const auto* begun = find<execution::EpochBegun>(events);
    EVE_CHECK(begun != nullptr, "an epoch begins somewhere");
    recorded.notes.push_back(note_of(execution::CommitBatches{begun->state.parts.number}));
    recorded.notes.push_back(note_of(begin->epoch));
    recorded.epoch = begin->epoch;
    recorded.until = Keeper::Until::kDurable;
  }
  if (find<execution::Fetched>(events) != nullptr) recorded.until = Keeper::Until::kDurable;
  return recorded;
}

Status ExecutorRecorder::record_run(const execution::RunBatch& command,
                                    const execution::BatchExecuted& executed,
                                    std::vector<Note>& notes) {
  const BatchNumber number = executed.parts.number;
  EVE_CHECK(executed.replies.size() == command.batch->bundles.size(), "one reply a bundle");
  std::vector<Bytes> pieces;
  const auto status = runner_->difference(
      number, kPieceBytes, [&pieces](Bytes piece) { pieces.push_back(std::move(piece)); });
  if (!status) return status;
  for (size_t i = 0; i + 1 < pieces.size(); ++i) {
    notes.push_back(piece_note(number, std::move(pieces[i])));
  }
  notes.push_back(note_of(head_of(*runner_, *command.batch, executed), pieces.back()));
  return {};
}

}  // namespace eve::durability
