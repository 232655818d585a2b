#define CHAINRULE_COMPILE_KERNELS
#include <chainrule/kernels/compiled_once.inc>
