#include "sim/stage_forge.h"

#include <charconv>
#include <set>
#include <sstream>

#include "verification/certificate.h"
#include "wire/codec.h"

namespace eve::sim {

using crypto::Domain;

/// Hands out fields one by one, and complains of what nobody asked for.
class Forge::Reader {
 public:
  Reader(const std::string& kind, const Fields& fields) : kind_(kind), fields_(fields) {}

  bool has(const std::string& key) {
    known_.insert(key);
    return fields_.contains(key);
  }
  std::string text(const std::string& key, const std::string& otherwise) {
    return has(key) ? fields_.at(key) : otherwise;
  }
  std::string text(const std::string& key) {
    if (!has(key)) throw ScriptError("a " + kind_ + " needs " + key + "=...");
    return fields_.at(key);
  }
  uint64_t number(const std::string& key, uint64_t otherwise) {
    return has(key) ? number(key) : otherwise;
  }
  uint64_t number(const std::string& key) {
    const std::string value = text(key);
    uint64_t parsed = 0;
    const char* end = value.data() + value.size();
    if (std::from_chars(value.data(), end, parsed).ptr != end || value.empty()) {
      throw ScriptError(key + "= needs a number, not \"" + value + '"');
    }
    return parsed;
  }
  bool flag(const std::string& key) { return text(key, "no") == "yes"; }
  View view() { return View(number("view", 0)); }
  BatchNumber batch() { return BatchNumber(number("number")); }
  std::vector<std::string> list(const std::string& key) {
    std::istringstream in(text(key));
    std::vector<std::string> items;
    for (std::string item; std::getline(in, item, ',');) items.push_back(item);
    return items;
  }
  void done() const {
    for (const auto& [key, value] : fields_) {
      if (known_.contains(key)) continue;
      std::string all;
      for (const std::string& known : known_) all += (all.empty() ? "" : ", ") + known;
      throw ScriptError("a " + kind_ + " has no field " + key + "; it has: " + all);
    }
  }

