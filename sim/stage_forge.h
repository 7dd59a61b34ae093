// What liars say in scripts: messages built field by field, signed with the liar's own key, from
// what went over the wire before.
#pragma once

#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/quorum.h"
#include "crypto/authenticator.h"
#include "crypto/digest.h"
#include "sim/stage_names.h"
#include "wire/messages.h"

namespace eve::sim {

/// What is wrong with a line of a script, or with what it expected.
class ScriptError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// key=value, as the script has them.
using Fields = std::map<std::string, std::string>;

class Forge {
 public:
  using Keys = std::function<const crypto::Authenticator&(Address)>;
  /// The references outlive this. `keys` gives a node's authenticator.
  Forge(FaultModel model, Names& names, const crypto::Digester& digester, Keys keys)
      : model_(model), names_(names), digester_(digester), keys_(std::move(keys)) {}

  /// A message that went over the wire: material for lies.
  void learn(const wire::Message& message, Address from);

  /// Throws ScriptError for an unknown kind or field, or a value that nobody has heard of.
  /// `now`: the clock of the liar.
  wire::Message make(Address liar, const std::string& kind, const Fields& fields, TimeUs now) const;

 private:
  class Reader;
  wire::Message token(Reader& in) const;
  wire::Message prepare(Address liar, Reader& in) const;
  wire::Message commit(Reader& in) const;
  wire::Message verdict(Reader& in) const;
  wire::Message view_change(Address liar, Reader& in) const;
  wire::Message new_view(Address liar, Reader& in) const;
  wire::Message batch(Reader& in, TimeUs now) const;
  wire::Message call(Address liar, Reader& in) const;
  wire::Message reply(Reader& in) const;
  wire::Message hello(Reader& in) const;

  crypto::Digest digest(const std::string& name) const;
  crypto::Digest token_named(const std::string& name) const;
  wire::Certificate certificate(Address liar, Reader& in) const;

  struct PreparedAt {
    View view;
    crypto::Digest token;
    auto operator<=>(const PreparedAt&) const = default;
  };
  FaultModel model_;
  Names& names_;
  const crypto::Digester& digester_;
  Keys keys_;
  std::map<crypto::Digest, wire::TokenParts> parts_;
  std::map<PreparedAt, std::map<uint16_t, wire::Prepare>> prepares_;
  std::map<View, std::map<uint16_t, wire::ViewChange>> changes_;
};

}  // namespace eve::sim
