// What ordered tables can do beyond others.
#include "base/check.h"
#include "state/table.h"

namespace eve::state {

namespace {

/// Walks that fail are taken up again; past this many, whoever appears and disappears has to wait.
constexpr int kTries = 4;

std::optional<ByteMap::Entry> entry_of(const OrderedIndex::Found& found) {
  if (found.node == nullptr) return std::nullopt;
  return ByteMap::Entry{found.node->object().key(), found.version->bytes()};
}

}  // namespace

OrderedIndex::Found Table::first_found(Context& context, const Cut& from, const Cut& to,
                                       const OrderedIndex::Node* near) const {
  EVE_CHECK(index_ != nullptr, "only ordered tables have an order");
  for (int i = 0; i < kTries; ++i) {
    if (const auto found = index_->first(&context, from, to, near)) return *found;
  }
  lock_all();
  const auto found = index_->first(nullptr, from, to, near);
  unlock_all();
  return *found;
}

OrderedIndex::Found Table::last_found(Context& context, const Cut& from, const Cut& to) const {
  EVE_CHECK(index_ != nullptr, "only ordered tables have an order");
  for (int i = 0; i < kTries; ++i) {
    if (const auto found = index_->last(&context, from, to)) return *found;
  }
  lock_all();
  const auto found = index_->last(nullptr, from, to);
  unlock_all();
  return *found;
}

std::optional<ByteMap::Entry> Table::first(Context& context, const Cut& from, const Cut& to) const {
  return entry_of(first_found(context, from, to, nullptr));
}

std::optional<ByteMap::Entry> Table::last(Context& context, const Cut& from, const Cut& to) const {
  return entry_of(last_found(context, from, to));
}

void Table::walk_up(Context& context, const Cut& from, const Cut& to,
                    const std::function<bool(const ByteMap::Entry&)>& visit) const {
  auto found = first_found(context, from, to, nullptr);
  // Each step starts right behind the node before, which stays where it is.
  while (found.node != nullptr && visit(*entry_of(found))) {
    found = first_found(context, from, to, found.node);
    if (found.node != nullptr) OrderedIndex::prefetch_behind(*found.node);
  }
}

void Table::walk_down(Context& context, const Cut& from, Cut to,
                      const std::function<bool(const ByteMap::Entry&)>& visit) const {
  auto found = last_found(context, from, to);
  while (found.node != nullptr && visit(*entry_of(found))) {
    to = Cut::before(found.node->object().key());
    found = last_found(context, from, to);
  }
}

}  // namespace eve::state
