cmake_minimum_required(VERSION 3.21)
# cmake -DINCLUDE=... -DCOMPILER=... -DFLAGS=... -DBUILD=... -P requires_cpp20.cmake: checks that a program that includes a header of the
# library in C++17 gets one error, which names the missing flag.
#
# The error comes from core/detail/require_cpp20.hpp. A header whose includes lead to no other header of the library must include it
# itself; then each header reaches it before any code of the library.
file(GLOB_RECURSE headers RELATIVE "${INCLUDE}" "${INCLUDE}/*.hpp")
list(REMOVE_ITEM headers "chainrule/core/detail/require_cpp20.hpp")
foreach(header IN LISTS headers)
  file(STRINGS "${INCLUDE}/${header}" included REGEX "^#include <chainrule/")
  if(NOT included)
    message(FATAL_ERROR "${header} must include <chainrule/core/detail/require_cpp20.hpp>")
  endif()
endforeach()

separate_arguments(FLAGS)
foreach(header chainrule core/version core/random activations/mish layers/dense training/trainer data/csv)
  if(NOT "chainrule/${header}.hpp" IN_LIST headers)
    message(FATAL_ERROR "there is no header ${header}.hpp")
  endif()
  file(WRITE "${BUILD}/requires_cpp20.cpp" "#include <chainrule/${header}.hpp>\nint main() {}\n")
  execute_process(COMMAND "${COMPILER}" -std=c++17 ${FLAGS} -fsyntax-only "${BUILD}/requires_cpp20.cpp" RESULT_VARIABLE result
                  OUTPUT_VARIABLE output ERROR_VARIABLE output)
  string(REGEX MATCHALL "error: " errors "${output}")
  list(LENGTH errors count)
  string(REGEX MATCHALL "\n" lines "${output}")
  list(LENGTH lines length)
  if(result EQUAL 0 OR NOT count EQUAL 1 OR NOT output MATCHES "C\\+\\+20: add -std=c\\+\\+20" OR length GREATER 15)
    message(FATAL_ERROR "${header}.hpp in C++17: ${count} errors in ${length} lines instead of one error that names -std=c++20:\n${output}")
  endif()
endforeach()
