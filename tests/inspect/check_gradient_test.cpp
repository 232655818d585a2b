#include <chainrule/chainrule.hpp>

#include "support/activation_contract.hpp"
#include "support/random_data.hpp"

namespace cr = chainrule;
using chainrule_test::Approx;
using chainrule_test::ContainsSubstring;
using chainrule_test::random_labels;
using chainrule_test::random_matrix;
using cr::Dense;
using cr::Dynamic;
using cr::Index;
using cr::Seed;

namespace {

/// tanh with a derivative that is wrong by `factor`.
struct WrongTanh {
  static constexpr std::string_view name = "WrongTanh";
  double factor = 1;

  cr::XavierUniform default_initializer() const { return {}; }
  template <class Chunk>
  Chunk value(const Chunk& z) const {
    return z.tanh();
  }
  template <class Chunk>
  Chunk derivative_from_output(const Chunk& a) const {
    return static_cast<typename Chunk::Scalar>(factor) * (1 - a) * (1 + a);
  }
};

/// The gradient in which WrongBackward makes one entry wrong.
enum class Wrong { nothing, weight_gradient, bias_gradient, input_gradient };

/// A user's layer derived from Dense whose backward multiplies one entry of a gradient by 1.25.
template <class Inner>
struct WrongBackward : Inner {
  WrongBackward(Inner inner, Wrong which, Index where) : Inner{inner}, wrong{which}, entry{where} {}

  template <class Scalar, int MaxBatch>
  void backward(const Scalar* theta, cr::ConstMatrixView<Scalar> x, const typename Inner::template Cache<Scalar, MaxBatch>& cache,
                cr::MatrixView<Scalar> delta, Scalar* gradient, cr::MatrixView<Scalar>* input_gradient) const {
    Inner::backward(theta, x, cache, delta, gradient, input_gradient);
    const auto falsify = [](Scalar& number) { number *= Scalar(1.25); };
    if (wrong == Wrong::weight_gradient) falsify(gradient[entry]);
    if (wrong == Wrong::bias_gradient) falsify(gradient[this->outputs() * this->inputs() + entry]);
    if (wrong == Wrong::input_gradient && input_gradient != nullptr) falsify(input_gradient->data()[entry]);
  }

  Wrong wrong;
  Index entry;
};

using WrongDense = Dense<Dynamic, Dynamic, WrongTanh>;
using TestedNet = cr::Network<double, cr::SquaredError, WrongBackward<WrongDense>, WrongBackward<WrongDense>, Dense<Dynamic, Dynamic>>;

/// A network 3 -> 4 -> 3 -> 2 with factors on the derivatives of the two hidden layers, and a wrong entry in the gradient of one of them.
TestedNet tested_net(double factor_0 = 1, double factor_1 = 1, Wrong wrong_0 = Wrong::nothing, Wrong wrong_1 = Wrong::nothing,
                     Index where = 0) {
  return TestedNet(Seed{3}, {WrongDense(3, 4, WrongTanh{factor_0}), wrong_0, where},
                   {WrongDense(4, 3, WrongTanh{factor_1}), wrong_1, where}, {3, 2});
}

/// The report of check_gradient for five random samples with random targets.
template <class Net>
cr::GradientReport checked(const Net& net, cr::GradientCheckOptions options = {}) {
  using Scalar = typename Net::ScalarType;
  cr::Random random{Seed{4}};
  const cr::Matrix<Scalar> x = random_matrix<Scalar>(net.inputs(), 5, random);
  const cr::Matrix<Scalar> y = random_matrix<Scalar>(net.outputs(), 5, random);
  return check_gradient(net, x, y, options);
}

using Classifier = cr::Network<float, cr::SoftmaxCrossEntropy, Dense<3, 5, cr::ReLU>, Dense<5, 4, cr::Sigmoid>, Dense<4, 3>>;

template <class Net>
cr::GradientReport checked_with_labels(const Net& net) {
  cr::Random random{Seed{2}};
  const cr::Matrix<typename Net::ScalarType> x = random_matrix<typename Net::ScalarType>(3, 6, random);
  return check_gradient(net, x, random_labels(6, 3, random));
}

}  // namespace

