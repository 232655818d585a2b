cmake_minimum_required(VERSION 3.21)
# cmake [-DOUT=FILE] -P .packaging/single_header.cmake: writes the library as one header, which needs only Eigen, to FILE or
# build/single_include/chainrule.hpp.
#
# Each header that chainrule.hpp includes, directly or not, is written once, after those that it includes itself. Every header compiles
# alone, so nothing that stands before it can change its meaning. Kernels (.inc) are compiled once for each instruction set, so they are
# copied to each place that includes them.
get_filename_component(root "${CMAKE_CURRENT_LIST_DIR}/.." ABSOLUTE)
if(NOT DEFINED OUT)
  set(OUT "${root}/build/single_include/chainrule.hpp")
endif()

# read(FILE): sets `text` to what FILE contains, a path below include/, with the kernels that it includes in place.
function(read file)
  file(READ "${root}/include/${file}" text)
  set(text "\n${text}")
  while(text MATCHES "\n#define CHAINRULE_KERNEL <([^>]*)>\n#include <([^>]*)>")
    set(lines "${CMAKE_MATCH_0}")
    file(READ "${root}/include/${CMAKE_MATCH_1}" kernel)
    file(READ "${root}/include/${CMAKE_MATCH_2}" for_each_instruction_set)
    string(REPLACE "#include CHAINRULE_KERNEL\n" "${kernel}" copies "${for_each_instruction_set}")
    string(REPLACE "#undef CHAINRULE_KERNEL\n" "" copies "${copies}")
    string(REPLACE "${lines}" "\n${copies}" text "${text}")
  endwhile()
  while(text MATCHES "\n#include <(chainrule/[^>]*\\.inc)>")
    set(line "${CMAKE_MATCH_0}")
    file(READ "${root}/include/${CMAKE_MATCH_1}" kernel)
    string(REPLACE "${line}" "\n${kernel}" text "${text}")
  endwhile()
  set(text "${text}" PARENT_SCOPE)
endfunction()

# write(FILE): appends the headers that FILE includes and FILE itself to the property `all`, unless they are there already.
set_property(GLOBAL PROPERTY all "")
set_property(GLOBAL PROPERTY headers "")
function(write file)
  get_property(headers GLOBAL PROPERTY headers)
  if(file IN_LIST headers)
    return()
  endif()
  set_property(GLOBAL APPEND PROPERTY headers "${file}")
  read("${file}")
  write_included_by("${text}")
  string(REGEX REPLACE "\n(#pragma once|#include <chainrule/[^>]*>)[^\n]*" "" text "${text}")
  set_property(GLOBAL APPEND_STRING PROPERTY all "\n// ---- ${file}\n${text}")
endfunction()
function(write_included_by text)
  string(REGEX MATCHALL "\n#include <chainrule/[^>]*>" lines "${text}")
  foreach(line IN LISTS lines)
    string(REGEX REPLACE ".*<(.*)>" "\\1" included "${line}")
    write("${included}")
  endforeach()
endfunction()

# chainrule.hpp itself is a list of headers.
read("chainrule/chainrule.hpp")
write_included_by("${text}")
get_property(all GLOBAL PROPERTY all)
get_property(headers GLOBAL PROPERTY headers)
list(LENGTH headers count)
if(all MATCHES "\n *# *(include *[<\"]chainrule/|include *CHAINRULE_KERNEL|pragma once)[^\n]*")
  message(FATAL_ERROR "this line was not replaced: ${CMAKE_MATCH_0}")
endif()
string(REGEX REPLACE "\n\n\n+" "\n\n" all "${all}")

# The top of the file: version, origin, licence.
file(STRINGS "${root}/include/chainrule/core/version.hpp" version REGEX "version = ")
string(REGEX MATCH "[0-9]+\\.[0-9]+\\.[0-9]+" version "${version}")
set(origin "the ${count} headers that chainrule/chainrule.hpp includes")
if(EXISTS "${root}/.git")
  execute_process(COMMAND git -C "${root}" describe --always --dirty --abbrev=40 --exclude=* OUTPUT_VARIABLE commit
                  ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
  string(APPEND origin "\n// in commit ${commit}")
endif()
file(READ "${root}/LICENSE" licence)
string(STRIP "${licence}" licence)
string(REPLACE "\n" "\n// " licence "// ${licence}")
string(REPLACE "// \n" "//\n" licence "${licence}")
file(WRITE "${OUT}" "// chainrule ${version}: feedforward neural nets for C++20 in one header. It needs Eigen 3.4 or newer.
// Made by .packaging/single_header.cmake from ${origin}.
// No other header of chainrule can be included beside it, because both would define the same names.
//
${licence}

#ifndef CHAINRULE_SINGLE_HEADER_HPP
#define CHAINRULE_SINGLE_HEADER_HPP
${all}
#endif  // CHAINRULE_SINGLE_HEADER_HPP
")
message(STATUS "${OUT}: chainrule ${version}, ${count} headers")
