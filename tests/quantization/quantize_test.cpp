#include <chainrule/any/any_network.hpp>
#include <chainrule/layers/sequential.hpp>
#include <chainrule/network.hpp>
#include <chainrule/quantization/quantize.hpp>
#include <sstream>

#include "support/catch.hpp"

using namespace chainrule;
using chainrule_test::Approx;
using std::int32_t, std::int64_t;

namespace {

// The functions of gemmlowp/fixedpoint/fixedpoint.h and of TensorFlow Lite's MultiplyByQuantizedMultiplier, written out with 64 bits.
int64_t reference_times(int64_t x, int64_t multiplier, int shift) {
  const int64_t product = (shift > 0 ? x << shift : x) * multiplier;
  const int64_t nudge = product >= 0 ? int64_t{1} << 30 : 1 - (int64_t{1} << 30);
  const int64_t high = (product + nudge) / (int64_t{1} << 31);  // towards 0
  if (shift >= 0) return high;
  const int64_t divisor = int64_t{1} << -shift, size = high < 0 ? -high : high;  // halves away from 0
  const int64_t rounded = (size + divisor / 2) / divisor;
  return high < 0 ? -rounded : rounded;
}

// One prediction by the definition, with (q - zero point) in the sums.
template <class Q>
Vector<Q> reference_prediction(const QuantizedNetwork<Q>& net, Vector<Q> q) {
  int64_t zero = net.input().zero_point;
  for (const QuantizedLayer<Q>& layer : net.layers()) {
    Vector<Q> a(layer.outputs);
    for (Index i = 0; i < layer.outputs; ++i) {
      const auto u = static_cast<std::size_t>(i);
      int64_t z = layer.weight.empty() ? q[i] : layer.bias[u];
      if (!layer.weight.empty()) {
        for (Index k = 0; k < layer.inputs; ++k)
          z += layer.weight[u * static_cast<std::size_t>(layer.inputs) + static_cast<std::size_t>(k)] * (q[k] - zero);
        const detail::FixedPoint m = z < 0 && !layer.factor_below_0.empty() ? layer.factor_below_0[u] : layer.factor[u];
        z = std::clamp<int64_t>(reference_times(z, m.multiplier, m.shift) + layer.z.zero_point, layer.lowest, layer.highest);
      }
      if (layer.table.empty()) {
        a[i] = static_cast<Q>(z);
      } else if (sizeof(Q) == 1) {
        a[i] = layer.table[static_cast<std::size_t>(z + 128)];
      } else {  // between entries floor(z/128) + 256 and the next one
        const double at = static_cast<double>(z) / 128 + 256, left = std::floor(at);
        const double y0 = layer.table[static_cast<std::size_t>(left)], y1 = layer.table[static_cast<std::size_t>(left) + 1];
        a[i] = static_cast<Q>(std::floor(y0 + (y1 - y0) * (at - left) + 0.5));
      }
    }
    q = a;
    zero = layer.output.zero_point;
  }
  return q;
}

using Net = Network<float, SoftmaxCrossEntropy, Normalize<3>, Dropout<>, Dense<3, 9, Tanh>, BatchNorm<>, Dense<9, 8>, BatchNorm<>,
                    PReLU<Slopes::per_unit>, Dense<8, 7, LeakyReLU>, Sequential<Dense<7, 6, HardTanh>, Activate<Sigmoid>>,
                    Dense<6, 4, Identity, XavierUniform, Bias::none>>;

template <class N>
void set_numbers(N& net) {
  Random random{Seed{5}};
  net.parameters() += 0.3 * Vector<float>::NullaryExpr(net.parameters().size(), [&](Index) { return static_cast<float>(random.normal()); });
  net.buffers() = Vector<float>::NullaryExpr(net.buffers().size(), [&](Index) { return 0.5f + static_cast<float>(random.uniform()); });
}

Matrix<float> inputs(Index rows, Index samples) {
  Random random{Seed{6}};
  return Matrix<float>::NullaryExpr(rows, samples, [&](Index, Index) { return static_cast<float>(random.normal()); });
}

template <class Q>
void check_against_reference(const QuantizedNetwork<Q>& q, const Matrix<float>& x) {
  const Matrix<Q> in = q.quantize_input(x), out = q.predict_quantized(in);
  bool is_equal = true;
  for (Index j = 0; j < x.cols(); ++j) is_equal = is_equal && out.col(j) == reference_prediction<Q>(q, in.col(j));
  CHECK(is_equal);
}

// Dense of 2 inputs and one output as integers.
QuantizedLayer<std::int8_t> small_layer() {
  QuantizedLayer<std::int8_t> layer;
  layer.name = "layer<0>, Dense";
  layer.inputs = 2;
  layer.outputs = 1;
  layer.weight = {100, -50};
  layer.weight_scale = {0.01f};
  layer.bias = {200};
  layer.factor = {{1 << 30, -6}};  // 2^-7
  layer.lowest = -128;
  layer.highest = 127;
  layer.output = layer.z = {0.5f, 3};
  return layer;
}
QuantizedNetwork<std::int8_t> small_net(const QuantizedLayer<std::int8_t>& layer) {
  return {{}, {}, {0.25f, -10}, {layer}, SquaredError{}};
}

}  // namespace

