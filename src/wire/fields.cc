#include "wire/fields.h"

#include "wire/bundle.h"

namespace eve::wire {

namespace {

/// A verdict whose kind follows from where it stands.
void write_point(Writer& out, const Verdict& verdict) {
  out.id(verdict.view);
  out.id(verdict.number);
  out.digest(verdict.token);
}

void write_node(Writer& out, TreeNode node) {
  out.integer(node.level);
  out.integer(node.index);
}

void write_votes(Writer& out, const std::vector<Certificate::Vote>& votes) {
  out.count(votes.size());
  for (const Certificate::Vote& vote : votes) {
    out.integer(vote.verifier);
    out.sized(vote.signature);
  }
}

}  // namespace

void write(Writer& out, const BundleMessage& message) {
  out.boolean(message.retry);
  write_bundle(out, *message.bundle);
}

void write(Writer& out, const BatchMessage& message) {
  out.id(message.batch->view);
  write_batch(out, *message.batch);
}

void write(Writer& out, const Reply& reply) {
  out.id(reply.session);
  out.id(reply.first);
  out.enumerator(reply.status);
  out.id(reply.view);
  out.digest(reply.digest);
  out.boolean(reply.payload.has_value());
  if (reply.payload) out.sized(reply.payload->view());
}

void write(Writer& out, const TokenParts& parts) {
  out.id(parts.number);
  out.digest(parts.previous);
  out.digest(parts.batch);
  out.digest(parts.state);
  out.digest(parts.replies);
}

void write(Writer& out, const Token& token) {
  out.id(token.view);
  write(out, token.parts);
  out.digest(token.token);
  out.boolean(token.sole.has_value());
  if (token.sole) out.digest(*token.sole);
}

void write(Writer& out, const Verdict& verdict) {
  out.enumerator(verdict.kind);
  write_point(out, verdict);
  if (verdict.kind == VerdictKind::kRollback) write(out, verdict.quarantine);
}

void write(Writer& out, const Names& names) {
  out.count(names.size());
  for (const Digest& name : names) out.digest(name);
}

void write(Writer& out, const Suspect& suspect) {
  out.id(suspect.view);
}

void write(Writer& out, const Hello& hello) {
  out.boolean(hello.restarted);
  out.id(hello.view);
  out.id(hello.committed);
}

void write(Writer& out, const Welcome& welcome) {
  out.id(welcome.promised);
  write_point(out, welcome.start);
  write(out, welcome.start.quarantine);
  write_point(out, welcome.last);
}

void write_signed(Writer& out, const Prepare& prepare) {
  out.id(prepare.view);
  out.id(prepare.number);
  out.digest(prepare.token);
  out.digest(prepare.previous);
}

void write(Writer& out, const Prepare& prepare) {
  write_signed(out, prepare);
  out.integer(prepare.verifier);
  out.sized(prepare.signature);
}

void write(Writer& out, const Commit& commit) {
  out.id(commit.view);
  out.id(commit.number);
  out.digest(commit.token);
}

void write(Writer& out, const Certificate& certificate) {
  out.boolean(certificate.genesis);
  out.digest(certificate.token);
  if (certificate.genesis) return;  // nobody voted for it, and the rest is zero
  out.id(certificate.view);
  out.id(certificate.number);
  out.digest(certificate.previous);
  write_votes(out, certificate.votes);
}

void write_signed(Writer& out, const ViewChange& change) {
  out.id(change.view);
  out.integer(change.verifier);
  write(out, change.prepared);
  write(out, change.poison);
}

void write(Writer& out, const ViewChange& change) {
  write_signed(out, change);
  out.sized(change.signature);
}

void write_signed(Writer& out, const NewView& new_view) {
  out.id(new_view.view);
  out.id(new_view.number);
  out.digest(new_view.token);
  out.integer(new_view.verifier);
  out.count(new_view.proof.size());
  for (const ViewChange& change : new_view.proof) write(out, change);
}

void write(Writer& out, const NewView& new_view) {
  write_signed(out, new_view);
  out.sized(new_view.signature);
}

void write(Writer& out, const StateRequest& request) {
  out.id(request.number);
  out.count(request.nodes.size());
  for (const TreeNode node : request.nodes) write_node(out, node);
}

void write(Writer& out, const StateReply& reply) {
  out.id(reply.number);
  out.boolean(reply.parts.has_value());
  if (reply.parts) write(out, *reply.parts);
  out.count(reply.nodes.size());
  for (const StateReply::Node& node : reply.nodes) {
    write_node(out, node.id);
    out.sized(node.payload.view());
  }
}

void write(Writer& out, const Needed& needed) {
  out.id(needed.view);
  out.enumerator(needed.node.role);
  out.integer(needed.node.index);
}

void write(Writer& out, const PairRecord& record) {
  out.id(record.epoch);
  for (const uint64_t life : record.lives) out.integer(life);
}

void write(Writer& out, const PairTerm& term) {
  out.id(term.epoch);
  out.integer(term.round);
}

void write(Writer& out, const PairPoint& point) {
  out.id(point.number);
  out.digest(point.token);
}

void write(Writer& out, const PairBeat& beat) {
  out.integer(beat.life);
  out.integer(beat.process);
  out.integer(beat.beat);
  out.integer(beat.echo);
  out.integer(beat.echo_of);
  out.integer(beat.met);
  out.boolean(beat.resumed);
  write(out, beat.record);
  out.boolean(beat.joined);
  write(out, beat.term);
  write(out, beat.start);
  write(out, beat.quarantine);
  write(out, beat.committed);
  write(out, beat.reached);
}

void write(Writer& out, const PairBatch& message) {
  write(out, message.term);
  write(out, message.committed);
  write_batch(out, *message.batch);
}

void write(Writer& out, const PairToken& token) {
  write(out, token.term);
  write(out, token.reached);
}

void write(Writer& out, const Room& room) {
  out.count(room.low.size());
  for (const Address node : room.low) {
    out.enumerator(node.role);
    out.integer(node.index);
  }
}

void write(Writer& out, const Evidence& evidence) {
  write(out, evidence.parts);
  write_batch(out, *evidence.batch);
}

void write(Writer& out, const EpochEnd& end) {
  out.id(end.epoch);
  write(out, end.evidence);
}

void write_signed(Writer& out, const Farewell& farewell) {
  out.id(farewell.epoch);
  out.id(farewell.number);
  out.digest(farewell.token);
}

void write(Writer& out, const Farewell& farewell) {
  write_signed(out, farewell);
  out.integer(farewell.verifier);
  out.sized(farewell.signature);
}

void write(Writer& out, const ChainWanted& wanted) {
  out.id(wanted.from);
}

void write(Writer& out, const Candidate& candidate) {
  write_bundle(out, *candidate.bundle);
}

void write(Writer& out, const Chain& chain) {
  out.count(chain.links.size());
  for (const Link& link : chain.links) {
    out.id(link.epoch);
    write(out, link.evidence);
    write_votes(out, link.farewells);
  }
}

}  // namespace eve::wire
