#include "execution/pending.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/limits.h"

namespace eve::execution {
namespace {

// A few batches of the largest size: more would only add waiting, and clients retry.
constexpr size_t kMaxBytes = 4 * limits::kMaxBatchBytes;
// One client cannot take all the room, and a gateway that serves everybody can still fill batches.
constexpr size_t kMaxClientBundles = limits::kMaxPendingBundles / 2;
constexpr size_t kMaxClientBytes = kMaxBytes / 2;
// With what a new view dropped: at most one window of batches.
constexpr size_t kMaxRequeuedBundles =
    limits::kMaxPendingBundles + limits::kWindow * limits::kMaxBatchBundles;
constexpr size_t kMaxRequeuedBytes = kMaxBytes + limits::kWindow * limits::kMaxBatchBytes;
// Clients ask again every few seconds at most; what none asks for is forgotten.
constexpr TimeUs kForgetAfterUs = 20'000'000;

// What a batch's own fields take of its limit: number, time, seed, count.
constexpr size_t kBatchHeadBytes = 64;
constexpr size_t kMaxBundlesBytes = limits::kMaxBatchBytes - kBatchHeadBytes;

static_assert(kMaxClientBundles >= limits::kMaxBatchBundles);
static_assert(kMaxClientBytes >= limits::kMaxBatchBytes);

}  // namespace

Pending::Items::iterator* Pending::find(const Stream& stream, RequestNumber first) {
  const auto found = streams_.find(stream);
  if (found == streams_.end()) return nullptr;
  const auto item = found->second.find(first);
  return item == found->second.end() ? nullptr : &item->second;
}

bool Pending::has(const wire::Bundle& bundle) const {
  const auto stream = streams_.find(Stream::of(bundle));
  if (stream == streams_.end()) return false;
  const auto item = stream->second.find(bundle.first);
  if (item == stream->second.end()) return false;
  const wire::BundlePtr& known = item->second->bundle;
  return known.get() == &bundle || known->raw.view() == bundle.raw.view();
}

bool Pending::client_has_room(const wire::Bundle& bundle) const {
  const auto known = clients_.find(bundle.client);
  const Use client = known == clients_.end() ? Use{} : known->second;
  return client.bundles < kMaxClientBundles && client.bytes + bundle.raw.size() <= kMaxClientBytes;
}

bool Pending::all_have_room(const wire::Bundle& bundle) const {
  return total_.bundles < limits::kMaxPendingBundles &&
         total_.bytes + bundle.raw.size() <= kMaxBytes;
}

// Newest first: what came early and waits for others gives way to what can be proposed now, or
// bundles that nothing will ever precede could shut out those that backups watch.
void Pending::make_room(const wire::Bundle& bundle) {
  for (auto item = items_.end(); item != items_.begin();) {
    const bool own_full = !client_has_room(bundle);
    if (!own_full && all_have_room(bundle)) return;
    --item;
    const bool helps = !own_full || item->bundle->client == bundle.client;
    if (item->early && helps) item = erase(item);
  }
}

bool Pending::add(wire::BundlePtr bundle, TimeUs now, bool early) {
  if (find(Stream::of(*bundle), bundle->first) != nullptr) return false;
  if (!early) make_room(*bundle);
  if (!client_has_room(*bundle) || !all_have_room(*bundle)) return false;
  append(items_, {std::move(bundle), now, now, early, false, std::nullopt});
  return true;
}

void Pending::requeue(const std::vector<wire::BundlePtr>& bundles, TimeUs now) {
  Items moved;
  for (const wire::BundlePtr& bundle : bundles) {
    if (Items::iterator* known = find(Stream::of(*bundle), bundle->first); known != nullptr) {
      (*known)->arrived = now;
      moved.splice(moved.end(), items_, *known);
      continue;
    }
    const bool room = total_.bundles < kMaxRequeuedBundles &&
                      total_.bytes + bundle->raw.size() <= kMaxRequeuedBytes;
    if (!room) continue;
    const bool watched = forget_taken(Stream::of(*bundle), bundle->first);
    append(moved, {bundle, now, now, false, watched, watched ? std::optional(now) : std::nullopt});
  }
  watched_taken_.clear();
  items_.splice(items_.begin(), moved);
}

void Pending::retried(const wire::Bundle& bundle, bool watch, TimeUs now) {
  Items::iterator* item = find(Stream::of(bundle), bundle.first);
  if (item == nullptr) return;
  (*item)->seen = now;
  (*item)->retried = true;
  if (watch && !(*item)->watched_since) (*item)->watched_since = now;
}

std::vector<wire::BundlePtr> Pending::rewatch(TimeUs now) {
  std::vector<wire::BundlePtr> watched;
  for (Item& item : items_) {
    item.arrived = now;
    if (!item.watched_since) continue;
    item.watched_since = now;
    watched.push_back(item.bundle);
  }
  return watched;
}

std::vector<wire::BundlePtr> Pending::unwatched() const {
  std::vector<wire::BundlePtr> bundles;
  size_t bytes = 0;
  for (const Item& item : items_) {
    if (item.watched_since) continue;
    bytes += item.bundle->raw.size();
    if (bundles.size() == limits::kMaxBatchBundles || bytes > limits::kMaxBatchBytes) break;
    bundles.push_back(item.bundle);
  }
  return bundles;
}

bool Pending::overdue(TimeUs patience_us, TimeUs now) const {
  for (const Item& item : items_) {
    if (item.watched_since && now - *item.watched_since >= patience_us) return true;
  }
  return false;
}

bool Pending::gap_lasts(TimeUs wait_us, TimeUs now) const {
  return std::any_of(items_.begin(), items_.end(), [&](const Item& item) {
    return item.early && item.retried && !item.watched_since && now - item.arrived >= wait_us;
  });
}

std::vector<wire::BundlePtr> Pending::take(ProposalOrder& order, BatchNumber number, TimeUs now,
                                           size_t most) {
  std::vector<wire::BundlePtr> batch;
  size_t bytes = 0;
  const auto is_change = [](const wire::Bundle& bundle) {
    return bundle.kind == wire::BundleKind::kChange;  // alone in its batch (M2)
  };
  const auto fits = [&](const wire::Bundle& bundle) {
    const bool apart = is_change(bundle) || (!batch.empty() && is_change(*batch.front()));
    if (apart && !batch.empty()) return false;
    return batch.size() < most && bytes + bundle.raw.size() <= kMaxBundlesBytes;
  };
  const auto put = [&](Items::iterator item) {
    bytes += item->bundle->raw.size();
    order.proposed(*item->bundle, number);
    if (item->watched_since) {
      watched_taken_[Stream::of(*item->bundle)].insert(item->bundle->first);
    }
    batch.push_back(item->bundle);
    return erase(item);
  };
  for (auto item = items_.begin(); item != items_.end();) {
    const Turn turn = order.turn(*item->bundle);
    if (turn == Turn::kDone || (turn == Turn::kEarly && now - item->arrived >= hold_us_)) {
      item = erase(item);
      continue;
    }
    if (turn == Turn::kEarly) {
      ++item;
      continue;
    }
    if (!fits(*item->bundle)) break;
    const Stream stream = Stream::of(*item->bundle);
    RequestNumber next = end_of(*item->bundle);
    item = put(item);
    // Bundles of this session that arrived too early, before this one, follow at once.
    for (auto* follower = find(stream, next); follower != nullptr; follower = find(stream, next)) {
      if (!fits(*(*follower)->bundle)) return batch;
      next = end_of(*(*follower)->bundle);
      const bool is_item = item != items_.end() && *follower == item;
      const auto after = put(*follower);
      if (is_item) item = after;
    }
  }
  return batch;
}

Pending::Removed Pending::remove(const Stream& stream, RequestNumber first) {
  forget_taken(stream, first);
  Items::iterator* item = find(stream, first);
  if (item == nullptr) return Removed::kAbsent;
  const Removed removed = (*item)->retried ? Removed::kRetried : Removed::kPresent;
  erase(*item);
  return removed;
}

void Pending::remove_answered(const SessionMirror& cache) {
  watched_taken_.clear();  // which of them are answered is not known; clients that wait ask again
  for (auto item = items_.begin(); item != items_.end();) {
    const Standing standing = cache.standing(*item->bundle);
    const bool answered = standing == Standing::kAnswered || standing == Standing::kStale;
    item = answered ? erase(item) : std::next(item);
  }
}

void Pending::expire(TimeUs now) {
  for (auto item = items_.begin(); item != items_.end();) {
    item = now - item->seen >= kForgetAfterUs ? erase(item) : std::next(item);
  }
}

size_t Pending::most_of_one_client() const {
  size_t most = 0;
  for (const auto& [client, use] : clients_) most = std::max(most, use.bundles);
  return most;
}

bool Pending::full_batch() const {
  return total_.bundles >= limits::kMaxBatchBundles || total_.bytes >= limits::kMaxBatchBytes;
}

void Pending::append(Items& list, Item item) {
  const wire::Bundle& bundle = *item.bundle;
  const Stream stream = Stream::of(bundle);
  const RequestNumber first = bundle.first;
  Use& client = clients_[bundle.client];
  for (Use* use : {&client, &total_}) {
    ++use->bundles;
    use->bytes += bundle.raw.size();
  }
  const auto place = list.insert(list.end(), std::move(item));
  streams_[stream].emplace(first, place);
}

Pending::Items::iterator Pending::erase(Items::iterator item) {
  const wire::Bundle& bundle = *item->bundle;
  const auto client = clients_.find(bundle.client);
  EVE_CHECK(client != clients_.end(), "every pending bundle is counted");
  for (Use* use : {&client->second, &total_}) {
    --use->bundles;
    use->bytes -= bundle.raw.size();
  }
  if (client->second.bundles == 0) clients_.erase(client);
  const auto stream = streams_.find(Stream::of(bundle));
  stream->second.erase(bundle.first);
  if (stream->second.empty()) streams_.erase(stream);
  return items_.erase(item);
}

bool Pending::forget_taken(const Stream& stream, RequestNumber first) {
  const auto taken = watched_taken_.find(stream);
  if (taken == watched_taken_.end()) return false;
  const bool known = taken->second.erase(first) > 0;
  if (taken->second.empty()) watched_taken_.erase(taken);
  return known;
}

}  // namespace eve::execution
