// A log's side of the Runner: what a batch has changed, and doing that again (DESIGN 6.8).
#include <utility>

#include "base/check.h"
#include "execution/runner_impl.h"
#include "state/delta.h"
#include "wire/codec.h"

namespace eve::execution {

Status Runner::difference(BatchNumber number, size_t piece_bytes,
                          const std::function<void(Bytes piece)>& take) const {
  state::DeltaSource source(impl_->engine, number);
  for (bool first = true;; first = false) {
    auto piece = source.next(piece_bytes);
    if (!piece) return piece.status();
    if (piece->empty() && !first) return {};
    take(std::move(*piece));
  }
}

std::optional<ByteView> Runner::cached_reply(SessionId session, RequestNumber first) const {
  Context context = engine_context(impl_->engine.last());
  return impl_->sessions.cached(context, session, first);
}

Status Runner::redo(const wire::TokenParts& parts, const std::vector<Bytes>& pieces) {
  EVE_CHECK(!impl_->fetch, "a state that is being fetched is not changed otherwise");
  auto& engine = impl_->engine;
  const History::Entry& last = impl_->history.last();
  if (parts.number != last.parts.number.next() || parts.previous != last.token) {
    return Error{"batch " + std::to_string(parts.number.value()) + " does not follow batch " +
                 std::to_string(last.parts.number.value())};
  }
  state::DeltaSink sink(engine, parts.number);
  for (const Bytes& piece : pieces) {
    if (auto status = sink.supply(piece); !status) return status;
  }
  if (auto status = sink.finish(impl_->scheduler); !status) return status;
  if (engine.root() != parts.state) {
    engine.rollback(last.parts.number, impl_->scheduler);
    return Error{"batch " + std::to_string(parts.number.value()) +
                 " leads to another state than its token's"};
  }
  impl_->history.append({parts, wire::token_of(parts, impl_->digester)});
  return {};
}

Fetched Runner::resume() {
  return impl_->resume();
}

Fetched Runner::Impl::resume() {
  fetch.reset();
  const History::Entry& last = history.last();
  Context context = engine_context(last.parts.number);
  sessions.reload(context);
  return {last.parts, last.token, sessions.last_time_us(context), sessions.snapshots(context),
          sessions.epoch(context)};
}

}  // namespace eve::execution
