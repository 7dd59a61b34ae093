// `arbiter = "etcd"`: the record is a key of an etcd cluster, changed by compare-and-swap. An
// answer that does not come in time is asked for again, of the next endpoint.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/arbiter.h"
#include "runtime/etcd_text.h"

namespace eve::runtime {

class EtcdArbiter final : public Arbiter {
 public:
  /// `file`: this replica's own copy. `endpoints`: at least one.
  EtcdArbiter(EventLoop& loop, std::vector<EtcdEndpoint> endpoints, std::string key,
              RecordFile file);
  ~EtcdArbiter() override;

  void ask(const pair::Request& request) override;
  std::optional<pair::Record> take_answer() override { return std::exchange(answer_, {}); }
  TimeUs deadline() const override { return due_; }
  void tick(TimeUs now) override;
  std::string trouble() const override { return trouble_; }

 private:
  struct Attempt;
  void begin(TimeUs now);
  void end(Result<std::string> answer);
  Status keep(const pair::Record& record);
  std::string advice(const pair::Record& older) const;

  EventLoop& loop_;
  std::vector<EtcdEndpoint> endpoints_;
  std::string key_;
  RecordFile file_;
  View known_;       ///< the copy's epoch when the attempt began
  size_t turn_ = 0;  ///< which endpoint is asked next
  std::optional<pair::Request> asked_;
  std::optional<pair::Record> answer_;
  std::shared_ptr<Attempt> attempt_;  ///< null: waiting to ask again, or nothing is asked
  TimeUs due_ = kNever;
  TimeUs backoff_us_;
  std::string trouble_;
};

}  // namespace eve::runtime
