// The simulator as a program of its own: with a changed header, it is built and linked in a
// fraction of the time of `eve`.
#include "sim/command.h"

int main(int argc, char** argv) {
  return eve::sim::run_command(argc, argv);
}
