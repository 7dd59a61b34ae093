#include "crypto/keys.h"

#include <gtest/gtest.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <atomic>
#include <thread>

#include <memory>

namespace eve::crypto {
namespace {

TEST(SigningKey, PemRoundTrip) {
  const SigningKey key = SigningKey::generate();
  const std::string pem = key.to_pem();
  EXPECT_EQ(pem.find("-----BEGIN PRIVATE KEY-----"), 0u);
  auto again = SigningKey::from_pem(pem);
  ASSERT_TRUE(again.ok()) << again.message();
  EXPECT_EQ(again->public_key(), key.public_key());
  EXPECT_EQ(again->sign("x"), key.sign("x"));  // Ed25519 is deterministic
  EXPECT_NE(SigningKey::generate().public_key(), key.public_key());
}

// RFC 8032, 7.1, test 2.
TEST(SigningKey, SignsAsTheStandardSays) {
  auto key = SigningKey::from_pem(
      "-----BEGIN PRIVATE KEY-----\n"
      "MC4CAQAwBQYDK2VwBCIEIEzNCJso/5banbbDRuwRTg9bijGfNaumJNqM9u1PuKb7\n"
      "-----END PRIVATE KEY-----\n");
  ASSERT_TRUE(key.ok()) << key.message();
  EXPECT_EQ(to_hex(key->public_key()),
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
  const Bytes signature = key->sign("\x72");
  EXPECT_EQ(signature.size(), 64u);
  EXPECT_EQ(signature.substr(0, 4), Bytes("\x92\xa0\x09\xa9", 4));
}

TEST(SigningKey, RefusesOtherPem) {
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> other(
      EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519"), EVP_PKEY_free);
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(bio, other.get(), nullptr, nullptr, 0, nullptr, nullptr);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  EXPECT_FALSE(SigningKey::from_pem(ByteView(data, static_cast<size_t>(size))).ok());
  BIO_free(bio);

  EXPECT_FALSE(SigningKey::from_pem("").ok());
  EXPECT_FALSE(SigningKey::from_pem("-----BEGIN PRIVATE KEY-----\n").ok());
  const std::string pem = SigningKey::generate().to_pem();
  EXPECT_FALSE(SigningKey::from_pem(ByteView(pem).substr(0, pem.size() / 2)).ok());
}

TEST(PublicKey, HexRoundTrip) {
  const PublicKey key = SigningKey::generate().public_key();
  auto again = public_key_from_hex(to_hex(key));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(*again, key);
  EXPECT_FALSE(public_key_from_hex("").ok());
  EXPECT_FALSE(public_key_from_hex(to_hex(key) + "00").ok());
  EXPECT_FALSE(public_key_from_hex("z" + to_hex(key).substr(1)).ok());
}

TEST(Certificate, CarriesTheKeyAndIsSelfSigned) {
  const SigningKey key = SigningKey::generate();
  const std::string pem = key.self_signed_certificate_pem("executor-0");
  EXPECT_EQ(pem, key.self_signed_certificate_pem("executor-0"));
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  X509* certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
  ASSERT_NE(certificate, nullptr);
  EVP_PKEY* inside = X509_get0_pubkey(certificate);
  EXPECT_EQ(X509_verify(certificate, inside), 1);
  PublicKey bytes{};
  size_t size = bytes.size();
  EXPECT_EQ(EVP_PKEY_get_raw_public_key(inside, bytes.data(), &size), 1);
  EXPECT_EQ(bytes, key.public_key());
  EXPECT_LT(X509_cmp_current_time(X509_get0_notBefore(certificate)), 0);
  EXPECT_GT(X509_cmp_current_time(X509_get0_notAfter(certificate)), 0);
  X509_free(certificate);
  BIO_free(bio);
}

class Authentication : public ::testing::Test {
 protected:
  SigningKey key() const { return SigningKey::from_pem(pem_).value(); }

  std::string pem_ = SigningKey::generate().to_pem();
  Address self_ = Address::verifier(1);
  KeyDirectory directory_ = {{self_, key().public_key()},
                             {Address::verifier(2), SigningKey::generate().public_key()}};
  Ed25519Authenticator authenticator_{"cluster", key(), directory_};
};

TEST_F(Authentication, AcceptsExactlyItsOwnSignatures) {
  const Bytes signature = authenticator_.sign(Domain::kPrepare, "text");
  EXPECT_TRUE(authenticator_.verify(self_, Domain::kPrepare, "text", signature));
  EXPECT_FALSE(authenticator_.verify(self_, Domain::kViewChange, "text", signature));
  EXPECT_FALSE(authenticator_.verify(self_, Domain::kPrepare, "texT", signature));
  EXPECT_FALSE(authenticator_.verify(self_, Domain::kPrepare, "", signature));
  EXPECT_FALSE(authenticator_.verify(Address::verifier(2), Domain::kPrepare, "text", signature));
  EXPECT_FALSE(authenticator_.verify(Address::verifier(3), Domain::kPrepare, "text", signature));
  EXPECT_FALSE(authenticator_.verify(Address::executor(1), Domain::kPrepare, "text", signature));
}

TEST_F(Authentication, LearnsKeysAndReplacesThem) {
  const SigningKey late = SigningKey::generate();
  const Ed25519Authenticator other("cluster", SigningKey::from_pem(late.to_pem()).value(), {});
  const Bytes signature = other.sign(Domain::kPrepare, "text");
  EXPECT_FALSE(authenticator_.verify(Address::verifier(7), Domain::kPrepare, "text", signature));
  authenticator_.set(Address::verifier(7), late.public_key());
  EXPECT_TRUE(authenticator_.verify(Address::verifier(7), Domain::kPrepare, "text", signature));
  EXPECT_FALSE(authenticator_.verify(self_, Domain::kPrepare, "text", signature));
  authenticator_.set(Address::verifier(7), key().public_key());
  EXPECT_FALSE(authenticator_.verify(Address::verifier(7), Domain::kPrepare, "text", signature));
}

// What a growing cluster does while others verify: to be run with TSan.
TEST_F(Authentication, LearnsKeysWhileOthersVerify) {
  const Bytes signature = authenticator_.sign(Domain::kPrepare, "text");
  std::atomic<bool> all_fine = true;
  std::thread verifier([&] {
    for (int i = 0; i < 200; ++i) {
      if (!authenticator_.verify(self_, Domain::kPrepare, "text", signature)) all_fine = false;
    }
  });
  for (uint16_t i = 0; i < 200; ++i) {
    authenticator_.set(Address::verifier(i % 100), key().public_key());
  }
  verifier.join();
  EXPECT_TRUE(all_fine);
}

TEST_F(Authentication, RefusesDamagedSignatures) {
  const Bytes signature = authenticator_.sign(Domain::kBundle, "text");
  for (size_t i = 0; i < signature.size(); ++i) {
    Bytes damaged = signature;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_FALSE(authenticator_.verify(self_, Domain::kBundle, "text", damaged)) << i;
  }
  EXPECT_FALSE(authenticator_.verify(self_, Domain::kBundle, "text", ""));
  EXPECT_FALSE(authenticator_.verify(self_, Domain::kBundle, "text", signature + "x"));
  EXPECT_FALSE(authenticator_.verify(self_, Domain::kBundle, "text", signature.substr(1)));
}

// The same key in two clusters, whose ids could be confused if lengths were not signed.
TEST_F(Authentication, OneClusterIsNotAnother) {
  const Ed25519Authenticator shorter("cluste", key(), directory_);
  const Bytes signature = authenticator_.sign(Domain::kBundle, "text");
  EXPECT_FALSE(shorter.verify(self_, Domain::kBundle, "text", signature));
  EXPECT_FALSE(shorter.verify(self_, Domain::kBundle, "r" + std::string("text"), signature));
}

TEST(NoAuthenticator, AcceptsNothingElseThanNothing) {
  const NoAuthenticator none;
  EXPECT_EQ(none.sign(Domain::kBundle, "text"), "");
  EXPECT_TRUE(none.verify(Address::client(0), Domain::kBundle, "text", ""));
  EXPECT_FALSE(none.verify(Address::client(0), Domain::kBundle, "text", "x"));
}

}  // namespace
}  // namespace eve::crypto
