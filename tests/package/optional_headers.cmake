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
