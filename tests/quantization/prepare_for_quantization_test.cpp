#include <chainrule/io/export_source.hpp>
#include <chainrule/io/model_file.hpp>
#include <chainrule/layers/sequential.hpp>
#include <chainrule/network.hpp>
#include <chainrule/optimizers/adam.hpp>
#include <chainrule/quantization/prepare_for_quantization.hpp>
#include <chainrule/training/trainer.hpp>
#include <fstream>
#include <iterator>
#include <string>

#include "support/catch.hpp"
#include "support/networks_from_descriptions.hpp"
#include "support/temporary_folder.hpp"

using namespace chainrule;

namespace {

AnyNetwork<float> network() {
  AnyNetwork<float> net{Seed{1},
                        SoftmaxCrossEntropy{},
                        {Normalize<3>{}, Dropout<>{}, Dense<3, 9, Tanh>{}, Dense<9, 8>{}, BatchNorm<>{}, PReLU<Slopes::per_unit>{},
                         Dense<8, 7, LeakyReLU>{}, Dense<7, 6, HardTanh>{}, Activate<Sigmoid>{}, Dense<6, 4>{}}};
  Random random{Seed{5}};
  for (Index i = 0; i < net.parameters().size(); ++i) net.parameters()[i] += static_cast<float>(0.3 * random.normal());
  for (Index i = 0; i < net.buffers().size(); ++i) net.buffers()[i] = static_cast<float>(0.5 + random.uniform());
  return net;
}

Dataset<float> samples(Index count) {
  Random random{Seed{6}};
  Dataset<float> data;
  data.features = Matrix<float>::NullaryExpr(3, count, [&](Index, Index) { return static_cast<float>(random.normal()); });
  for (Index j = 0; j < count; ++j)
    data.targets.push_back((data.features(0, j) > 0 ? 1 : 0) + (data.features(1, j) > data.features(2, j) ? 2 : 0));
  return data;
}

// The largest difference of raw outputs, in steps of the quantized network, and the share of outputs that differ by more than half a step.
template <class Net>
std::pair<float, double> difference(const Net& net, const QuantizedNetwork<std::int8_t>& q, const Matrix<float>& x) {
  const Matrix<float> steps = (net.predict_raw(x) - q.predict_raw(x)).cwiseAbs() / q.output().scale;
  return {steps.maxCoeff(), static_cast<double>((steps.array() > 0.5f).count()) / static_cast<double>(steps.size())};
}

}  // namespace

