// The fields of each message, in the order in which they travel. The golden bytes in codec_test.cc
// pin them: a change needs another kWireVersion.
#pragma once

#include "wire/messages.h"
#include "wire/writer.h"

namespace eve::wire {

void write(Writer& out, const BundleMessage& message);
void write(Writer& out, const BatchMessage& message);
void write(Writer& out, const Reply& reply);
void write(Writer& out, const TokenParts& parts);
void write(Writer& out, const Token& token);
void write(Writer& out, const Verdict& verdict);
void write(Writer& out, const Names& names);
void write(Writer& out, const Suspect& suspect);
void write(Writer& out, const Hello& hello);
void write(Writer& out, const Welcome& welcome);
void write(Writer& out, const Prepare& prepare);
void write(Writer& out, const Commit& commit);
void write(Writer& out, const Certificate& certificate);
void write(Writer& out, const ViewChange& change);
void write(Writer& out, const NewView& new_view);
void write(Writer& out, const StateRequest& request);
void write(Writer& out, const StateReply& reply);
void write(Writer& out, const Needed& needed);
void write(Writer& out, const PairRecord& record);
void write(Writer& out, const PairTerm& term);
void write(Writer& out, const PairPoint& point);
void write(Writer& out, const PairBeat& beat);
void write(Writer& out, const PairBatch& message);
void write(Writer& out, const PairToken& token);
void write(Writer& out, const Room& room);
void write(Writer& out, const Evidence& evidence);
void write(Writer& out, const EpochEnd& end);
void write(Writer& out, const Farewell& farewell);
void write(Writer& out, const ChainWanted& wanted);
void write(Writer& out, const Chain& chain);
/// In codec.cc, as it writes any message.
void write(Writer& out, const InEpoch& message);
void write(Writer& out, const Candidate& candidate);

/// What a signature covers of the message that carries it.
void write_signed(Writer& out, const Prepare& prepare);
void write_signed(Writer& out, const ViewChange& change);
void write_signed(Writer& out, const NewView& new_view);
void write_signed(Writer& out, const Farewell& farewell);

}  // namespace eve::wire
