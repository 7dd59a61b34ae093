// The public Graph (eve/graph.h) over its table, and the part of a table that knows references.
#include "eve/graph.h"

#include "base/check.h"
#include "state/references.h"
#include "state/table.h"

namespace eve {

Graph::Graph(State& state) : table_(state.graph_table()) {}

uint64_t Graph::create_bytes(Context& context, ByteView value, ByteView references) {
  context.on_access();
  const uint32_t sequence = context.next_object();
  return table_.create(context.worker(), {context.index(), sequence}, value, references);
}

std::optional<ByteView> Graph::get_bytes(Context& context, uint64_t handle) const {
  context.on_access();
  return table_.get(state::HandleKey(handle).view());
}

bool Graph::set_bytes(Context& context, uint64_t handle, ByteView value, ByteView references) {
  context.on_access();
  return table_.set(context.worker(), state::HandleKey(handle).view(), value, references);
}

uint64_t Graph::size(Context& context) const {
  context.on_access();
  return table_.size();
}

namespace state {

Object* Table::named(uint64_t handle) const {
  const HandleKey key(handle);
  const uint64_t hash = hash_of(key.view());
  return shard(hash).find(hash, key.view());
}

/// A version of `value`. A reference to an object that is not there, forged or kept by the service
/// for too long, becomes the one and only gone reference: whatever a handle might come to name
/// later or elsewhere, it cannot show in the state.
Version* Table::make_good_version(ByteView value, Magazine* magazine, ByteView references) const {
  if (references.empty()) return make_version(value, magazine);
  EVE_CHECK(valid_references(references, value.size()), "references outside the value");
  const auto is_good = [this](uint64_t handle) {
    if (handle == kNoHandle || handle == kGoneHandle) return true;
    const Object* object = graph_ == nullptr ? nullptr : graph_->named(handle);
    return object != nullptr && object->load().present();
  };
  bool good = true;
  each_reference(references, value, [&](uint64_t handle) { good = good && is_good(handle); });
  if (good) return make_version(value, magazine, references);
  Bytes mended(value);
  change_references(references, value.size(), mended,
                    [&](uint64_t handle) { return is_good(handle) ? handle : kGoneHandle; });
  return make_version(mended, magazine, references);
}

uint64_t Table::create(size_t worker, Birth::Order order, ByteView value, ByteView references) {
  EVE_CHECK(undo_.is_open() && worker < undo_.workers(), "write outside a batch");
  check_sizes({}, value.size() + references.size());
  const uint64_t handle = undo_.next_handle(worker);
  const HandleKey key(handle);
  const uint64_t hash = hash_of(key.view());
  Magazine* magazine = &undo_.magazine(worker);
  Version* version = make_good_version(value, magazine, references);
  const Written written = shard(hash).put(hash, number_, key.view(), Word::of(version), magazine);
  undo_.note(worker, written, version->footprint());
  undo_.note_birth(worker, {written.object, order});
  return handle;
}

bool Table::set(size_t worker, ByteView key, ByteView value, ByteView references) {
  EVE_CHECK(undo_.is_open() && worker < undo_.workers(), "write outside a batch");
  check_sizes(key, value.size() + references.size());
  const uint64_t hash = hash_of(key);
  Object* object = shard(hash).find(hash, key);
  if (object == nullptr || !object->load().present()) return false;
  Version* version = make_good_version(value, &undo_.magazine(worker), references);
  if (replace(worker, {object, {}, false}, version)) return true;
  Version::destroy(version);
  return false;
}

}  // namespace state

}  // namespace eve
