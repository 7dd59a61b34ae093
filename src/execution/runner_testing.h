// For the runner's tests: a small service with well- and ill-behaved requests, a scheduler of real
// threads, and a replica that is fed bundle by bundle.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "execution/runner.h"
#include "wire/codec.h"

namespace eve::execution::testing {

inline const crypto::Digester& digester() {
  static const crypto::Digester digester(crypto::DigestAlgorithm::kXxh3, crypto::Secret{7});
  return digester;
}

/// Starts its threads anew for each run: slow, and good at finding races.
class ThreadScheduler final : public Scheduler {
 public:
  explicit ThreadScheduler(size_t workers) : workers_(workers) {}
  size_t workers() const override { return workers_; }
  void run(size_t count, uint64_t /*grain_ns*/,
           const std::function<void(size_t, size_t)>& task) override {
    ++runs;
    tasks += count;
    std::atomic<size_t> next = 0;
    std::vector<std::thread> threads;
    for (size_t worker = 0; worker < workers_; ++worker) {
      threads.emplace_back([&, worker] {
        for (size_t i = next++; i < count; i = next++) task(worker, i);
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  size_t runs = 0;
  size_t tasks = 0;

 private:
  size_t workers_;
};

/// Requests are words:
///   set K V | get K | add K N | move K L N   what they say; the reply is what was read or written
///   stamp                                    the request's time, batch, index and random numbers
///   big N                                    a reply of N bytes
///   fail K                                   writes K, then throws
///   lie K                                    adds 1 to K slowly, with an empty footprint
///   count                                    keys in all; alone
class WordService final : public Service {
 public:
  explicit WordService(State& state) : map_(state, "words") {}

  void footprint(ByteView request, Footprint& out) const override {
    const std::vector<std::string> words = split(request);
    const std::string& verb = words[0];
    if (verb == "count") out.alone();
    if (verb == "get") out.read(words[1]);
    if (verb == "set" || verb == "add" || verb == "fail") out.write(words[1]);
    if (verb == "move") {
      out.write(words[1]);
      out.write(words[2]);
    }
  }

  void execute(Context& context, ByteView request, Bytes& reply) override {
    const std::vector<std::string> words = split(request);
    const std::string& verb = words[0];
    if (verb == "set") map_.put(context, words[1], reply = words[2]);
    if (verb == "get") reply = map_.get(context, words[1]).value_or("none");
    if (verb == "add") reply = add(context, words[1], std::stoll(words[2]));
    if (verb == "move") {
      reply = add(context, words[1], -std::stoll(words[3]));
      reply += " " + add(context, words[2], std::stoll(words[3]));
    }
    if (verb == "stamp") {
      reply = std::to_string(context.time_us()) + " " + std::to_string(context.batch()) + " " +
              std::to_string(context.index()) + " " + std::to_string(context.random());
    }
    if (verb == "big") reply.assign(std::stoull(words[1]), 'x');
    if (verb == "fail") {
      map_.put(context, words[1], "failed");
      throw std::runtime_error("as asked for");
    }
    if (verb == "lie") {
      const int64_t seen = std::stoll(map_.get(context, words[1]).value_or("0"));
      std::this_thread::yield();
      map_.put(context, words[1], reply = std::to_string(seen + 1));
    }
    if (verb == "count") reply = std::to_string(map_.size(context));
  }

 private:
  static std::vector<std::string> split(ByteView request) {
    std::istringstream in{std::string(request)};
    std::vector<std::string> words;
    for (std::string word; in >> word;) words.push_back(word);
    return words;
  }
  std::string add(Context& context, const std::string& key, int64_t by) {
    const int64_t seen = std::stoll(map_.get(context, key).value_or("0"));
    const std::string sum = std::to_string(seen + by);
    map_.put(context, key, sum);
    return sum;
  }

  Map<std::string, std::string> map_;
};

inline std::unique_ptr<Service> make_words(State& state) {
  return std::make_unique<WordService>(state);
}

inline wire::BundlePtr open(uint16_t client, uint64_t nonce) {
  return wire::make_bundle({wire::BundleKind::kOpen, client, SessionId(), RequestNumber(nonce), {}},
                           {}, [](ByteView) { return Bytes(); });
}

inline wire::BundlePtr call(uint16_t client, SessionId session, uint64_t first,
                            const std::vector<Bytes>& requests, uint64_t acknowledged = 0) {
  return wire::make_bundle(
      {wire::BundleKind::kCall, client, session, RequestNumber(first), RequestNumber(acknowledged)},
      requests, [](ByteView) { return Bytes(); });
}

/// A runner, and the numbers and times of its batches.
class Replica {
 public:
  explicit Replica(size_t workers = 1)
      : scheduler(workers), runner(digester(), scheduler, make_words, [] { return ticks(); }) {}

  /// The next batch; `time_us` 0: one second after the previous one.
  wire::BatchPtr batch(std::vector<wire::BundlePtr> bundles, TimeUs time_us = 0) {
    time = time_us == 0 ? time + 1'000'000 : time_us;
    ++number;
    return wire::make_batch(View(), BatchNumber(number), time, 99 + number, std::move(bundles),
                            digester());
  }
  std::vector<Event> apply(Command command) {
    std::vector<Event> events;
    runner.apply(std::move(command), [&](Event event) { events.push_back(std::move(event)); });
    return events;
  }
  BatchExecuted run(const wire::BatchPtr& batch, RunMode mode = RunMode::kParallel) {
    std::vector<Event> events = apply(RunBatch{1, batch, mode});
    return events.size() == 1 ? std::get<BatchExecuted>(events.front()) : BatchExecuted();
  }
  BatchExecuted run(std::vector<wire::BundlePtr> bundles) { return run(batch(std::move(bundles))); }

  SessionId open_session(uint16_t client = 0, uint64_t nonce = 1) {
    return id_in(run({open(client, nonce)}).replies.front());
  }
  void commit(uint64_t upto) { apply(CommitBatches{BatchNumber(upto)}); }
  void roll_back(uint64_t to) {
    apply(RollbackTo{BatchNumber(to)});
    number = to;
  }

  static SessionId id_in(const BundleReply& reply) {
    return SessionId(Codec<uint64_t>::decode(reply.payload.view()).value());
  }

  ThreadScheduler scheduler;
  Runner runner;
  uint64_t number = 0;
  TimeUs time = 1'700'000'000'000'000;

 private:
  static TimeUs ticks() {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }
};

/// The replies in an executed bundle's payload.
inline std::vector<Bytes> texts(const BundleReply& reply, size_t count) {
  const auto replies = wire::decode_replies(reply.payload.view(), count);
  if (!replies) return {};
  return {replies.value().begin(), replies.value().end()};
}

}  // namespace eve::execution::testing
