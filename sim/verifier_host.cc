#include "sim/verifier_host.h"

#include <string>

#include "sim/violation.h"

namespace eve::sim {
namespace {

/// What a verifier says was its reason for asking for a view, and the site that it is.
struct ReasonSite {
  const char* words;
  Site site;
};
constexpr ReasonSite kReasons[] = {
    {"diverged", Site::kViewByDivergence},
    {"stayed unverified", Site::kViewBySilence},
    {"suspect the primary", Site::kViewBySuspicion},
    {"must stay silent without it", Site::kViewByReturnedExecutor},
    {"cannot vote without it", Site::kViewByStrandedVerifier},
    {"did not start in time", Site::kViewByTimeout},
};

}  // namespace

VerifierHost::VerifierHost(const Surroundings& around, const verification::VerifierOptions& options,
                           TimeUs clock_offset, uint64_t seed,
                           const crypto::Authenticator& authenticator,
                           const crypto::Digester& digester, Ledger& ledger,
                           const std::optional<StoragePlan>& storage)
    : Host(around, Address::verifier(options.index), clock_offset, seed),
      options_(options),
      authenticator_(authenticator),
      digester_(digester),
      ledger_(ledger) {
  if (!storage) return;
  disk_ = std::make_unique<VerifierDisk>(
      self(), storage->disk, storage->damaged > 0, options_.genesis, digester_, random_.next(),
      around.trace,
      [this](TimeUs delay, std::function<void()> action) { later(delay, std::move(action)); });
}
VerifierHost::~VerifierHost() = default;

bool VerifierHost::recovered() const {
  return up() && !retired_ && !broken() && verifier_->glance().phase != "recovering";
}

void VerifierHost::calm() {
  if (disk_) disk_->calm();
}

void VerifierHost::on_start() {
  auto options = options_;
  // To be asked, should this not come to an end.
  verifier_ = std::make_unique<verification::Verifier>(options, authenticator_, digester_);
  if (amnesiac()) {
    persisted_ = View();
    views_.restarted(self());
  } else if (disk_) {
    retired_ = !disk_->open(options);
    if (retired_) return;
    views_.stands(self(), disk_->promised());
  } else if (lives() > 1) {
    options.lost_promises_at = persisted_;
  }
  verifier_ = std::make_unique<verification::Verifier>(options, authenticator_, digester_);
  ledger_.restarted(self());
  phase_ = verifier_->glance().phase;
  reason_.clear();
  view_ = verifier_->glance().view;
  verification::Outbox out;
  verifier_->start(local_now(), out);
  carry_out(out);
}

void VerifierHost::on_crash() {
  if (phase_ == "changing" || phase_ == "starting") {
    around_.trace.hit(Site::kCrashWhileChangingView);
  }
  verifier_.reset();
  if (disk_) disk_->end();
}

void VerifierHost::on_message(const wire::Message& message, Address from, TimeUs now) {
  if (retired_) return;
  last_from_ = from;
  verification::Outbox out;
  verifier_->receive(message, from, now, out);
  carry_out(out);
}

void VerifierHost::on_tick(TimeUs now) {
  if (retired_) return;
  verification::Outbox out;
  verifier_->tick(now, out);
  carry_out(out);
}

void VerifierHost::on_idle(TimeUs now) {
  if (retired_) return;
  verification::Outbox out;
  verifier_->idle(now, out);
  carry_out(out);
}

void VerifierHost::carry_out(verification::Outbox& out) {
  if (!disk_) keep_view(out);
  const auto now = verifier_->glance();
  witness(now);
  if (!disk_) {
    ledger_.committed(self(), now.committed, now.token);
    return send(out.sends);
  }
  // What it takes for committed may rest on a COMMIT of its own that is not durable yet. If it dies
  // now nobody has heard of either (P2), and the others may go on without that batch.
  disk_->carry_out(out, [this, now](const std::vector<wire::Send>& sends) {
    ledger_.committed(self(), now.committed, now.token);
    views_.stands(self(), now.promised);
    send(sends);
  });
}

void VerifierHost::keep_view(verification::Outbox& out) {
  // What it persists outlives it.
  if (const auto view = verification::highest_view(out.promises)) {
    views_.stands(self(), *view);
    persisted_ = *view;
  }
  const View promised = verifier_->glance().promised;
  if (promised > persisted_) {
    throw Violation("persist first", to_string(self()) + " promises view " +
                                         std::to_string(promised.value()) +
                                         " and has not persisted it");
  }
}

void VerifierHost::witness(const verification::VerifierStatus& now) {
  if (now.last_reason != reason_) {
    for (const ReasonSite& reason : kReasons) {
      if (now.last_reason.ends_with(reason.words)) around_.trace.hit(reason.site);
    }
    reason_ = now.last_reason;
  }
  const bool joined = now.phase == "starting" || now.phase == "normal";
  if (now.view > view_ && joined) {
    around_.trace.hit(Site::kViewJoined);
    // Its leader sends it to all; from others it comes when asked for.
    const bool led = last_from_.index == now.view.value() % options_.model.verifiers();
    if (!led && options_.index != now.view.value() % options_.model.verifiers()) {
      around_.trace.hit(Site::kViewJoinedLate);
    }
  }
  if (phase_ == "recovering" && joined) around_.trace.hit(Site::kPromisesRecovered);
  if (joined) view_ = now.view;
  phase_ = now.phase;
}

}  // namespace eve::sim
