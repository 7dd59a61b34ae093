#include "durability/executor_recovery.h"

#include <algorithm>
#include <string>
#include <variant>

#include "wire/codec.h"

namespace eve::durability {
namespace {

std::string batch(BatchNumber number) {
  return "batch " + std::to_string(number.value());
}

// Enough of the bundle to answer its client: who asked, and which requests.
wire::BundlePtr head_of(const AnsweredBundle& answered) {
  auto bundle = std::make_shared<wire::Bundle>();
  bundle->kind = answered.kind;
  bundle->client = answered.reply.client;
  bundle->session = answered.reply.session;
  bundle->first = answered.reply.first;
  bundle->acknowledged = answered.acknowledged;
  bundle->requests.resize(answered.requests);
  return bundle;
}

}  // namespace

ExecutorRecovery::ExecutorRecovery(execution::Runner& runner, const crypto::Digester& digester,
                                   const crypto::Digest& genesis, LogPlaces& places,
                                   const PresentEpoch& present)
    : runner_(runner), digester_(digester), genesis_(genesis), places_(places), present_(present) {
  places_.begin_at(journal::Position(1), BatchNumber(), {});
}

Status ExecutorRecovery::begin_at(journal::Position position, BatchNumber number,
                                  LogContext context) {
  began_ = true;
  committed_ = number;
  if (context.epoch > Epoch()) {
    if (auto status = enter(context.epoch); !status) return status;
  }
  enter(context.view);
  places_.begin_at(position, number, std::move(context));
  return {};
}

Status ExecutorRecovery::note(journal::Position position, uint16_t kind, uint64_t number,
                              ByteView payload) {
  const auto type = static_cast<ExecutorNote>(kind);
  const auto status =
      type == ExecutorNote::kRun ? ran(position, payload) : take(position, type, number, payload);
  failed_ |= !status.ok();
  return status;
}

Status ExecutorRecovery::take(journal::Position position, ExecutorNote kind, uint64_t number,
                              ByteView payload) {
  switch (kind) {
    case ExecutorNote::kBegan:
      return began(payload);
    case ExecutorNote::kView: {
      auto view = read_view(number, payload);
      if (!view) return view.status();
      places_.entered(*view, position);
      enter(std::move(*view));
      return {};
    }
    case ExecutorNote::kPiece:
      if (BatchNumber(number) != pieces_of_) pieces_.clear();
      if (pieces_.empty()) pieces_at_ = position;
      pieces_of_ = BatchNumber(number);
      pieces_.emplace_back(payload);
      return {};
    case ExecutorNote::kCommit:
      return commit(BatchNumber(number));
    case ExecutorNote::kRollback:
      roll_back(BatchNumber(number));
      return {};
    case ExecutorNote::kFetch: {
      const auto command = read_fetch(payload);
      return command ? fetch(position, *command) : command.status();
    }
    case ExecutorNote::kSupply:
      return supply(payload);
    case ExecutorNote::kEpoch: {
      const auto epoch = read_epoch(number, payload);
      if (!epoch) return epoch.status();
      places_.entered(*epoch, position);
      return enter(*epoch);
    }
    case ExecutorNote::kRun:
      break;  // note()
  }
  refused_ = true;
  return Error{"a note of kind " + std::to_string(static_cast<uint16_t>(kind)) +
               ", which this release does not know; start the release that wrote it"};
}

Status ExecutorRecovery::began(ByteView payload) {
  const auto genesis = read_genesis(payload);
  refused_ = !genesis || *genesis != genesis_;
  if (!genesis) return genesis.status();
  if (refused_) {
    return Error{
        "the log is of another service, or of another digest: its state begins elsewhere;"
        " start what wrote it, or use another directory"};
  }
  began_ = true;
  return {};
}

void ExecutorRecovery::enter(execution::EnterView view) {
  if (view.view >= view_.view) view_ = std::move(view);
}

// The note undoes what is not committed.
Status ExecutorRecovery::enter(Epoch epoch) {
  const std::string name = "epoch " + std::to_string(epoch.value());
  if (epoch <= epoch_) {
    return Error{name + " was entered after epoch " + std::to_string(epoch_.value())};
  }
  if (epoch > present_.epoch) {
    refused_ = true;
    return Error{"the log is of " + name + ", and the links that are kept here lead to epoch " +
                 std::to_string(present_.epoch.value()) +
                 ": they are older than the log, or of another node; put back the file of links "
                 "that belongs to it"};
  }
  roll_back(committed_);
  epoch_ = epoch;
  view_ = {};
  said_.clear();
  said_in_ = View();
  return {};
}

// ---- Runs --------------------------------------------------------------------------------------

Status ExecutorRecovery::ran(journal::Position position, ByteView payload) {
  auto read = read_run(payload);
  if (!read) return read.status();
  Held held{std::move(read->run), {}};
  const BatchNumber number = held.run.parts.number;
  if (number == pieces_of_) held.pieces = std::move(pieces_);
  places_.reaches(number, held.pieces.empty() ? position : pieces_at_);
  held.pieces.emplace_back(read->last_piece);
  pieces_.clear();
  pieces_of_ = BatchNumber();

  if (held.run.view > said_in_) {
    said_in_ = held.run.view;
    said_.clear();
  }
  if (held.run.view == said_in_) said(held.run.parts);
  if (fetching_) return Error{batch(number) + " was run during a state transfer"};
  passing_by_ = false;
  if (number <= committed_) return {};  // the checkpoint is of later
  const BatchNumber last = held_.empty() ? committed_ : held_.back().run.parts.number;
  if (number != last.next()) return Error{batch(number) + " was run after " + batch(last)};
  held_.push_back(std::move(held));
  return {};
}

void ExecutorRecovery::said(const wire::TokenParts& parts) {
  const wire::Token token{said_in_, parts, wire::token_of(parts, digester_)};
  const auto [entry, first] = said_.emplace(parts.number, token);
  if (!first && entry->second && entry->second->token != token.token) entry->second.reset();
}

Status ExecutorRecovery::commit(BatchNumber number) {
  // During a fetch, the runner passed over it, too.
  if (number <= committed_ || fetching_ || passing_by_) return {};
  while (!held_.empty() && held_.front().run.parts.number <= number) {
    if (auto status = redo(held_.front()); !status) return status;
    committed_ = held_.front().run.parts.number;
    held_.pop_front();
  }
  if (committed_ < number) return Error{batch(number) + " was committed, and never run"};
  carry_out(execution::CommitBatches{number});
  return {};
}

Status ExecutorRecovery::redo(const Held& held) {
  return runner_.redo(held.run.parts, held.pieces);
}

void ExecutorRecovery::roll_back(BatchNumber number) {
  passing_by_ = false;
  pieces_.clear();  // of a run whose end was not written any more
  while (!held_.empty() && held_.back().run.parts.number > number) held_.pop_back();
  if (fetching_) carry_out(execution::RollbackTo{std::max(number, committed_)});
  fetching_ = false;
}

// ---- Fetches -----------------------------------------------------------------------------------

Status ExecutorRecovery::fetch(journal::Position position, const execution::StartFetch& command) {
  places_.reaches(command.parts.number, position);
  held_.clear();
  passing_by_ = command.parts.number <= committed_ && !fetching_;
  if (passing_by_) return {};
  if (command.parts.number < committed_) return Error{"a state was fetched that is older"};
  fetching_ = true;
  carry_out(command);
  return {};
}

Status ExecutorRecovery::supply(ByteView payload) {
  if (passing_by_ || !fetching_) return {};
  auto command = read_supply(payload, digester_);
  if (!command) return command.status();
  carry_out(std::move(*command));
  return {};
}

void ExecutorRecovery::carry_out(execution::Command command) {
  runner_.apply(std::move(command), [this](const execution::Event& event) {
    if (const auto* fetched = std::get_if<execution::Fetched>(&event)) {
      fetching_ = false;
      committed_ = fetched->parts.number;
    }
  });
}

std::vector<Note> ExecutorRecovery::opening_notes() const {
  std::vector<Note> notes;
  if (!began_) notes.push_back(note_of_genesis(genesis_));
  if (start_committed_) notes.push_back(note_of(execution::CommitBatches{stands_at_}));
  notes.push_back(note_of(execution::RollbackTo{stands_at_}));
  if (enters()) notes.push_back(note_of(present_.epoch));
  return notes;
}

// ---- The end -----------------------------------------------------------------------------------

Result<execution::Recovered> ExecutorRecovery::finish(bool whole) {
  if (enters()) {
    view_ = {};
    if (auto status = commit_start(); !status) return Error{status.message()};
  }
  execution::Recovered result{view_.view, view_.start, view_.quarantine, runner_.resume(), {},
                              {},         {}};
  stands_at_ = result.committed.parts.number;
  if (!whole || enters()) return result;
  for (const Held& held : held_) {
    if (auto status = redo(held); !status) return Error{status.message()};
    result.above.push_back(recovered(held.run));
    stands_at_ = held.run.parts.number;
  }
  if (!held_.empty()) (void)runner_.resume();
  if (said_in_ == view_.view) {
    for (auto& [number, token] : said_) {
      if (number <= committed_) continue;
      if (token) {
        result.said.push_back(*token);
      } else {
        result.unsure.push_back(number);
      }
    }
  }
  return result;
}

// As BeginEpoch does.
Status ExecutorRecovery::commit_start() {
  for (const Held& held : held_) {
    const wire::TokenParts& parts = held.run.parts;
    if (parts.number != present_.start) continue;
    if (wire::token_of(parts, digester_) != present_.token) break;
    start_committed_ = true;
    return commit(parts.number);
  }
  return {};
}

execution::RecoveredBatch ExecutorRecovery::recovered(const RunNote& run) const {
  auto stub = std::make_shared<wire::Batch>();
  stub->view = run.view;
  stub->number = run.parts.number;
  stub->time_us = run.time_us;
  stub->digest = run.parts.batch;
  execution::BatchExecuted executed;
  executed.parts = run.parts;
  executed.token = wire::token_of(run.parts, digester_);
  executed.requests = run.requests;
  executed.failed = run.failed;
  executed.quarantined = run.quarantined;
  for (const AnsweredBundle& answered : run.bundles) {
    stub->bundles.push_back(head_of(answered));
    execution::BundleReply reply = answered.reply;
    if (answered.cached) {
      const auto payload = runner_.cached_reply(reply.session, reply.first);
      if (payload) reply.payload = SharedBytes(Bytes(*payload));
    }
    executed.replies.push_back(std::move(reply));
  }
  return {std::move(stub), std::move(executed)};
}

}  // namespace eve::durability
