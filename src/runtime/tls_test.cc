#include "runtime/tls.h"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "base/random.h"

namespace eve::runtime {
namespace {

/// Two sessions whose bytes are carried by hand, in pieces of `piece` bytes.
class TlsPair {
 public:
  TlsPair(const std::vector<crypto::PublicKey>& dialer_expects,
          const std::vector<crypto::PublicKey>& acceptor_expects, size_t piece = 1 << 20)
      : piece_(piece) {
    dialer_context_ = TlsContext::create(dialer_key_, "dialer").value();
    acceptor_context_ = TlsContext::create(acceptor_key_, "acceptor").value();
    dialer = dialer_context_->session(TlsSide::kDialed,
                                      with(dialer_expects, acceptor_key_.public_key()));
    acceptor = acceptor_context_->session(TlsSide::kAccepted,
                                          with(acceptor_expects, dialer_key_.public_key()));
  }

  /// Carries bytes until nothing moves; false when a side failed.
  bool settle() {
    while (!dialer->output().empty() || !acceptor->output().empty()) {
      if (!carry(*dialer, *acceptor) || !carry(*acceptor, *dialer)) return false;
    }
    return true;
  }

  const crypto::SigningKey& dialer_key() const { return dialer_key_; }
  const crypto::SigningKey& acceptor_key() const { return acceptor_key_; }

  std::unique_ptr<TlsSession> dialer;
  std::unique_ptr<TlsSession> acceptor;

 private:
  /// An empty list stands for the right key.
  static std::vector<crypto::PublicKey> with(const std::vector<crypto::PublicKey>& keys,
                                             const crypto::PublicKey& right) {
    return keys.empty() ? std::vector<crypto::PublicKey>{right} : keys;
  }
  bool carry(TlsSession& from, TlsSession& to) {
    const auto bytes = from.output().substr(0, piece_);
    from.output().erase(0, bytes.size());
    return bytes.empty() || to.receive(bytes).ok();
  }

  size_t piece_;
  crypto::SigningKey dialer_key_ = crypto::SigningKey::generate();
  crypto::SigningKey acceptor_key_ = crypto::SigningKey::generate();
  std::unique_ptr<TlsContext> dialer_context_;
  std::unique_ptr<TlsContext> acceptor_context_;
};

Bytes read_all(TlsSession& session) {
  Bytes all;
  char buffer[1000];
  while (true) {
    const auto got = session.read(buffer, sizeof buffer);
    EXPECT_TRUE(got.ok());
    if (!got.ok() || *got == 0) return all;
    all.append(buffer, *got);
  }
}

TEST(Tls, CarriesBytesBothWays) {
  for (size_t piece : {1u, 100u, 1u << 20}) {
    TlsPair pair({}, {}, piece);
    ASSERT_TRUE(pair.settle());
    ASSERT_TRUE(pair.dialer->established() && pair.acceptor->established());
    EXPECT_EQ(pair.dialer->peer_key(), pair.acceptor_key().public_key());
    EXPECT_EQ(pair.acceptor->peer_key(), pair.dialer_key().public_key());

    const Bytes big(100'000, 'x');
    ASSERT_TRUE(pair.dialer->write("ping").ok());
    ASSERT_TRUE(pair.dialer->write(big).ok());
    ASSERT_TRUE(pair.acceptor->write("pong").ok());
    ASSERT_TRUE(pair.settle());
    EXPECT_EQ(read_all(*pair.acceptor), "ping" + big);
    EXPECT_EQ(read_all(*pair.dialer), "pong");
  }
}

TEST(Tls, RefusesKeysThatAreNotExpected) {
  const auto stranger = crypto::SigningKey::generate().public_key();
  TlsPair wrong_server({stranger}, {});
  EXPECT_FALSE(wrong_server.settle());
  EXPECT_FALSE(wrong_server.acceptor->established());

  // The dialing side may think all is well until the alert arrives.
  TlsPair wrong_client({}, {stranger});
  EXPECT_FALSE(wrong_client.settle());
  EXPECT_FALSE(wrong_client.acceptor->established());
}

TEST(Tls, RefusesWhatWasRecorded) {
  // All that the dialing side ever said, in one piece, to the same acceptor's next session.
  const auto dialer_key = crypto::SigningKey::generate();
  const auto acceptor_key = crypto::SigningKey::generate();
  auto dialer_context = TlsContext::create(dialer_key, "dialer").value();
  auto acceptor_context = TlsContext::create(acceptor_key, "acceptor").value();
  const auto accept = [&] {
    return acceptor_context->session(TlsSide::kAccepted, {dialer_key.public_key()});
  };
  auto dialer = dialer_context->session(TlsSide::kDialed, {acceptor_key.public_key()});
  auto acceptor = accept();
  Bytes recorded;
  while (!dialer->output().empty()) {
    const auto said = std::exchange(dialer->output(), {});
    recorded += said;
    ASSERT_TRUE(acceptor->receive(said).ok());
    ASSERT_TRUE(dialer->receive(std::exchange(acceptor->output(), {})).ok());
  }
  ASSERT_TRUE(dialer->established() && acceptor->established());
  ASSERT_TRUE(dialer->write("pay again").ok());
  recorded += dialer->output();

  auto again = accept();
  const auto status = again->receive(recorded);
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.message().find("TLS handshake failed"), std::string::npos);
  EXPECT_FALSE(again->established());
}

/// A dialing side that shows a certificate of `key` made elsewhere, which ended at `not_after`.
class ForeignDialer {
 public:
  ForeignDialer(const crypto::SigningKey& key, const char* not_after)
      : context_(SSL_CTX_new(TLS_method()), &SSL_CTX_free),
        certificate_(X509_new(), &X509_free),
        key_(read_key(key.to_pem()), &EVP_PKEY_free) {
    auto* x509 = certificate_.get();
    X509_set_version(x509, 2);
    ASN1_TIME_set_string_X509(X509_getm_notBefore(x509), "20000101000000Z");
    ASN1_TIME_set_string_X509(X509_getm_notAfter(x509), not_after);
    X509_set_pubkey(x509, key_.get());
    EXPECT_GT(X509_sign(x509, key_.get(), nullptr), 0);
    EXPECT_EQ(SSL_CTX_use_certificate(context_.get(), x509), 1);
    EXPECT_EQ(SSL_CTX_use_PrivateKey(context_.get(), key_.get()), 1);
    ssl_.reset(SSL_new(context_.get()));
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl_.get(), in_, out_);
    SSL_set_connect_state(ssl_.get());
  }

