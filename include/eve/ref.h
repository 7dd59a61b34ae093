// A reference to an object of a Graph (graph.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

namespace eve {

namespace detail {
struct RefAccess;
}  // namespace detail

/// Names an object of type T in the state's Graph, or nothing. Eight bytes, copied freely, stored
/// in the values of any container. It stays good for as long as the object is reachable from a
/// Cell, a map or the like, across batches, rollbacks and state transfer; so keep references in
/// containers only, never in the service's own memory, where an object may have gone meanwhile.
///
/// Equality is the same on every replica. The number behind a reference, and so std::hash, is not:
/// do not let the order of an unordered container show in a reply or in state. References are not
/// bytes for clients either: Codec (and so keys, requests and replies) refuses them at compile
/// time.
template <typename T>
class Ref {
 public:
  Ref() = default;

  explicit operator bool() const { return handle_ != 0; }
  friend bool operator==(Ref a, Ref b) { return a.handle_ == b.handle_; }
  friend bool operator!=(Ref a, Ref b) { return a.handle_ != b.handle_; }

 private:
  friend struct detail::RefAccess;
  explicit Ref(uint64_t handle) : handle_(handle) {}
  uint64_t handle_ = 0;
};

namespace detail {
/// For containers: what is behind a reference.
struct RefAccess {
  template <typename T>
  static Ref<T> make(uint64_t handle) {
    return Ref<T>(handle);
  }
  template <typename T>
  static uint64_t handle(Ref<T> ref) {
    return ref.handle_;
  }
};
}  // namespace detail

}  // namespace eve

template <typename T>
struct std::hash<eve::Ref<T>> {
  size_t operator()(eve::Ref<T> ref) const {
    return std::hash<uint64_t>()(eve::detail::RefAccess::handle(ref));
  }
};
