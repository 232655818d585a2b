cmake_minimum_required(VERSION 3.21)
# cmake -DINCLUDE=... -P standard_headers.cmake: checks that each header includes the headers of the standard library that are slow to read
# and whose names it uses, and the compiler's header of vector instructions. The test that compiles each header alone has these
# precompiled, so it does not notice one that is missing.
set(uses
    "std::(filesystem::|error_code)=filesystem|system_error" "std::chrono::=chrono" "std::function<=functional" "std::map<=map"
    "std::set<=set" "std::deque<=deque" "std::(thread|this_thread)\\b=thread" "std::(mutex|lock_guard|unique_lock)\\b=mutex"
    "std::condition_variable=condition_variable" "std::ranges::=ranges|algorithm|iterator|string_view|span|array|vector|concepts"
    "[ (]_mm(256|512)_loadu=immintrin\\.h")

file(GLOB_RECURSE headers RELATIVE "${INCLUDE}" "${INCLUDE}/*.hpp")
set(found 0)
foreach(header IN LISTS headers)
  file(READ "${INCLUDE}/${header}" text)
  string(REGEX REPLACE "//[^\n]*" "" text "${text}")
  foreach(use IN LISTS uses)
    string(REGEX REPLACE "=.*" "" name "${use}")
    string(REGEX REPLACE ".*=" "" wanted "${use}")
    string(REPLACE "\\b" "[^a-z_]" name "${name}")
    if(text MATCHES "${name}")
      math(EXPR found "${found} + 1")
      if(NOT text MATCHES "#include <(${wanted})>")
        message(FATAL_ERROR "${header} uses ${name} but does not include <${wanted}>")
      endif()
    endif()
  endforeach()
endforeach()
if(found LESS 20)
  message(FATAL_ERROR "found only ${found} uses in ${INCLUDE}")
endif()
message(STATUS "${found} uses of names from slow standard headers, each with its include")
