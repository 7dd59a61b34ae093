#include "verification/promises.h"

#include <algorithm>

#include "verification/certificate.h"
#include "verification/poison.h"

namespace eve::verification {
namespace {

template <typename Kind>
bool is(const Promise& promise) {
  return std::holds_alternative<Kind>(promise);
}

}  // namespace

bool binds(const Promise& promise) {
  return !is<Learnt>(promise) && !is<Started>(promise) && !is<Blamed>(promise);
}

std::optional<View> view_of(const Promise& promise) {
  if (const auto* stands = std::get_if<Stands>(&promise)) return stands->view;
  if (const auto* change = std::get_if<wire::ViewChange>(&promise)) return change->view;
  if (const auto* joined = std::get_if<wire::NewView>(&promise)) return joined->view;
  return std::nullopt;
}

std::optional<View> highest_view(const std::vector<Promise>& promises) {
  std::optional<View> highest;
  for (const Promise& promise : promises) highest = std::max(highest, view_of(promise));
  return highest;
}

Promises::Promises(const crypto::Digest& genesis, BatchNumber start)
    : last{wire::VerdictKind::kCommit, View(0), start, genesis, {}},
      started{wire::VerdictKind::kRollback, View(0), start, genesis, {}},
      proven{View(0), start, genesis} {
  held.token = genesis;
}

bool Promises::apply(const Promise& promise) {
  return std::visit([this](const auto& kind) { return take(kind); }, promise);
}

bool Promises::take(const Stands& stands) {
  promised = std::max(promised, stands.view);
  forgetful = forgetful || stands.forgetful;
  return true;
}

bool Promises::take(const wire::ViewChange& change) {
  if (change.view < promised) return false;
  promised = change.view;
  asked = change;
  return true;
}

// Nothing that was promised below it is asked for again; and who had forgotten something starts
// anew with it (V9).
bool Promises::take(const wire::NewView& joined) {
  if (joined.view < promised || joined.view <= view() || joined.proof.empty()) return false;
  promised = joined.view;
  forgetful = false;
  new_view = joined;
  asked.reset();
  prepares.clear();
  certificates.clear();
  const wire::Certificate& chosen = start_point(joined.proof);
  if (outranks(chosen, held)) held = chosen;
  return true;
}

bool Promises::take(const wire::Prepare& prepare) {
  return prepare.view == view() && prepares.emplace(prepare.number, prepare).second;
}

bool Promises::take(const wire::Certificate& certificate) {
  if (certificate.genesis || certificate.view != view()) return false;
  if (outranks(certificate, held)) held = certificate;
  return certificates.emplace(certificate.number, certificate).second;
}

bool Promises::take(const Learnt& learnt) {
  if (learnt.last.number <= last.number) return true;  // of one that had forgotten it
  last = learnt.last;
  proven = learnt.proven;
  trim();
  return true;
}

bool Promises::take(const Started& begun) {
  if (begun.start.view != view()) return false;
  started = begun.start;
  trim();
  return true;
}

bool Promises::take(const Blamed& failed) {
  std::erase_if(blamed, [&](const Blamed& known) { return known.bundle == failed.bundle; });
  blamed.push_back(failed);
  if (blamed.size() > kMaxCounted) blamed.erase(blamed.begin());
  return true;
}

void Promises::trim() {
  const auto over = [this](const auto& entry) {
    const bool open = start_is_open() && entry.first == new_view->number;
    return entry.first < last.number && !open;
  };
  std::erase_if(prepares, over);
  std::erase_if(certificates, over);
}

}  // namespace eve::verification
