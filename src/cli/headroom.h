// The option --headroom of `serve` and of what starts it.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>

namespace eve::cli {

inline constexpr uint64_t kMaxHeadroomMib = uint64_t{1} << 20;

inline void add_headroom_option(CLI::App& command, uint64_t& mib) {
  command
      .add_option("--headroom", mib,
                  "With less than so many MiB free where its log lies a node's disk is low; while "
                  "those of more than u are, writes are refused")
      ->check(CLI::Range(uint64_t{0}, kMaxHeadroomMib))
      ->capture_default_str();
}

}  // namespace eve::cli
