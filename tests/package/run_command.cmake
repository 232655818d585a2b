# run(COMMAND...): runs the command and sets `words` to its output; stops with the output if it fails.
function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE words ERROR_VARIABLE words)
  if(NOT result EQUAL 0)
    string(REPLACE ";" " " command "${ARGN}")
    message(FATAL_ERROR "${command} failed:\n${words}")
  endif()
  set(words "${words}" PARENT_SCOPE)
endfunction()
