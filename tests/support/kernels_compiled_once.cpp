#define CHAINRULE_TEST_COMPILE  // here
#include "support/kernels_compiled_once.hpp"
