/* Checks exported networks against the library. Compiles as C99 and as C++11, as the exported headers must. */

#include "check.h"

#include "corrupted.h"
#include "nets.h"

/* |y - expected| / max(|expected|, largest / 4) */
static double relative_difference(double y, double expected, double largest) {
  const double size = fabs(expected) > largest / 4 ? fabs(expected) : largest / 4;
  return y == expected ? 0 : fabs(y - expected) / size;
}

/* The greatest relative difference of the predictions, or of the derivatives, for the three samples of a network. */
#define GREATEST_DIFFERENCE(name, NAME, type)                                                                 \
  static double greatest_of_##name(int of_jacobian) {                                                         \
    type computed[NAME##_OUTPUTS * NAME##_INPUTS + NAME##_OUTPUTS];                                           \
    const int size = of_jacobian ? NAME##_OUTPUTS * NAME##_INPUTS : NAME##_OUTPUTS;                           \
    double largest = 0, greatest = 0;                                                                         \
    for (int j = 0; j < 3; ++j)                                                                               \
      for (int i = 0; i < size; ++i)                                                                          \
        largest = fmax(largest, fabs((double)(of_jacobian ? name##_test_J[j] : name##_test_y[j])[i]));        \
    for (int j = 0; j < 3; ++j) {                                                                             \
      const type* expected = of_jacobian ? name##_test_J[j] : name##_test_y[j];                               \
      (of_jacobian ? name##_jacobian : name##_predict)(name##_test_x[j], computed);                           \
      for (int i = 0; i < size; ++i)                                                                          \
        greatest = fmax(greatest, relative_difference((double)computed[i], (double)expected[i], largest));    \
    }                                                                                                         \
    return greatest;                                                                                          \
  }
NETS(GREATEST_DIFFERENCE)

typedef struct {
  const char* name;
  double (*greatest)(int of_jacobian);
  int (*self_check)(void);
} Net;
#define ENTRY(name, NAME, type) {#name, greatest_of_##name, name##_self_check},
static const Net nets[] = {NETS(ENTRY)};

int number_of_nets(void) { return (int)(sizeof nets / sizeof nets[0]); }

int net_is_right(int j, const char** name, double* difference, double* of_jacobian) {
  *name = nets[j].name;
  *difference = nets[j].greatest(0);
  *of_jacobian = nets[j].greatest(1);
  return nets[j].self_check() == 0;
}

int corrupted_is_found(void) { return corrupted_self_check() == 1; }
