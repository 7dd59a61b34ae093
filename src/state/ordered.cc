// The public ordered map (eve/ordered.h) over the engine's tables.
#include "eve/ordered.h"

#include "state/table.h"

namespace eve {

namespace {

using state::Cut;

/// The ends of what begins with a prefix.
struct PrefixEnds {
  explicit PrefixEnds(ByteView prefix) : behind(prefix) {
    while (!behind.empty() && behind.back() == '\xff') behind.pop_back();
    if (!behind.empty()) ++behind.back();
  }
  Cut to() const { return behind.empty() ? Cut::end() : Cut::before(behind); }

  Bytes behind;  ///< the first key above; empty: there is none
};

Cut lower(std::optional<ByteView> from) {
  return from ? Cut::before(*from) : Cut::start();
}
Cut upper(std::optional<ByteView> to) {
  return to ? Cut::before(*to) : Cut::end();
}

}  // namespace

OrderedByteMap::OrderedByteMap(State& state, ByteView name)
    : table_(state.table(name, state::TableKind::kOrdered)) {}

std::optional<ByteView> OrderedByteMap::get(Context& context, ByteView key) const {
  context.on_access();
  return table_.get(key);
}

void OrderedByteMap::put(Context& context, ByteView key, ByteView value) {
  context.on_access();
  table_.put(context.worker(), key, value);
}

void OrderedByteMap::put(Context& context, ByteView key, ByteView value, ByteView references) {
  context.on_access();
  table_.put(context.worker(), key, value, references);
}

bool OrderedByteMap::erase(Context& context, ByteView key) {
  context.on_access();
  return table_.erase(context.worker(), key);
}

uint64_t OrderedByteMap::size(Context& context) const {
  context.on_access();
  return table_.size();
}

std::optional<OrderedByteMap::Entry> OrderedByteMap::lower_bound(Context& context,
                                                                 ByteView key) const {
  return table_.first(context, Cut::before(key), Cut::end());
}

std::optional<OrderedByteMap::Entry> OrderedByteMap::upper_bound(Context& context,
                                                                 ByteView key) const {
  return table_.first(context, Cut::behind(key), Cut::end());
}

std::optional<OrderedByteMap::Entry> OrderedByteMap::before(Context& context, ByteView key) const {
  return table_.last(context, Cut::start(), Cut::before(key));
}

std::optional<OrderedByteMap::Entry> OrderedByteMap::first(Context& context) const {
  return table_.first(context, Cut::start(), Cut::end());
}

std::optional<OrderedByteMap::Entry> OrderedByteMap::last(Context& context) const {
  return table_.last(context, Cut::start(), Cut::end());
}

void OrderedByteMap::range(Context& context, std::optional<ByteView> from,
                           std::optional<ByteView> to, const Visit& visit) const {
  table_.walk_up(context, lower(from), upper(to), visit);
}

void OrderedByteMap::range_down(Context& context, std::optional<ByteView> from,
                                std::optional<ByteView> to, const Visit& visit) const {
  table_.walk_down(context, lower(from), upper(to), visit);
}

void OrderedByteMap::prefix(Context& context, ByteView prefix, const Visit& visit) const {
  const PrefixEnds ends(prefix);
  table_.walk_up(context, Cut::before(prefix), ends.to(), visit);
}

void OrderedByteMap::prefix_down(Context& context, ByteView prefix, const Visit& visit) const {
  const PrefixEnds ends(prefix);
  table_.walk_down(context, Cut::before(prefix), ends.to(), visit);
}

}  // namespace eve