// ---- right gradients pass -----------------------------------------------------------------------------------------------

TEST_CASE("check_gradient refuses options that are NaN or negative", "[check_gradient]") {
  const Classifier net{Seed{1}};
  const Eigen::MatrixXf x = Eigen::MatrixXf::Ones(3, 2);
  const std::vector<int> y{0, 1};
  CHECK_THROWS_SAYING(check_gradient(net, x, y, {.tolerance = std::nan("")}), chainrule::ValueError, "check_gradient: tolerance",
                      "got nan");
  CHECK_THROWS_SAYING(check_gradient(net, x, y, {.step = -1}), chainrule::ValueError, "check_gradient: step", "got -1");
}

TEST_CASE("check_gradient passes a net of fixed extents, float, with labels", "[check_gradient]") {
  const cr::GradientReport report = checked_with_labels(Classifier{Seed{1}});
  INFO(report.to_string());
  CHECK(report.passed);
  CHECK(report.tolerance == 5e-3);
  CHECK(report.worst_error < 1e-3);
  CHECK(report.entries + report.kinks == (3 * 5 + 5) + (5 * 4 + 4) + (4 * 3 + 3) + 3 * 6);  // every entry of theta and of x
}

TEST_CASE("check_gradient passes this net in long double with a smaller tolerance", "[check_gradient]") {
  const cr::GradientReport report = checked_with_labels(Classifier::Rebind<long double>{Seed{1}});
  INFO(report.to_string());
  CHECK(report.passed);
  CHECK(report.tolerance <= 1e-5);
  CHECK(report.worst_error < report.tolerance / 10);
}

TEST_CASE("check_gradient passes a net of run-time extents, double, with a matrix of targets", "[check_gradient]") {
  cr::Random random{Seed{2}};
  const cr::Matrix<double> data = random_matrix<double>(8, 7, random);
  const cr::GradientReport report = check_gradient(tested_net(), data.block(1, 2, 3, 4), data.block(5, 1, 2, 4));  // takes blocks too
  INFO(report.to_string());
  CHECK(report.passed);
  CHECK(report.tolerance <= 1e-5);
  CHECK(report.worst_error < report.tolerance / 10);
  CHECK(report.entries == (3 * 4 + 4) + (4 * 3 + 3) + (3 * 2 + 2) + 3 * 4);
}

TEST_CASE("check_gradient passes targets with weights of samples, labels and matrices", "[check_gradient]") {
  cr::Random random{Seed{2}};
  const cr::Matrix<float> x = random_matrix<float>(3, 6, random);
  const std::vector<int> y = random_labels(6, 3, random);
  const Eigen::VectorXf w = (Eigen::VectorXf(6) << 1, 0, 4, 0.5f, 2, 1).finished();
  const Classifier net{Seed{1}};
  const cr::GradientReport of_labels = check_gradient(net, x, cr::weighted(y, w, 1.5));
  INFO(of_labels.to_string());
  CHECK(of_labels.passed);
  // with a mean weight of 2 the gradient is half of what it is with 1
  const double once = check_gradient(net, x, cr::weighted(y, w, 1)).computed, half = check_gradient(net, x, cr::weighted(y, w, 2)).computed;
  CHECK(half == Approx(once / 2).epsilon(1e-5));

  const cr::Matrix<double> inputs = random_matrix<double>(3, 4, random), targets = random_matrix<double>(2, 4, random);
  const std::vector<double> weights{3, 1, 0.25, 0};
  CHECK(check_gradient(tested_net(), inputs, cr::weighted(targets, weights)));
}

