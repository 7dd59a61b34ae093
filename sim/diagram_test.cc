#include "sim/diagram.h"

#include <gtest/gtest.h>

namespace eve::sim {
namespace {

TEST(Diagram, ShowsItsWindowOnly) {
  Diagram diagram(1000, 3000);
  diagram.message(999, Address::executor(0), Address::verifier(1), "early");
  diagram.message(1000, Address::executor(0), Address::verifier(1), "Token: a; b");
  diagram.note(1500, Address::executor(2), "ran");
  diagram.message(2000, Address::client(3), Address::executor(0), "Bundle");
  diagram.message(3000, Address::executor(0), Address::verifier(1), "late");
  EXPECT_EQ(diagram.text(), R"(sequenceDiagram
  participant E0 as executor-0
  participant E2 as executor-2
  participant V1 as verifier-1
  participant C3 as client-3
  Note right of V1: 1 ms
  E0->>V1: Token  a, b
  Note over E2: ran
  Note right of E0: 2 ms
  C3->>E0: Bundle
)");
}

TEST(Diagram, StaysShort) {
  Diagram diagram(0, 1000, 10);
  for (int i = 0; i < 100; ++i) diagram.note(0, Address::executor(0), "again");
  EXPECT_NE(diagram.text().find("91 more lines"), std::string::npos);
}

}  // namespace
}  // namespace eve::sim
