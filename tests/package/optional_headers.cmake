# Headers that chainrule.hpp does not include because they need more than Eigen, or the library that io/load_network.hpp declares, by the
# target that provides what they need. The tests compile them if that target exists.
file(GLOB safetensors_internals RELATIVE "${CMAKE_CURRENT_LIST_DIR}/../../include/chainrule"
     "${CMAKE_CURRENT_LIST_DIR}/../../include/chainrule/io/detail/safetensors/*.hpp")
file(GLOB onnx_internals RELATIVE "${CMAKE_CURRENT_LIST_DIR}/../../include/chainrule"
     "${CMAKE_CURRENT_LIST_DIR}/../../include/chainrule/io/detail/onnx/*.hpp")
set(optional_targets "")
set(optional_headers "")
macro(chainrule_optional_headers target)
  list(APPEND optional_targets ${target})
  list(APPEND optional_headers ${ARGN})
  set(optional_headers_of_${target} ${ARGN})
endmacro()

chainrule_optional_headers(ZLIB::ZLIB data/gzip.hpp)
chainrule_optional_headers(chainrule::safetensors io/load_network.hpp io/model.hpp io/model_file.hpp io/quantized_file.hpp io/safetensors.hpp io/safetensors_types.hpp
                           io/write_safetensors.hpp ${safetensors_internals})
chainrule_optional_headers(chainrule::mpi parallel/mpi.hpp)
chainrule_optional_headers(chainrule::onnx io/from_onnx.hpp io/onnx.hpp io/quantized_onnx.hpp io/to_onnx.hpp ${onnx_internals})
