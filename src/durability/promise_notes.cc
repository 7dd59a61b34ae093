#include "durability/promise_notes.h"

#include <string>
#include <utility>

#include "base/limits.h"
#include "wire/codec.h"
#include "wire/decoder.h"
#include "wire/fields.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace eve::durability {
namespace {

using verification::Blamed;
using verification::Learnt;
using verification::Promise;
using verification::Promises;
using verification::Stands;
using verification::Started;

constexpr uint32_t kNotesVersion = 1;
/// Of each kind that Promises holds several of; far above what the window leaves.
constexpr size_t kMostOfAKind = 4096;
constexpr size_t kFrameBytes = 8;  // at least

uint16_t kind(PromiseNote note) {
  return static_cast<uint16_t>(note);
}

// ---- Parts

void put(wire::Writer& out, const wire::Message& message) {
  out.sized(wire::encode(message));
}
void put(wire::Writer& out, const wire::Certificate& certificate) {
  wire::write(out, certificate);
}
void put(wire::Writer& out, const Blamed& blamed) {
  out.digest(blamed.bundle);
  out.integer(blamed.views);
}

class Parts {
 public:
  Parts(ByteView payload, const crypto::Digester& digester) : in_(payload), digester_(digester) {}

  wire::Reader& in() { return in_; }
  template <typename Kind>
  Kind message() {
    const SharedBytes frame{Bytes(in_.sized(limits::kMaxFrameBytes))};
    if (in_.failed()) return {};
    auto decoded = wire::decode(frame, digester_);
    auto* content = decoded ? std::get_if<Kind>(&*decoded) : nullptr;
    if (content == nullptr) {
      in_.fail("a message in it is damaged, or another one");
      return {};
    }
    return std::move(*content);
  }
  wire::Certificate certificate() {
    wire::Certificate certificate;
    wire::Decoder(in_, frame_, digester_).read(certificate);
    return certificate;
  }
  Blamed blamed() {
    Blamed blamed;
    blamed.bundle = in_.digest();
    blamed.views = in_.integer<uint32_t>();
    return blamed;
  }
  bool done() {
    if (!in_.failed() && in_.remaining() > 0) in_.fail("there is more than it should hold");
    return !in_.failed();
  }

 private:
  wire::Reader in_;
  const SharedBytes frame_;  // certificates share nothing of it
  const crypto::Digester& digester_;
};

// ---- One promise

struct Writing {
  wire::Writer& out;

