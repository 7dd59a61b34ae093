// The network thread: turns of "all that is ready, then what follows from it, then one write each".
//
//   turn:  wait until something is ready or due
//          run what is ready           sockets are read, messages received
//          tick() whoever is due
//          idle() everybody, until nobody has anything left   bundles and batches are made
//          flush() everybody           one gathered write a link and connection
//
// So whatever arrives together travels on together; that is where small messages become cheap.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <vector>

#include "base/ids.h"
#include "runtime/asio.h"
#include "runtime/clock.h"

namespace eve::runtime {

/// Due never.
inline constexpr TimeUs kNever = INT64_MAX;

class EventLoop {
 public:
  /// Who takes part in turns; called on the loop's thread only.
  class Member {
   public:
    virtual ~Member() = default;
    /// When tick() wants to be called; kNever: not.
    virtual TimeUs deadline() const { return kNever; }
    virtual void tick(TimeUs /*now*/) {}
    /// True if something was done that may give others more to do.
    virtual bool idle(TimeUs /*now*/) { return false; }
    virtual void flush() {}
  };

  /// Members outlive the loop's run(); called in the order they were added.
  void add(Member& member) { members_.push_back(&member); }

  asio::io_context& context() { return context_; }
  /// The time of this turn's events.
  TimeUs now() {
    if (stale_) now_ = clock_.now();
    stale_ = false;
    return now_;
  }

  /// Serves until stop().
  void run();
  /// From any thread, and before run(): then run() returns at once.
  void stop();
  /// Runs `function` on the loop's thread, in a later turn. From any thread; functions posted
  /// together wake the loop once.
  void post(std::function<void()> function);

 private:
  void turn();
  void wait_for_work();
  void run_posted();
  void settle();

  asio::io_context context_{1};
  Clock clock_;
  TimeUs now_ = 0;
  bool stale_ = true;
  std::vector<Member*> members_;
  /// Members still had something to do when the turn's rounds were up.
  bool unsettled_ = false;
  std::atomic<bool> stop_{false};

  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;  ///< guarded by mutex_
  std::vector<std::function<void()>> running_;
};

}  // namespace eve::runtime
