// The epochs that are known, each proved by the link that ends the one before (docs/membership.md,
// M6). Immutable but for extend(); a value. One thread at a time, for each copy.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "base/quorum.h"
#include "crypto/authenticator.h"
#include "crypto/digest.h"
#include "eve/result.h"
#include "membership/members.h"
#include "wire/messages.h"

namespace eve::membership {

/// Where an epoch begins: its members, and everything up to batch `number`, whose token is `token`.
struct Beginning {
  Members members;
  BatchNumber number;
  crypto::Digest token;
};

/// What the verifiers of an epoch sign with: EpochKeys over whatever knows its nodes' keys.
using KeysOf = std::function<std::unique_ptr<const crypto::Authenticator>(const Members&)>;

class Succession {
 public:
  /// `first`: an epoch whose members are known from elsewhere. `digester` outlives this.
  Succession(const FaultModel& model, Beginning first, KeysOf keys,
             const crypto::Digester& digester)
      : model_(model), keys_(std::move(keys)), digester_(&digester), epochs_{std::move(first)} {}

  const Beginning& present() const { return epochs_.back(); }
  Epoch epoch() const { return present().members.epoch; }
  /// Null if it is not known.
  const Beginning* at(Epoch epoch) const;
  /// Who sat in the last epoch where the present has another one.
  std::vector<Address> replaced() const;

  /// Whether the node had a seat in an epoch that is known.
  bool ever_sat(Address node) const;

  /// Goes on to the epoch after the present one, if the link proves that it ended.
  Status extend(const wire::Link& link);
  /// The links from `from` on, at most `most`; none if they are not known.
  std::vector<wire::Link> links_from(Epoch from, size_t most) const;

  /// Whether `farewell` is its verifier's own, and of the present epoch.
  bool authentic(const wire::Farewell& farewell) const;

 private:
  FaultModel model_;
  KeysOf keys_;
  const crypto::Digester* digester_;
  std::vector<Beginning> epochs_;
  std::vector<wire::Link> links_;  ///< one less
  /// Of the present epoch, when something was to be checked; copies share it.
  mutable std::shared_ptr<const crypto::Authenticator> present_keys_;
};

}  // namespace eve::membership
