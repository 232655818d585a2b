cmake_minimum_required(VERSION 3.21)
# cmake -DINCLUDE=... -P floors.cmake: checks that each header includes only headers of its own floor or of floors below, that each folder
# of include/chainrule has a floor, and that include/chainrule/README.md, which describes the floors, has the same ones and names only files
# that exist.

# From the bottom to the top. A room is a folder, or a header or the folder detail/ beside the umbrella.
set(floors
    "core"
    "threads"
    "bytes kernels"
    "initializers"
    "activations"
    "losses optimizers schedules metrics"
    "layers data precision"
    "workspace.hpp gradients.hpp detail"
    "derivatives"
    "network.hpp sparse_input.hpp"
    "inspect uncertainty"
    "any"
    "io quantization parallel"
    "training"
    "minimize selection"
    "testing"
    "chainrule.hpp")

set(floor 0)
foreach(rooms IN LISTS floors)
  math(EXPR floor "${floor} + 1")
  string(REPLACE " " ";" rooms "${rooms}")
  foreach(room IN LISTS rooms)
    set("floor_of_${room}" ${floor})
  endforeach()
endforeach()

# floor_of(FILE): sets `floor` to the floor of chainrule/FILE.
macro(floor_of file)
  string(REGEX REPLACE "/.*" "" room "${file}")
  if(NOT DEFINED "floor_of_${room}")
    message(FATAL_ERROR "${file}: ${room} has no floor; give it one in tests/package/floors.cmake and in include/chainrule/README.md")
  endif()
  set(floor "${floor_of_${room}}")
endmacro()

file(GLOB_RECURSE files RELATIVE "${INCLUDE}/chainrule" "${INCLUDE}/chainrule/*.hpp" "${INCLUDE}/chainrule/*.inc")
set(arrows 0)
set(up "")
foreach(file IN LISTS files)
  floor_of("${file}")
  set(own "${floor}")
  file(STRINGS "${INCLUDE}/chainrule/${file}" lines REGEX "^ *# *(include|define CHAINRULE_KERNEL) <chainrule/")
  foreach(line IN LISTS lines)
    string(REGEX REPLACE "^[^<]*<chainrule/([^>]*)>.*" "\\1" included "${line}")
    floor_of("${included}")
    math(EXPR arrows "${arrows} + 1")
    if(floor GREATER own)
      string(APPEND up "  ${file} includes ${included}\n")
    endif()
  endforeach()
endforeach()
if(up)
  message(FATAL_ERROR "headers that include a header of a floor above:\n${up}")
endif()
if(arrows LESS 100)
  message(FATAL_ERROR "found only ${arrows} includes in ${INCLUDE}/chainrule")
endif()
message(STATUS "${arrows} includes, none of a floor above")

set(page "${INCLUDE}/chainrule/README.md")
set(floor 0)
foreach(rooms IN LISTS floors)
  math(EXPR floor "${floor} + 1")
  file(STRINGS "${page}" rows REGEX "^\\| ${floor} \\| ")
  string(REPLACE " " ";" rooms "${rooms}")
  foreach(room IN LISTS rooms)
    if(NOT rows MATCHES "`${room}/?`")
      message(FATAL_ERROR "${page} must have ${room} on floor ${floor}, as this script")
    endif()
  endforeach()
endforeach()

file(READ "${page}" text)
string(REGEX MATCHALL "`[a-z_/]+\\.(hpp|inc)`" named "${text}")
list(REMOVE_DUPLICATES named)
foreach(file IN LISTS named)
  string(REPLACE "`" "" file "${file}")
  if(NOT EXISTS "${INCLUDE}/chainrule/${file}")
    message(FATAL_ERROR "${page} names ${file}, which does not exist")
  endif()
endforeach()
list(LENGTH named count)
message(STATUS "README.md has these floors, and ${count} files that exist")
