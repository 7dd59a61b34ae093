// TLS 1.3 between nodes, as a filter over bytes: no sockets. Both sides show a self-signed
// certificate; what counts is that its Ed25519 key is one that cluster.toml names.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crypto/keys.h"
#include "eve/bytes.h"
#include "eve/result.h"

namespace eve::runtime {

enum class TlsSide { kDialed, kAccepted };

/// One connection's TLS. One thread. Any byte sequence may be received.
class TlsSession {
 public:
  virtual ~TlsSession() = default;

  /// Takes bytes from the socket; then read() and output() have what came of them. An error ends
  /// the session: close the connection, after a last flush of output() (it may hold an alert).
  virtual Status receive(ByteView cipher) = 0;
  virtual bool established() const = 0;
  /// The peer has ended the session in good order.
  virtual bool ended() const = 0;
  /// The peer's key, one of those expected. Precondition: established().
  virtual const crypto::PublicKey& peer_key() const = 0;

  /// Decrypted bytes into [data, data + size); 0 when there are none for now.
  virtual Result<size_t> read(char* data, size_t size) = 0;
  /// Encrypts. Precondition: established().
  virtual Status write(ByteView plain) = 0;

  /// Bytes for the socket; the caller takes away what it has sent.
  virtual Bytes& output() = 0;
};

/// A node's certificate and settings, from which its sessions are made. The loop's thread only.
class TlsContext {
 public:
  static Result<std::unique_ptr<TlsContext>> create(const crypto::SigningKey& key,
                                                    const std::string& node);
  virtual ~TlsContext() = default;

  /// A session with a peer that must prove to hold one of `expected`. Starts the handshake: a
  /// dialing side has output() at once. Outlives the context safely.
  virtual std::unique_ptr<TlsSession> session(TlsSide side,
                                              std::vector<crypto::PublicKey> expected) = 0;
};

}  // namespace eve::runtime
