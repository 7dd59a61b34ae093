#include "sim/stage_names.h"

#include <algorithm>
#include <sstream>
#include <variant>

#include "wire/codec.h"

namespace eve::sim {
namespace {

std::string number_text(uint64_t value) {
  return std::to_string(value);
}

std::string quoted(ByteView bytes) {
  std::string text;
  for (const char c : bytes) {
    if (c >= ' ') text += c;  // one line
  }
  return '"' + text + '"';
}

std::string reply_text(const wire::Reply& reply) {
  switch (reply.status) {
    case wire::ReplyStatus::kUnknownSession:
      return "unknown session";
    case wire::ReplyStatus::kOutOfOrder:
      return "out of order";
    case wire::ReplyStatus::kOverloaded:
      return "overloaded";
    case wire::ReplyStatus::kQuarantined:
      return "quarantined";
    case wire::ReplyStatus::kExecuted:
      break;
  }
  if (!reply.payload) return "digest only";
  if (reply.session == SessionId()) return "session opened";
  // Any count will do that fits; the shortest reply is its length alone.
  for (size_t count = 1; 4 * count <= reply.payload->size(); ++count) {
    const auto replies = wire::decode_replies(reply.payload->view(), count);
    if (!replies.ok()) continue;
    std::string text;
    for (const ByteView one : replies.value()) text += (text.empty() ? "" : " ") + quoted(one);
    return text;
  }
  return "payload";
}

}  // namespace

std::string bundles(const wire::Names& names, const char* what) {
  if (names.empty()) return "";
  return std::string(", ") + what + ": " + std::to_string(names.size()) +
         (names.size() == 1 ? " bundle" : " bundles");
}

/// One overload a kind of message.
class Narrator {
 public:
  explicit Narrator(Names& names) : names_(names) {}

  std::string operator()(const wire::BundleMessage& m) {
    out_ << (m.bundle->kind == wire::BundleKind::kOpen ? "open session of " : "call ")
         << names_.bundle(*m.bundle) << (m.retry ? " again" : "");
    for (const ByteView request : m.bundle->requests) out_ << ' ' << quoted(request);
    return out_.str();
  }
  std::string operator()(const wire::BatchMessage& m) {
    out_ << "batch " << m.batch->number.value() << in(m.batch->view) << ": "
         << names_.batch(*m.batch) << " (";
    const char* comma = "";
    for (const auto& bundle : m.batch->bundles) {
      out_ << comma << names_.bundle(*bundle);
      comma = ", ";
    }
    out_ << ')';
    return out_.str();
  }
  std::string operator()(const wire::Reply& m) {
    if (m.session == SessionId()) {
      out_ << "reply to the opening: ";
    } else {
      out_ << "reply #" << m.first.value() << ' '
           << Names::give(names_.replies_, 'R', BatchNumber(m.first.value()), m.digest) << ' ';
    }
    out_ << reply_text(m) << in(m.view);
    return out_.str();
  }
  std::string operator()(const wire::Token& m) {
    return "token" + vote(m.view, m.parts.number, m.token);
  }
  std::string operator()(const wire::Verdict& m) {
    if (m.kind == wire::VerdictKind::kCommit) {
      return "verdict: commit " + names_.point(m.number, m.token);
    }
    return "verdict: view " + number_text(m.view.value()) + " starts after " +
           names_.point(m.number, m.token) + bundles(m.quarantine, "quarantined");
  }
  std::string operator()(const wire::PairBeat& m) {
    return "beat" + in(m.record.epoch) + ", committed " +
           names_.point(m.committed.number, m.committed.token);
  }
  std::string operator()(const wire::PairBatch& m) {
    return "batch " + number_text(m.batch->number.value()) + in(m.term.epoch);
  }
  std::string operator()(const wire::PairToken& m) {
    return "token" + vote(m.term.epoch, m.reached.number, m.reached.token);
  }
  std::string operator()(const wire::Room& m) {
    return "low on disk: " + std::to_string(m.low.size());
  }
  std::string operator()(const wire::EpochEnd& m) {
    return "epoch " + number_text(m.epoch.value()) + " ends with batch " +
           number_text(m.evidence.parts.number.value());
  }
  std::string operator()(const wire::Farewell& m) {
    return "FAREWELL to epoch " + number_text(m.epoch.value()) + " at " +
           names_.point(m.number, m.token);
  }
  std::string operator()(const wire::ChainWanted& m) {
    return "chain wanted from epoch " + number_text(m.from.value());
  }
  std::string operator()(const wire::Chain& m) {
    return "chain of " + number_text(m.links.size()) + " from epoch " +
           number_text(m.links.front().epoch.value());
  }
  std::string operator()(const wire::Candidate& m) {
    return "candidate of epoch " + number_text(m.bundle->first.value());
  }
  std::string operator()(const wire::InEpoch& m) {
    return "in epoch " + number_text(m.epoch.value()) + ": " +
           std::visit(*this, m.enclosed->message);
  }
  std::string operator()(const wire::Suspect& m) { return "suspect the primary" + in(m.view); }
  std::string operator()(const wire::Needed& m) {
    return to_string(m.node) + " needs the next view" + in(m.view);
  }
  std::string operator()(const wire::Hello& m) {
    out_ << (m.restarted ? "hello, restarted without memory" : "hello") << in(m.view)
         << ", committed " << m.committed.value();
    return out_.str();
  }
  std::string operator()(const wire::Welcome& m) {
    out_ << "welcome: promised view " << m.promised.value() << "; view " << m.start.view.value()
         << " starts after " << names_.point(m.start.number, m.start.token) << "; last commit "
         << names_.point(m.last.number, m.last.token);
    return out_.str();
  }
  std::string operator()(const wire::Prepare& m) {
    return "PREPARE" + vote(m.view, m.number, m.token);
  }
  std::string operator()(const wire::Commit& m) {
    return "COMMIT" + vote(m.view, m.number, m.token);
  }
  std::string operator()(const wire::ViewChange& m) {
    out_ << "VIEW-CHANGE to view " << m.view.value() << ", prepared "
         << names_.point(m.prepared.number, m.prepared.token);
    if (!m.prepared.genesis) out_ << in(m.prepared.view);
    out_ << bundles(m.poison, "never agreed on");
    return out_.str();
  }
  std::string operator()(const wire::NewView& m) {
    out_ << "NEW-VIEW " << m.view.value() << " after " << names_.point(m.number, m.token)
         << ", proof of verifiers";
    for (const auto& change : m.proof) out_ << ' ' << change.verifier;
    return out_.str();
  }
  std::string operator()(const wire::StateRequest& m) {
    out_ << "what of the state after batch " << m.number.value() << "? "
         << (m.nodes.empty() ? "(the token's parts)" : "(nodes)");
    return out_.str();
  }
  std::string operator()(const wire::StateReply& m) {
    out_ << "state after batch " << m.number.value() << ": ";
    const bool either = m.parts || !m.nodes.empty();
    out_ << (!either ? "not here" : !m.nodes.empty() ? "nodes" : "the token's parts");
    return out_.str();
  }

