// The public containers (eve/state.h) over the engine's tables.
#include "eve/state.h"

#include "state/engine.h"
#include "state/table.h"

namespace eve {

state::Table& State::table(ByteView name) {
  return engine_.table(name);
}
state::Table& State::table(ByteView name, state::TableKind kind) {
  return engine_.table(name, kind);
}

std::optional<ByteView> ByteMap::get(Context& context, ByteView key) const {
  context.on_access();
  return table_.get(key);
}

void ByteMap::put(Context& context, ByteView key, ByteView value) {
  context.on_access();
  table_.put(context.worker(), key, value);
}

void ByteMap::put(Context& context, ByteView key, ByteView value, ByteView references) {
  context.on_access();
  table_.put(context.worker(), key, value, references);
}

bool ByteMap::erase(Context& context, ByteView key) {
  context.on_access();
  return table_.erase(context.worker(), key);
}

uint64_t ByteMap::size(Context& context) const {
  context.on_access();
  return table_.size();
}

std::optional<uint64_t> ByteMap::scan(Context& context, uint64_t from,
                                      const std::function<bool(const Entry&)>& visit) const {
  context.on_access();
  return table_.scan(context, from, visit);
}

uint64_t ByteMap::hash_of(ByteView key) const {
  return table_.hash_of(key);
}

}  // namespace eve
