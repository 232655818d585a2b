/* Checks exported networks against the library. Compiles as C99 and as C++11, as the exported headers must. */

#include "check.h"

#include "corrupted.h"
#include "nets.h"

/* |y - expected| / max(|expected|, largest / 4) */
static double relative_difference(double y, double expected, double largest) {
  const double size = fabs(expected) > largest / 4 ? fabs(expected) : largest / 4;
  return y == expected ? 0 : fabs(y - expected) / size;
}

#define GREATEST_DIFFERENCE(name, NAME, type)                                            \
  static double greatest_of_##name(void) {                                               \
    type y[NAME##_OUTPUTS];                                                              \
    double largest = 0, greatest = 0;                                                    \
    for (int j = 0; j < 3; ++j)                                                          \
      for (int i = 0; i < NAME##_OUTPUTS; ++i)                                           \
        largest = fmax(largest, fabs((double)name##_test_y[j][i]));                      \
    for (int j = 0; j < 3; ++j) {                                                        \
      name##_predict(name##_test_x[j], y);                                               \
      for (int i = 0; i < NAME##_OUTPUTS; ++i)                                           \
        greatest = fmax(greatest, relative_difference((double)y[i], (double)name##_test_y[j][i], largest)); \
    }                                                                                    \
    return greatest;                                                                     \
  }
NETS(GREATEST_DIFFERENCE)

typedef struct {
  const char* name;
  double (*greatest)(void);
  int (*self_check)(void);
} Net;
#define ENTRY(name, NAME, type) {#name, greatest_of_##name, name##_self_check},
static const Net nets[] = {NETS(ENTRY)};

int number_of_nets(void) { return (int)(sizeof nets / sizeof nets[0]); }

int net_is_right(int j, const char** name, double* difference) {
  *name = nets[j].name;
  *difference = nets[j].greatest();
  return nets[j].self_check() == 0;
}

int corrupted_is_found(void) { return corrupted_self_check() == 1; }
