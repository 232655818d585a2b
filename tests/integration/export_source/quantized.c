/* Checks exported networks in integers against the library, bit for bit. Compiles as C99 and as C++11, as the exported headers must. */

#include "check.h"

#include <stddef.h>

#include "quantized_nets.h"

/* The numbers that write_nets draws too, and the hash of outputs. */
static uint32_t state, hash;
static uint32_t next_drawn(void) {
  state = state * 1664525u + 1013904223u;
  return state >> 16;
}
static void start(void) {
  state = 1;
  hash = 2166136261u;
}
static void add(uint32_t number) { hash = (hash ^ number) * 16777619u; }

#define INTEGERS_ARE_RIGHT(name, NAME, type, expected)                                                     \
  static int integers_of_##name(void) {                                                                    \
    type x[NAME##_INPUTS], y[NAME##_OUTPUTS];                                                              \
    start();                                                                                               \
    for (int j = 0; j < DRAWN_SAMPLES; ++j) {                                                              \
      int best = 0;                                                                                        \
      for (int k = 0; k < NAME##_INPUTS; ++k)                                                              \
        x[k] = (type)((int)(next_drawn() >> (16 - 8 * sizeof(type))) - (sizeof(type) == 1 ? 128 : 32768)); \
      name##_predict_quantized(x, y);                                                                      \
      for (int i = 0; i < NAME##_OUTPUTS; ++i) {                                                           \
        add((uint32_t)y[i] & 0xffff);                                                                      \
        if (y[i] > y[best]) best = i;                                                                      \
      }                                                                                                    \
      if (NAME##_OUTPUTS > 1 && name##_class_of(y) != best) return 0;                                      \
    }                                                                                                      \
    return hash == expected && name##_self_check() == 0;                                                   \
  }
QUANTIZED(INTEGERS_ARE_RIGHT)

#define FLOATS_ARE_RIGHT(name, NAME, type, expected)                                            \
  static int floats_of_##name(void) {                                                           \
    float x[NAME##_INPUTS], y[NAME##_OUTPUTS];                                                  \
    type q[NAME##_INPUTS], r[NAME##_OUTPUTS];                                                   \
    start();                                                                                    \
    for (int j = 0; j < DRAWN_SAMPLES; ++j) {                                                   \
      for (int k = 0; k < NAME##_INPUTS; ++k) x[k] = (float)((int)next_drawn() - 32768) / 8192; \
      name##_quantize(x, q);                                                                    \
      name##_predict_quantized(q, r);                                                           \
      name##_dequantize(r, y);                                                                  \
      for (int i = 0; i < NAME##_OUTPUTS; ++i) {                                                \
        uint32_t bits;                                                                          \
        memcpy(&bits, y + i, sizeof bits);                                                      \
        add(bits);                                                                              \
      }                                                                                         \
      name##_predict(x, y);                                                                     \
      for (int i = 0; i < NAME##_OUTPUTS; ++i)                                                  \
        if (!(y[i] >= -1e9f && y[i] <= 1e9f)) return 0;                                         \
    }                                                                                           \
    return hash == expected;                                                                    \
  }
QUANTIZED_FLOATS(FLOATS_ARE_RIGHT)

const char* wrong_quantized_net(void) {
#define RETURN_WRONG(name, NAME, type, expected) \
  if (!integers_of_##name()) return #name;
  QUANTIZED(RETURN_WRONG)
#undef RETURN_WRONG
#define RETURN_WRONG(name, NAME, type, expected) \
  if (!floats_of_##name()) return #name;
  QUANTIZED_FLOATS(RETURN_WRONG)
  return NULL;
}
