#include "runtime/etcd_arbiter.h"

#include <algorithm>
#include <asio/connect.hpp>
#include <asio/read.hpp>
#include <asio/write.hpp>

#include "runtime/log.h"

namespace eve::runtime {
namespace {

constexpr TimeUs kAttemptUs = 1'000'000;
constexpr TimeUs kMinBackoffUs = 20'000;
constexpr TimeUs kMaxBackoffUs = 500'000;
/// One key and a head: more is not etcd.
constexpr size_t kMaxAnswerBytes = 64u << 10;

}  // namespace

using asio::ip::tcp;

/// One connection, one question. Lives as long as a handler that is under way; `done` is taken away
/// when nobody waits any more.
struct EtcdArbiter::Attempt : std::enable_shared_from_this<EtcdArbiter::Attempt> {
  Attempt(EventLoop& loop, std::string text, std::function<void(Result<std::string>)> then)
      : resolver(loop.context()),
        socket(loop.context()),
        request(std::move(text)),
        done(std::move(then)) {}

  void start(const EtcdEndpoint& endpoint) {
    resolver.async_resolve(endpoint.host, std::to_string(endpoint.port),
                           [self = shared_from_this()](const std::error_code& failed,
                                                       const tcp::resolver::results_type& found) {
                             if (failed) return self->fail(failed);
                             asio::async_connect(
                                 self->socket, found,
                                 [self](const std::error_code& error, const tcp::endpoint&) {
                                   if (error) return self->fail(error);
                                   self->write();
                                 });
                           });
  }

  void write() {
    asio::async_write(socket, asio::buffer(request),
                      [self = shared_from_this()](const std::error_code& failed, size_t) {
                        if (failed) return self->fail(failed);
                        self->read();
                      });
  }

  void read() {
    asio::async_read(socket, asio::dynamic_buffer(answer, kMaxAnswerBytes),
                     [self = shared_from_this()](const std::error_code& failed, size_t) {
                       if (failed != asio::error::eof) return self->fail(failed);
                       self->finish(std::move(self->answer));
                     });
  }

  void fail(const std::error_code& failed) {
    finish(Error{failed ? failed.message() : "the answer is too long"});
  }
  void finish(Result<std::string> outcome) {
    if (auto then = std::exchange(done, nullptr)) then(std::move(outcome));
  }
  void abandon() {
    done = nullptr;
    resolver.cancel();
    std::error_code ignored;
    socket.close(ignored);
  }

  tcp::resolver resolver;
  tcp::socket socket;
  std::string request;
  std::string answer;
  std::function<void(Result<std::string>)> done;
};

EtcdArbiter::EtcdArbiter(EventLoop& loop, std::vector<EtcdEndpoint> endpoints, std::string key,
                         RecordFile file)
    : loop_(loop),
      endpoints_(std::move(endpoints)),
      key_(std::move(key)),
      file_(std::move(file)),
      backoff_us_(kMinBackoffUs) {}

EtcdArbiter::~EtcdArbiter() {
  if (attempt_) attempt_->abandon();
}

void EtcdArbiter::ask(const pair::Request& request) {
  if (!request.answer) {
    // Another's word; if the disk refuses it, what is there is older.
    if (request.wanted.epoch > file_.record().epoch) file_.write_later(request.wanted);
    return;
  }
  if (attempt_) attempt_->abandon();
  answer_.reset();
  asked_ = request;
  begin(loop_.now());
}

void EtcdArbiter::begin(TimeUs now) {
  const EtcdEndpoint& endpoint = endpoints_[turn_ % endpoints_.size()];
  due_ = now + kAttemptUs;
  known_ = file_.record().epoch;
  attempt_ =
      std::make_shared<Attempt>(loop_, etcd_swap_request(endpoint, key_, *asked_),
                                [this](Result<std::string> answer) { end(std::move(answer)); });
  attempt_->start(endpoint);
}

// What took effect without our knowing is seen by the next attempt: it finds what was wanted.
void EtcdArbiter::end(Result<std::string> answer) {
  attempt_.reset();
  Result<pair::Record> record =
      answer ? etcd_swap_answer(*answer, *asked_) : Result<pair::Record>(answer.error());
  // Not before the copy is there: who leads an epoch must know after a restart that it did (P14).
  const auto kept = record ? keep(*record) : Status();
  if (record && kept.ok()) {
    trouble_.clear();
    backoff_us_ = kMinBackoffUs;
    due_ = kNever;
    asked_.reset();
    answer_ = *record;
    return;
  }
  const EtcdEndpoint& endpoint = endpoints_[turn_++ % endpoints_.size()];
  const std::string trouble =
      !kept.ok() ? kept.message()
                 : endpoint.host + ":" + std::to_string(endpoint.port) + ": " + record.message();
  if (trouble != trouble_) log(LogLevel::kWarn, "arbiter_silent", {{"reason", trouble}});
  trouble_ = trouble;
  due_ = loop_.now() + backoff_us_;
  backoff_us_ = std::min(2 * backoff_us_, kMaxBackoffUs);
}

void EtcdArbiter::tick(TimeUs now) {
  if (now < due_ || !asked_) return;
  if (attempt_) {
    attempt_->abandon();
    end(Error{"timed out"});
  } else {
    begin(now);
  }
}

// A copy: where a restart begins to ask. Epochs never come back (P1): an etcd that tells of an
// older one than was known when it was asked is not the one that held it.
Status EtcdArbiter::keep(const pair::Record& record) {
  if (record.epoch < known_) return Error{advice(record)};
  if (record.epoch < file_.record().epoch) return {};
  if (record == file_.record() && file_.flush().ok()) return {};
  return file_.write(record);
}

std::string EtcdArbiter::advice(const pair::Record& older) const {
  return "etcd's key " + key_ + " holds an older record (epoch " +
         std::to_string(older.epoch.value()) + ") than this replica has seen (epoch " +
         std::to_string(known_.value()) + "): " + std::string(kPutRecordBack);
}

}  // namespace eve::runtime
