/* Runs the checks of check.h on this machine. */

#include <stdio.h>

#include "check.h"

int main(void) {
  double greatest = 0;
  int wrong = !corrupted_is_found();
  if (wrong) printf("the self-check of a net with a wrong weight finds nothing\n");
  for (int j = 0; j < number_of_nets(); ++j) {
    const char* name;
    double difference;
    if (!net_is_right(j, &name, &difference)) {
      printf("%s fails its self-check; its greatest relative difference is %.3g\n", name, difference);
      wrong = 1;
    }
    if (difference > greatest) greatest = difference;
  }
  printf("greatest relative difference of %d nets: %.3g\n%s\n", number_of_nets(), greatest, wrong ? "failed" : "passed");
  return wrong;
}
