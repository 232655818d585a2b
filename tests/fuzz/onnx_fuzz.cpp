#include <chainrule/io/from_onnx.hpp>

#include "fuzz.hpp"

/// What was read has parameters for all its layers; a network of few units also predicts.
void chainrule_fuzz::read(std::string_view bytes) {
  const chainrule::AnyNetwork<float> net = chainrule::parse_onnx<float>(bytes);
  require(net.inputs() > 0 && net.outputs() > 0);
  if (net.inputs() < 1000) attempt([&] { net.predict(chainrule::Matrix<float>::Ones(net.inputs(), 1).eval()); });
}
