// Authentic bundles that are not committed, as far as this executor knows: a primary's queue, and
// what every other executor would propose if it became primary. Retried ones are watched: a primary
// that does not get them committed is suspected (E8, E9).
//
// Bounded in bundles and bytes, for each client and in total; what a new view dropped may exceed
// that by one window of batches. Nothing here was checked against limits of the session: the runner
// does that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "base/limits.h"
#include "execution/proposal_order.h"
#include "execution/session_mirror.h"
#include "execution/stream.h"
#include "wire/messages.h"

namespace eve::execution {

class Pending {
 public:
  /// `hold_us`: how long a bundle waits for one before it that is missing.
  explicit Pending(TimeUs hold_us) : hold_us_(hold_us) {}

  /// Whether the same bundle is here, byte for byte: then it is authentic.
  bool has(const wire::Bundle& bundle) const;
  /// Queues an authentic bundle. False: no room, or another bundle has this number. `early`: others
  /// of its session come first; it gives way when room is short.
  bool add(wire::BundlePtr bundle, TimeUs now, bool early = false);
  /// Puts bundles of dropped batches before all others, in their order; those already here move.
  /// Those that were watched when this executor took them are watched again.
  void requeue(const std::vector<wire::BundlePtr>& bundles, TimeUs now);

  /// The client asked again for a bundle that is here. `watch`: the primary is to be suspected if
  /// it stays.
  void retried(const wire::Bundle& bundle, bool watch, TimeUs now);
  /// A new view: watched bundles get their full time again. Returns them.
  std::vector<wire::BundlePtr> rewatch(TimeUs now);
  /// Of the others the first ones, as many as one batch holds.
  std::vector<wire::BundlePtr> unwatched() const;
  /// Whether a watched bundle has been here for `patience_us`.
  bool overdue(TimeUs patience_us, TimeUs now) const;
  /// Whether one that came early has been here for `wait_us`, and its client has asked again: what
  /// comes before it may have been committed without this executor's knowing.
  bool gap_lasts(TimeUs wait_us, TimeUs now) const;

  /// Takes the next batch's bundles, within a batch's limits and at most `most`, and notes them in
  /// `order`.
  std::vector<wire::BundlePtr> take(ProposalOrder& order, BatchNumber number, TimeUs now,
                                    size_t most = limits::kMaxBatchBundles);

  enum class Removed : uint8_t { kAbsent, kPresent, kRetried };
  /// The bundle of `stream` that starts with `first` was answered.
  Removed remove(const Stream& stream, RequestNumber first);
  /// Drops what committed state has answered.
  void remove_answered(const SessionMirror& cache);
  /// Drops what no client has asked for in a long time.
  void expire(TimeUs now);

  bool empty() const { return items_.empty(); }
  size_t size() const { return items_.size(); }
  size_t most_of_one_client() const;
  /// Enough for a batch of the largest size.
  bool full_batch() const;

 private:
  struct Item {
    wire::BundlePtr bundle;
    TimeUs arrived = 0;
    TimeUs seen = 0;  // asked for last
    bool early = false;
    bool retried = false;
    std::optional<TimeUs> watched_since;
  };
  using Items = std::list<Item>;
  struct Use {
    size_t bundles = 0;
    size_t bytes = 0;
  };

  bool client_has_room(const wire::Bundle& bundle) const;
  bool all_have_room(const wire::Bundle& bundle) const;
  void make_room(const wire::Bundle& bundle);
  Items::iterator* find(const Stream& stream, RequestNumber first);
  void append(Items& list, Item item);
  Items::iterator erase(Items::iterator item);
  bool forget_taken(const Stream& stream, RequestNumber first);

  TimeUs hold_us_;
  Items items_;  // in the order in which they are proposed
  std::unordered_map<Stream, std::map<RequestNumber, Items::iterator>> streams_;
  std::unordered_map<uint16_t, Use> clients_;
  Use total_;
  /// Watched when they were taken, until they are answered or come back.
  std::unordered_map<Stream, std::set<RequestNumber>> watched_taken_;
};

}  // namespace eve::execution
