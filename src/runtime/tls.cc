#include "runtime/tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace eve::runtime {
namespace {

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};
using ContextPtr = std::unique_ptr<SSL_CTX, Deleter<&SSL_CTX_free>>;
using SslPtr = std::unique_ptr<SSL, Deleter<&SSL_free>>;
using BioPtr = std::unique_ptr<BIO, Deleter<&BIO_free>>;
using CertificatePtr = std::unique_ptr<X509, Deleter<&X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Deleter<&EVP_PKEY_free>>;

Error openssl_error(const std::string& what) {
  const auto code = ERR_get_error();
  ERR_clear_error();
  char text[256] = "no reason given";
  if (code != 0) ERR_error_string_n(code, text, sizeof text);
  return Error{what + ": " + text};
}

/// What OpenSSL reads from and writes to: a view of what the socket gave, and a string for it.
struct Pipe {
  ByteView input;
  Bytes output;
};

int pipe_read(BIO* bio, char* data, int size) {
  auto& pipe = *static_cast<Pipe*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (pipe.input.empty()) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const auto take = std::min(pipe.input.size(), static_cast<size_t>(size));
  std::memcpy(data, pipe.input.data(), take);
  pipe.input.remove_prefix(take);
  return static_cast<int>(take);
}

int pipe_write(BIO* bio, const char* data, int size) {
  static_cast<Pipe*>(BIO_get_data(bio))->output.append(data, static_cast<size_t>(size));
  return size;
}

long pipe_control(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

int pipe_create(BIO* bio) {
  BIO_set_init(bio, 1);
  return 1;
}

BIO* new_pipe_bio(Pipe& pipe) {
  static BIO_METHOD* const method = [] {
    auto* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "eve pipe");
    BIO_meth_set_read(made, pipe_read);
    BIO_meth_set_write(made, pipe_write);
    BIO_meth_set_ctrl(made, pipe_control);
    BIO_meth_set_create(made, pipe_create);
    return made;
  }();
  auto* bio = BIO_new(method);
  EVE_CHECK(bio != nullptr, "no memory for a TLS session");
  BIO_set_data(bio, &pipe);
  return bio;
}

std::optional<crypto::PublicKey> ed25519_key_of(X509* certificate) {
  auto* key = certificate == nullptr ? nullptr : X509_get0_pubkey(certificate);
  if (key == nullptr || EVP_PKEY_get_id(key) != EVP_PKEY_ED25519) return std::nullopt;
  crypto::PublicKey raw{};
  size_t size = raw.size();
  if (EVP_PKEY_get_raw_public_key(key, raw.data(), &size) != 1 || size != raw.size()) {
    return std::nullopt;
  }
  return raw;
}

class OpenSslSession final : public TlsSession {
 public:
  OpenSslSession(SSL_CTX* context, TlsSide side, std::vector<crypto::PublicKey> expected)
      : ssl_(SSL_new(context)), expected_(std::move(expected)) {
    EVE_CHECK(ssl_ != nullptr, "no memory for a TLS session");
    auto* bio = new_pipe_bio(pipe_);
    SSL_set_bio(ssl_.get(), bio, bio);
    SSL_set_app_data(ssl_.get(), this);
    if (side == TlsSide::kAccepted) {
      SSL_set_accept_state(ssl_.get());
    } else {
      SSL_set_connect_state(ssl_.get());
      // Nothing was received yet: this only makes the ClientHello.
      SSL_do_handshake(ssl_.get());
      ERR_clear_error();
    }
  }

  Status receive(ByteView cipher) override {
    pending_.append(cipher);
    pipe_.input = pending_;
    if (established_) return {};
    const int done = SSL_do_handshake(ssl_.get());
    if (done == 1) {
      established_ = true;
    } else if (SSL_get_error(ssl_.get(), done) != SSL_ERROR_WANT_READ) {
      keep_rest();
      auto error = openssl_error("TLS handshake failed");
      return refusal_.empty() ? error : Error{"TLS handshake failed: " + refusal_};
    }
    keep_rest();
    return {};
  }

  bool established() const override { return established_; }
  bool ended() const override { return ended_; }
  const crypto::PublicKey& peer_key() const override { return *peer_key_; }

