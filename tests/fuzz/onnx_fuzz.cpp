#include <chainrule/io/from_onnx.hpp>

#include "fuzz.hpp"

/// Reads the bytes as an ONNX model. A network of few inputs must also predict.
void chainrule_fuzz::read(std::string_view bytes) {
  const chainrule::AnyNetwork<float> net = chainrule::parse_onnx<float>(bytes);
  require(net.inputs() > 0 && net.outputs() > 0);
  if (net.inputs() < 1000) attempt([&] { net.predict(chainrule::Matrix<float>::Ones(net.inputs(), 1).eval()); });
}
