#include <chainrule/io/quantized_onnx.hpp>

#include "support/catch.hpp"
#include "support/quantized_nets.hpp"

using namespace chainrule;

// tests/integration/onnxruntime/run compares predictions with those of onnxruntime.
TEST_CASE("a network in integers is written with QuantizeLinear and DequantizeLinear around each layer") {
  const auto net = chainrule_test::quantized_net<std::int8_t>();
  detail::pb::ModelProto model;
  REQUIRE(model.ParseFromString(to_onnx(net)));
  std::string operators;
  for (const auto& node : model.graph().node()) operators += node.op_type() + " ";
  CHECK(operators ==
        "Sub Mul QuantizeLinear DequantizeLinear "                                                // inputs
        "DequantizeLinear DequantizeLinear Gemm PRelu Clip QuantizeLinear DequantizeLinear "      // Dense LeakyReLU
        "QuantizeLinear Cast Add Gather DequantizeLinear "                                        // table
        "DequantizeLinear DequantizeLinear Gemm Clip QuantizeLinear DequantizeLinear Softmax ");  // Dense
  const auto initializer = [&](const std::string& name) {
    for (const auto& tensor : model.graph().initializer())
      if (tensor.name() == name) return tensor;
    FAIL("there is no " << name);
    return detail::pb::TensorProto{};
  };
  const auto weight = initializer("0.weight");
  CHECK(weight.data_type() == detail::pb::TensorProto::INT8);
  CHECK(weight.dims(0) == 5);
  CHECK(weight.dims(1) == 3);
  CHECK(weight.raw_data().size() == 15);
  CHECK(weight.raw_data()[1] == static_cast<char>(net.layers()[0].weight[1]));
  CHECK(initializer("0.bias").data_type() == detail::pb::TensorProto::INT32);
  CHECK(initializer("0.bias").raw_data().size() == 20);
  REQUIRE(model.ParseFromString(to_onnx(net, {.raw_outputs = true})));
  CHECK(model.graph().node(model.graph().node_size() - 1).op_type() == "DequantizeLinear");
  CHECK(model.graph().node(model.graph().node_size() - 1).output(0) == "y");
}