TEST_CASE("every function that takes targets takes them with weights of samples", "[check_gradient]") {
  cr::Random random{Seed{3}};
  const cr::Matrix<float> x = random_matrix<float>(3, 2, random);
  const std::vector<int> y{2, 1}, y_of_0{2};
  const Eigen::Vector2f w(1.5f, 0);  // with a mean of 0.75
  Classifier net{Seed{1}};
  auto work = net.make_workspace(2), work_of_0 = net.make_workspace(1);
  auto dJ = net.make_gradients(), dJ_of_0 = net.make_gradients();
  const auto y_w = cr::weighted(y, w, 0.75);
  const cr::Matrix<float> x_0 = x.col(0);

  // sample 1 has no weight, and 1.5/0.75/2 is 1: all is as for sample 0 alone
  net.forward(x, work);
  net.forward(x_0, work_of_0);
  CHECK(net.loss(y_w, work) == Approx(net.loss(y_of_0, work_of_0)));
  CHECK(net.mean_weight(y_w) == 0.75);
  net.backward(x, y_w, work, dJ);
  net.backward(x_0, y_of_0, work_of_0, dJ_of_0);
  CHECK(dJ.flat().isApprox(dJ_of_0.flat(), 1e-5f));
  CHECK(cr::layer_values(net, x, y_w)[1].delta.col(0).isApprox(cr::layer_values(net, x_0, y_of_0)[1].delta, 1e-5f));
  CHECK(cr::gradient_flow(net, x, y_w).layers[0].gradient_norm == Approx(cr::gradient_flow(net, x_0, y_of_0).layers[0].gradient_norm));
  CHECK(net.evaluate(x, y_w, work).loss == Approx(net.evaluate(x_0, y_of_0, work_of_0).loss));
  cr::OptimizerState<float> state{net, 0}, other_state{net, 0};
  Classifier other = net;
  const cr::SGD rule{.learning_rate = 0.5};
  net.forward(x, work);
  cr::descend(net, x, y_w, work, dJ, rule, state);
  other.forward(x_0, work_of_0);
  cr::descend(other, x_0, y_of_0, work_of_0, dJ_of_0, rule, other_state);
  CHECK(net.parameters().isApprox(other.parameters(), 1e-5f));
}

// ---- the report ---------------------------------------------------------------------------------------------------------

TEST_CASE("check_gradient reports the worst entry in a sentence", "[check_gradient]") {
  const cr::GradientReport good = checked(tested_net());
  CHECK(good);
  CHECK(good.passed);
  CHECK(good.failure.empty());
  CHECK(good.entries == (3 * 4 + 4) + (4 * 3 + 3) + (3 * 2 + 2) + 3 * 5);
  CHECK(good.kinks == 0);
  CHECK(good.worst_error > 0);
  CHECK(good.computed == Approx(good.difference).epsilon(1e-6));
  CHECK_THAT(good.worst_entry, ContainsSubstring("("));
  CHECK_THAT(good.to_string(), ContainsSubstring("gradient check passed: 54 entries"));
  CHECK_THAT(good.to_string(), ContainsSubstring(" at " + good.worst_entry));

  const cr::GradientReport bad = checked(tested_net(1, 1, Wrong::nothing, Wrong::bias_gradient, 2));
  CHECK_FALSE(bad);
  CHECK_THAT(bad.failure, ContainsSubstring("an entry is off by more than the tolerance"));
  CHECK_THAT(bad.to_string(), ContainsSubstring("gradient check FAILED: " + bad.failure));
  CHECK_THAT(bad.to_string(), ContainsSubstring("worst relative error 0.2 at layer<1>.bias(2, 0) (backward "));
}

