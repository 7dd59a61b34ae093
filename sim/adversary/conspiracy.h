// What the lying nodes of one seed know together: everything that one of them was sent or would
// have sent, in a form that lies can be made of. Bounded. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include "base/ids.h"
#include "base/quorum.h"
#include "wire/messages.h"

namespace eve::sim::adversary {

class Conspiracy {
 public:
  explicit Conspiracy(FaultModel model) : model_(model) {}

  void join(Address member) { members_.insert(member); }
  bool member(Address address) const { return members_.contains(address); }

  /// `message` came from, or was to be sent by, `from`. What members told each other as truth is
  /// taken in when it is sent; what else comes from a member is a lie, and known.
  void learn(const wire::MessagePtr& message, Address from);

  /// Messages seen, newest last.
  const std::deque<wire::MessagePtr>& messages() const { return messages_; }
  /// Signed bundles seen: the first few for ever, then the newest ones.
  const std::vector<wire::BundlePtr>& bundles() const { return bundles_; }
  /// The highest view and batch number that honest nodes spoke of.
  View view() const { return view_; }
  BatchNumber number() const { return number_; }
  /// The last commit verdict seen, and true tokens by number.
  const std::optional<wire::Verdict>& committed() const { return committed_; }
  const std::map<BatchNumber, wire::Token>& tokens() const { return tokens_; }

  /// A certificate made of PREPAREs that were really sent: the highest, or the lowest one known.
  std::optional<wire::Certificate> certificate(bool highest) const;
  /// PREPAREs of any one (view, number, token), as many as there are; empty if there is none.
  std::vector<wire::Prepare> votes() const;
  /// VIEW-CHANGEs for `view`, by verifier.
  std::vector<wire::ViewChange> changes(View view) const;

  /// What honest executors told members of a batch of a view, by executor.
  using Batch = std::pair<View, BatchNumber>;
  const std::map<Batch, std::map<uint16_t, wire::Token>>& heard() const { return heard_; }
  /// What members tell some verifiers of such a batch, and what they tell the others.
  struct Split {
    wire::Token few;
    wire::Token many;
  };
  std::map<Batch, Split>& splits() { return splits_; }
  /// Makes room for more splits.
  void trim_splits();

  /// The false tokens that members agreed on, by number: they lie alike.
  std::map<BatchNumber, wire::Token>& agreed() { return agreed_; }

 private:
  using Subject = std::tuple<View, BatchNumber, wire::Digest>;
  void take(const wire::BundleMessage& message) { keep(message.bundle); }
  void take(const wire::BatchMessage& message);
  void take(const wire::Token& token);
  void take(const wire::Verdict& verdict);
  void take(const wire::Prepare& prepare);
  void take(const wire::ViewChange& change);
  void take(const wire::NewView& new_view);
  template <typename Other>
  void take(const Other&) {}
  void keep(const wire::BundlePtr& bundle);
  void at(View view, BatchNumber number);
  wire::Certificate certificate_of(const Subject& subject,
                                   const std::map<uint16_t, wire::Prepare>& votes) const;

  FaultModel model_;
  std::set<Address> members_;
  std::deque<wire::MessagePtr> messages_;
  std::vector<wire::BundlePtr> bundles_;
  size_t next_bundle_ = 0;
  View view_;
  BatchNumber number_;
  std::optional<wire::Verdict> committed_;
  std::map<BatchNumber, wire::Token> tokens_;
  std::map<Subject, std::map<uint16_t, wire::Prepare>> prepares_;
  std::map<View, std::map<uint16_t, wire::ViewChange>> changes_;
  std::map<BatchNumber, wire::Token> agreed_;
  std::map<Batch, std::map<uint16_t, wire::Token>> heard_;
  std::map<Batch, Split> splits_;
};

}  // namespace eve::sim::adversary
