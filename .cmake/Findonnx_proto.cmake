# Finds the protobuf messages of ONNX as in Debian's libonnx-dev: the target onnx_proto::onnx_proto, with protobuf and the macros that
# onnx/onnx_pb.h needs.
find_path(onnx_proto_INCLUDE_DIR onnx/onnx_pb.h)
find_library(onnx_proto_LIBRARY onnx_proto)
mark_as_advanced(onnx_proto_INCLUDE_DIR onnx_proto_LIBRARY)
if(onnx_proto_INCLUDE_DIR AND onnx_proto_LIBRARY AND NOT TARGET protobuf::libprotobuf)
  find_package(Protobuf QUIET)
  if(TARGET protobuf::libprotobuf)
    set_target_properties(protobuf::libprotobuf PROPERTIES IMPORTED_GLOBAL TRUE)  # visible wherever a target that links it is
  endif()
endif()
if(TARGET protobuf::libprotobuf)
  set(onnx_proto_protobuf protobuf::libprotobuf)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(onnx_proto REQUIRED_VARS onnx_proto_LIBRARY onnx_proto_INCLUDE_DIR onnx_proto_protobuf)
if(onnx_proto_FOUND AND NOT TARGET onnx_proto::onnx_proto)
  add_library(onnx_proto::onnx_proto INTERFACE IMPORTED)
  set_target_properties(onnx_proto::onnx_proto PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${onnx_proto_INCLUDE_DIR}"
                        INTERFACE_COMPILE_DEFINITIONS "ONNX_NAMESPACE=onnx;ONNX_ML=1"
                        INTERFACE_LINK_LIBRARIES "${onnx_proto_LIBRARY};protobuf::libprotobuf")
endif()
