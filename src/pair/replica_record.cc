// The record of who is in sync: when it is to change, and what follows when it has (P1, P2, P5 to
// P9).
#include <utility>

#include "base/check.h"
#include "pair/replica_impl.h"

namespace eve::pair {

// ---- What the other one says of itself ---------------------------------------------------------

void Replica::Impl::send_beat(TimeUs now, Outbox& out) {
  watch.beat(now);
  wire::PairBeat beat;
  beat.life = options.life;
  beat.process = options.process;
  beat.beat = now;
  beat.echo = heard_beat;
  beat.echo_of = heard_process;
  beat.met = peer.process;
  beat.resumed = resumed;
  beat.record = record;
  beat.joined = joined;
  beat.term = term;
  beat.start = start;
  beat.quarantine = quarantine;
  beat.committed = committed_point();
  beat.reached = reached_point();
  told = committed;
  send_peer(std::move(beat), out);
}

// False if the beat is old news. One of another process counts if it answers a beat that was sent
// here since the present one was met: what has ended cannot do that, however late its last words
// are.
bool Replica::Impl::meet(const wire::PairBeat& beat, TimeUs now) {
  heard_beat = beat.beat;
  heard_process = beat.process;
  if (beat.process != peer.process) {
    const bool alive = beat.echo_of == options.process && beat.echo > peer.met_at;
    if (peer.process != 0 && !alive) return false;
    meet_anew(beat, now);
  }
  if (beat.beat < peer.beat) return false;
  peer.beat = beat.beat;
  peer.record = beat.record;
  peer.resumed = beat.resumed;
  peer.committed = beat.committed.number;
  peer.reached = beat.reached.number;
  watch.heard(now);
  return true;
}

// What it had run ended with its life, or is what the next term will tell. While a question that
// names this very life is open, though, commits go on waiting for it (P8): it may be promoted.
void Replica::Impl::meet_anew(const wire::PairBeat& beat, TimeUs now) {
  const bool asked_for = asked && asked->wanted.lives.at(other) == beat.life;
  peer = {};
  peer.life = beat.life;
  peer.process = beat.process;
  peer.met_at = now;
  peer_tokens.clear();
  peer_level = BatchNumber();
  readmitting = readmitting && asked_for;
  if (!leads()) joined = false;
}

// ---- P1: questions -----------------------------------------------------------------------------

void Replica::Impl::ask(const Record& wanted, Outbox& out) {
  EVE_CHECK(!asked.has_value(), "one question at a time");
  asked = Request{record, wanted, true};
  out.requests.push_back(*asked);
}

/// The next record in which this replica leads, alone or with the other one as it lives now.
Record Replica::Impl::record_with(bool both) const {
  Record wanted;
  wanted.epoch = next_epoch(record.epoch, options.index);
  wanted.lives.at(options.index) = options.life;
  if (both) wanted.lives.at(other) = peer.life;
  return wanted;
}

/// What another says is older than what was asked for, and the own disk may hold that already.
bool Replica::Impl::is_news(const Record& said) const {
  const bool own_question = asked && !options.arbiter;
  const View known = own_question ? std::max(asked->wanted.epoch, record.epoch) : record.epoch;
  return said.epoch > known && !copy_is_lost();
}

/// It has a state, so there was a record, and the arbiter has it. An earlier process may have led
/// any epoch up to that: no older one counts.
bool Replica::Impl::copy_is_lost() const {
  return options.arbiter && resumed && !formed(record);
}

// Whatever was agreed upon under the record before is void; what was run stays.
void Replica::Impl::adopt(const Record& next, bool keep, TimeUs now, Outbox& out) {
  EVE_CHECK(next.epoch > record.epoch, "epochs only grow");
  const bool led = leads();
  const Record before = std::exchange(record, next);
  if (!names_both(record)) watch.end_doubt();
  // What this process never asked for, an earlier one may have led (P14).
  if (resumed && !formed(before)) found_epoch = record.epoch;
  for (const Record& naming : {before, record}) {
    if (naming.lives.at(other) != 0) peer_was = naming.lives.at(other);
  }
  joined = readmitting = peer.joined = false;
  peer_tokens.clear();
  peer_level = BatchNumber();
  claims.clear();
  missing_since.reset();
  waiting_number = BatchNumber();
  if (keep) out.requests.push_back({before, record, false});
  if (!leads()) return;
  if (!led && formed(before)) ++counters.promotions;
  if (!names_both(record)) ++counters.times_alone;
  if (led && names_both(record) && !names_both(before)) ++counters.readmissions;
  stop_repair(out);
  lead_if_ready(now, out);
}

// ---- Decisions: only when everything that had arrived was read (P9) ----------------------------

void Replica::Impl::decide(TimeUs now, Outbox& out) {
  if (conflict) return;
  lead_if_ready(now, out);
  if (asked || watch.in_doubt()) return;
  if (copy_is_lost()) {
    read_record(now, out);
  } else if (!formed(record)) {
    // Not with a state: it is of a cluster that was formed, and had a record.
    const bool both_empty = peer.life != 0 && !formed(peer.record) && !watch.silent(now) &&
                            peer.reached == BatchNumber() &&
                            reached_point().number == BatchNumber();
    if (options.index == 0 && both_empty) ask(record_with(true), out);
  } else if (named() && resumed) {
    decide_as_resumed(now, out);
  } else if (leads()) {
    decide_as_primary(now, out);
  } else if (named()) {
    // P6
    if (peer_gone(now)) ask(record_with(false), out);
  } else if (options.arbiter && (watch.silent(now) || peer_of_another_life())) {
    // The other one may have named this one, and ended before it could say so.
    read_record(now, out);
  }
}

// A question without a wish to change anything, now and then.
void Replica::Impl::read_record(TimeUs now, Outbox& out) {
  if (now - read_at < options.silence_us) return;
  read_at = now;
  ask(record, out);
}

// P5, P8.
void Replica::Impl::decide_as_primary(TimeUs now, Outbox& out) {
  if (names_both(record)) {
    if (peer_gone(now)) ask(record_with(false), out);
    return;
  }
  if (!readmitting || !joined) return;
  if (watch.silent(now) || stuck(now)) {
    readmitting = false;
    settle(now, out);
    readmitted_from = committed;
  } else if (peer_level >= committed) {
    ask(record_with(true), out);
  }
}

bool Replica::Impl::peer_of_another_life() const {
  return peer.life != 0 && peer.life != record.lives.at(other);
}

// One that has just restarted has its state, and has lost its place (P14).
bool Replica::Impl::peer_gone(TimeUs now) const {
  return peer_of_another_life() || peer.resumed || watch.silent(now) || stuck(now);
}

// A batch that this replica has run waits for the other one.
bool Replica::Impl::stuck(TimeUs now) const {
  return waiting_number > BatchNumber() && now - waiting_since >= options.progress_us;
}

// P7. Alone, and nobody else can believe that it may answer.
bool Replica::Impl::released(TimeUs now) const {
  return options.arbiter || peer.record.epoch >= record.epoch || watch.silent(now) ||
         (peer.life != 0 && peer.life != peer_was);
}

/// Whether a commit needs the other one's token (P4, P8).
bool Replica::Impl::needs_peer() const {
  return names_both(record) || readmitting;
}

}  // namespace eve::pair
