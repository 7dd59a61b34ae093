#include "verification/certificate.h"

#include "verification/testing.h"

namespace eve::verification::testing {
namespace {

const FaultModel kModel(1, 1);

wire::Certificate certificate(std::vector<uint16_t> voters, uint64_t view = 1,
                              uint64_t number = 5) {
  return make_certificate(kModel, std::move(voters), view, number, digest("T"), digest("P"));
}

TEST(Certificate, NeedsAQuorumOfDistinctValidSignatures) {
  const Signer signer(kModel, 0);
  EXPECT_TRUE(signer.notary().valid(certificate({0, 2, 3})));
  EXPECT_TRUE(signer.notary().valid(certificate({0, 1, 2, 3})));
  EXPECT_FALSE(signer.notary().valid(certificate({0, 2})));
  EXPECT_FALSE(signer.notary().valid(certificate({0, 2, 2})));
  EXPECT_FALSE(signer.notary().valid(certificate({0, 2, 4}))) << "there is no verifier 4";

  auto forged = certificate({0, 2, 3});
  forged.votes[1].signature = "no";
  EXPECT_FALSE(signer.notary().valid(forged));
  auto other_token = certificate({0, 2, 3});
  other_token.token = digest("U");
  EXPECT_FALSE(signer.notary().valid(other_token));
  auto other_view = certificate({0, 2, 3});
  other_view.view = View(2);
  EXPECT_FALSE(signer.notary().valid(other_view));
}

TEST(Certificate, GenesisIsNumberZeroWithTheGenesisTokenOnly) {
  const Signer signer(kModel, 0);
  auto genesis = genesis_certificate();
  EXPECT_TRUE(signer.notary().valid(genesis));
  genesis.number = BatchNumber(7);
  EXPECT_FALSE(signer.notary().valid(genesis));
  genesis = genesis_certificate();
  genesis.token = digest("T");
  EXPECT_FALSE(signer.notary().valid(genesis));
  EXPECT_FALSE(signer.notary().valid(certificate({0, 1, 2}, 1, 0)));
}

TEST(Certificate, TheHighestIsByViewThenByNumber) {
  EXPECT_TRUE(outranks(certificate({}, 0, 1), genesis_certificate()));
  EXPECT_FALSE(outranks(genesis_certificate(), genesis_certificate()));
  EXPECT_TRUE(outranks(certificate({}, 2, 1), certificate({}, 1, 9)));
  EXPECT_TRUE(outranks(certificate({}, 1, 9), certificate({}, 1, 8)));
  EXPECT_FALSE(outranks(certificate({}, 1, 8), certificate({}, 1, 8)));
}

TEST(ViewChange, CarriesACertificateBelowItsView) {
  const Signer signer(kModel, 0);
  const Signer other(kModel, 3);
  EXPECT_TRUE(signer.notary().valid(other.change(2, certificate({0, 1, 2}, 1))));
  EXPECT_FALSE(signer.notary().valid(other.change(2, certificate({0, 1, 2}, 2))));
  EXPECT_FALSE(signer.notary().valid(other.change(2, certificate({0, 1}, 1))));
  auto borrowed = other.change(2, genesis_certificate());
  borrowed.verifier = 2;
  EXPECT_FALSE(signer.notary().valid(borrowed));
  auto out_of_range = other.change(2, genesis_certificate());
  out_of_range.verifier = 9;
  EXPECT_FALSE(signer.notary().valid(out_of_range));
}

class NewViews : public ::testing::Test {
 protected:
  wire::ViewChange change(uint16_t from, uint64_t view, const wire::Certificate& held) {
    return Signer(kModel, from).change(view, held);
  }
  std::vector<wire::ViewChange> proof() {
    return {change(0, 1, genesis_certificate()), change(2, 1, certificate({0, 1, 2}, 0, 5)),
            change(3, 1, certificate({0, 1, 2}, 0, 4))};
  }
  const Signer leader_{kModel, 1};
  const Notary& notary_ = leader_.notary();
};

TEST_F(NewViews, IsTheChoiceThatItsProofImplies) {
  const auto good = leader_.new_view(1, proof());
  EXPECT_EQ(good.number, BatchNumber(5));
  EXPECT_TRUE(notary_.valid(good));

  wire::NewView wrong{View(1), BatchNumber(4), digest("T"), proof(), 0, {}};
  notary_.sign(wrong);
  EXPECT_FALSE(notary_.valid(wrong)) << "a lower start point than the highest certificate";
  wire::NewView renamed{View(1), BatchNumber(5), digest("U"), proof(), 0, {}};
  notary_.sign(renamed);
  EXPECT_FALSE(notary_.valid(renamed));
}

TEST_F(NewViews, NeedsDistinctVerifiersOfThisViewAndItsLeader) {
  auto twice = proof();
  twice[0] = twice[2];
  EXPECT_FALSE(notary_.valid(leader_.new_view(1, twice)));
  auto few = proof();
  few.pop_back();
  EXPECT_FALSE(notary_.valid(leader_.new_view(1, few)));
  auto other_view = proof();
  other_view[0] = change(0, 5, genesis_certificate());
  EXPECT_FALSE(notary_.valid(leader_.new_view(1, other_view)));
  EXPECT_FALSE(notary_.valid(Signer(kModel, 2).new_view(1, proof())));
  auto forged = proof();
  forged[1].prepared.votes[0].signature = "no";
  EXPECT_FALSE(notary_.valid(leader_.new_view(1, forged)));
  auto unsigned_one = leader_.new_view(1, proof());
  unsigned_one.signature = "no";
  EXPECT_FALSE(notary_.valid(unsigned_one));
}

}  // namespace
}  // namespace eve::verification::testing