TEST_CASE("factors and their products round as those of gemmlowp and TensorFlow Lite") {
  using detail::FixedPoint, detail::times, detail::to_fixed_point;
  CHECK(to_fixed_point(0.75) == FixedPoint{0x60000000, 0});
  CHECK(to_fixed_point(1) == FixedPoint{1 << 30, 1});
  CHECK(to_fixed_point(-0.1875) == FixedPoint{-0x60000000, -2});
  CHECK(to_fixed_point(0) == FixedPoint{});
  CHECK(to_fixed_point(0x1p-40) == FixedPoint{});
  CHECK(to_fixed_point(1 - 0x1p-40) == FixedPoint{1 << 30, 1});      // rounds up to a power of two
  CHECK(detail::rounding_doubling_high_product(1, 1 << 30) == 1);    // 1/2
  CHECK(detail::rounding_doubling_high_product(-1, 1 << 30) == 0);   // -1/2
  CHECK(detail::rounding_doubling_high_product(-3, 1 << 30) == -1);  // -3/2
  CHECK(detail::rounding_divide_by_power_of_two(5, 1) == 3);
  CHECK(detail::rounding_divide_by_power_of_two(-5, 1) == -3);
  CHECK(detail::rounding_divide_by_power_of_two(-6, 2) == -2);
  CHECK(detail::rounding_divide_by_power_of_two(INT32_MIN, 31) == -1);
  CHECK(times(5, FixedPoint{3 << 29, 3}) == 30);
  CHECK(times(1000000, FixedPoint{1 << 30, 30}) > 32767);  // a shift that would overflow
  CHECK(times(-1000000, FixedPoint{1 << 30, 30}) < -32768);
  Random random{Seed{1}};
  bool is_equal = true;
  for (int n = 0; n < 100000; ++n) {
    const auto x = static_cast<int32_t>(random.below(std::uint64_t{1} << 32) - (std::uint64_t{1} << 31)) >> random.below(31);
    const FixedPoint m{static_cast<int32_t>((std::uint64_t{1} << 30) + random.below(std::uint64_t{1} << 30)),
                       -static_cast<int32_t>(random.below(32))};
    const FixedPoint negative{-m.multiplier, m.shift};
    is_equal = is_equal && times(x, m) == reference_times(x, m.multiplier, m.shift) &&
               times(x, negative) == reference_times(x, negative.multiplier, m.shift);
  }
  CHECK(is_equal);
}

// sum = 100 (q0 + 10) - 50 (q1 + 10) + 200, z = sum/128 + 3
TEST_CASE("a quantized layer gives the integers of a calculation by hand") {
  const auto net = small_net(small_layer());
  CHECK(net.layers()[0].start[0] == 700);
  Matrix<std::int8_t> q(2, 5);
  q << -10, 0, 127, -128, 54,  //
      -10, 0, -128, 127, 54;
  // sums 200, 700, 19800, -18450, 3400; by 128: 1.5625, 5.47, 154.7, -144.1, 26.5625
  CHECK(net.predict_quantized(q) == Matrix<std::int8_t>{{5, 8, 127, -128, 30}});
  CHECK(net.dequantize(Matrix<std::int8_t>{{5, 127, -128}}) == Matrix<float>{{1, 62, -65.5}});
}

TEST_CASE("inputs are rounded to the nearest integer, halves to even, and limited") {
  const auto net = small_net(small_layer());  // scale 1/4, zero point -10
  Matrix<float> x(2, 6);
  x << 0.125f, 0.375f, -0.125f, -0.375f, 1e30f, 34.25f,  //
      0.1251f, 0.625f, -0.1251f, -0.625f, -1e30f, -29.5f;
  Matrix<std::int8_t> q(2, 6);
  q << -10, -8, -10, -12, 127, 127,  //
      -9, -8, -11, -12, -128, -128;
  CHECK(net.quantize_input(x) == q);
  const Quantization odd{0.25f, 1};
  CHECK(detail::quantized<std::int8_t>(0.125f, odd) == 1);  // 1/2 becomes 0, and then 1 is added
  CHECK(detail::quantized<std::int8_t>(std::nanf(""), odd) == -128);
}

