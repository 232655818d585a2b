#define CHAINRULE_TEST_COMPILE  // empty instead of extern: instantiates the kernels in this file
#include "support/kernels_compiled_once.hpp"
