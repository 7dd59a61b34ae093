// Reads the fields of each message, in the order of fields.h, and checks them.
#pragma once

#include "crypto/digest.h"
#include "wire/messages.h"
#include "wire/reader.h"

namespace eve::wire {

/// Reads one message's fields; `in` reads from `frame`, which the message's larger parts keep
/// alive. What is wrong sticks to the reader; the message is then worthless.
class Decoder {
 public:
  Decoder(Reader& in, const SharedBytes& frame, const crypto::Digester& digester)
      : in_(in), frame_(frame), digester_(digester) {}

  void read(BundleMessage& message);
  void read(BatchMessage& message);
  void read(Reply& reply);
  void read(Token& token);
  void read(Verdict& verdict);
  void read(Suspect& suspect);
  void read(Hello& hello);
  void read(Welcome& welcome);
  void read(Prepare& prepare);
  void read(Commit& commit);
  void read(ViewChange& change);
  void read(NewView& new_view);
  void read(StateRequest& request);
  void read(StateReply& reply);
  void read(Needed& needed);
  void read(PairBeat& beat);
  void read(PairBatch& message);
  void read(PairToken& token);
  void read(Room& room);
  void read(EpochEnd& end);
  void read(Farewell& farewell);
  void read(ChainWanted& wanted);
  void read(Chain& chain);
  /// In codec.cc, as it reads any message.
  void read(InEpoch& message);
  void read(Candidate& candidate);
  void read(Certificate& certificate);

 private:
  Address read_replica();
  void read(PairRecord& record);
  void read(PairTerm& term);
  void read(PairPoint& point);
  void read(Evidence& evidence);
  void read(std::vector<Certificate::Vote>& votes);
  void read(TokenParts& parts);
  void read(TreeNode& node);
  void read_point(Verdict& verdict, VerdictKind kind);
  Names read_names(size_t most);
  Bytes read_signature();

  Reader& in_;
  const SharedBytes& frame_;
  const crypto::Digester& digester_;
};

}  // namespace eve::wire