TEST_CASE("check_gradient is as strict as its options say", "[check_gradient]") {
  const cr::GradientReport strict = checked(tested_net(), {.tolerance = 1e-30});
  CHECK_FALSE(strict);
  CHECK(strict.tolerance == 1e-30);
  // With a long double of more than 64 digits, differences show curvature, which this tolerance takes for kinks.
  const bool sees_curvature = std::numeric_limits<long double>::digits > 64;
  CHECK_THAT(strict.failure, ContainsSubstring(sees_curvature ? "at a kink of J" : "off by more than the tolerance"));
  CHECK(checked(tested_net(1, 1, Wrong::bias_gradient), {.tolerance = 0.21}));
  CHECK_FALSE(checked(tested_net(1, 1, Wrong::bias_gradient), {.tolerance = 0.19}));
  CHECK(checked(tested_net(), {.tolerance = 1e-3, .step = 1e-3}));
}

// ---- wrong gradients fail -----------------------------------------------------------------------------------------------

TEST_CASE("check_gradient finds an activation whose derivative is wrong", "[check_gradient]") {
  const cr::GradientReport report = checked(tested_net(1.1));
  INFO(report.to_string());
  CHECK_FALSE(report);
  CHECK(report.worst_error == Approx(0.1 / 1.1));  // |1.1 - 1| relative to the larger
  CHECK(report.computed == Approx(1.1 * report.difference));
  // The error is in layer 0 and in x; the gradients of later layers are right.
  CHECK((report.worst_entry.starts_with("layer<0>.") || report.worst_entry.starts_with("x(")));
  CHECK_FALSE(checked(tested_net(1, 1.1)));
  CHECK_FALSE(checked(tested_net(1, -1)));
  CHECK_FALSE(checked(tested_net(1, 1.000001)));  // found in double
}

TEST_CASE("check_gradient finds an activation whose derivative is always zero", "[check_gradient]") {
  const cr::GradientReport report = checked(tested_net(0));
  INFO(report.to_string());
  CHECK_FALSE(report);
  CHECK(report.worst_error == 1);  // |0 - d| / d
  CHECK(report.worst_entry == "layer<0>.weight(0, 0)");
  CHECK(report.computed == 0);
  CHECK(report.difference != 0);
  CHECK_FALSE(checked(tested_net(1, 0)));
  CHECK_FALSE(checked(tested_net(0, 0)));
}

TEST_CASE("check_gradient names the one entry that a layer gets wrong", "[check_gradient]") {
  const auto worst = [](Wrong wrong_0, Wrong wrong_1, Index where) {
    const cr::GradientReport report = checked(tested_net(1, 1, wrong_0, wrong_1, where));
    INFO(report.to_string());
    CHECK_FALSE(report);
    CHECK(report.worst_error == Approx(0.2));  // |1.25 - 1| relative to the larger
    return report.worst_entry;
  };
  const Wrong right = Wrong::nothing;
  CHECK(worst(Wrong::weight_gradient, right, 0) == "layer<0>.weight(0, 0)");
  CHECK(worst(Wrong::weight_gradient, right, 11) == "layer<0>.weight(3, 2)");  // 4 x 3, column-major
  CHECK(worst(right, Wrong::weight_gradient, 5) == "layer<1>.weight(2, 1)");   // 3 x 4
  CHECK(worst(Wrong::bias_gradient, right, 3) == "layer<0>.bias(3, 0)");
  CHECK(worst(right, Wrong::bias_gradient, 1) == "layer<1>.bias(1, 0)");
  CHECK(worst(Wrong::input_gradient, right, 7) == "x(1, 2)");  // 3 x 5
}

TEST_CASE("check_gradient finds a layer that passes a wrong gradient to the layer before it", "[check_gradient]") {
  const cr::GradientReport report = checked(tested_net(1, 1, Wrong::nothing, Wrong::input_gradient, 2));  // dJ/da of unit 2, sample 0
  INFO(report.to_string());
  CHECK_FALSE(report);
  CHECK((report.worst_entry.starts_with("layer<0>.") || report.worst_entry.starts_with("x(")));
}

