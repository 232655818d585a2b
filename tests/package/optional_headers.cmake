# The headers that chainrule.hpp leaves out, because they need more than Eigen, by the target that brings what they need. They are
# compiled where that target is there.
set(optional_headers "")
macro(chainrule_optional_headers target)
  list(APPEND optional_targets ${target})
  list(APPEND optional_headers ${ARGN})
  set(optional_headers_of_${target} ${ARGN})
endmacro()

chainrule_optional_headers(ZLIB::ZLIB data/gzip.hpp)
chainrule_optional_headers(chainrule::safetensors io/description_json.hpp io/match_tensors.hpp io/model_file.hpp io/safetensors.hpp
                           io/safetensors_header.hpp io/safetensors_types.hpp io/write_safetensors.hpp)
chainrule_optional_headers(chainrule::onnx io/description_text.hpp io/from_onnx.hpp io/onnx.hpp io/onnx_function.hpp io/onnx_graph.hpp
                           io/onnx_numbers.hpp io/onnx_protobuf.hpp io/onnx_read_chain.hpp io/onnx_read_layer.hpp
                           io/onnx_read_link.hpp io/onnx_recognize.hpp io/onnx_write_activation.hpp io/onnx_write_layers.hpp
                           io/onnx_writer.hpp io/to_onnx.hpp)
