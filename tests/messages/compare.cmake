cmake_minimum_required(VERSION 3.21)
# cmake -DPROGRAM=... -DPAGE=... -DFOLDER=... [-DWRITE=1] -P compare.cmake: runs the program in an empty folder; what it prints must be
# the page, or is written there.
file(REMOVE_RECURSE "${FOLDER}")
file(MAKE_DIRECTORY "${FOLDER}")
execute_process(COMMAND "${PROGRAM}" WORKING_DIRECTORY "${FOLDER}" OUTPUT_FILE "${FOLDER}/README.md"
                ERROR_VARIABLE words RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "a mistake is answered by something else than an Error of the library, or by nothing: ${words}")
endif()
if(WRITE)
  file(COPY_FILE "${FOLDER}/README.md" "${PAGE}" ONLY_IF_DIFFERENT)
  return()
endif()
execute_process(COMMAND "${CMAKE_COMMAND}" -E compare_files "${FOLDER}/README.md" "${PAGE}" RESULT_VARIABLE differs)
if(differs)
  find_program(DIFF diff)
  if(DIFF)
    execute_process(COMMAND "${DIFF}" -u "${PAGE}" "${FOLDER}/README.md" OUTPUT_VARIABLE words)
  endif()
  message(FATAL_ERROR "${words}\n\nmessages are other than tests/messages/README.md has them; if they are right now, "
                      "tests/messages/run writes the page anew, and so does\n"
                      "  cmake -DWRITE=1 -DPROGRAM=${PROGRAM} -DPAGE=${PAGE} -DFOLDER=${FOLDER} -P ${CMAKE_CURRENT_LIST_FILE}")
endif()