namespace {

/// Half the squared error with the gradient of the squared error, which is wrong by a factor 2.
struct FactorTwo : cr::SquaredError {
  template <class Scalar>
  void gradient(cr::ConstMatrixView<Scalar> y_hat, cr::ConstMatrixView<Scalar> y, cr::MatrixView<Scalar> dJ) const {
    dJ = 2 * (y_hat - y) / static_cast<Scalar>(y.cols());
  }
};

}  // namespace

TEST_CASE("check_gradient finds a loss whose gradient is wrong by a factor 2", "[check_gradient]") {
  const cr::Network<float, FactorTwo, Dense<3, 2>> net{Seed{1}};
  const cr::GradientReport report = checked(net);
  INFO(report.to_string());
  CHECK_FALSE(report);
  CHECK(report.worst_error == Approx(0.5).epsilon(1e-3));
  CHECK(report.computed == Approx(2 * report.difference).epsilon(1e-3));
}

// If both gradients are zero, they agree, and a check that only compares them would pass whatever backward does.
TEST_CASE("check_gradient cannot pass on zeros", "[check_gradient]") {
  Classifier net{Seed{1}};
  CHECK(checked_with_labels(net));
  net.layer<0>().bias.setConstant(-1e3f);  // all units are dead
  const cr::GradientReport report = checked_with_labels(net);
  INFO(report.to_string());
  CHECK_FALSE(report);
  CHECK_THAT(report.failure, ContainsSubstring("the gradient of layer<0> is zero everywhere"));
  CHECK_THAT(report.to_string(), ContainsSubstring("gradient check FAILED: the gradient of layer<0>"));
}

// ReLU has no derivative at z = 0. The value that backward gives there is a convention, which a difference cannot check.
TEST_CASE("check_gradient counts the entries at a kink and fails if they are most of a layer", "[check_gradient]") {
  Classifier net{Seed{1}};
  net.layer<0>().weight.row(2).setZero();  // the bias is 0 too, so z of unit 2 is 0 for every x
  const cr::GradientReport one_unit = checked_with_labels(net);
  INFO(one_unit.to_string());
  CHECK(one_unit);
  CHECK(one_unit.kinks == 3 + 1);  // the weights and the bias of the unit
  CHECK_THAT(one_unit.to_string(), ContainsSubstring("4 more at kinks"));

  net.layer<0>().weight.setZero();
  const cr::GradientReport all_units = checked_with_labels(net);
  CHECK_FALSE(all_units);
  CHECK_THAT(all_units.failure, ContainsSubstring("most entries of layer<0> lie at a kink"));
}

// With inputs such as pixels up to 255 and weights that are small in proportion, J is strongly curved over the step h, but smooth.
TEST_CASE("check_gradient does not mistake curvature for a kink if the inputs are not scaled", "[check_gradient]") {
  for (const double scale : {1.0, 50.0, 255.0}) {
    TestedNet net = tested_net();
    TestedNet wrong = tested_net(1, 1, Wrong::weight_gradient);
    net.layer<0>().weight /= scale;
    wrong.layer<0>().weight /= scale;
    cr::Random random{Seed{5}};
    const cr::Matrix<double> x = scale * random_matrix<double>(3, 5, random);
    const cr::Matrix<double> y = random_matrix<double>(2, 5, random);
    const cr::GradientReport report = check_gradient(net, x, y);
    INFO(report.to_string());
    CHECK(report);
    CHECK(report.kinks == 0);
    CHECK_FALSE(check_gradient(wrong, x, y));
  }
}

TEST_CASE("check_gradient never passes NaN or infinity, in whichever parameter", "[check_gradient]") {
  const TestedNet good = tested_net();
  int passed = 0;
  int tried = 0;
  for (const double nonsense : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()})
    for (Index i = 0; i < good.parameters().size(); ++i) {
      TestedNet net = good;
      net.parameters()[i] = nonsense;
      ++tried;
      if (checked(net).passed) ++passed;
    }
  CHECK(tried == 2 * 39);
  CHECK(passed == 0);
}

