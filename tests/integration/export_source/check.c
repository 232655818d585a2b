/* C99, and C++11 or later: so are the headers that it includes. */

#include "check.h"

#include "corrupted.h"
#include "nets.h"

/* The difference of one number from what is expected, relative to it or to a quarter of the largest. */
static double relative(double y, double expected, double largest) {
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
        greatest = fmax(greatest, relative((double)y[i], (double)name##_test_y[j][i], largest)); \
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