 private:
  const std::string& kind_;
  const Fields& fields_;
  std::set<std::string> known_;
};

void Forge::learn(const wire::Message& message, Address from) {
  if (const auto* token = std::get_if<wire::Token>(&message)) {
    parts_[token->token] = token->parts;
  } else if (const auto* prepare = std::get_if<wire::Prepare>(&message)) {
    prepares_[{prepare->view, prepare->token}].try_emplace(prepare->verifier, *prepare);
  } else if (const auto* change = std::get_if<wire::ViewChange>(&message)) {
    changes_[change->view].try_emplace(change->verifier, *change);
  } else if (const auto* bundle = std::get_if<wire::BundleMessage>(&message)) {
    if (from.role == Role::kClient) names_.keep(bundle->bundle);
  }
}

wire::Message Forge::make(Address liar, const std::string& kind, const Fields& fields,
                          TimeUs now) const {
  Reader in(kind, fields);
  const auto made = [&]() -> wire::Message {
    if (kind == "token") return token(in);
    if (kind == "PREPARE") return prepare(liar, in);
    if (kind == "COMMIT") return commit(in);
    if (kind == "commit-verdict" || kind == "rollback-verdict") return verdict(in);
    if (kind == "suspect") return wire::Suspect{in.view()};
    if (kind == "hello") return hello(in);
    if (kind == "VIEW-CHANGE") return view_change(liar, in);
    if (kind == "NEW-VIEW") return new_view(liar, in);
    if (kind == "batch") return batch(in, now);
    if (kind == "call") return call(liar, in);
    if (kind == "reply") return reply(in);
    throw ScriptError(
        "nobody can tell a \"" + kind +
        "\"; known: token, PREPARE, COMMIT, commit-verdict, rollback-verdict, suspect, hello, "
        "VIEW-CHANGE, NEW-VIEW, batch, call, reply");
  };
  wire::Message message = made();
  in.done();
  if (auto* said = std::get_if<wire::Verdict>(&message); said && kind == "rollback-verdict") {
    said->kind = wire::VerdictKind::kRollback;
  }
  return message;
}

/// A token or batch of that name, or a digest of the word itself: something that nobody has.
crypto::Digest Forge::digest(const std::string& name) const {
  if (const auto known = names_.find_token(name)) return *known;
  if (const auto known = names_.find_batch(name)) return *known;
  return digester_.digest(name);
}

crypto::Digest Forge::token_named(const std::string& name) const {
  const auto known = names_.find_token(name);
  if (!known) throw ScriptError("no token is called " + name + " so far");
  return *known;
}

/// as=T2': the very token; otherwise made up from parts.
wire::Message Forge::token(Reader& in) const {
  wire::Token token;
  token.view = in.view();
  if (in.has("as")) {
    const auto found = parts_.find(token_named(in.text("as")));
    if (found == parts_.end()) throw ScriptError("nobody has sent that token so far");
    token.parts = found->second;
  } else {
    token.parts.number = in.batch();
    const std::string previous = 'T' + std::to_string(token.parts.number.value() - 1);
    token.parts.previous = digest(in.text("previous", previous));
    token.parts.batch = digest(in.text("batch", "a batch that does not exist"));
    token.parts.state = digest(in.text("state", "a state that nobody has"));
    token.parts.replies = digest(in.text("replies", "replies that nobody gave"));
  }
  token.token = wire::token_of(token.parts, digester_);
  return token;
}

wire::Message Forge::prepare(Address liar, Reader& in) const {
  wire::Prepare prepare;
  prepare.view = in.view();
  prepare.number = in.batch();
  prepare.token = token_named(in.text("token"));
  if (in.has("previous")) prepare.previous = token_named(in.text("previous"));
  prepare.verifier = static_cast<uint16_t>(in.number("verifier", liar.index));
  prepare.signature = keys_(liar).sign(Domain::kPrepare, wire::signed_bytes(prepare));
  return prepare;
}

wire::Message Forge::commit(Reader& in) const {
  return wire::Commit{in.view(), in.batch(), token_named(in.text("token"))};
}

wire::Message Forge::verdict(Reader& in) const {
  return wire::Verdict{wire::VerdictKind::kCommit, in.view(), in.batch(), digest(in.text("token"))};
}

wire::Message Forge::hello(Reader& in) const {
  return wire::Hello{in.flag("restarted"), in.view(), BatchNumber(in.number("committed", 0))};
}

/// Votes that were seen for the token; `forged`: the liar signs for those that are missing.
/// `votes`: keeps that many.
wire::Certificate Forge::certificate(Address liar, Reader& in) const {
  wire::Certificate made;
  const std::string name = in.text("certificate", "T0");
  made.token = token_named(name);
  const size_t votes = in.number("votes", model_.agreement());
  const bool forged = in.flag("forged");
  const View view(in.number("in", 0));
  if (name == "T0") return made;
  made.genesis = false;
  made.view = view;
  const auto found = prepares_.find({made.view, made.token});
  if (found != prepares_.end()) {
    made.number = found->second.begin()->second.number;
    made.previous = found->second.begin()->second.previous;
    for (const auto& [verifier, vote] : found->second) {
      if (made.votes.size() < votes) made.votes.push_back({verifier, vote.signature});
    }
  } else {
    const auto parts = parts_.find(made.token);
    if (parts == parts_.end()) throw ScriptError("nobody has sent " + name + " so far");
    made.number = parts->second.number;
    made.previous = parts->second.previous;
  }
  for (uint16_t i = 0; forged && i < model_.verifiers() && made.votes.size() < votes; ++i) {
    const wire::Prepare vote{made.view, made.number, made.token, made.previous, i, {}};
    made.votes.push_back({i, keys_(liar).sign(Domain::kPrepare, wire::signed_bytes(vote))});
  }
  return made;
}

wire::Message Forge::view_change(Address liar, Reader& in) const {
  wire::ViewChange change;
  change.view = in.view();
  change.prepared = certificate(liar, in);
  change.verifier = liar.index;
  change.signature = keys_(liar).sign(Domain::kViewChange, wire::signed_bytes(change));
  return change;
}

/// From VIEW-CHANGEs that were seen; the start that they make, unless the liar names another.
wire::Message Forge::new_view(Address liar, Reader& in) const {
  wire::NewView made;
  made.view = View(in.number("view"));
  const auto seen = changes_.find(made.view);
  for (const std::string& item : in.list("proof")) {
    const auto verifier = static_cast<uint16_t>(std::strtoul(item.c_str(), nullptr, 10));
    if (seen == changes_.end() || !seen->second.contains(verifier)) {
      throw ScriptError("no VIEW-CHANGE of verifier-" + item + " to this view was seen so far");
    }
    made.proof.push_back(seen->second.at(verifier));
  }
  const wire::Certificate& chosen = verification::start_point(made.proof);
  made.number = BatchNumber(in.number("number", chosen.number.value()));
  made.token = in.has("token") ? token_named(in.text("token")) : chosen.token;
  made.verifier = liar.index;
  made.signature = keys_(liar).sign(Domain::kNewView, wire::signed_bytes(made));
  return made;
}

wire::Message Forge::batch(Reader& in, TimeUs now) const {
  std::vector<wire::BundlePtr> bundles;
  for (const std::string& name : in.list("bundles")) {
    bundles.push_back(names_.find_bundle(name));
    if (bundles.back() == nullptr) throw ScriptError("no bundle is called " + name + " so far");
  }
  const TimeUs later = static_cast<TimeUs>(in.number("later_s", 0)) * 1'000'000;
  return wire::BatchMessage{wire::make_batch(in.view(), in.batch(), now + later,
                                             in.number("seed", 1), std::move(bundles), digester_)};
}

wire::Message Forge::call(Address liar, Reader& in) const {
  wire::BundleFields fields;
  fields.client = static_cast<uint16_t>(in.number("client", liar.index));
  const auto session = names_.session_of(fields.client);
  fields.session = SessionId(in.number("session", session.value_or(SessionId()).value()));
  if (fields.session == SessionId()) throw ScriptError("that client has no session so far");
  fields.first = RequestNumber(in.number("first"));
  const auto sign = [&](ByteView bytes) { return keys_(liar).sign(Domain::kBundle, bytes); };
  return wire::BundleMessage{wire::make_bundle(fields, {in.text("request")}, sign),
                             in.flag("again")};
}

wire::Message Forge::reply(Reader& in) const {
  wire::Reply reply;
  const auto session = names_.session_of(static_cast<uint16_t>(in.number("client", 0)));
  if (!session) throw ScriptError("that client has no session so far");
  reply.session = *session;
  reply.first = RequestNumber(in.number("first"));
  reply.view = in.view();
  reply.payload = SharedBytes(wire::encode_replies({in.text("text")}));
  reply.digest = wire::reply_digest(reply.status, reply.payload->view(), digester_);
  return reply;
}

}  // namespace eve::sim
