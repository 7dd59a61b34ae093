#include "runtime/tls.h"

#include <gtest/gtest.h>

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
