cmake_minimum_required(VERSION 3.21)
# cmake -DINCLUDE=... -P umbrella.cmake: checks that chainrule.hpp, the table of contents of the public API, includes every public header
# that needs only Eigen, directly, and nothing else.
#
# Internal headers are in folders detail/, in kernels/ or in bytes/. Headers that need more than Eigen are listed in optional_headers.cmake.
# Headers in testing/ are for tests.
include("${CMAKE_CURRENT_LIST_DIR}/optional_headers.cmake")

file(STRINGS "${INCLUDE}/chainrule/chainrule.hpp" lines REGEX "^#include <chainrule/")
set(included "")
foreach(line IN LISTS lines)
  string(REGEX REPLACE "^#include <([^>]*)>.*" "\\1" header "${line}")
  list(APPEND included "${header}")
endforeach()

file(GLOB_RECURSE public RELATIVE "${INCLUDE}" "${INCLUDE}/*.hpp")
list(FILTER public EXCLUDE REGEX "/detail/|^chainrule/(kernels|bytes|testing)/|^chainrule/chainrule.hpp$")
foreach(header IN LISTS optional_headers)
  list(REMOVE_ITEM public "chainrule/${header}")
endforeach()

foreach(header IN LISTS public)
  if(NOT header IN_LIST included)
    message(FATAL_ERROR "chainrule.hpp does not include ${header}")
  endif()
endforeach()
foreach(header IN LISTS included)
  if(NOT header IN_LIST public)
    message(FATAL_ERROR "chainrule.hpp includes ${header}, which is internal, optional, for tests, or does not exist")
  endif()
endforeach()
list(LENGTH public count)
if(count EQUAL 0)
  message(FATAL_ERROR "no header found in ${INCLUDE}")
endif()
message(STATUS "${count} public headers, all included by chainrule.hpp")