  /// What the handshake with `acceptor` ends with.
  Status meet(TlsSession& acceptor) {
    while (SSL_do_handshake(ssl_.get()) != 1 || BIO_pending(out_) > 0) {
      Bytes said(static_cast<size_t>(BIO_pending(out_)), '\0');
      if (said.empty()) return Error{"the foreign side has stopped"};
      BIO_read(out_, said.data(), static_cast<int>(said.size()));
      if (auto status = acceptor.receive(said); !status) return status;
      const auto answer = std::exchange(acceptor.output(), {});
      BIO_write(in_, answer.data(), static_cast<int>(answer.size()));
    }
    return {};
  }

 private:
  static EVP_PKEY* read_key(const std::string& pem) {
    auto* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
    auto* key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
    BIO_free(bio);
    return key;
  }

  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  std::unique_ptr<X509, decltype(&X509_free)> certificate_;
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_{nullptr, &SSL_free};
  BIO* in_ = nullptr;   ///< ssl_'s
  BIO* out_ = nullptr;  ///< ssl_'s
};

TEST(Tls, RefusesExpiredAndForeignCertificates) {
  const auto key = crypto::SigningKey::generate();
  const auto stranger = crypto::SigningKey::generate();
  auto context = TlsContext::create(crypto::SigningKey::generate(), "acceptor").value();
  const auto outcome = [&](const crypto::SigningKey& shown, const char* not_after) {
    auto acceptor = context->session(TlsSide::kAccepted, {key.public_key()});
    const auto status = ForeignDialer(shown, not_after).meet(*acceptor);
    EXPECT_EQ(status.ok(), acceptor->established());
    return status.ok() ? std::string() : status.message();
  };
  EXPECT_EQ(outcome(key, "99991231235959Z"), "");
  EXPECT_NE(outcome(key, "20200101000000Z").find("has expired"), std::string::npos);
  EXPECT_NE(outcome(stranger, "99991231235959Z").find("none that cluster.toml names"),
            std::string::npos);
}

TEST(Tls, SurvivesAnyBytes) {
  Random random(5);
  for (int round = 0; round < 200; ++round) {
    TlsPair pair({}, {});
    const bool establish = random.chance(1, 2);
    if (establish) {
      ASSERT_TRUE(pair.settle());
    }
    Bytes garbage;
    if (establish) {
      ASSERT_TRUE(pair.dialer->write("something").ok());
      garbage = std::exchange(pair.dialer->output(), {});
      garbage[random.below(garbage.size())] ^= static_cast<char>(1 + random.below(255));
    }
    for (uint64_t i = random.below(300); i > 0; --i) {
      garbage += static_cast<char>(random.below(256));
    }
    char buffer[100];
    if (pair.acceptor->receive(garbage).ok()) {
      const auto got = pair.acceptor->read(buffer, sizeof buffer);
      EXPECT_EQ(got.ok() ? *got : 0, 0u);
    }
  }
}

}  // namespace
}  // namespace eve::runtime