// ---- an activation that needs z -----------------------------------------------------------------------------------------

namespace {

/// Swish, z sigma(z) (Ramachandran, Zoph and Le 2017). It is not monotone, so its derivative cannot be computed from its output.
struct Swish {
  static constexpr std::string_view name = "Swish";
  cr::HeNormal default_initializer() const { return {}; }

  // f(z) = z/(1 + e^-z). Below -80, |f| is less than 1e-32, and a little further down e^-z overflows in float.
  template <class Chunk>
  Chunk value(const Chunk& z) const {
    return (z < -80).select(Chunk::Zero(), z / (1 + (-z).exp()));
  }
  // f'(z) = sigma(z) (1 + z (1 - sigma(z)))
  template <class Chunk>
  Chunk derivative(const Chunk& z) const {
    const Chunk sigma = 1 / (1 + (-z).exp());
    return (z < -80).select(Chunk::Zero(), sigma * (1 + z * (1 - sigma)));
  }
};

static_assert(cr::Activation<Swish> && !cr::DerivativeFromOutput<Swish>);
using SwishNet = cr::Network<double, cr::SquaredError, Dense<Dynamic, Dynamic, Swish>, Dense<Dynamic, Dynamic, Swish>>;

}  // namespace

TEMPLATE_TEST_CASE("a user's activation whose derivative needs z satisfies the contract", "[check_gradient]", float, double) {
  chainrule_test::check_activation<TestType>(Swish{}, {.at_minus_infinity = 0,
                                                       .at_infinity = std::numeric_limits<double>::infinity(),
                                                       .nondecreasing = false,
                                                       .derivative_rounding = 32});  // the rounding of sigma times z up to 30
}

TEST_CASE("check_gradient passes a net whose activation needs z", "[check_gradient]") {
  const cr::GradientReport report = checked(SwishNet(Seed{1}, {3, 4}, {4, 2}));
  INFO(report.to_string());
  CHECK(report);
}

// Two layers of one unit: W(1) = 2, b(1) = -1, W(2) = 1, b(2) = 0. With x = 1.5: z(2) = 2, a(2) = z(3) = f(2), y_hat = f(f(2)).
TEST_CASE("a layer keeps z for an activation that needs it", "[check_gradient]") {
  SwishNet net(Seed{1}, {1, 1}, {1, 1});
  net.parameters() << 2, -1, 1, 0;
  auto work = net.make_workspace(3);
  auto dJ = net.make_gradients();
  cr::Matrix<double> dJ_dx(1, 1);
  const cr::Matrix<double> before = cr::Matrix<double>::Constant(1, 3, 9.0);
  net.forward(before, work);  // the workspace must keep z of the last pass, not of this one

  const cr::Matrix<double> x = cr::Matrix<double>::Constant(1, 1, 1.5);
  const cr::Matrix<double> y = cr::Matrix<double>::Constant(1, 1, 0.5);
  CHECK(net.forward(x, work)(0, 0) == Approx(1.5033606674109596).epsilon(1e-14));
  net.backward(x, y, work, dJ, dJ_dx);
  const double delta_3 = (1.5033606674109596 - 0.5) * 1.0737880406234939;  // (y_hat - y) f'(z(3))
  const double delta_2 = delta_3 * 1.0907842487848955;                     // W(2) delta(3) f'(z(2))
  CHECK(dJ.layer<1>().bias(0) == Approx(delta_3).epsilon(1e-14));
  CHECK(dJ.layer<1>().weight(0, 0) == Approx(delta_3 * 1.7615941559557646).epsilon(1e-14));
  CHECK(dJ.layer<0>().bias(0) == Approx(delta_2).epsilon(1e-14));
  CHECK(dJ.layer<0>().weight(0, 0) == Approx(delta_2 * 1.5).epsilon(1e-14));
  CHECK(dJ_dx(0, 0) == Approx(delta_2 * 2).epsilon(1e-14));
}
