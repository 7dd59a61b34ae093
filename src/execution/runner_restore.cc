// The Runner of a cluster that begins with another one's state.
#include <utility>

#include "base/check.h"
#include "execution/runner_impl.h"
#include "execution/state_export.h"
#include "state/import.h"
#include "wire/codec.h"

namespace eve::execution {
namespace {

/// Of Eve's own tables only the time stays, so that for the service it never goes back. (The
/// collector's is the state of the object graph.)
bool stays(ByteView table, ByteView key) {
  if (table == "eve.meta") return key == Sessions::kTimeKey;
  return table != "eve.sessions" && table != "eve.replies";
}

}  // namespace

std::unique_ptr<state::Importer> Runner::start_import(const crypto::Digest& root,
                                                      const crypto::Digester& proofs) {
  return std::make_unique<state::Importer>(impl_->engine, root, proofs);
}

Status Runner::begin_with(state::Importer& importer) {
  if (auto status = importer.finish_anew(BatchNumber(), stays, impl_->scheduler); !status) {
    return status;
  }
  wire::TokenParts parts;
  parts.state = impl_->engine.root();
  impl_->history = History({parts, wire::token_of(parts, impl_->digester)});
  Context context = engine_context(BatchNumber());
  impl_->sessions.reload(context);
  return {};
}

std::unique_ptr<StateExport> Runner::export_beginning(size_t chunk_bytes) {
  EVE_CHECK(impl_->engine.last() == BatchNumber(), "it has begun");
  return std::make_unique<StateExport>(impl_->engine, impl_->history, BatchNumber(), chunk_bytes);
}

TimeUs Runner::last_time_us() const {
  Context context = engine_context(impl_->engine.last());
  return impl_->sessions.last_time_us(context);
}

}  // namespace eve::execution
