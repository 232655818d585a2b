#include <chainrule/activations/tanh.hpp>
#include <chainrule/core/network_base.hpp>
#include <chainrule/layers/batch_norm.hpp>
#include <chainrule/layers/dense.hpp>
#include <string>

#include "support/catch.hpp"

using namespace chainrule;

namespace {

using Layers = detail::Sequence<Dense<2, 3, Tanh>, BatchNorm<3>, Dense<3, 1>>;

struct Model : NetworkBase<float, Layers> {
  Model() : NetworkBase<float, Layers>(Layers{{Dense<2, 3, Tanh>{}, BatchNorm<3>{}, Dense<3, 1>{}}}) {}
};

}  // namespace

TEST_CASE("Model has its layers, parameters of 0, and the initial buffers of its layers") {
  const Model model;
  CHECK(model.inputs() == 2);
  CHECK(model.outputs() == 1);
  CHECK(std::get<1>(model.layers()).inputs() == 3);
  CHECK(model.fewest_training_samples() == 2);
  CHECK(model.parameters().isZero(0));
  CHECK(model.parameters().size() == 9 + 6 + 4);
  CHECK(model.buffers() == (Eigen::VectorXf(7) << 0, 0, 0, 1, 1, 1, 0).finished());
}

TEST_CASE("parameters and buffers of a Model are named views on the flat vectors, read-only where it is const") {
  Model model;
  model.layer<0>().weight(2, 1) = 5;
  CHECK(model.parameters()[5] == 5);
  model.parameters()[9] = 6;
  CHECK(std::as_const(model).layer<1>().weight[0] == 6);
  model.buffers<1>().running_variance[2] = 8;
  CHECK(model.buffers()[5] == 8);
  model.buffers()[6] = 3;
  CHECK(std::as_const(model).buffers<1>().batches == 3);
  STATIC_REQUIRE(std::is_same_v<decltype(std::as_const(model).buffers<1>().batches), const float&>);
  STATIC_REQUIRE(std::is_same_v<decltype(std::as_const(model).parameters()), ConstVectorView<float>>);
}

TEST_CASE("for_each_layer visits the layers with their indices and parameters, to write to and, where the Model is const, to read") {
  Model model;
  model.for_each_layer([](Index i, const auto&, auto& parameters) { parameters.weight.setConstant(static_cast<float>(i + 1)); });
  CHECK(model.parameters().head(6) == Eigen::VectorXf::Constant(6, 1));
  CHECK(model.layer<1>().weight == Eigen::Vector3f::Constant(2));
  CHECK(model.layer<2>().weight == Eigen::RowVector3f::Constant(3));
  std::string seen;
  std::as_const(model).for_each_layer([&](Index i, const auto& layer, const auto& parameters) {
    seen += std::to_string(i) + std::string(layer.name) + std::to_string(parameters.bias.size()) + " ";
  });
  CHECK(seen == "0Dense3 1BatchNorm3 2Dense1 ");
}

TEST_CASE("a copied Model has its own numbers") {
  Model model;
  const Model copy = model;
  model.parameters().setOnes();
  model.buffers().setZero();
  CHECK(copy.parameters().isZero(0));
  CHECK(copy.buffers<1>().running_variance[0] == 1);
}
