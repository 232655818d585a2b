#pragma once
// Declares the kernels as extern templates, so that tests and examples compile them once, in kernels_compiled_once.cpp, and not in each
// file that calls them.

#include <chainrule/kernels/compiled_once.inc>