 private:
  static std::string in(View view) { return " in view " + number_text(view.value()); }
  std::string vote(View view, BatchNumber number, const crypto::Digest& token) {
    return ' ' + number_text(number.value()) + in(view) + ": " + names_.token(number, token);
  }

  Names& names_;
  std::ostringstream out_;
};

namespace {

/// What rules and expectations pick messages by.
class Teller {
 public:
  explicit Teller(Names& names) : names_(names) {}

  Facts operator()(const wire::BundleMessage& m) {
    const bool opens = m.bundle->kind == wire::BundleKind::kOpen;
    return {opens ? "open" : "call", {}, {}, {}};
  }
  Facts operator()(const wire::BatchMessage& m) {
    return {"batch", m.batch->view, m.batch->number, {}};
  }
  Facts operator()(const wire::Reply& m) { return {"reply", m.view, {}, {}}; }
  Facts operator()(const wire::Token& m) {
    return {"token", m.view, m.parts.number, names_.token(m.parts.number, m.token)};
  }
  Facts operator()(const wire::Verdict& m) {
    const bool commit = m.kind == wire::VerdictKind::kCommit;
    return {commit ? "commit-verdict" : "rollback-verdict", m.view, m.number,
            names_.token(m.number, m.token)};
  }
  Facts operator()(const wire::PairBeat& m) {
    return {"beat", m.record.epoch, m.committed.number, {}};
  }
  Facts operator()(const wire::PairBatch& m) {
    return {"batch", m.term.epoch, m.batch->number, {}};
  }
  Facts operator()(const wire::PairToken& m) {
    return {"token", m.term.epoch, m.reached.number,
            names_.token(m.reached.number, m.reached.token)};
  }
  Facts operator()(const wire::Room&) { return {"room", {}, {}, {}}; }
  Facts operator()(const wire::EpochEnd& m) {
    return {"epoch-end", {}, m.evidence.parts.number, {}};
  }
  Facts operator()(const wire::Farewell& m) {
    return {"FAREWELL", {}, m.number, names_.token(m.number, m.token)};
  }
  Facts operator()(const wire::ChainWanted&) { return {"chain-wanted", {}, {}, {}}; }
  Facts operator()(const wire::Chain&) { return {"chain", {}, {}, {}}; }
  Facts operator()(const wire::Candidate&) { return {"candidate", {}, {}, {}}; }
  Facts operator()(const wire::InEpoch& m) { return std::visit(*this, m.enclosed->message); }
  Facts operator()(const wire::Suspect& m) { return {"suspect", m.view, {}, {}}; }
  Facts operator()(const wire::Needed& m) { return {"needed", m.view, {}, {}}; }
  Facts operator()(const wire::Hello& m) { return {"hello", m.view, m.committed, {}}; }
  Facts operator()(const wire::Welcome& m) { return {"welcome", m.promised, m.last.number, {}}; }
  Facts operator()(const wire::Prepare& m) {
    return {"PREPARE", m.view, m.number, names_.token(m.number, m.token)};
  }
  Facts operator()(const wire::Commit& m) {
    return {"COMMIT", m.view, m.number, names_.token(m.number, m.token)};
  }
  Facts operator()(const wire::ViewChange& m) {
    return {"VIEW-CHANGE", m.view, m.prepared.number,
            names_.token(m.prepared.number, m.prepared.token)};
  }
  Facts operator()(const wire::NewView& m) {
    return {"NEW-VIEW", m.view, m.number, names_.token(m.number, m.token)};
  }
  Facts operator()(const wire::StateRequest& m) { return {"state-request", {}, m.number, {}}; }
  Facts operator()(const wire::StateReply& m) { return {"state-reply", {}, m.number, {}}; }

