cmake_minimum_required(VERSION 3.21)
# cmake [-DOUT=FILE] -P .packaging/single_header.cmake: writes chainrule.hpp and every header that it includes as one file, by default
# build/single_include/chainrule.hpp. It needs Eigen, and no other file of ours. A header is written out where it is first included;
# a kernel as often as it is included, since it is another one for each instruction set.

get_filename_component(root "${CMAKE_CURRENT_LIST_DIR}/.." ABSOLUTE)
if(NOT DEFINED OUT)
  set(OUT "${root}/build/single_include/chainrule.hpp")
endif()

# The text so far, the headers that are in it, and the file that CHAINRULE_KERNEL names.
set_property(GLOBAL PROPERTY text "")
set_property(GLOBAL PROPERTY seen "")
set_property(GLOBAL PROPERTY kernel "")

function(append words)
  set_property(GLOBAL APPEND_STRING PROPERTY text "${words}")
endfunction()

# Appends the words to the text or, as long as there are only comments, system headers and empty lines, to the caller's `held`.
function(append_or_hold words)
  string(REGEX REPLACE "\n(//[^\n]*|#include <[^\n]*)?" "" code "${held}${words}")
  if(code STREQUAL "")
    set(held "${held}${words}" PARENT_SCOPE)
  else()
    append("${held}${words}")
    set(held "" PARENT_SCOPE)
  endif()
endfunction()

# How often the regular expression is in the text.
function(count_matches expression words result)
  string(REGEX MATCHALL "${expression}" found "${words}")
  list(LENGTH found number)
  set(${result} ${number} PARENT_SCOPE)
endfunction()

# write_out(FILE): what FILE, a path as in #include <...>, becomes.
function(write_out file)
  if(file MATCHES "\\.hpp$")
    set_property(GLOBAL APPEND PROPERTY seen "${file}")
  endif()
  if(NOT EXISTS "${root}/include/${file}")
    message(FATAL_ERROR "<${file}> is included, but there is no include/${file}")
  endif()
  file(READ "${root}/include/${file}" rest)
  set(rest "\n${rest}")
  set(depth 0)  # of #if
  set(held "\n// ==== ${file}")  # comments and the like, until what the file includes first is written
  while(TRUE)
    # The next line that does not stay as it is.
    set(ours "#include <(chainrule/[^>\n]*)>")
    set(kernel_lines "#include (CHAINRULE_KERNEL)|#(define) CHAINRULE_KERNEL <([^>\n]*)>|#undef CHAINRULE_KERNEL")
    string(REGEX MATCH "\n(#pragma once|${ours}|${kernel_lines})[^\n]*" line "${rest}")
    if(line STREQUAL "")
      break()
    endif()
    set(included "${CMAKE_MATCH_2}")
    set(is_kernel "${CMAKE_MATCH_3}")
    set(is_definition "${CMAKE_MATCH_4}")
    set(defined "${CMAKE_MATCH_5}")
    string(FIND "${rest}" "${line}" begin)
    string(LENGTH "${line}" length)
    math(EXPR end "${begin} + ${length}")
    string(SUBSTRING "${rest}" 0 ${begin} before)
    string(SUBSTRING "${rest}" ${end} -1 rest)
    append_or_hold("${before}")
    count_matches("\n *# *if" "${before}" opened)
    count_matches("\n *# *endif" "${before}" closed)
    math(EXPR depth "${depth} + ${opened} - ${closed}")

    if(is_kernel OR included MATCHES "\\.inc$")  # which belongs where it stands
      append("${held}")
      set(held "")
    endif()
    if(is_definition)
      set_property(GLOBAL PROPERTY kernel "${defined}")
    elseif(is_kernel)
      get_property(kernel GLOBAL PROPERTY kernel)
      write_out("${kernel}")
    elseif(included MATCHES "\\.hpp$")
      get_property(seen GLOBAL PROPERTY seen)
      if(NOT included IN_LIST seen)
        if(depth GREATER 0)
          message(FATAL_ERROR "${file} is the first to include <${included}>, and under a condition, without which nobody would have it; "
                              "include it before")
        endif()
        write_out("${included}")
      endif()
    elseif(included)
      write_out("${included}")
    endif()
  endwhile()
  append("${held}${rest}")
endfunction()

write_out("chainrule/chainrule.hpp")
get_property(text GLOBAL PROPERTY text)
get_property(seen GLOBAL PROPERTY seen)
list(LENGTH seen files)
if(text MATCHES "\n *# *(include *[<\"]chainrule|include *CHAINRULE|pragma once)[^\n]*")
  message(FATAL_ERROR "a line was left as it is: ${CMAKE_MATCH_0}")
endif()
string(REGEX REPLACE "\n\n\n+" "\n\n" text "${text}")

# The top: what it is, from what, and under which licence.
file(STRINGS "${root}/include/chainrule/core/version.hpp" version REGEX "version = ")
string(REGEX MATCH "[0-9]+\\.[0-9]+\\.[0-9]+" version "${version}")
set(origin "chainrule/chainrule.hpp and what it includes, ${files} headers in all")
find_program(git git)
if(git AND EXISTS "${root}/.git")
  execute_process(COMMAND "${git}" -C "${root}" rev-parse HEAD OUTPUT_VARIABLE commit ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
  execute_process(COMMAND "${git}" -C "${root}" status --porcelain -- include OUTPUT_VARIABLE changes ERROR_QUIET)
  if(commit)
    string(APPEND origin "\n// in commit ${commit}")
    if(changes)
      string(APPEND origin ", with changes")
    endif()
  endif()
endif()
file(READ "${root}/LICENSE" licence)
string(STRIP "${licence}" licence)
string(REPLACE "\n" "\n// " licence "// ${licence}")
string(REGEX REPLACE "// \n" "//\n" licence "${licence}")
set(top "// chainrule ${version}: feedforward neural nets for C++20 on Eigen, in one header. It needs Eigen 3.4 or newer.
// Made by .packaging/single_header.cmake from ${origin}.
// It goes with no other header of chainrule, for those define the same again.
//
${licence}

#ifndef CHAINRULE_SINGLE_HEADER_HPP
#define CHAINRULE_SINGLE_HEADER_HPP
")
file(WRITE "${OUT}" "${top}${text}\n#endif  // CHAINRULE_SINGLE_HEADER_HPP\n")
file(SIZE "${OUT}" bytes)
message(STATUS "${OUT}: chainrule ${version}, ${files} headers, ${bytes} bytes")
