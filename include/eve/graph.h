// Free-standing objects with references between them (DESIGN 5, items 3 and 7).
//
//   struct Node {
//     std::string name;
//     std::vector<Ref<Node>> next;
//     template <typename A> void fields(A& archive) { archive(name, next); }
//   };
//   Graph graph(state);
//   Cell<Ref<Node>> head(state, "head");
//   ...
//   const Ref<Node> node = graph.create(context, Node{"first", {}});
//   head.set(context, node);
//
// In Service::footprint() name the root that a request starts from.
//
// An object has no name but the references to it. What cannot be reached from the value of some
// other container (Cell, Map, ...) is collected after a while, at the same batch on every replica.
#pragma once

#include <cstdint>
#include <optional>

#include "eve/bytes.h"
#include "eve/context.h"
#include "eve/fields.h"
#include "eve/ref.h"
#include "eve/state.h"

namespace eve {

/// The objects of a state: one a State (a second one is the same). Types T: as in eve/fields.h.
///
/// Thread safety: every operation is linearizable and safe against every other, whatever the mixer
/// let through. Limits: values as in ByteMap, each reference in them counting four bytes more.
class Graph {
 public:
  explicit Graph(State& state);

  /// A new object, the caller's to link: graph.create<Node>(context), or with a value.
  template <typename T>
  Ref<T> create(Context& context, const T& value = T()) {
    const detail::Stored<T> stored(value);
    return detail::RefAccess::make<T>(create_bytes(context, stored.view(), stored.references()));
  }
  /// A copy of the object; nullopt if `ref` names none.
  template <typename T>
  std::optional<T> get(Context& context, Ref<T> ref) const {
    const auto found = get_bytes(context, detail::RefAccess::handle(ref));
    return found ? detail::decode_stored<T>(*found) : std::nullopt;
  }
  /// Replaces the object; false, and nothing done, if `ref` names none.
  template <typename T>
  bool set(Context& context, Ref<T> ref, const T& value) {
    const detail::Stored<T> stored(value);
    return set_bytes(context, detail::RefAccess::handle(ref), stored.view(), stored.references());
  }
  /// Number of objects, those not collected yet included. Conflicts with every create.
  uint64_t size(Context& context) const;

 private:
  uint64_t create_bytes(Context& context, ByteView value, ByteView references);
  std::optional<ByteView> get_bytes(Context& context, uint64_t handle) const;
  bool set_bytes(Context& context, uint64_t handle, ByteView value, ByteView references);

  state::Table& table_;
};

}  // namespace eve
