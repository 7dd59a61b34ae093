#include "wire/codec.h"

#include <array>
#include <type_traits>
#include <utility>

#include "base/check.h"
#include "base/limits.h"
#include "wire/bundle.h"
#include "wire/decoder.h"
#include "wire/fields.h"

namespace eve::wire {

namespace {

/// Version and tag. A message's tag is its place in the variant, from 1: append only.
constexpr size_t kEnvelopeBytes = 2;
constexpr size_t kSmallMessageBytes = 256;

size_t expected_size(const Message& message) {
  if (const auto* batch = std::get_if<BatchMessage>(&message)) {
    return kEnvelopeBytes + sizeof(uint64_t) + encoded_size(*batch->batch);
  }
  if (const auto* batch = std::get_if<PairBatch>(&message)) {
    return kSmallMessageBytes + encoded_size(*batch->batch);
  }
  if (const auto* bundle = std::get_if<BundleMessage>(&message)) {
    return kEnvelopeBytes + 1 + bundle->bundle->raw.size();
  }
  if (const auto* candidate = std::get_if<Candidate>(&message)) {
    return kEnvelopeBytes + candidate->bundle->raw.size();
  }
  if (const auto* within = std::get_if<InEpoch>(&message)) {
    return sizeof(Epoch) + expected_size(within->enclosed->message);
  }
  if (const auto* reply = std::get_if<Reply>(&message)) {
    return kSmallMessageBytes + (reply->payload ? reply->payload->size() : 0);
  }
  return kSmallMessageBytes;
}

template <size_t tag>
Message read_alternative(Decoder& decoder) {
  Message message(std::in_place_index<tag>);
  decoder.read(std::get<tag>(message));
  return message;
}

using ReadAlternative = Message (*)(Decoder&);

template <size_t... tags>
constexpr auto readers(std::index_sequence<tags...>) {
  return std::array<ReadAlternative, sizeof...(tags)>{read_alternative<tags>...};
}

constexpr auto kReaders = readers(std::make_index_sequence<std::variant_size_v<Message>>());

Error malformed(const Reader& in, uint8_t tag) {
  return Error{"malformed message, tag " + std::to_string(tag) + ", byte " +
               std::to_string(in.failed_at()) + ": " + in.problem() +
               "; drop it and close the link to its sender"};
}

/// The messages before this one are those that an epoch encloses.
constexpr size_t kEnclosable = 19;
static_assert(std::is_same_v<std::variant_alternative_t<kEnclosable, Message>, EpochEnd>);

}  // namespace

void write(Writer& out, const InEpoch& message) {
  const Message& enclosed = message.enclosed->message;
  out.id(message.epoch);
  out.integer(static_cast<uint8_t>(enclosed.index() + 1));
  std::visit([&out](const auto& fields) { write(out, fields); }, enclosed);
}

void Decoder::read(InEpoch& message) {
  message.epoch = in_.id<Epoch>();
  if (message.epoch == Epoch()) in_.fail("messages of epoch 0 are not enclosed");
  const auto tag = in_.integer<uint8_t>();
  if (tag == 0 || tag > kEnclosable) in_.fail("a message that is not enclosed");
  if (in_.failed()) return;
  message.enclosed = std::make_shared<const Enclosed>(Enclosed{kReaders[tag - 1](*this)});
}

Bytes encode(const Message& message) {
  Writer out(expected_size(message));
  out.integer(kWireVersion);
  out.integer(static_cast<uint8_t>(message.index() + 1));
  std::visit([&out](const auto& fields) { write(out, fields); }, message);
  return out.take();
}

Result<Message> decode(const SharedBytes& frame, const crypto::Digester& digester) {
  Reader in(frame.view());
  if (in.remaining() > limits::kMaxFrameBytes) in.fail("larger than a frame may be");
  const auto version = in.integer<uint8_t>();
  if (!in.failed() && version != kWireVersion) {
    return Error{"peer speaks version " + std::to_string(version) + " of the protocol, this is " +
                 std::to_string(kWireVersion) + "; run the same release everywhere"};
  }
  const auto tag = in.integer<uint8_t>();
  if (tag == 0 || tag > kReaders.size()) in.fail("unknown tag");
  if (in.failed()) return malformed(in, tag);

  Decoder decoder(in, frame, digester);
  Message message = kReaders[tag - 1](decoder);
  if (in.remaining() != 0) in.fail("bytes follow its end");
  if (in.failed()) return malformed(in, tag);
  return message;
}

}  // namespace eve::wire
