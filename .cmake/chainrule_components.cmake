# Optional components of the library, for headers that need more than Eigen: a target chainrule::NAME that links what they need, if its
# package is found. Both the build and the installed package read this file. Each component is one line:
#   chainrule_component(NAME PACKAGE TARGET): the package that find_package looks for, and the target of that package

set(chainrule_components "")
macro(chainrule_component name package target)
  list(APPEND chainrule_components ${name})
  set(chainrule_${name}_package ${package})
  set(chainrule_${name}_target ${target})
endmacro()

chainrule_component(safetensors nlohmann_json nlohmann_json::nlohmann_json)
chainrule_component(onnx onnx_proto onnx_proto::onnx_proto)
chainrule_component(mpi MPI MPI::MPI_CXX)
set(chainrule_components_dir "${CMAKE_CURRENT_LIST_DIR}")  # where Findonnx_proto.cmake is

# chainrule_add_library(NAME CONTENT): makes chainrule::NAME, a static library of one source file with this content. It is compiled only if a
# target of the project links it, once for all of them.
function(chainrule_add_library name content)
  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  if(TARGET chainrule_${name} OR NOT CXX IN_LIST languages)  # a target of this name: find_package was called in another folder before
    return()
  endif()
  set(source "${CMAKE_CURRENT_BINARY_DIR}/chainrule_${name}.cpp")
  file(CONFIGURE OUTPUT "${source}" CONTENT "${content}" @ONLY)
  add_library(chainrule_${name} STATIC EXCLUDE_FROM_ALL "${source}")
  add_library(chainrule::${name} ALIAS chainrule_${name})
endfunction()

# chainrule_add_kernels(): makes chainrule::kernels, a static library with the kernels that take longest to compile, which targets that link it
# do not compile themselves.
function(chainrule_add_kernels)
  chainrule_add_library(kernels "#define CHAINRULE_COMPILE_KERNELS\n#include <chainrule/kernels/compiled_once.inc>\n")
  if(TARGET chainrule_kernels)
    target_compile_definitions(chainrule_kernels INTERFACE CHAINRULE_KERNELS_COMPILED)
    target_link_libraries(chainrule_kernels PUBLIC chainrule::chainrule)
  endif()
endfunction()

# chainrule_add_load_network(SCALAR): makes chainrule::load_network_SCALAR, a static library with load_network<SCALAR>, which takes a minute or
# two to compile. Targets that link it include io/load_network.hpp.
function(chainrule_add_load_network scalar)
  chainrule_add_library(load_network_${scalar} "#include <chainrule/io/model_file.hpp>
namespace chainrule {
template AnyNetwork<${scalar}> load_network<${scalar}>(const std::string&, const LoadOptions&, LoadReport*);
}
")
  if(TARGET chainrule_load_network_${scalar})
    target_link_libraries(chainrule_load_network_${scalar} PUBLIC chainrule::safetensors)
  endif()
endfunction()

# chainrule_find_component(NAME [GLOBAL]): makes chainrule::NAME if the target that it needs exists or can be found. With GLOBAL both
# targets are visible in the whole project, which is needed where chainrule is a subproject.
macro(chainrule_find_component name)
  if(NOT TARGET chainrule::${name})
    if(NOT TARGET ${chainrule_${name}_target})
      list(APPEND CMAKE_MODULE_PATH "${chainrule_components_dir}")
      find_package(${chainrule_${name}_package} QUIET)
      list(POP_BACK CMAKE_MODULE_PATH)
      if(TARGET ${chainrule_${name}_target} AND "${ARGN}" STREQUAL "GLOBAL")
        get_target_property(chainrule_is_imported ${chainrule_${name}_target} IMPORTED)
        if(chainrule_is_imported)
          set_target_properties(${chainrule_${name}_target} PROPERTIES IMPORTED_GLOBAL TRUE)
        endif()
      endif()
    endif()
    if(TARGET ${chainrule_${name}_target})
      add_library(chainrule::${name} INTERFACE IMPORTED ${ARGN})
      target_link_libraries(chainrule::${name} INTERFACE chainrule::chainrule ${chainrule_${name}_target})
      if("${name}" STREQUAL "safetensors")
        chainrule_add_load_network(float)
        chainrule_add_load_network(double)
      endif()
    endif()
  endif()
endmacro()

# Warns that CMake's default, an empty CMAKE_BUILD_TYPE, means no optimization.
function(chainrule_note_build_type)
  if(NOT CMAKE_CONFIGURATION_TYPES AND NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CXX_FLAGS MATCHES "-O")
    message(NOTICE "chainrule: CMAKE_BUILD_TYPE is empty, so nothing is optimized; -DCMAKE_BUILD_TYPE=Release is some forty times as fast")
  endif()
endfunction()
