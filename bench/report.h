// The output of every benchmark (DESIGN 8): rows of medians against a baseline measured in the same
// run, as JSON and as a table.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "eve/result.h"

namespace eve::bench {

/// What was asked of a row. Met or not, nothing fails: machines are shared and noisy.
struct Goal {
  enum class Of { kValue, kRatio };
  Of of;
  double limit;  ///< at most, or at least where higher is better
};

/// One measurement. Values are CPU time of all threads unless the unit says otherwise.
struct Row {
  std::string name;
  std::string unit;
  std::vector<double> values;           ///< one a run
  std::string baseline;                 ///< its name; empty: none
  std::vector<double> baseline_values;  ///< one a run, paired with `values`
  std::string better = "lower";         ///< "higher" or "lower"
  std::vector<double> wall{};           ///< `values` by the clock on the wall; empty: not asked
  std::vector<double> baseline_wall{};
  std::optional<Goal> goal{};
  /// Medians of what else was measured in turn; only the JSON has them.
  std::vector<std::pair<std::string, double>> others{};
  std::string note{};  ///< why there are no values, or what to know about them
};

/// "ratio at most 1.20: met", or "... not met"; empty without a goal or values.
std::string verdict(const Row& row);

/// The middle of the values (mean of the two middle ones); 0 of none.
double median(std::vector<double> values);

struct Report {
  std::string name;
  std::string command;  ///< anyone can repeat it
  std::vector<Row> rows;
  std::string remark{};  ///< what to know about all rows

  std::string to_json() const;
  /// The rows from number `first` on under a heading, each column as wide as they need; empty if
  /// there are none.
  std::string to_table(size_t first = 0) const;
  /// To standard output, at once: a table of the rows that have come since it was last called.
  void print();
  Status write(const std::string& file) const;

 private:
  size_t printed_ = 0;  ///< rows
};

}  // namespace eve::bench
