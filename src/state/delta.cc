#include "state/delta.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "state/delta_format.h"
#include "state/engine_impl.h"

namespace eve::state {

struct DeltaSource::Impl {
  Impl(const Store& from, BatchNumber n) : store(from), number(n), header(from.delta_header(n)) {}

  bool is_held() const {
    const auto now = store.delta_header(number);
    return header && now && now->before == header->before && now->after == header->after;
  }
  void encode(size_t enough);

  const Store& store;
  const BatchNumber number;
  const std::optional<DeltaHeader> header;
  DeltaEncoder encoder;
  Bytes buffer;
  size_t taken = 0;  ///< from the front of it
  bool begun = false;
  std::optional<uint64_t> position = 0;  ///< the slot to go on from; nullopt: all is encoded
};

/// Until there are `enough` bytes, or no more.
void DeltaSource::Impl::encode(size_t enough) {
  if (!std::exchange(begun, true)) {
    encode_delta_header(*header, store.digester().size(), buffer);
  }
  while (position && buffer.size() - taken < enough) {
    buffer.erase(0, std::exchange(taken, 0));
    position = store.encode_changes(number, *position, encoder, enough, buffer);
    if (!position) encoder.end(buffer);
  }
}

DeltaSource::DeltaSource(const Engine& engine, BatchNumber n)
    : impl_(std::make_unique<Impl>(engine.impl_->store, n)) {}

DeltaSource::~DeltaSource() = default;

Result<Bytes> DeltaSource::next(size_t limit) {
  EVE_CHECK(limit > 0, "a piece of no bytes means the end");
  if (!impl_->is_held()) {
    return Error{"what batch " + std::to_string(impl_->number.value()) +
                 " changed is not held: go by a checkpoint of a later one"};
  }
  impl_->encode(limit);
  Bytes piece = impl_->buffer.substr(impl_->taken, limit);
  impl_->taken += piece.size();
  return piece;
}

struct DeltaSink::Impl {
  Impl(Store& to, BatchNumber n) : store(to), number(n), parser(to.digester().size()) {}

  Status refuse(const std::string& why);
  Status check_header();

  Store& store;
  const BatchNumber number;
  DeltaParser parser;
  std::vector<DeltaEntry> entries;  ///< of the piece at hand
  Store::Staging staging;
  Status status;  ///< once it has failed, it has
};

Status DeltaSink::Impl::refuse(const std::string& why) {
  status = Error{"the delta of batch " + std::to_string(number.value()) + " is refused: " + why +
                 "; fetch the state from another replica"};
  return status;
}

/// Whether it is of the batch and of the state that are wanted.
Status DeltaSink::Impl::check_header() {
  const DeltaHeader* header = parser.header();
  if (header == nullptr) return {};
  if (header->number != number) {
    return refuse("it is of batch " + std::to_string(header->number.value()));
  }
  if (number != store.last().next()) {
    return refuse("the state is as of batch " + std::to_string(store.last().value()));
  }
  if (header->before != store.root()) return refuse("it is of another state than is here");
  return {};
}

DeltaSink::DeltaSink(Engine& engine, BatchNumber n)
    : impl_(std::make_unique<Impl>(engine.impl_->store, n)) {
  EVE_CHECK(!impl_->store.is_open(), "no batch may be open");
}

DeltaSink::~DeltaSink() {
  impl_->store.unstage(impl_->staging);
}

Status DeltaSink::supply(ByteView piece) {
  Impl& impl = *impl_;
  if (!impl.status.ok()) return impl.status;
  impl.parser.supply(piece);
  if (Status fits = impl.check_header(); !fits.ok()) return fits;
  impl.entries.clear();
  while (const auto entry = impl.parser.next()) impl.entries.push_back(*entry);
  if (const auto why = impl.store.stage(impl.entries, impl.staging)) return impl.refuse(*why);
  if (!impl.parser.why().empty()) return impl.refuse(impl.parser.why());
  return {};
}

Status DeltaSink::finish(Scheduler& scheduler) {
  Impl& impl = *impl_;
  if (!impl.status.ok()) return impl.status;
  if (!impl.parser.complete()) return impl.refuse("it is cut off");
  if (Status fits = impl.check_header(); !fits.ok()) return fits;
  if (!impl.store.apply(impl.staging, impl.parser.header()->after, scheduler)) {
    return impl.refuse("what it leads to is not the state that it names");
  }
  impl.status = Error{"the delta is applied already"};
  return {};
}

Result<Bytes> Engine::delta(BatchNumber n) const {
  constexpr size_t kPiece = size_t{1} << 20;
  DeltaSource source(*this, n);
  Bytes delta;
  while (true) {
    Result<Bytes> piece = source.next(kPiece);
    if (!piece.ok() || piece->empty()) return piece.ok() ? Result(std::move(delta)) : piece;
    delta.append(*piece);
  }
}

Status Engine::apply(BatchNumber n, ByteView delta, Scheduler& scheduler) {
  constexpr size_t kPiece = size_t{1} << 18;  // what the sink has to keep of it at once
  DeltaSink sink(*this, n);
  for (; !delta.empty(); delta.remove_prefix(std::min(kPiece, delta.size()))) {
    Status taken = sink.supply(delta.substr(0, kPiece));
    if (!taken.ok()) return taken;
  }
  return sink.finish(scheduler);
}

}  // namespace eve::state
