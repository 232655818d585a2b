// main() for Catch2 2.x. Catch2 3.x has a library with main(), for which this file is empty.
#if !__has_include(<catch2/catch_all.hpp>)
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
#endif
