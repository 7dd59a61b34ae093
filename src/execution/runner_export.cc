// The Runner's state as chunks, and back: for checkpoints.
#include <utility>

#include "execution/runner_impl.h"
#include "execution/state_export.h"
#include "state/import.h"
#include "wire/codec.h"

namespace eve::execution {

StateExport::StateExport(state::Engine& engine, const History& history, BatchNumber number,
                         size_t chunk_bytes)
    : history_(history), exporter_(engine, number, chunk_bytes) {}

std::optional<StateExport::Piece> StateExport::next() {
  auto chunk = exporter_.next();
  if (!chunk) return std::nullopt;
  // What the engine holds the history knows: it forgets nothing younger than the oldest version.
  const History::Entry* entry = history_.find(chunk->number);
  if (entry == nullptr) return std::nullopt;
  return Piece{entry->parts, entry->token, std::move(chunk->bytes), exporter_.done()};
}

std::unique_ptr<StateExport> Runner::start_export(size_t chunk_bytes) {
  const BatchNumber committed = impl_->engine.committed();
  if (impl_->fetch || committed == BatchNumber() || impl_->history.find(committed) == nullptr) {
    return nullptr;
  }
  return std::make_unique<StateExport>(impl_->engine, impl_->history, committed, chunk_bytes);
}

uint64_t Runner::state_bytes() const {
  return impl_->engine.logical_bytes();
}

std::unique_ptr<state::Importer> Runner::start_import(const crypto::Digest& root) {
  return std::make_unique<state::Importer>(impl_->engine, root);
}

Status Runner::finish_import(state::Importer& importer, const wire::TokenParts& parts) {
  importer.retarget(parts.state);  // of another state everything is missing now
  if (auto status = importer.finish(parts.number, impl_->scheduler); !status) return status;
  impl_->history = History({parts, token_of(parts)});
  Context context = engine_context(parts.number);
  impl_->sessions.reload(context);
  return {};
}

crypto::Digest Runner::token_of(const wire::TokenParts& parts) const {
  return wire::token_of(parts, impl_->digester);
}

}  // namespace eve::execution
