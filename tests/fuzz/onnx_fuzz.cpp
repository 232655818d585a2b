#include <chainrule/io/from_onnx.hpp>

#include "fuzz.hpp"

using namespace chainrule;

namespace {

/// Checks a network that was read. One of few inputs must also predict.
void use(const AnyNetwork<float>& net) {
  chainrule_fuzz::require(net.inputs() > 0 && net.outputs() > 0);
  if (net.inputs() < 1000) chainrule_fuzz::attempt([&] { net.predict(Matrix<float>::Ones(net.inputs(), 1).eval()); });
}

}  // namespace

/// Reads the bytes as an ONNX model with the loss that it says, and with one that has no link.
void chainrule_fuzz::read(std::string_view bytes) {
  attempt([&] { use(parse_onnx<float>(bytes)); });
  use(parse_onnx<float>(bytes, "the input", MeanSquaredError{}));
}
