#include "sim/trace.h"

#include <iomanip>
#include <ostream>
#include <sstream>

#include "base/random.h"

namespace eve::sim {
namespace {

class Describer {
 public:
  std::string operator()(const wire::BundleMessage& m) const {
    out_ << (m.retry ? "Bundle again" : "Bundle") << " session " << m.bundle->session.value()
         << " first " << m.bundle->first.value() << " requests " << m.bundle->requests.size();
    return out_.str();
  }
  std::string operator()(const wire::BatchMessage& m) const {
    at(m.batch->view, m.batch->number, "Batch");
    out_ << " bundles " << m.batch->bundles.size() << ' ' << m.batch->digest.brief();
    return out_.str();
  }
  std::string operator()(const wire::Reply& m) const {
    out_ << "Reply session " << m.session.value() << " first " << m.first.value() << " status "
         << static_cast<int>(m.status) << " view " << m.view.value() << ' ' << m.digest.brief()
         << (m.payload ? " with payload" : "");
    return out_.str();
  }
  std::string operator()(const wire::Token& m) const {
    return at(m.view, m.parts.number, "Token") + ' ' + m.token.brief();
  }
  std::string operator()(const wire::Verdict& m) const {
    const char* name = m.kind == wire::VerdictKind::kCommit ? "Commit verdict" : "Rollback verdict";
    at(m.view, m.number, name);
    if (!m.quarantine.empty()) out_ << " quarantine " << m.quarantine.size();
    return out_.str() + ' ' + m.token.brief();
  }
  std::string operator()(const wire::Needed& m) const {
    return "Needed after view " + std::to_string(m.view.value()) + " by " + to_string(m.node);
  }
  std::string operator()(const wire::Room& m) const {
    return "Room, low: " + std::to_string(m.low.size());
  }
  std::string operator()(const wire::PairBeat& m) const {
    out_ << "Beat of life " << m.life << ", record " << m.record.epoch.value() << " ["
         << m.record.lives[0] << ", " << m.record.lives[1] << ']';
    if (m.joined) {
      out_ << ", term " << m.term.epoch.value() << '.' << m.term.round << " from "
           << m.start.number.value();
    }
    out_ << ", committed " << m.committed.number.value() << ", reached " << m.reached.number.value()
         << ' ' << m.reached.token.brief();
    return out_.str();
  }
  std::string operator()(const wire::PairBatch& m) const {
    at(m.term.epoch, m.batch->number, "Batch");
    out_ << " round " << m.term.round << " bundles " << m.batch->bundles.size() << ' '
         << m.batch->digest.brief();
    return out_.str();
  }
  std::string operator()(const wire::EpochEnd& m) const {
    out_ << "End of epoch " << m.epoch.value() << " with " << m.evidence.parts.number.value();
    return out_.str();
  }
  std::string operator()(const wire::Farewell& m) const {
    out_ << "FAREWELL epoch " << m.epoch.value() << " number " << m.number.value() << ' '
         << m.token.brief();
    return out_.str();
  }
  std::string operator()(const wire::ChainWanted& m) const {
    return "Chain wanted from epoch " + std::to_string(m.from.value());
  }
  std::string operator()(const wire::Chain& m) const {
    out_ << "Chain of " << m.links.size() << " from epoch " << m.links.front().epoch.value();
    return out_.str();
  }
  std::string operator()(const wire::Candidate& m) const {
    return "Candidate of epoch " + std::to_string(m.bundle->first.value());
  }
  std::string operator()(const wire::InEpoch& m) const {
    return "[epoch " + std::to_string(m.epoch.value()) + "] " + describe(m.enclosed->message);
  }
  std::string operator()(const wire::PairToken& m) const {
    at(m.term.epoch, m.reached.number, "Token");
    out_ << " round " << m.term.round << ' ' << m.reached.token.brief();
    return out_.str();
  }
  std::string operator()(const wire::Suspect& m) const {
    return "Suspect view " + std::to_string(m.view.value());
  }
  std::string operator()(const wire::Hello& m) const {
    return at(m.view, m.committed, m.restarted ? "Hello restarted" : "Hello");
  }
  std::string operator()(const wire::Welcome& m) const {
    at(m.start.view, m.start.number, "Welcome start");
    out_ << ' ' << m.start.token.brief() << " promised " << m.promised.value() << ' ';
    return at(m.last.view, m.last.number, "last") + ' ' + m.last.token.brief();
  }
  std::string operator()(const wire::Prepare& m) const {
    return at(m.view, m.number, "Prepare") + ' ' + m.token.brief();
  }
  std::string operator()(const wire::Commit& m) const {
    return at(m.view, m.number, "Commit") + ' ' + m.token.brief();
  }
  std::string operator()(const wire::ViewChange& m) const {
    out_ << "ViewChange to " << m.view.value() << ", ";
    return at(m.prepared.view, m.prepared.number, "prepared") + ' ' + m.prepared.token.brief();
  }
  std::string operator()(const wire::NewView& m) const {
    return at(m.view, m.number, "NewView") + ' ' + m.token.brief();
  }
  std::string operator()(const wire::StateRequest& m) const {
    out_ << "StateRequest number " << m.number.value() << " nodes " << m.nodes.size();
    return out_.str();
  }
  std::string operator()(const wire::StateReply& m) const {
    out_ << "StateReply number " << m.number.value() << (m.parts ? " with parts" : " without parts")
         << " nodes " << m.nodes.size();
    return out_.str();
  }

 private:
  std::string at(View view, BatchNumber number, const char* name) const {
    out_ << name << " view " << view.value() << " number " << number.value();
    return out_.str();
  }
  mutable std::ostringstream out_;
};

}  // namespace

void Trace::digest(TimeUs now, Address where, uint64_t content) {
  const uint64_t place = (static_cast<uint64_t>(where.role) << 16) | where.index;
  digest_ = Random(digest_ ^ content ^ (place << 44) ^ static_cast<uint64_t>(now)).next();
}

void Trace::print(TimeUs now, Address where, const std::string& text) {
  if (out_ == nullptr) return;
  *out_ << std::setw(10) << now << ' ' << std::setw(10) << std::left << to_string(where)
        << std::right << ' ' << text << '\n';
}

void Trace::note(TimeUs now, Address where, uint64_t content,
                 const std::function<std::string()>& text) {
  digest(now, where, content);
  const bool drawn = diagram_ != nullptr && diagram_->shows(now);
  if (out_ == nullptr && !drawn) return;
  const std::string words = text();
  print(now, where, words);
  if (drawn) diagram_->note(now, where, words);
}

void Trace::arrived(TimeUs now, Address from, Address to, uint64_t content,
                    const wire::Message& message) {
  digest(now, to, content);
  const bool drawn = diagram_ != nullptr && diagram_->shows(now);
  if (out_ == nullptr && !drawn) return;
  const std::string words = describe(message);
  print(now, to, "<- " + to_string(from) + ' ' + words);
  if (drawn) diagram_->message(now, from, to, words);
}

std::string describe(const wire::Message& message) {
  return std::visit(Describer(), message);
}

}  // namespace eve::sim