  Result<size_t> read(char* data, size_t size) override {
    if (!established_) return size_t{0};
    pipe_.input = pending_;
    size_t total = 0;
    while (total < size) {
      size_t got = 0;
      const int done = SSL_read_ex(ssl_.get(), data + total, size - total, &got);
      total += got;
      if (done == 1) continue;
      const int error = SSL_get_error(ssl_.get(), done);
      keep_rest();
      if (error == SSL_ERROR_WANT_READ) return total;
      ended_ = error == SSL_ERROR_ZERO_RETURN;
      if (ended_) return Error{"the peer closed the link"};
      return openssl_error("TLS broke");
    }
    keep_rest();
    return total;
  }

  Status write(ByteView plain) override {
    while (!plain.empty()) {
      size_t written = 0;
      // The pipe takes everything, so this never has to be repeated.
      if (SSL_write_ex(ssl_.get(), plain.data(), plain.size(), &written) != 1) {
        return openssl_error("TLS broke");
      }
      plain.remove_prefix(written);
    }
    return {};
  }

  Bytes& output() override { return pipe_.output; }

  /// Called by OpenSSL with the peer's certificate, in place of checking a chain of issuers. What
  /// an operator's own tools have made may have an end, which counts; Eve's have none.
  int judge(X509* certificate) {
    peer_key_ = ed25519_key_of(certificate);
    if (!peer_key_ ||
        std::find(expected_.begin(), expected_.end(), *peer_key_) == expected_.end()) {
      refusal_ = "the peer's key is none that cluster.toml names for it";
      return X509_V_ERR_CERT_UNTRUSTED;
    }
    if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0) {
      refusal_ = "the peer's certificate has expired";
      return X509_V_ERR_CERT_HAS_EXPIRED;
    }
    return X509_V_OK;
  }

 private:
  /// Bytes that OpenSSL has not asked for yet: less than a record, unless read() was given too
  /// little room.
  void keep_rest() {
    pending_.erase(0, pending_.size() - pipe_.input.size());
    pipe_.input = {};
  }

  Pipe pipe_;
  SslPtr ssl_;
  std::vector<crypto::PublicKey> expected_;
  Bytes pending_;
  std::optional<crypto::PublicKey> peer_key_;
  bool established_ = false;
  bool ended_ = false;
  std::string refusal_;  ///< why the peer's certificate was refused
};

int verify_peer(X509_STORE_CTX* store, void*) {
  auto* ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* session = static_cast<OpenSslSession*>(SSL_get_app_data(ssl));
  const int verdict = session->judge(X509_STORE_CTX_get0_cert(store));
  X509_STORE_CTX_set_error(store, verdict);
  return verdict == X509_V_OK ? 1 : 0;
}

class OpenSslContext final : public TlsContext {
 public:
  explicit OpenSslContext(ContextPtr context) : context_(std::move(context)) {}

  std::unique_ptr<TlsSession> session(TlsSide side,
                                      std::vector<crypto::PublicKey> expected) override {
    return std::make_unique<OpenSslSession>(context_.get(), side, std::move(expected));
  }

 private:
  ContextPtr context_;
};

}  // namespace

Result<std::unique_ptr<TlsContext>> TlsContext::create(const crypto::SigningKey& key,
                                                       const std::string& node) {
  const auto certificate_pem = key.self_signed_certificate_pem(node);
  const auto key_pem = key.to_pem();
  const BioPtr certificate_bio(
      BIO_new_mem_buf(certificate_pem.data(), static_cast<int>(certificate_pem.size())));
  const BioPtr key_bio(BIO_new_mem_buf(key_pem.data(), static_cast<int>(key_pem.size())));
  const CertificatePtr certificate(
      PEM_read_bio_X509(certificate_bio.get(), nullptr, nullptr, nullptr));
  const KeyPtr private_key(PEM_read_bio_PrivateKey(key_bio.get(), nullptr, nullptr, nullptr));
  ContextPtr context(SSL_CTX_new(TLS_method()));
  if (!context || !certificate || !private_key) return openssl_error("cannot set up TLS");

  auto* raw = context.get();
  const bool ok =
      SSL_CTX_set_min_proto_version(raw, TLS1_3_VERSION) == 1 &&
      SSL_CTX_set_ciphersuites(raw, "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256") == 1 &&
      SSL_CTX_use_certificate(raw, certificate.get()) == 1 &&
      SSL_CTX_use_PrivateKey(raw, private_key.get()) == 1 && SSL_CTX_set_num_tickets(raw, 0) == 1;
  if (!ok) return openssl_error("cannot set up TLS");
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_verify(raw, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_cert_verify_callback(raw, verify_peer, nullptr);
  return std::unique_ptr<TlsContext>(std::make_unique<OpenSslContext>(std::move(context)));
}

}  // namespace eve::runtime
