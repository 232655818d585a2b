cmake_minimum_required(VERSION 3.21)
# cmake -DPROGRAM=... -DPAGE=... -DFOLDER=... [-DWRITE=1] -P compare.cmake: runs the program in the empty folder FOLDER, and compares what
# it prints with the page, or with WRITE writes it to the page.
file(REMOVE_RECURSE "${FOLDER}")
file(MAKE_DIRECTORY "${FOLDER}")
execute_process(COMMAND "${PROGRAM}" WORKING_DIRECTORY "${FOLDER}" OUTPUT_FILE "${FOLDER}/README.md"
                ERROR_VARIABLE words RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "a mistake did not throw an Error of the library: ${words}")
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
  message(FATAL_ERROR "${words}\n\nmessages differ from tests/messages/README.md; if the new ones are right, tests/messages/run "
                      "writes the page, and so does\n"
                      "  cmake -DWRITE=1 -DPROGRAM=${PROGRAM} -DPAGE=${PAGE} -DFOLDER=${FOLDER} -P ${CMAKE_CURRENT_LIST_FILE}")
endif()
