// What happened on a stage, for a person: one line a message or change of state. What several nodes
// do in the same instant is one line; messages that were sent before, word for word, are counted.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "base/ids.h"

namespace eve::sim {

class Transcript {
 public:
  /// `nodes`: everybody, so that "verifiers" can stand for all of them. Before the cluster is
  /// known: nobody.
  void set_nodes(std::vector<Address> nodes) { nodes_ = std::move(nodes); }

  /// A line of the script, as it is.
  void script(const std::string& line);
  /// `folds`: a repetition of it is not news. `fate`: "", "dropped", "held", ...
  void message(TimeUs now, Address from, std::vector<Address> to, const std::string& text,
               const std::string& fate, bool folds);
  void change(TimeUs now, Address node, const std::string& text);
  /// What happens while it is muted leaves no line.
  void mute(bool muted);

  /// Everything so far; ends the current instant.
  std::string text();
  /// The same as a Mermaid sequence diagram.
  std::string mermaid();

 private:
  struct Entry {
    TimeUs at = 0;
    std::vector<Address> who;  ///< empty: a line of the script
    std::vector<Address> to;   ///< empty: a change of state
    std::string receivers;     ///< `to` as the sender sees it
    std::string text;
    std::string fate;
    uint64_t repeated_before = 0;  ///< a line of the script: since the one before
  };
  void add(Entry entry);
  std::string line(const Entry& entry) const;
  std::string label(const Entry& entry) const;

  std::vector<Address> nodes_;
  std::vector<Entry> entries_;
  size_t instant_ = 0;  ///< entries from here on may still gather senders
  std::set<std::tuple<Address, std::string, std::string, std::string>> seen_;
  uint64_t repeated_ = 0;
  bool muted_ = false;
};

}  // namespace eve::sim