TEST_CASE("a quantized network computes what the definition says, and is close to the network") {
  Net net{Seed{1}};
  set_numbers(net);
  const Matrix<float> x = inputs(3, 300), p = net.predict(x);
  const auto per_output = quantize<std::int8_t>(net, x);
  const auto per_tensor = quantize<std::int8_t>(net, x, {.scale_per_output = false, .clipped = 0.01});
  const auto wide = quantize<std::int16_t>(net, x);
  check_against_reference(per_output, 1.5f * x);  // some of them beyond the range
  check_against_reference(per_tensor, 1.5f * x);
  check_against_reference(wide, 1.5f * x);
  CHECK((per_output.predict(x) - p).cwiseAbs().maxCoeff() < 0.05f);
  CHECK((wide.predict(x) - p).cwiseAbs().maxCoeff() < 0.02f);
  CHECK((wide.predict(x) - p).norm() < (per_output.predict(x) - p).norm());
  REQUIRE(per_output.layers().size() == 6);
  CHECK(per_output.layers()[1].factor_below_0.size() == 8);
  CHECK(per_output.layers()[0].table.size() == 256);
  CHECK(wide.layers()[0].table.size() == 513);
  CHECK(per_tensor.layers()[0].weight_scale.size() == 1);
  // the inputs keep the scale of Normalize
  CHECK(per_output.input_shift() == Vector<float>(net.buffers<0>().shift));
  CHECK(per_output.input_scale() == Vector<float>(net.buffers<0>().scale));

  SECTION("and gives the same numbers with a workspace, one by one and as classes") {
    auto work = per_output.make_workspace(300);
    CHECK(per_output.predict(x, work) == per_output.predict(x));
    CHECK(per_output.predict_quantized(per_output.quantize_input(x), work) == per_output.predict_quantized(per_output.quantize_input(x)));
    CHECK(per_output.predict(x.middleCols(7, 1), work) == per_output.predict(x).col(7));
    Index best = 0;
    per_output.predict_raw(x).col(9).maxCoeff(&best);
    CHECK(per_output.classify(x)[9] == static_cast<int>(best));
  }
  SECTION("and is the same when its layers are known only at run time") {
    AnyNetwork<float> any{Seed{1},
                          SoftmaxCrossEntropy{},
                          {Normalize<3>{}, Dropout<>{}, Dense<3, 9, Tanh>{}, BatchNorm<>{}, Dense<9, 8>{}, BatchNorm<>{},
                           PReLU<Slopes::per_unit>{}, Dense<8, 7, LeakyReLU>{}, Sequential<Dense<7, 6, HardTanh>, Activate<Sigmoid>>{},
                           Dense<6, 4, Identity, XavierUniform, Bias::none>{}}};
    set_numbers(any);
    CHECK(quantize<std::int8_t>(any, x).layers() == per_output.layers());
  }
  SECTION("and the report has a line for each layer, and what the predictions lose") {
    Dataset<float> data{x, {}};
    for (Index j = 0; j < x.cols(); ++j) {
      Index best = 0;
      p.col(j).maxCoeff(&best);
      data.targets.push_back(static_cast<int>(best));
    }
    const QuantizationReport report = quantize<std::int8_t>(net, data).report();
    CHECK(report.layers.size() == 7);
    CHECK(report.metric == "accuracy");
    CHECK(report.before == 1);
    const auto classes = per_output.classify(x);
    CHECK(report.after == accuracy(classes, data.targets));
    CHECK(report.layers[0].clipped == 0);
    CHECK(per_tensor.report().layers[0].clipped == Approx(0.01).epsilon(0.5));
    CHECK(report.layers.back().signal_to_noise > 20);
    CHECK(report.weight_bytes == 27 + 72 + 56 + 42 + 24);
    std::ostringstream text;
    text << report;
    CHECK_THAT(text.str(), chainrule_test::ContainsSubstring("layer<2>, Dense Tanh"));
    CHECK_THAT(text.str(), chainrule_test::ContainsSubstring("accuracy 1.0000 before"));
  }
}

