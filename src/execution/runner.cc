#include "execution/runner.h"

#include <algorithm>
#include <variant>

#include "base/check.h"
#include "execution/runner_impl.h"
#include "wire/codec.h"

namespace eve::execution {

Runner::Impl::Impl(const crypto::Digester& digester_in, Scheduler& scheduler_in,
                   const MakeService& make_service, std::function<TimeUs()> clock_in)
    : digester(digester_in),
      scheduler(scheduler_in),
      clock(std::move(clock_in)),
      engine(digester_in, scheduler_in.workers()),
      state(engine),
      own_state(engine, State::User::kEve),
      sessions(own_state, digester_in),
      service(make_service(state)),
      requests(engine, scheduler_in, *service, clock),
      empty_root(engine.root()),
      history({{BatchNumber(), {}, {}, empty_root, {}},
               wire::genesis_token(empty_root, digester_in)}) {}

void Runner::Impl::run(const RunBatch& command, const Emit& emit) {
  const wire::Batch& batch = *command.batch;
  if (fetch || batch.number != engine.last().next()) return;
  const TimeUs started = clock();
  engine.begin(batch.number);
  judge(batch, command.quarantine);
  BatchExecuted done;
  done.generation = command.generation;
  done.requests = static_cast<uint32_t>(running.size());
  done.parallel_batches = static_cast<uint32_t>(requests.run(batch, command.mode, running));
  done.failed = requests.failed();
  done.failure = requests.failure();
  done.quarantined = quarantined;
  done.replies = answer(batch);
  const History::Entry entry = seal(batch, done.replies);
  done.parts = entry.parts;
  done.token = entry.token;
  done.busy_us = clock() - started;
  emit(std::move(done));
}

void Runner::Impl::judge(const wire::Batch& batch, const wire::Names& quarantine) {
  judgements.clear();
  running.clear();
  quarantined = 0;
  sessions.start(batch.number, batch.time_us, batch.bundles.size());
  for (const wire::BundlePtr& bundle : batch.bundles) {
    if (bundle->kind == wire::BundleKind::kChange) {
      Context context = engine_context(batch.number);
      judgements.push_back(sessions.judge_change(context, batch));
      continue;
    }
    const bool listed =
        !quarantine.empty() && std::binary_search(quarantine.begin(), quarantine.end(),
                                                  wire::bundle_name(*bundle, digester));
    judgements.push_back(sessions.judge(*bundle, listed));
    if (judgements.back().action == Sessions::Action::kRun) {
      running.insert(running.end(), bundle->requests.begin(), bundle->requests.end());
    } else if (judgements.back().action == Sessions::Action::kQuarantine) {
      quarantined += static_cast<uint32_t>(bundle->requests.size());
    }
  }
}

std::vector<BundleReply> Runner::Impl::answer(const wire::Batch& batch) {
  Context context = engine_context(batch.number);
  std::vector<BundleReply> replies;
  replies.reserve(batch.bundles.size());
  size_t request = 0;
  for (size_t i = 0; i < batch.bundles.size(); ++i) {
    const wire::Bundle& bundle = *batch.bundles[i];
    std::optional<CachedReply> executed;
    if (judgements[i].action == Sessions::Action::kChange) sessions.change(context, batch);
    if (judgements[i].action == Sessions::Action::kRun) {
      executed = gather(request, bundle.requests.size());
      request += bundle.requests.size();
    } else if (judgements[i].action == Sessions::Action::kQuarantine) {
      executed =
          CachedReplyBuilder(bundle.requests.size(), wire::ReplyStatus::kQuarantined, 0).take();
    }
    replies.push_back(sessions.answer(context, bundle, judgements[i], executed));
  }
  sessions.finish(context);
  return replies;
}

CachedReply Runner::Impl::gather(size_t first, size_t count) {
  size_t bytes = 0;
  for (size_t i = first; i < first + count; ++i) {
    bytes += CachedReplyBuilder::kLengthBytes + requests.reply(i).size();
  }
  CachedReplyBuilder builder(count, wire::ReplyStatus::kExecuted, bytes);
  for (size_t i = first; i < first + count; ++i) builder.add(requests.reply(i));
  return builder.take();
}

History::Entry Runner::Impl::seal(const wire::Batch& batch,
                                  const std::vector<BundleReply>& replies) {
  digests.clear();
  for (const BundleReply& reply : replies) digests.append(reply.digest.view());
  History::Entry entry;
  entry.parts.number = batch.number;
  entry.parts.previous = history.last().token;
  entry.parts.batch = batch.digest;
  entry.parts.replies = digester.digest(digests);
  entry.parts.state = engine.seal(scheduler);
  entry.token = wire::token_of(entry.parts, digester);
  history.append(entry);
  return entry;
}

void Runner::Impl::run(const CommitBatches& command, const Emit& /*emit*/) {
  if (fetch) return;
  engine.commit(std::min(command.number, engine.last()));
  history.forget_before(std::min(engine.oldest(), engine.committed()));
}

void Runner::Impl::run(const RollbackTo& command, const Emit& /*emit*/) {
  fetch.reset();
  return_to(command.number);
}

void Runner::Impl::return_to(BatchNumber number) {
  if (number >= engine.last()) return;
  engine.rollback(number, scheduler);
  history.drop_after(number);
  Context context = engine_context(number);
  sessions.reload(context);
}

void Runner::Impl::run(const ServeState& command, const Emit& emit) {
  emit(StateServed{command.peer, serve_state(engine, history, command.request)});
}

void Runner::Impl::run(const StartFetch& command, const Emit& emit) {
  EVE_CHECK(command.parts.number >= engine.committed(), "what is committed is not given up");
  if (fetch) {
    fetch->retarget(command.parts);
  } else {
    return_to(engine.committed());
    fetch.emplace(engine, command.parts);
  }
  go_on_fetching(0, emit);
}

void Runner::Impl::run(const SupplyFetch& command, const Emit& emit) {
  if (fetch) {
    const uint32_t refused = fetch->supply(command);
    go_on_fetching(refused, emit);
  } else {
    emit(FetchWants());  // the fetch was given up meanwhile
  }
}

void Runner::Impl::go_on_fetching(uint32_t refused, const Emit& emit) {
  if (!fetch->install(scheduler)) {
    emit(FetchWants{fetch->wants(), refused});
    return;
  }
  const wire::TokenParts parts = fetch->target();
  fetch.reset();
  const crypto::Digest token = wire::token_of(parts, digester);
  history = History({parts, token});
  Context context = engine_context(parts.number);
  sessions.reload(context);
  emit(Fetched{parts, token, sessions.last_time_us(context), sessions.snapshots(context),
               sessions.epoch(context)});
}

void Runner::Impl::run(const EndEpoch& command, const Emit& emit) {
  const History::Entry* end = history.find(command.number);
  if (fetch || end == nullptr) return;
  Context context = engine_context(engine.last());
  const wire::BatchPtr batch = sessions.last_change(context);
  if (batch == nullptr || batch->number != command.number) return;
  emit(EpochEnded{{end->parts, batch}});
}

// Perhaps nobody who ran the start has heard that it is committed: were it undone, nobody would
// hold it.
void Runner::Impl::run(const BeginEpoch& command, const Emit& emit) {
  const History::Entry* start = fetch ? nullptr : history.find(command.start);
  const bool holds = start != nullptr && start->token == command.token;
  if (holds && command.start > engine.committed()) run(CommitBatches{command.start}, emit);
  fetch.reset();
  return_to(engine.committed());
  emit(EpochBegun{command.epoch, resume()});
}

Runner::Runner(const crypto::Digester& digester, Scheduler& scheduler,
               const MakeService& make_service, std::function<TimeUs()> clock)
    : impl_(std::make_unique<Impl>(digester, scheduler, make_service, std::move(clock))) {}

Runner::~Runner() = default;

void Runner::apply(Command command, const std::function<void(Event)>& emit) {
  std::visit([&](const auto& chosen) { impl_->run(chosen, emit); }, command);
}

crypto::Digest Runner::empty_root() const {
  return impl_->empty_root;
}
crypto::Digest Runner::root() const {
  return impl_->engine.root();
}
crypto::Digest Runner::recompute_root() const {
  return impl_->engine.recompute_root();
}
uint64_t Runner::objects() const {
  return impl_->engine.counts().objects;
}
uint64_t Runner::memory_bytes() const {
  return impl_->engine.counts().bytes;
}
std::vector<Runner::Container> Runner::containers() const {
  std::vector<Container> containers;
  for (const auto& table : impl_->engine.use().tables) {
    containers.push_back({table.name, table.objects, table.logical_bytes, table.memory_bytes});
  }
  return containers;
}

}  // namespace eve::execution
