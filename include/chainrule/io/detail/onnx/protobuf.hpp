#pragma once
// ONNX's messages (onnx.ai), as Debian's libonnx-dev and others ship them. Link with chainrule::onnx, which brings library and macros.

#if !defined(ONNX_NAMESPACE) || !defined(ONNX_ML)
#error "chainrule: link with chainrule::onnx, or define ONNX_NAMESPACE=onnx and ONNX_ML=1, and link onnx_proto and protobuf"
#endif
#include <onnx/onnx_pb.h>

namespace chainrule::detail {

namespace pb = ONNX_NAMESPACE;

/// The type of a tensor of these numbers.
template <class Scalar>
constexpr pb::TensorProto::DataType onnx_type() {
  static_assert(sizeof(Scalar) == 4 || sizeof(Scalar) == 8, "chainrule: ONNX has tensors of float and double");
  return sizeof(Scalar) == 4 ? pb::TensorProto::FLOAT : pb::TensorProto::DOUBLE;
}

/// Texts of ours in a model's metadata.
inline constexpr const char* onnx_loss_key = "chainrule.loss";
inline constexpr const char* onnx_outputs_key = "chainrule.outputs";  ///< "predictions", or "raw": before the loss's link

}  // namespace chainrule::detail