TEST_CASE("outputs without weights, and biases far larger than their weights, keep their numbers") {
  AnyNetwork<float> net{Seed{1}, SquaredError{}, {Dense<Dynamic, Dynamic>{2, 4}}};
  net.parameters() << 0, 0, 0, 1, 0, 0, 0, 1e-6f, /* bias */ 0.7f, -0.3f, 0, 0.5f;  // W column by column
  const Matrix<float> x = inputs(2, 100);
  const auto q = quantize<std::int8_t>(net, x);
  const auto& layer = q.layers()[0];
  CHECK(std::abs(layer.bias[0]) >= (1 << 29) - 64);
  CHECK(std::abs(layer.bias[0]) <= (1 << 29) + 64);
  CHECK(layer.bias[2] == 0);
  CHECK(layer.weight[5] == 0);
  const float step = q.output().scale;
  CHECK((q.predict(x) - net.predict(x)).cwiseAbs().maxCoeff() < 3 * step);
  CHECK(std::abs(q.predict(x)(0, 0) - 0.7f) <= 0.51f * step);
  // a layer that gives 0 for all samples
  net.parameters().setZero();
  CHECK(quantize<std::int8_t>(net, x).predict(x) == Matrix<float>::Zero(4, 100));
  // numbers near the smallest and the largest of float
  net.parameters().setConstant(1e-38f);
  CHECK(quantize<std::int8_t>(net, x).predict(x).allFinite());
  net.parameters().setConstant(1e37f);
  CHECK((quantize<std::int8_t>(net, x).predict(x) - net.predict(x)).cwiseAbs().maxCoeff() < 0.02f * net.predict(x).cwiseAbs().maxCoeff());
}

TEST_CASE("a single output is yes from a probability of one half on") {
  AnyNetwork<float> net{Seed{1}, BinaryCrossEntropy{}, {Dense<2, 1>{}}};
  const Matrix<float> x = inputs(2, 60);
  const auto q = quantize<std::int8_t>(net, x);
  const Matrix<float> p = q.predict(x);
  bool is_right = true;
  for (Index j = 0; j < 60; ++j) is_right = is_right && q.classify(x)[static_cast<std::size_t>(j)] == (p(0, j) >= 0.5f ? 1 : 0);
  CHECK(is_right);
  RegressionDataset<float> data{x, net.predict_raw(x)};
  const AnyNetwork<float> regression{Seed{1}, SquaredError{}, {Dense<2, 1>{}}};
  const QuantizationReport report = quantize<std::int8_t>(regression, data).report();
  CHECK(report.metric == "R2");
  CHECK(report.before == 1);
  CHECK(report.after > 0.999);
  CHECK(report.after < 1);
}

TEST_CASE("quantize refuses what it cannot quantize, and says what to do") {
  const auto any = [](AnyLayers<float> layers) { return AnyNetwork<float>{Seed{1}, SquaredError{}, layers}; };
  const auto net = any({Dense<2, 3, ReLU>{}, Dense<3, 1>{}});
  const auto fails = [](const AnyNetwork<float>& of, const Matrix<float>& x, QuantizationOptions options = {}) {
    return quantize<std::int8_t>(of, x, options).outputs();
  };
  Matrix<float> x = inputs(2, 10);
  CHECK_THROWS_SAYING(fails(net, inputs(3, 10)), ShapeError, "the calibration data has 3 rows, but the network has 2 inputs");
  CHECK_THROWS_SAYING(fails(net, inputs(2, 0)), ShapeError, "there are no calibration data");
  CHECK_THROWS_SAYING(fails(net, inputs(2, 1)), ValueError, "are one sample, which shows no range");
  CHECK_THROWS_SAYING(fails(net, inputs(2, 1).replicate(1, 4)), ValueError, "are one sample, 4 times, which shows no range");
  CHECK_THROWS_SAYING(fails(net, x, {.clipped = 1}), ValueError, ".clipped must be from 0 to below 1, got 1");
  CHECK_THROWS_SAYING(fails(any({Dense<2, 3>{}, LayerNorm<3>{}}), x), ValueError,
                      "layer<1>, LayerNorm: ", "train the network with BatchNorm");
  CHECK_THROWS_SAYING(fails(any({Residual<Dense<2, 2>>{}}), x), ValueError, "layer<0>, Residual: layers side by side");
  CHECK_THROWS_SAYING(fails(any({Dropout<2>{}}), x), ValueError, "nothing to quantize");
  CHECK_THROWS_SAYING(fails(any({PReLU<Slopes::per_unit, 2>{}}), x), ValueError, "layer<0>, PReLUPerUnit: a slope for each unit");
  auto between = any({Dense<2, 3, ReLU>{}, BatchNorm<>{}, Activate<Tanh>{}});
  CHECK_THROWS_SAYING(fails(between, x), StateError, "BatchNorm has no running statistics");
  between.buffers().setOnes();
  CHECK_THROWS_SAYING(fails(between, x), ValueError, "put it before the activation");
  CHECK_THROWS_SAYING(fails(any({Normalize<2>{}, Dense<2, 1>{}}), x), StateError, "Normalize has no shift and scale yet");
  auto infinite = net;
  infinite.parameters()[1] = std::numeric_limits<float>::infinity();
  CHECK_THROWS_SAYING(fails(infinite, x), ValueError, "NaN or infinite");
  x(1, 3) = std::nanf("");
  CHECK_THROWS_SAYING(fails(net, x), ValueError, "sample 3 of the calibration data has NaN");
  const auto q = small_net(small_layer());
  CHECK_THROWS_SAYING(q.predict(x), ValueError, "sample 3 of x has NaN");
  CHECK_THROWS_SAYING(q.predict(inputs(3, 1)), ShapeError, "x has 3 rows, but the network has 2 inputs");
  auto work = q.make_workspace(2);
  CHECK_THROWS_SAYING(q.predict(inputs(2, 3), work), ShapeError, "3 samples, but the workspace has room for 2");
}