 private:
  Names& names_;
};

std::optional<crypto::Digest> find_digest(const std::map<crypto::Digest, std::string>& given,
                                          const std::string& name) {
  for (const auto& [digest, known] : given) {
    if (known == name) return digest;
  }
  return std::nullopt;
}

}  // namespace

std::string Names::describe(const wire::Message& message) {
  return std::visit(Narrator(*this), message);
}

Facts Names::facts(const wire::Message& message) {
  return std::visit(Teller(*this), message);
}

std::string Names::give(Given& given, char letter, BatchNumber number,
                        const crypto::Digest& digest) {
  const auto found = given.find(digest);
  if (found != given.end()) return found->second;
  constexpr size_t kMostMarks = 3;
  const std::string plain = letter + std::to_string(number.value());
  std::string name = plain;
  for (size_t others = 1; find_digest(given, name); ++others) {
    name = others <= kMostMarks ? plain + std::string(others, '\'')
                                : plain + '^' + std::to_string(others);
  }
  return given.emplace(digest, name).first->second;
}

std::string Names::token(BatchNumber number, const crypto::Digest& digest) {
  return give(tokens_, 'T', number, digest);
}

std::string Names::batch(const wire::Batch& batch) {
  for (const auto& bundle : batch.bundles) keep(bundle);
  return give(batches_, 'B', batch.number, batch.digest);
}

std::string Names::point(BatchNumber number, const crypto::Digest& digest) {
  return std::to_string(number.value()) + ' ' + token(number, digest);
}

std::string Names::bundle(const wire::Bundle& bundle) {
  std::string name = to_string(Address::client(bundle.client));
  if (bundle.kind == wire::BundleKind::kOpen) return name;
  auto& sessions = sessions_[bundle.client];
  auto found = std::find(sessions.begin(), sessions.end(), bundle.session);
  if (found == sessions.end()) found = sessions.insert(sessions.end(), bundle.session);
  if (found != sessions.begin()) name += '.' + std::to_string(found - sessions.begin() + 1);
  return name + '#' + std::to_string(bundle.first.value());
}

void Names::keep(const wire::BundlePtr& kept) {
  bundles_.emplace(bundle(*kept), kept);
}

std::optional<crypto::Digest> Names::find_token(const std::string& name) const {
  return find_digest(tokens_, name);
}

std::optional<crypto::Digest> Names::find_batch(const std::string& name) const {
  return find_digest(batches_, name);
}

wire::BundlePtr Names::find_bundle(const std::string& name) const {
  const auto found = bundles_.find(name);
  return found == bundles_.end() ? nullptr : found->second;
}

std::optional<SessionId> Names::session_of(uint16_t client) const {
  const auto found = sessions_.find(client);
  if (found == sessions_.end() || found->second.empty()) return std::nullopt;
  return found->second.back();
}

std::string describe_nodes(const std::vector<Address>& nodes, const std::vector<Address>& all,
                           std::optional<Address> from) {
  std::string text;
  for (const Role role : {Role::kClient, Role::kExecutor, Role::kVerifier}) {
    std::vector<Address> these;
    std::vector<Address> whole;
    for (const Address node : nodes) {
      if (node.role == role) these.push_back(node);
    }
    for (const Address node : all) {
      if (node.role == role && node != from) whole.push_back(node);
    }
    if (these.empty()) continue;
    std::sort(these.begin(), these.end());
    if (!text.empty()) text += ", ";
    if (these == whole && these.size() > 1) {
      const bool other = from && from->role == role;
      const std::string name = to_string(these.front());
      text += (other ? "other " : "") + name.substr(0, name.find('-')) + 's';
      continue;
    }
    for (size_t i = 0; i < these.size(); ++i) text += (i > 0 ? ", " : "") + to_string(these[i]);
  }
  return text;
}

}  // namespace eve::sim