TEST_CASE("a network that is prepared for quantization predicts as the quantized one, before and after it is trained") {
  const AnyNetwork<float> net = network();
  const Dataset<float> data = samples(400);
  AnyNetwork<float> rounded = prepare_for_quantization(net, data.features);
  std::string kinds;
  for (const Description& layer : describe_layers(rounded)) kinds += layer.kind + " ";
  CHECK(kinds ==
        "Normalize FakeQuantize FakeQuantizedDense FakeQuantize Activate FakeQuantize FakeQuantizedDense PReLUPerUnit FakeQuantize "
        "FakeQuantizedDense Activate FakeQuantize FakeQuantizedDense Activate FakeQuantize Activate FakeQuantize FakeQuantizedDense "
        "FakeQuantize ");
  // the integers are those of the network itself, up to the rounding of its folded weights to float
  const auto plain = quantize<std::int8_t>(net, data.features), same = quantize<std::int8_t>(rounded, data.features);
  REQUIRE(same.layers().size() == plain.layers().size());
  for (std::size_t l = 0; l < plain.layers().size(); ++l) {
    CHECK(same.layers()[l].output.zero_point == plain.layers()[l].output.zero_point);
    CHECK(std::abs(same.layers()[l].output.scale / plain.layers()[l].output.scale - 1) < 1e-6f);
  }
  const auto [before, share_before] = difference(rounded, same, data.features);
  CHECK(before < 3.5f);
  CHECK(share_before < 0.15);

  const auto loss_of = [&](const AnyNetwork<float>& of) {
    auto work = of.make_workspace(data.size());
    return of.evaluate(data.features, data.targets, work).loss;
  };
  const float loss_before = loss_of(rounded);
  Trainer trainer{rounded, Adam{.learning_rate = 1e-2}};
  trainer.fit(data, {.epochs = 20, .batch_size = 40, .seed = Seed{3}});
  CHECK(loss_of(rounded) < 0.6f * loss_before);
  const auto trained = quantize<std::int8_t>(rounded, data);
  CHECK(trained.output().scale != same.output().scale);  // the ranges have moved
  CHECK(trained.report().metric == "accuracy");
  CHECK(std::abs(trained.report().after - trained.report().before) < 0.02);
  const auto [after, share_after] = difference(rounded, trained, data.features);
  CHECK(after < 12);
  CHECK(share_after < 0.15);

  SECTION("and model files and per-tensor scales keep that") {
    const chainrule_test::TemporaryFolder folder;
    save(rounded, folder.path("rounded.safetensors"));
    const auto again = load_network<float>(folder.path("rounded.safetensors"));
    CHECK(again.predict(data.features) == rounded.predict(data.features));
    CHECK(quantize<std::int8_t>(again, data.features).layers() == quantize<std::int8_t>(rounded, data.features).layers());
    std::ifstream in(folder.path("rounded.safetensors"), std::ios::binary);
    std::string file{std::istreambuf_iterator<char>(in), {}};
    const auto momentum = file.find("0.01", file.find("momentum"));
    REQUIRE(momentum < file.size());
    std::ofstream(folder.path("wrong.safetensors"), std::ios::binary) << file.replace(momentum, 4, "1.01");
    CHECK_THROWS_SAYING(load_network<float>(folder.path("wrong.safetensors")), ValueError, "wrong.safetensors",
                        "FakeQuantize: momentum must be from 0 to 1, got 1.01");
    auto wrong = rounded;
    wrong.buffers()[wrong.buffers().size() - 2] = -1e3f;  // the end of the last range
    save(wrong, folder.path("wrong.safetensors"));
    const auto with_wrong_range = load_network<float>(folder.path("wrong.safetensors"));
    CHECK_THROWS_SAYING(with_wrong_range.predict(data.features), ValueError, "FakeQuantize: expected a range of finite numbers");
    CHECK_THROWS_SAYING(quantize<std::int8_t>(with_wrong_range, data.features), ValueError, "expected a range of finite numbers");
    const auto per_tensor = prepare_for_quantization(net, data.features, {.scale_per_output = false, .momentum = 0});
    const auto q = quantize<std::int8_t>(per_tensor, data.features);
    CHECK(q.layers()[0].weight_scale.size() == 1);
    CHECK(difference(per_tensor, q, data.features).first < 3.5f);
  }
  SECTION("and what cannot be is refused") {
    CHECK_THROWS_SAYING(prepare_for_quantization(rounded, data.features), ValueError, "has FakeQuantize layers already");
    CHECK_THROWS_SAYING(prepare_for_quantization(net, data.features.leftCols(1)), ValueError, "prepare_for_quantization: ", "one sample");
    CHECK_THROWS_SAYING(prepare_for_quantization(net, data.features, {.momentum = 2}), ValueError, "momentum must be from 0 to 1, got 2");
    CHECK_THROWS_SAYING(to_source(rounded), ValueError, "the layer FakeQuantize has no form in source code; quantize the network");
    AnyNetwork<float> scaled{Seed{1}, SquaredError{}, {FakeQuantizedDense<3, 4>{}, BatchNorm<>{}}};
    scaled.buffers().setOnes();
    CHECK_THROWS_SAYING(quantize<std::int8_t>(scaled, data.features), ValueError, "would change the rounding of its weights");
  }
}

TEST_CASE("a training with rounding that was stopped goes on from its checkpoint to the same bits, ranges included") {
  const chainrule_test::TemporaryFolder folder;
  const Dataset<float> data = samples(400);
  const AnyNetwork<float> prepared = prepare_for_quantization(network(), data.features);
  const auto train = [&](const std::string& file, int steps) {
    AnyNetwork<float> net = prepared;
    Trainer trainer{net, Adam{.learning_rate = 1e-2}};
    struct StopAfter {
      int steps;
      void batch_ended(Progress& run) {
        if (--steps == 0) run.stop("stopped");
      }
    };
    trainer.fit(data, {.epochs = 3, .batch_size = 64, .seed = Seed{3}}, Checkpoint{.path = folder.path(file), .every_steps = 2},
                StopAfter{steps});
    return net;
  };
  const AnyNetwork<float> expected = train("whole", -1);
  CHECK(expected.buffers() != prepared.buffers());
  CHECK(train("in_parts", 9).parameters() != expected.parameters());  // in the second epoch of 7 steps
  const AnyNetwork<float> resumed = train("in_parts", -1);
  CHECK(resumed.parameters() == expected.parameters());
  CHECK(resumed.buffers() == expected.buffers());
  CHECK(quantize<std::int8_t>(resumed, data.features).layers() == quantize<std::int8_t>(expected, data.features).layers());
}
