#pragma once
// Includes the protobuf messages of ONNX (onnx.ai), which Debian's libonnx-dev and others ship. The target chainrule::onnx links the
// library and sets the macros.

#if !defined(ONNX_NAMESPACE) || !defined(ONNX_ML)
#error "chainrule: link with chainrule::onnx, or define ONNX_NAMESPACE=onnx and ONNX_ML=1, and link onnx_proto and protobuf"
#endif
#include <onnx/onnx_pb.h>
#include <chainrule/core/detail/require_cpp20.hpp>

namespace chainrule::detail {

namespace pb = ONNX_NAMESPACE;

/// The tensor type of ONNX for numbers of Scalar.
template <class Scalar>
constexpr pb::TensorProto::DataType onnx_type() {
  static_assert(sizeof(Scalar) == 4 || sizeof(Scalar) == 8, "chainrule: ONNX has tensors of float and double");
  return sizeof(Scalar) == 4 ? pb::TensorProto::FLOAT : pb::TensorProto::DOUBLE;
}

/// The key of the loss in a model's metadata.
inline constexpr const char* onnx_loss_key = "chainrule.loss";
/// The key of what the model's outputs are: "predictions", or "raw" where the loss's link is left out.
inline constexpr const char* onnx_outputs_key = "chainrule.outputs";

}  // namespace chainrule::detail
