#include "state/engine.h"

#include "state/engine_impl.h"

namespace eve::state {

Engine::Engine(const crypto::Digester& digester, size_t workers, const HistoryLimits& limits)
    : impl_(std::make_unique<Impl>(digester, workers, limits)) {}

Engine::~Engine() = default;

Table& Engine::table(ByteView name, TableKind kind) {
  return impl_->store.table(name, kind);
}
Table& Engine::table(ByteView name) {
  return impl_->store.table(name, TableKind::kHashed);
}
void Engine::begin(BatchNumber n) {
  impl_->store.begin(n);
}
void Engine::mark() {
  impl_->store.mark();
}
void Engine::undo_to_mark() {
  impl_->store.undo_to_mark();
}
crypto::Digest Engine::seal(Scheduler& scheduler) {
  return impl_->store.seal(scheduler);
}
void Engine::commit(BatchNumber n) {
  impl_->store.commit(n);
}
void Engine::rollback(BatchNumber n, Scheduler& scheduler) {
  impl_->store.rollback(n, scheduler);
}
BatchNumber Engine::last() const {
  return impl_->store.last();
}
BatchNumber Engine::committed() const {
  return impl_->store.committed();
}
BatchNumber Engine::oldest() const {
  return impl_->store.oldest();
}
crypto::Digest Engine::root() const {
  return impl_->store.root();
}
std::optional<crypto::Digest> Engine::root_at(BatchNumber n) const {
  return impl_->store.root_at(n);
}
crypto::Digest Engine::recompute_root() const {
  return impl_->store.recompute_root();
}
std::optional<Bytes> Engine::node(BatchNumber n, TreeNode id) const {
  return impl_->store.node(n, id);
}
VersionView Engine::view(BatchNumber n) const {
  return {impl_->store, n};
}
std::optional<Pin> Engine::pin(BatchNumber n) {
  return impl_->store.pin(n);
}
Engine::Counts Engine::counts() const {
  return impl_->store.counts();
}
Engine::Use Engine::use() const {
  return impl_->store.use();
}
uint64_t Engine::logical_bytes() const {
  return impl_->store.logical_bytes();
}

}  // namespace eve::state