  PromiseNote operator()(const Stands& stands) const {
    out.integer(kNotesVersion);
    out.boolean(stands.forgetful);
    return PromiseNote::kStands;
  }
  PromiseNote operator()(const wire::ViewChange& change) const {
    put(out, change);
    return PromiseNote::kAsked;
  }
  PromiseNote operator()(const wire::NewView& joined) const {
    put(out, joined);
    return PromiseNote::kJoined;
  }
  PromiseNote operator()(const wire::Prepare& prepare) const {
    put(out, prepare);
    return PromiseNote::kPrepared;
  }
  PromiseNote operator()(const wire::Certificate& certificate) const {
    put(out, certificate);
    return PromiseNote::kCertified;
  }
  PromiseNote operator()(const Learnt& learnt) const {
    put(out, learnt.last);
    put(out, learnt.proven);
    return PromiseNote::kLearnt;
  }
  PromiseNote operator()(const Started& started) const {
    put(out, started.start);
    return PromiseNote::kStarted;
  }
  PromiseNote operator()(const Blamed& blamed) const {
    put(out, blamed);
    return PromiseNote::kBlamed;
  }
};

void check_version(Parts& parts) {
  const auto version = parts.in().integer<uint32_t>();
  if (!parts.in().failed() && version != kNotesVersion) {
    parts.in().fail("another release wrote it; start that one");
  }
}

Promise read_promise(PromiseNote kind, View view, Parts& parts) {
  switch (kind) {
    case PromiseNote::kAsked:
      return parts.message<wire::ViewChange>();
    case PromiseNote::kJoined:
      return parts.message<wire::NewView>();
    case PromiseNote::kPrepared:
      return parts.message<wire::Prepare>();
    case PromiseNote::kCertified:
      return parts.certificate();
    case PromiseNote::kLearnt: {
      const auto last = parts.message<wire::Verdict>();
      return Learnt{last, parts.message<wire::Commit>()};
    }
    case PromiseNote::kStarted:
      return Started{parts.message<wire::Verdict>()};
    case PromiseNote::kBlamed:
      return parts.blamed();
    default:
      check_version(parts);
      return Stands{view, parts.in().boolean()};
  }
}

// ---- All of them

template <typename Values>
void write_all(wire::Writer& out, const Values& values) {
  out.count(values.size());
  for (const auto& [number, value] : values) put(out, value);
}

Promises read_all(View promised, Parts& parts, const crypto::Digest& genesis) {
  check_version(parts);
  wire::Reader& in = parts.in();
  Promises all(genesis);
  all.promised = promised;
  all.forgetful = in.boolean();
  all.held = parts.certificate();
  if (in.boolean()) all.new_view = parts.message<wire::NewView>();
  if (in.boolean()) all.asked = parts.message<wire::ViewChange>();
  for (size_t left = in.count(kMostOfAKind, kFrameBytes); left > 0; --left) {
    auto prepare = parts.message<wire::Prepare>();
    all.prepares.insert_or_assign(prepare.number, std::move(prepare));
  }
  for (size_t left = in.count(kMostOfAKind, kFrameBytes); left > 0; --left) {
    auto certificate = parts.certificate();
    all.certificates.insert_or_assign(certificate.number, std::move(certificate));
  }
  all.last = parts.message<wire::Verdict>();
  all.started = parts.message<wire::Verdict>();
  all.proven = parts.message<wire::Commit>();
  for (size_t left = in.count(kMostOfAKind, kFrameBytes); left > 0; --left) {
    all.blamed.push_back(parts.blamed());
  }
  return all;
}

}  // namespace

Note note_of(const Promise& promise, View highest) {
  wire::Writer out;
  const PromiseNote note = std::visit(Writing{out}, promise);
  return {kind(note), highest.value(), out.take()};
}

Note note_of(const Promises& all) {
  wire::Writer out;
  out.integer(kNotesVersion);
  out.boolean(all.forgetful);
  put(out, all.held);
  out.boolean(all.new_view.has_value());
  if (all.new_view) put(out, *all.new_view);
  out.boolean(all.asked.has_value());
  if (all.asked) put(out, *all.asked);
  write_all(out, all.prepares);
  write_all(out, all.certificates);
  put(out, all.last);
  put(out, all.started);
  put(out, all.proven);
  out.count(all.blamed.size());
  for (const Blamed& blamed : all.blamed) put(out, blamed);
  return {kind(PromiseNote::kAll), all.promised.value(), out.take()};
}

Status apply_note(uint16_t kind, uint64_t number, ByteView payload, const crypto::Digest& genesis,
                  const crypto::Digester& digester, Promises& all) {
  const std::string what = "a verifier's note of kind " + std::to_string(kind) + ": ";
  const auto note = static_cast<PromiseNote>(kind);
  if (note < PromiseNote::kStands || note > PromiseNote::kAll) {
    return Error{what + "this release does not know it; start the one that wrote it"};
  }
  Parts parts(payload, digester);
  bool follows = true;
  if (note == PromiseNote::kAll) {
    Promises read = read_all(View(number), parts, genesis);
    if (parts.done()) all = std::move(read);
  } else {
    const Promise promise = read_promise(note, View(number), parts);
    if (parts.done()) follows = all.apply(promise);
  }
  if (parts.in().failed()) return Error{what + parts.in().problem()};
  if (!follows) return Error{what + "it contradicts an earlier one; is the log another node's?"};
  return {};
}

}  // namespace eve::durability
