// Names for a person: what a message says in one line, with short names for digests that depend on
// nothing but the order in which they are first heard of. T2 is the first token of batch 2, T2' and
// T2'' others for the same number; B2 and R2 are the batch itself and a reply's digest.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "crypto/digest.h"
#include "wire/messages.h"

namespace eve::sim {

/// What a message can be picked by.
struct Facts {
  std::string kind;  ///< "token", "view-change", ...
  std::optional<View> view;
  std::optional<BatchNumber> number;
  std::string token;  ///< its short name; empty: names none
};

class Names {
 public:
  explicit Names(const crypto::Digest& genesis) { tokens_.emplace(genesis, "T0"); }

  /// One line; gives names to what is new in it.
  std::string describe(const wire::Message& message);
  Facts facts(const wire::Message& message);

  std::string token(BatchNumber number, const crypto::Digest& digest);
  std::string batch(const wire::Batch& batch);
  /// "client-0#3": the bundle of client 0 that begins with its request 3; "client-0.2#3" if that is
  /// its second session; "client-0" where it opens a session.
  std::string bundle(const wire::Bundle& bundle);

  std::optional<crypto::Digest> find_token(const std::string& name) const;
  std::optional<crypto::Digest> find_batch(const std::string& name) const;
  wire::BundlePtr find_bundle(const std::string& name) const;
  /// Remembers the bundle under its name.
  void keep(const wire::BundlePtr& bundle);
  /// The latest session that this client has spoken of.
  std::optional<SessionId> session_of(uint16_t client) const;

 private:
  using Given = std::map<crypto::Digest, std::string>;
  static std::string give(Given& given, char letter, BatchNumber number,
                          const crypto::Digest& digest);
  std::string point(BatchNumber number, const crypto::Digest& digest);
  friend class Narrator;

  Given tokens_;
  Given batches_;
  Given replies_;
  std::map<uint16_t, std::vector<SessionId>> sessions_;
  std::map<std::string, wire::BundlePtr> bundles_;
};

/// "executors", "other verifiers", "client-0, executor-2": who these are, seen by `from` if that is
/// one of their kind. `all` is the whole cluster.
std::string describe_nodes(const std::vector<Address>& nodes, const std::vector<Address>& all,
                           std::optional<Address> from);

}  // namespace eve::sim
