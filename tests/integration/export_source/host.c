/* Runs the checks of check.h on this machine. */

#include <stdio.h>

#include "check.h"

int main(void) {
  double greatest = 0, greatest_of_jacobians = 0;
  int wrong = !corrupted_is_found();
  if (wrong) printf("the self-check of a net with a wrong weight finds nothing\n");
  if (wrong_quantized_net() != NULL) {
    printf("%s has other integers than the library\n", wrong_quantized_net());
    wrong = 1;
  }
  for (int j = 0; j < number_of_nets(); ++j) {
    const char* name;
    double difference, of_jacobian;
    if (!net_is_right(j, &name, &difference, &of_jacobian)) {
      printf("%s fails its self-check; its greatest relative differences are %.3g and %.3g\n", name, difference, of_jacobian);
      wrong = 1;
    }
    if (difference > greatest) greatest = difference;
    if (of_jacobian > greatest_of_jacobians) greatest_of_jacobians = of_jacobian;
  }
  printf("greatest relative difference of %d nets: %.3g; of their Jacobians: %.3g\n%s\n", number_of_nets(), greatest, greatest_of_jacobians,
         wrong ? "failed" : "passed");
  return wrong;
}
