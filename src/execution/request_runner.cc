#include "execution/request_runner.h"

#include <algorithm>
#include <exception>
#include <numeric>
#include <utility>

namespace eve::execution {
namespace {

/// What is kept of what a service throws.
constexpr size_t kMostFailureBytes = 300;

}  // namespace

RequestRunner::RequestRunner(state::Engine& engine, Scheduler& scheduler, Service& service,
                             std::function<TimeUs()> clock)
    : engine_(engine),
      scheduler_(scheduler),
      service_(service),
      clock_(std::move(clock)),
      replies_(scheduler.workers()),
      busy_(scheduler.workers()) {}

size_t RequestRunner::run(const wire::Batch& batch, RunMode mode,
                          const std::vector<ByteView>& requests) {
  requests_ = &requests;
  failed_ = 0;
  failure_.clear();
  origin_ = {batch.number.value(), 0, batch.time_us, batch.seed};
  replies_.start(requests.size());
  if (mode == RunMode::kParallel) {
    const mixer::MixedBatch& mixed = mix();
    if (run_mixed(mixed)) return mixed.parallel_batches();
    engine_.rollback(batch.number.prev(), scheduler_);
    engine_.begin(batch.number);
    replies_.start(requests.size());
  }
  run_in_order();
  return requests.size();
}

const mixer::MixedBatch& RequestRunner::mix() {
  mixer_.start(requests_->size());
  for (ByteView request : *requests_) {
    footprint_.clear();
    try {
      service_.footprint(request, footprint_);
    } catch (...) {
      footprint_.alone();
    }
    mixer_.add(footprint_);
  }
  return mixer_.finish();
}

/// False if the batch must be run again in order: a request threw, or there are so many bytes of
/// replies that it depends on the order which ones are cut.
bool RequestRunner::run_mixed(const mixer::MixedBatch& mixed) {
  const bool switching = scheduler_.hook() != nullptr;
  start_over_ = false;
  std::fill(busy_.begin(), busy_.end(), Busy());
  const TimeUs started = clock_();
  TimeUs elsewhere_us = 0;
  for (size_t k = 0; k < mixed.parallel_batches() && !start_over_; ++k) {
    const uint32_t* order = mixed.order.data() + mixed.begin(k);
    const size_t count = mixed.end(k) - mixed.begin(k);
    if (!switching && grain_.chunk(count, scheduler_.workers()) == count) {
      run_range(0, order, count);
      continue;
    }
    const TimeUs handed_over = clock_();
    run_parallel(order, count);
    elsewhere_us += clock_() - handed_over;
  }
  TimeUs busy_us = clock_() - started - elsewhere_us;
  for (const Busy& busy : busy_) busy_us += busy.us;
  grain_.learn(mixed.order.size(), busy_us);
  return !start_over_ && replies_.bytes() <= kMaxBatchReplyBytes;
}

void RequestRunner::run_parallel(const uint32_t* order, size_t count) {
  // Where the scheduler switches at every access, each request is a task: any two may interleave.
  const bool switching = scheduler_.hook() != nullptr;
  const size_t chunk = switching ? 1 : grain_.chunk(count, scheduler_.workers());
  const auto grain_ns = static_cast<uint64_t>(grain_.cost_ns() * static_cast<double>(chunk));
  scheduler_.run((count + chunk - 1) / chunk, grain_ns, [&](size_t worker, size_t index) {
    const size_t begin = index * chunk;
    const TimeUs started = clock_();
    run_range(worker, order + begin, std::min(chunk, count - begin));
    busy_[worker].us += clock_() - started;
  });
}

void RequestRunner::run_range(size_t worker, const uint32_t* order, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (start_over_.load(std::memory_order_relaxed)) return;
    Bytes& reply = replies_.scratch(worker);
    if (!execute(worker, order[i], reply) || !replies_.keep(worker, order[i], reply)) {
      start_over_ = true;
    }
  }
}

/// As one task, on whatever thread may run tasks: the service sees the same surroundings as ever.
void RequestRunner::run_in_order() {
  const auto in_order = [this](size_t worker, size_t /*index*/) {
    for (size_t request = 0; request < requests_->size(); ++request) {
      engine_.mark();
      Bytes& reply = replies_.scratch(worker);
      Bytes failure;
      const bool done = execute(worker, request, reply, &failure);
      if (!done) {
        engine_.undo_to_mark();
        if (failed_++ == 0) failure_ = std::move(failure);
      }
      replies_.keep_in_order(worker, request, done ? ByteView(reply) : kRequestFailed);
    }
  };
  if (scheduler_.hook() == nullptr) {
    in_order(0, 0);
  } else {
    scheduler_.run(1, 0, in_order);
  }
}

/// False if it threw; `failure`, if given, is what.
bool RequestRunner::execute(size_t worker, size_t request, Bytes& reply, Bytes* failure) {
  Context::Origin origin = origin_;
  origin.index = static_cast<uint32_t>(request);
  Context context(origin, worker, scheduler_.hook());
  try {
    service_.execute(context, (*requests_)[request], reply);
  } catch (const std::exception& thrown) {
    if (failure != nullptr) *failure = Bytes(thrown.what()).substr(0, kMostFailureBytes);
    return false;
  } catch (...) {
    if (failure != nullptr) *failure = "something that is no std::exception";
    return false;
  }
  return true;
}

}  // namespace eve::execution
