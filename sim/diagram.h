// A window of a run as a Mermaid sequence diagram, short enough to be read.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "base/ids.h"

namespace eve::sim {

class Diagram {
 public:
  /// Shows what happens at `from` or later and before `to`, at most so many lines of it.
  Diagram(TimeUs from, TimeUs to, size_t most_lines = 150)
      : from_(from), to_(to), most_lines_(most_lines) {}

  bool shows(TimeUs now) const { return now >= from_ && now < to_; }
  void message(TimeUs now, Address from, Address to, const std::string& text);
  void note(TimeUs now, Address where, const std::string& text);

  std::string text() const;

 private:
  void add(TimeUs now, const std::string& line);

  TimeUs from_;
  TimeUs to_;
  size_t most_lines_;
  size_t left_out_ = 0;
  TimeUs shown_time_ = -1;  ///< milliseconds of the last time shown
  Address last_;            ///< whom the last line is about
  std::set<Address> participants_;
  std::vector<std::string> lines_;
};

}  // namespace eve::sim
