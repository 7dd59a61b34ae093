#include "sim/member_verifier.h"

#include <algorithm>

#include "sim/violation.h"

namespace eve::sim {

MemberVerifier::MemberVerifier(const Surroundings& around, const MemberSurroundings& cluster,
                               Address self, TimeUs clock_offset, uint64_t seed,
                               const crypto::Authenticator& keys, bool keeps,
                               const StoragePlan& storage)
    : MemberHost(around, cluster, self, clock_offset, seed, keys),
      keeps_(keeps),
      storage_(storage) {}

bool MemberVerifier::recovered() const {
  return up() && verifier_ != nullptr && verifier_->glance().phase != "recovering";
}

void MemberVerifier::on_start() {
  cluster_.ledger.restarted(self());
  MemberHost::on_start();
}

void MemberVerifier::calm() {
  calm_ = true;
  for (const auto& [epoch, disk] : disks_) disk->calm();
}

void MemberVerifier::on_crash() {
  verifier_.reset();
  if (disk_ != nullptr) disk_->end();
  disk_ = nullptr;
}

// M12: one log an epoch. What an earlier one holds is not looked at any more.
VerifierDisk& MemberVerifier::open_disk(verification::VerifierOptions& options) {
  const Epoch epoch = steward_->epoch();
  const bool new_life = disk_ == nullptr;
  if (disk_ != nullptr) disk_->end();
  auto& disk = disks_[epoch];
  if (disk == nullptr) {
    if (new_life && disks_.size() > 1) around_.trace.hit(Site::kPromisesOfEarlierEpoch);
    disk = std::make_unique<VerifierDisk>(
        self(), storage_.disk, false, options.genesis, cluster_.digester, random_.next(),
        around_.trace,
        [this, epoch](TimeUs delay, std::function<void()> action) {
          later(delay, [this, epoch, action = std::move(action)] {
            if (steward_->epoch() == epoch) action();
          });
        },
        options.start);
    if (calm_) disk->calm();
  }
  if (!disk->open(options)) throw Violation("disk", to_string(self()) + " has lost its promises");
  if (options.recovered && epoch > Epoch()) around_.trace.hit(Site::kPromisesOfLaterEpoch);
  return *disk;
}

// M12: in an epoch in which it has not been it has promised nothing.
void MemberVerifier::remember(bool again, verification::VerifierOptions& options) {
  if (storage_.verifiers_too()) {
    disk_ = &open_disk(options);
  } else if (!again) {
    promises_.emplace(options.genesis, options.start);
    promised_ = View();
  } else if (keeps_) {
    options.recovered = promises_;
  } else {
    options.lost_promises_at = promised_;
  }
}

void MemberVerifier::begin(bool again) {
  verifier_.reset();
  const auto seat = steward_->seat();
  if (!seat) return;
  const membership::Beginning& present = steward_->present();
  verification::VerifierOptions options;
  options.model = cluster_.model;
  options.index = seat->index;
  options.start = present.number;
  options.genesis = present.token;
  remember(again, options);
  epoch_keys_ = std::make_unique<membership::EpochKeys>(keys_, present.members);
  verifier_ = std::make_unique<verification::Verifier>(options, *epoch_keys_, cluster_.digester);
  const auto recovered = verifier_->glance();
  steward_->committed(recovered.committed, recovered.token);
  verification::Outbox out;
  verifier_->start(local_now(), out);
  carry_out(out);
}

void MemberVerifier::hear(const wire::Message& message, Address from, TimeUs now) {
  if (verifier_ == nullptr) return;
  verification::Outbox out;
  verifier_->receive(message, from, now, out);
  carry_out(out);
}

const Refusals& MemberVerifier::refusals() const {
  return verifier_ == nullptr ? no_refusals() : verifier_->refusals();
}

void MemberVerifier::on_tick(TimeUs now) {
  MemberHost::on_tick(now);
  if (verifier_ == nullptr) return;
  verification::Outbox out;
  verifier_->tick(now, out);
  carry_out(out);
}

void MemberVerifier::on_idle(TimeUs now) {
  if (verifier_ == nullptr) return;
  verification::Outbox out;
  verifier_->idle(now, out);
  carry_out(out);
}

TimeUs MemberVerifier::deadline() const {
  const TimeUs steward = MemberHost::deadline();
  return verifier_ == nullptr ? steward : std::min(steward, verifier_->deadline());
}

void MemberVerifier::carry_out(verification::Outbox& out) {
  const auto now = verifier_->glance();
  if (!liar()) cluster_.ledger.committed(self(), now.committed, now.token);
  if (disk_ != nullptr) {
    disk_->carry_out(out, [this, now](const std::vector<wire::Send>& sends) {
      steward_->committed(now.committed, now.token);
      say(sends);
    });
    return;
  }
  for (const verification::Promise& promise : out.promises) {
    if (keeps_ && !promises_->apply(promise)) {
      throw Violation("persist first", to_string(self()) + " makes a promise that cannot follow");
    }
  }
  if (const auto view = verification::highest_view(out.promises)) {
    promised_ = std::max(promised_, *view);
  }
  steward_->committed(now.committed, now.token);
  say(out.sends);
}

}  // namespace eve::sim
