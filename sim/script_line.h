// One line of a scenario script, word by word. Every mistake is a ScriptError that says what was
// expected.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/quorum.h"
#include "sim/stage_forge.h"

namespace eve::sim {

class ScriptLine {
 public:
  /// Splits at blanks; "..." is one word, key="a b" too.
  explicit ScriptLine(const std::string& line);

  bool ended() const { return next_ == words_.size(); }
  /// Takes the next word if it is this one.
  bool accept(const std::string& word);
  void expect(const std::string& word);
  std::string word(const std::string& what);
  uint64_t number(const std::string& what);
  /// "5 ms", "2 s", "61 min".
  TimeUs duration();
  /// "executor-1", "verifiers", "executor-0,executor-2", "everybody"; a colon may follow.
  std::vector<Address> nodes(const std::vector<Address>& all);
  Address node(const std::vector<Address>& all);
  /// All that is left, if it is key=value.
  Fields fields();
  /// The rest of the line, as it was written.
  std::string rest();
  void end();
  /// "nothing more", or the next word in quotes: for complaints.
  std::string found() const;

 private:
  struct Word {
    std::string text;
    size_t begin;
  };
  std::string line_;
  std::vector<Word> words_;
  size_t next_ = 0;
};

/// The decimal number that `text` is; nothing otherwise.
std::optional<uint64_t> to_number(const std::string& text);

}  // namespace eve::sim
