// The output of every benchmark (DESIGN 8): rows of medians against a baseline measured in the same
// run, as JSON and as a table.
#pragma once

#include <string>
#include <vector>

#include "eve/result.h"

namespace eve::bench {

struct Row {
  std::string name;
  std::string unit;
  std::vector<double> values;           ///< one a run
  std::string baseline;                 ///< its name; empty: none
  std::vector<double> baseline_values;  ///< one a run, paired with `values`
  std::string better = "lower";         ///< "higher" or "lower"
};

/// The middle of the values (mean of the two middle ones); 0 of none.
double median(std::vector<double> values);

struct Report {
  std::string name;
  std::string command;  ///< anyone can repeat it
  std::vector<Row> rows;

  std::string to_json() const;
  void print() const;  ///< a table, to standard output
  Status write(const std::string& file) const;
};

}  // namespace eve::bench