TEST_CASE("a QuantizedNetwork is refused where a sum could overflow or integers do not fit") {
  auto layer = small_layer();
  layer.bias = {INT32_MAX - 12800 - 6400 + 500 - 1000};  // start = bias + 10 (100 - 50), and 128 (100 + 50) at most are added
  CHECK(small_net(layer).layers()[0].start[0] == INT32_MAX - 128 * 150);
  layer.bias[0] += 1;
  CHECK_THROWS_SAYING(small_net(layer), ValueError, "layer<0>, Dense: the sum of output 0 over 2 inputs could reach 2147483648");
  const auto refuses = [](const auto& change) {
    auto changed = small_layer();
    change(changed);
    CHECK_THROWS_AS(small_net(changed), Error);
  };
  refuses([](auto& l) { l.inputs = 1; });
  refuses([](auto& l) { l.bias.clear(); });
  refuses([](auto& l) { l.weight.pop_back(); });
  refuses([](auto& l) { l.weight_scale.clear(); });
  refuses([](auto& l) { l.table.resize(255); });
  refuses([](auto& l) { l.highest = 128; });
  refuses([](auto& l) { l.lowest = 127, l.highest = 126; });
  refuses([](auto& l) { l.factor[0].shift = 31; });
  refuses([](auto& l) { l.factor[0].multiplier = INT32_MIN; });
  refuses([](auto& l) { l.output.zero_point = -129; });
  refuses([](auto& l) { l.output.scale = 0; });
}

TEST_CASE("A quantized network takes numbers beyond float as the ends of its range, and finds the smallest yes as predict rounds it",
          "[quantization]") {
  using Layer = QuantizedLayer<std::int8_t>;
  Layer dense;
  dense.name = "layer<0>, Dense";
  dense.inputs = dense.outputs = 1;
  dense.weight = {127};
  dense.weight_scale = {1.0f / 127};
  dense.bias = {0};
  dense.factor = {detail::to_fixed_point(1.0 / 127)};
  dense.z = dense.output = {1.0f / 50, 0};
  dense.lowest = -128;
  dense.highest = 127;
  const Quantization input{1.0f / 50, 0};
  const QuantizedNetwork<std::int8_t> net({}, {}, input, {dense}, AnyLoss<float>(SquaredError{}));
  auto work = net.make_workspace(1);
  const Eigen::MatrixXd huge = Eigen::MatrixXd::Constant(1, 1, 1e300);
  CHECK(net.predict(huge)(0) == net.predict(huge, work)(0));
  CHECK(net.quantize_input(huge)(0) == 127);
  CHECK(net.quantize_input(-huge)(0) == -128);
  for (int q = 0; q < 50; ++q) {
    const Eigen::MatrixXf x = Eigen::MatrixXf::Constant(1, 1, static_cast<float>(q) / 50);
    CHECK(net.classify(x)[0] == (net.predict(x)(0) >= 0.5f ? 1 : 0));
  }

  // scales and biases of a layer without weights, and a scale that is NaN
  Layer table = dense;
  table.name = "layer<0>, Activate";
  table.weight.clear();
  table.table.assign(256, 0);
  const auto make = [&](const Layer& layer) { QuantizedNetwork<std::int8_t>({}, {}, input, {layer}, AnyLoss<float>(SquaredError{})); };
  CHECK_THROWS_SAYING(make(table), ShapeError, "layer<0>, Activate", "no weights");
  Layer without_scale = dense;
  without_scale.weight_scale = {std::numeric_limits<float>::quiet_NaN()};
  CHECK_THROWS_SAYING(make(without_scale), ValueError, "layer<0>, Dense", "scale");
}
