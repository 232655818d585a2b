cmake_minimum_required(VERSION 3.21)
# cmake -DINCLUDE=... -P adding_an_activation.cmake: checks how many files have to know an activation, a loss or an optimizer by name.
#
# 1. Softsign, which stands for all activations, is named only in its own header, the umbrella, any/known.hpp and the exporters in io/.
#    Nothing else has to change for a new activation.
# 2. Kernels name no activation, loss or optimizer. The mathematics of these stands in their own headers, from which kernels get formulas.
#    The names are those of the headers in the three folders, so a new one is checked too.

# names_in(result FILE PATTERN): the parts of a file that match the pattern, in lower case.
function(names_in result file pattern)
  file(READ "${INCLUDE}/${file}" text)
  string(TOLOWER "${text}" text)
  string(REGEX REPLACE "(m|b)illion" "" text "${text}")  # do not name the optimizer Lion
  string(REGEX MATCHALL "${pattern}" names "${text}")
  list(REMOVE_DUPLICATES names)
  set(${result} "${names}" PARENT_SCOPE)
endfunction()

file(GLOB_RECURSE files RELATIVE "${INCLUDE}" "${INCLUDE}/chainrule/*.hpp" "${INCLUDE}/chainrule/*.inc")
set(known "^chainrule/(activations/softsign\\.hpp|chainrule\\.hpp|any/known\\.hpp|io/.*)$")
set(naming "")
foreach(file IN LISTS files)
  names_in(found "${file}" "softsign")
  if(NOT found)
    continue()
  endif()
  if(NOT file MATCHES "${known}")
    message(FATAL_ERROR "${file} names Softsign; an activation must need no edit but in its own header, chainrule.hpp, any/known.hpp and "
                        "the exporters in io/")
  endif()
  list(APPEND naming "${file}")
endforeach()
foreach(file chainrule/activations/softsign.hpp chainrule/chainrule.hpp chainrule/any/known.hpp)
  if(NOT file IN_LIST naming)
    message(FATAL_ERROR "${file} does not name Softsign, so this test checks nothing")
  endif()
endforeach()
list(LENGTH naming count)
message(STATUS "${count} files name Softsign: ${naming}")

file(GLOB members "${INCLUDE}/chainrule/activations/*.hpp" "${INCLUDE}/chainrule/losses/*.hpp" "${INCLUDE}/chainrule/optimizers/*.hpp")
# Functions of numbers, which kernels compute, and headers that hold no member of a family.
set(no_members tanh sigmoid sine identity elementwise_activation mean_over_elements blend clip descend elementwise_step penalty)
set(names "")
foreach(member IN LISTS members)
  get_filename_component(member "${member}" NAME_WE)
  if(NOT member IN_LIST no_members)
    string(REPLACE "_" "[_ ]?" member "${member}")
    list(APPEND names "${member}")
  endif()
endforeach()
list(LENGTH names count)
if(count LESS 30)
  message(FATAL_ERROR "found only ${count} activations, losses and optimizers in ${INCLUDE}/chainrule")
endif()
string(REPLACE ";" "|" pattern "${names}")
foreach(file IN LISTS files)
  if(file MATCHES "^chainrule/kernels/")
    names_in(found "${file}" "${pattern}")
    if(found)
      message(FATAL_ERROR "${file} names ${found}; kernels must know numbers and formulas, but no activation, loss or optimizer")
    endif()
  endif()
endforeach()
message(STATUS "kernels name none of ${count} activations, losses and optimizers")
