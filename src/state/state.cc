// The public containers (eve/state.h) over the engine's tables.
#include "eve/state.h"

#include <stdexcept>
#include <string>

#include "state/engine.h"
#include "state/table.h"

namespace eve {

namespace {

std::string quoted(ByteView name) {
  return "container \"" + Bytes(name) + "\"";
}

}  // namespace

state::Table& State::table(ByteView name) {
  return table(name, state::TableKind::kHashed);
}
state::Table& State::table(ByteView name, state::TableKind kind) {
  if (user_ == User::kService && name.starts_with("eve.")) {
    throw std::invalid_argument(quoted(name) + ": names that begin with eve. are Eve's own");
  }
  state::Table& table = engine_.table(name, kind);
  if (table.kind() != kind) {
    throw std::invalid_argument(quoted(name) + " is of another kind already: choose another name");
  }
  return table;
}
state::Table& State::graph_table() {
  return engine_.table("eve.graph", state::TableKind::kGraph);
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
