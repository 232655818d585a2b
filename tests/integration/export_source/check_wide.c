/* Compares exported networks that have long sums, or predictions too large for a float, with the same formulas in long double. Prints the
   largest error of each, and returns 1 where one is too large. */

#include <float.h>
#include <stdio.h>

#include "wide_dense.h"
#include "wide_gaussian.h"
#include "wide_jacobian.h"
#include "wide_norm.h"
#include "wide_poisson.h"
#include "wide_softmax.h"

typedef long double Wide;

static float x[4096], y[10000];
static int all_are_right = 1;

static void check(const char* what, long double error, long double most) {
  const int is_right = error <= most; /* not where the error is NaN */
  printf("%-40s %9.2Le %s\n", what, error, is_right ? "" : "is too much");
  if (!is_right) all_are_right = 0;
}

/* numbers from 0 to 1 */
static float uniform(void) {
  static unsigned state = 1;
  state = (state * 1664525u + 1013904223u) & 0xffffffffu;
  return (float)(state >> 8) / 16777216.0f;
}

static void check_dense(void) {
  long double z = (Wide)wide_dense_b1[0], sizes = 0;
  for (int k = 0; k < 4096; ++k) {
    x[k] = wide_dense_w1[0][k] < 0 ? -0.1f : 0.1f; /* all terms are positive, so that no error is undone */
    z += (Wide)wide_dense_w1[0][k] * (Wide)x[k];
    sizes += fabsl((Wide)wide_dense_w1[0][k] * (Wide)x[k]);
  }
  wide_dense_predict(x, y);
  check("a sum of 4096 products", fabsl((Wide)y[0] - z) / sizes, 2e-6L);
  check("its self_check", wide_dense_self_check(), 0);
}

static void check_jacobian(void) {
  float J[2];
  wide_jacobian_jacobian(x, J);
  for (int k = 0; k < 2; ++k) {
    long double sum = 0, sizes = 0;
    for (int i = 0; i < 4096; ++i) {
      const long double term = (Wide)wide_jacobian_w2[0][i] * (Wide)wide_jacobian_w1[i][k];
      sum += term;
      sizes += fabsl(term);
    }
    check("a derivative of 4096 products", fabsl((Wide)J[k] - sum) / sizes, 2e-7L);
  }
  check("its self_check", wide_jacobian_self_check(), 0);
}

static void check_softmax(void) {
  const float at[1] = {0.01f};
  long double sum = 0, worst = 0;
  for (int i = 0; i < 10000; ++i) sum += expl((Wide)wide_softmax_w1[i][0] * (Wide)at[0]);
  wide_softmax_predict(at, y);
  for (int i = 0; i < 10000; ++i) worst = fmaxl(worst, fabsl((Wide)y[i] / (expl((Wide)wide_softmax_w1[i][0] * (Wide)at[0]) / sum) - 1));
  check("softmax of 10,000 classes", worst, 1e-6L);
  check("its self_check", wide_softmax_self_check(), 0);
}

/* largest |x_hat - expected| / max(1, |expected|) for x */
static void check_norm(const char* what) {
  long double mean = 0, variance = 0, worst = 0;
  for (int i = 0; i < 4096; ++i) mean += (Wide)x[i] / 4096;
  for (int i = 0; i < 4096; ++i) variance += ((Wide)x[i] - mean) * ((Wide)x[i] - mean) / 4096;
  wide_norm_predict(x, y);
  for (int i = 0; i < 4096; ++i) {
    const long double expected = ((Wide)x[i] - mean) / sqrtl(variance + 1e-5L);
    const long double error = fabsl((Wide)y[i] - expected) / fmaxl(1, fabsl(expected));
    if (!(error <= worst)) worst = error;
  }
  check(what, worst, 1e-6L);
}

static void check_limits(void) {
  const float large[1] = {wide_poisson_w1[0][0] > 0 ? 1e4f : -1e4f}, small[1] = {-100 / wide_poisson_w1[0][0]};
  const float of_variance[1] = {wide_gaussian_w1[1][0] > 0 ? 1e4f : -1e4f};
  wide_poisson_predict(large, y);
  check("e^z beyond the largest float", y[0] == FLT_MAX ? 0 : 1, 0);
  wide_poisson_predict(small, y);
  check("e^-100", fabsl((Wide)y[0] / 3.7200759760208360e-44L - 1), 0.02L); /* floats are 1.4e-45 apart there */
  wide_gaussian_predict(of_variance, y);
  check("a variance beyond the largest float", y[1] == FLT_MAX ? 0 : 1, 0);
}

int main(void) {
  check_dense();
  check_jacobian();
  check_softmax();
  for (int i = 0; i < 4096; ++i) x[i] = 1e5f + 3 * uniform();
  check_norm("LayerNorm of 4096 numbers around 1e5");
  for (int i = 0; i < 4096; ++i) x[i] = 3e38f * (i % 3 ? uniform() : -uniform());
  check_norm("LayerNorm of 4096 numbers up to 3e38");
  for (int i = 0; i < 4096; ++i) x[i] = 1.1e20f;
  check_norm("LayerNorm of equal numbers");
  check_limits();
  return all_are_right ? 0 : 1;
}
