#include "sim/liar.h"

#include <utility>

namespace eve::sim {
namespace {

constexpr size_t kRemembered = 64;

}  // namespace

std::vector<wire::Send> Liar::distort(const std::vector<wire::Send>& truth) {
  std::vector<wire::Send> out;
  for (const wire::Send& send : truth) {
    old_.push_back(send.message);
    if (old_.size() > kRemembered) old_.pop_front();
    if (random_.chance(lie_per_mille_, 1000)) {
      ++told_;
      distort(send, out);
    } else {
      out.push_back(send);
    }
  }
  return out;
}

void Liar::distort(const wire::Send& truth, std::vector<wire::Send>& out) {
  switch (random_.below(5)) {
    case 0:
      return;
    case 1:
      out.push_back({truth.to, old_[random_.below(old_.size())]});
      return;
    case 2:
      out.push_back(
          {truth.to, std::make_shared<const wire::Message>(lies_.instead_of(*truth.message))});
      return;
    default:
      // Everybody hears something of their own; some hear the truth.
      for (const Address to : truth.to) {
        const bool honest = random_.chance(1, 2);
        out.push_back(
            {{to},
             honest ? truth.message
                    : std::make_shared<const wire::Message>(lies_.instead_of(*truth.message))});
      }
  }
}

}  // namespace eve::sim
