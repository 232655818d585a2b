// Derivatives by theta of networks whose layers are known only at run time, against central differences of the same network in long
// double, against each other, and bit for bit against a network of fixed layers.

#include <chainrule/activations/gelu.hpp>
#include <chainrule/activations/tanh.hpp>
#include <chainrule/any/any_network.hpp>
#include <chainrule/derivatives/by_parameters.hpp>
#include <chainrule/layers/activate.hpp>
#include <chainrule/layers/batch_norm.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/layers/dropout.hpp>
#include <chainrule/layers/layer_norm.hpp>
#include <chainrule/layers/prelu.hpp>
#include <chainrule/layers/residual.hpp>
#include <chainrule/losses/class_weighted.hpp>
#include <chainrule/losses/gaussian_nll.hpp>
#include <chainrule/losses/huber.hpp>
#include <chainrule/losses/softmax_cross_entropy.hpp>
#include <chainrule/losses/squared_error.hpp>

#include "support/catch.hpp"
#include "support/random_data.hpp"

using namespace chainrule;
using chainrule_test::random_matrix;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

/// A network 3 -> 2 with every layer that has parameters, with BatchNorm if wanted, and Dropout inside of a Residual and outside.
template <class Scalar>
AnyNetwork<Scalar> network_of_all_layers(bool batch_norm, const AnyLoss<Scalar>& loss = SquaredError{}) {
  AnyLayers<Scalar> layers;
  layers.add(Dense<Dynamic, Dynamic, Tanh>{3, 4});
  layers.add(PReLU<Slopes::per_unit>{});
  layers.add(Dropout<>{0.3});
  layers.add(Residual<AnyLayers<Scalar>>{{Dense<Dynamic, Dynamic, GELU>{4, 5}, Dropout<>{0.3}, Dense<Dynamic, Dynamic>{5, 4}}});
  layers.add(LayerNorm<>{});
  if (batch_norm) layers.add(BatchNorm<>{});
  layers.add(Activate<Tanh>{});
  layers.add(PReLU<>{});
  layers.add(Dense<Dynamic, Dynamic>{4, 2});
  AnyNetwork<Scalar> net{Seed{1}, loss, layers};
  Random random{Seed{3}};  // other parameters and buffers than those that it begins with, so that none is 0 or 1
  for (Index i = 0; i < net.parameters().size(); ++i) net.parameters()[i] += static_cast<Scalar>(random.uniform() / 2 - 0.1);
  for (Index i = 0; i < net.buffers().size(); ++i) net.buffers()[i] += static_cast<Scalar>(random.uniform() + 0.5);
  return net;
}

/// A network 3 -> 2 without Dropout and BatchNorm, whose training passes are predictions.
template <class Scalar>
AnyNetwork<Scalar> smooth_network(const AnyLoss<Scalar>& loss) {
  AnyLayers<Scalar> layers;
  layers.add(Dense<Dynamic, Dynamic, Tanh>{3, 4});
  layers.add(LayerNorm<>{});
  layers.add(Dense<Dynamic, Dynamic>{4, 2});
  return {Seed{1}, loss, layers};
}

/// The derivative along t of what f(t) returns, by central differences whose error is of order h^4.
template <class F>
auto derivative(const F& f) {
  const long double h = 1e-4L;
  return ((8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h)).eval();
}

template <class A, class B>
double largest_difference(const A& a, const B& b) {
  return static_cast<double>((a.template cast<long double>() - b.template cast<long double>()).cwiseAbs().maxCoeff());
}

/// Copies of x and y, which are matrices, as long doubles.
Matrix<long double> wide(const MatrixXd& m) { return m.cast<long double>(); }

/// Checks the product with the Hessian of the loss of a smooth network against differences of gradients, and that the Hessian is symmetric.
/// y: targets with the mean weight m of the evaluation; exact_y: the same for long double.
template <class Loss, class Y, class ExactY>
void check_hessian_vector_product(const Loss& loss, const Y& y, const ExactY& exact_y) {
  const AnyNetwork<double> net = smooth_network<double>(loss);
  AnyNetwork<long double> exact = smooth_network<long double>(loss);
  const Vector<long double> theta = net.parameters().cast<long double>();
  Random random{Seed{5}};
  const MatrixXd x = random_matrix<double>(3, 4, random);
  const VectorXd u = random_matrix<double>(theta.size(), 1, random), v = random_matrix<double>(theta.size(), 1, random);
  auto work = net.make_hessian_vector_workspace(4);
  auto Hv = net.make_gradients();
  VectorXd Hu(theta.size());
  net.hessian_vector_product(x, y, v, work, Hv);
  net.hessian_vector_product(x, y, u, work, Hu);
  CHECK(std::abs(u.dot(Hv.flat()) - v.dot(Hu)) < 1e-13);
  auto exact_work = exact.make_workspace(4);
  auto exact_gradients = exact.make_gradients();
  const Vector<long double> expected = derivative([&](long double t) {
    exact.parameters() = theta + t * v.cast<long double>();
    exact.forward(wide(x), exact_work);
    exact.backward(wide(x), exact_y, exact_work, exact_gradients);
    return Vector<long double>(exact_gradients.flat());
  });
  CHECK(expected.norm() > 0.01L);
  CHECK(largest_difference(Hv.flat(), expected) < 1e-12);
}

}  // namespace

TEST_CASE("the Jacobian by theta is that of central differences through every layer, however many outputs there is room for") {
  const AnyNetwork<double> net = network_of_all_layers<double>(true);
  AnyNetwork<long double> exact = network_of_all_layers<long double>(true);
  exact.buffers() = net.buffers().cast<long double>();
  const Vector<long double> theta = net.parameters().cast<long double>();
  Random random{Seed{4}};
  const MatrixXd x = random_matrix<double>(3, 3, random);
  const Index size = theta.size();
  MatrixXd J(size, 6), in_pieces(size, 6);
  auto work = net.make_derivative_workspace(3), small = net.make_derivative_workspace(3, 1);
  CHECK(net.parameter_jacobian(x, work, J) == net.predict_raw(x));
  net.parameter_jacobian(x, small, in_pieces);
  CHECK((J - in_pieces).norm() < 1e-14);
  for (Index i = 0; i < size; ++i) {
    const Matrix<long double> by_theta_i = derivative([&](long double t) {
      exact.parameters() = theta;
      exact.parameters()[i] += t;
      return exact.predict_raw(wide(x));
    });
    CHECK(largest_difference(J.row(i), by_theta_i.reshaped(1, 6)) < 1e-12);
  }
}

TEST_CASE("the Jacobian by theta times dJ/dy is the gradient of a backward pass") {
  const AnyNetwork<double> net = smooth_network<double>(SquaredError{});
  Random random{Seed{4}};
  const MatrixXd x = random_matrix<double>(3, 5, random), v = random_matrix<double>(2, 5, random);
  auto work = net.make_derivative_workspace(5);
  auto gradients = net.make_gradients();
  MatrixXd J(net.parameters().size(), 10);
  net.forward(x, work);
  net.backward(x, from_outside(v), work, gradients);
  net.parameter_jacobian(x, work, J);
  CHECK((J * v.reshaped() - gradients.flat()).norm() < 1e-14);
}

TEST_CASE("gradients of samples are those of each sample alone, and their mean, norms and clipped mean follow") {
  const AnyNetwork<double> net = network_of_all_layers<double>(false, SoftmaxCrossEntropy{});
  Random random{Seed{4}};
  const MatrixXd x = random_matrix<double>(3, 4, random);
  const std::vector<int> labels{1, 0, 0, 1};
  const VectorXd w{{1, 0.5, 3, 2}};
  auto work = net.make_derivative_workspace(4, 1);
  auto alone = net.make_workspace(1);
  auto gradients = net.make_gradients(), clipped = net.make_gradients();
  MatrixXd G(net.parameters().size(), 4);
  Eigen::RowVectorXd norms(4);
  const auto y = weighted(labels, w, 1.5);
  net.forward(x, work);
  net.backward(x, y, work, gradients);
  net.sample_gradients(x, y, work, G);
  net.sample_gradient_norms(x, y, work, norms);
  CHECK((G.rowwise().mean() - gradients.flat()).norm() < 1e-15);
  CHECK((G.colwise().norm() - norms).norm() < 1e-14);
  for (Index j = 0; j < 4; ++j) {
    alone.set_step(0);
    alone.set_first_sample(j);
    net.forward(x.col(j), alone);
    net.backward(x.col(j), std::vector{labels[static_cast<std::size_t>(j)]}, alone, gradients);
    CHECK((G.col(j) - w[j] / 1.5 * gradients.flat()).norm() < 1e-14);
  }
  const double max_norm = (norms.minCoeff() + norms.maxCoeff()) / 2;
  VectorXd expected = VectorXd::Zero(G.rows());
  for (Index j = 0; j < 4; ++j) expected += G.col(j) * std::min(1.0, max_norm / G.col(j).norm()) / 4;
  net.backward_clipped(x, y, work, clipped, max_norm);
  CHECK((clipped.flat() - expected).norm() < 1e-15);
  net.backward(x, y, work, gradients);
  CHECK((clipped.flat() - gradients.flat()).norm() > 0.01);
  net.backward_clipped(x, y, work, clipped, 2 * norms.maxCoeff());
  CHECK(clipped.flat() == gradients.flat());

  // from a gradient from outside, of which the loss is no part
  const MatrixXd dJ_dy = random_matrix<double>(2, 4, random);
  net.backward(x, from_outside(dJ_dy), work, gradients);
  net.sample_gradients(x, from_outside(dJ_dy), work, G);
  CHECK((G.rowwise().mean() - gradients.flat()).norm() < 1e-15);
}

TEST_CASE("a network of fixed layers has the gradients of samples and the products of the network of run-time layers") {
  const Network<double, SquaredError, Dense<3, 4, Tanh>, LayerNorm<>, Dense<4, 2>> net{Seed{1}};
  const AnyNetwork<double> any = smooth_network<double>(SquaredError{});
  Random random{Seed{4}};
  const MatrixXd x = random_matrix<double>(3, 5, random), y = random_matrix<double>(2, 5, random);
  const VectorXd v = random_matrix<double>(net.parameters().size(), 1, random);
  // all numbers that a network computes
  const auto numbers = [&](const auto& of) {
    auto work = of.make_derivative_workspace(5);
    auto hessian_work = of.make_hessian_vector_workspace(5);
    auto gradients = of.make_gradients();
    MatrixXd all = MatrixXd::Zero(v.size(), 18);
    of.parameter_jacobian(x, work, all.leftCols(10));
    of.forward(x, work);
    of.sample_gradients(x, y, work, all.middleCols(10, 5));
    of.sample_gradient_norms(x, y, work, all.col(15).head(5));
    of.backward_clipped(x, y, work, gradients, 0.5);
    all.col(16) = gradients.flat();
    of.hessian_vector_product(x, y, v, hessian_work, all.col(17));
    return all;
  };
  CHECK(numbers(net) == numbers(any));
}

TEST_CASE("products with the Hessian of J are differences of gradients, for every kind of targets and weights") {
  Random random{Seed{6}};
  const MatrixXd y = random_matrix<double>(2, 4, random), one = random_matrix<double>(1, 4, random);
  const VectorXd w{{1, 0.5, 3, 2}};  // mean 1.625
  const Vector<long double> exact_w = w.cast<long double>();
  const std::vector<int> labels{1, 0, 0, 1};
  const Matrix<long double> exact_y = wide(y), exact_one = wide(one);
  check_hessian_vector_product(SquaredError{}, y, exact_y);
  check_hessian_vector_product(Huber{.delta = 0.7}, weighted(y, w), weighted(exact_y, exact_w, 1.625));
  check_hessian_vector_product(GaussianNLL{}, one, exact_one);
  check_hessian_vector_product(SoftmaxCrossEntropy{}, labels, labels);
  check_hessian_vector_product(SoftmaxCrossEntropy{.label_smoothing = 0.1}, weighted(labels, w, 2), weighted(labels, exact_w, 2));
  // the mean of the products of the weights of samples and classes is (1*3 + 0.5 + 3 + 2*3)/4
  check_hessian_vector_product(ClassWeighted<SoftmaxCrossEntropy>({1, 3}), weighted(labels, w), weighted(labels, exact_w, 3.125));
}

TEST_CASE("products with the Hessian of J go through every layer, BatchNorm in prediction among them") {
  const AnyNetwork<double> net = network_of_all_layers<double>(true);
  AnyNetwork<long double> exact = network_of_all_layers<long double>(true);
  exact.buffers() = net.buffers().cast<long double>();
  const Vector<long double> theta = net.parameters().cast<long double>();
  Random random{Seed{4}};
  const MatrixXd x = random_matrix<double>(3, 3, random), y = random_matrix<double>(2, 3, random);
  const VectorXd v = random_matrix<double>(theta.size(), 1, random);
  VectorXd Hv(theta.size());
  auto work = net.make_jet_workspace(3);
  net.hessian_vector_product(x, y, v, work, Hv);
  auto exact_work = exact.make_derivative_workspace(3);
  Matrix<long double> J(theta.size(), 6);
  const Vector<long double> expected = derivative([&](long double t) {  // dJ/dtheta = J (y_hat - y)/batch
    exact.parameters() = theta + t * v.cast<long double>();
    const Matrix<long double> y_hat = exact.parameter_jacobian(wide(x), exact_work, J);
    return Vector<long double>(J * ((y_hat - wide(y)) / 3).reshaped());
  });
  CHECK(largest_difference(Hv, expected) < 1e-11);
}

TEST_CASE("norms of gradients of samples are right where their squares are too large or too small") {
  const Network<float, SquaredError, Dense<2, 2>> net{Seed{1}};
  const Network<double, SquaredError, Dense<2, 2>> exact{Seed{1}};
  const Eigen::MatrixXf x{{3e15F, 3e-20F, 1}, {4e15F, 0, 0}}, v{{1e19F, 2e-24F, 3e38F}, {0, 0, 3e38F}};
  auto work = net.make_derivative_workspace(3, 1);
  auto gradients = net.make_gradients();
  Eigen::VectorXf norms(2);
  net.forward(x.leftCols(2), work);
  const Eigen::MatrixXf first_two = v.leftCols(2);
  net.sample_gradient_norms(x.leftCols(2), from_outside(first_two), work, norms);
  CHECK(std::abs(norms[0] / 1e35F - 1) < 1e-6F);  // 2 samples times 1e19 times 5e15
  CHECK(std::abs(norms[1] / 4e-24F - 1) < 1e-6F);
  auto wide_work = exact.make_workspace(1);
  Eigen::VectorXd wide_norm(1);
  const Eigen::MatrixXd x_1{{3e200}, {4e200}}, v_1{{1e50}, {0}};
  exact.forward(x_1, wide_work);
  exact.sample_gradient_norms(x_1, from_outside(v_1), wide_work, wide_norm);
  CHECK(std::abs(wide_norm[0] / 5e250 - 1) < 1e-15);

  gradients.flat().setConstant(7);
  net.forward(x, work);
  CHECK_THROWS_WITH(net.backward_clipped(x, from_outside(v), work, gradients, 1),
                    "backward_clipped: the gradient of sample 2 has the norm inf, so it cannot be scaled to 1; look at its y_hat and y, or "
                    "leave it out of the batch");
  CHECK(gradients.flat() == Eigen::VectorXf::Constant(6, 7));
}

TEST_CASE("derivatives by theta refuse what they cannot compute, and change nothing") {
  const AnyNetwork<double> net = smooth_network<double>(SquaredError{});
  const Index size = net.parameters().size();
  Random random{Seed{4}};
  const MatrixXd x = random_matrix<double>(3, 4, random), y = random_matrix<double>(2, 4, random);
  auto work = net.make_derivative_workspace(4, 1);
  auto hessian_work = net.make_hessian_vector_workspace(4);
  auto gradients = net.make_gradients();
  gradients.flat().setConstant(7);
  MatrixXd J = MatrixXd::Constant(size, 8, 7), G = MatrixXd::Constant(size, 4, 7), small(size, 3);
  VectorXd norms = VectorXd::Constant(4, 7), v = random_matrix<double>(size, 1, random), Hv = VectorXd::Constant(size, 7);
  const MatrixXd x_2 = x.leftCols(2);

  CHECK_THROWS_AS(net.sample_gradients(x, y, work, G), StateError);  // no forward pass yet
  net.forward(x, work);
  CHECK_THROWS_WITH(net.sample_gradients(x, y, work, small),
                    "sample_gradients: G is 34 x 4 here, parameters x batch, but the matrix given "
                    "for it is 34 x 3");
  CHECK_THROWS_AS(net.sample_gradients(x_2, y, work, G.leftCols(2)), ShapeError);
  CHECK_THROWS_WITH(net.sample_gradient_norms(x, y, work, small.col(0).head(3)),
                    "sample_gradient_norms: norms is 3 x 1, but it must be a vector of 4 numbers, one for each sample of x");
  CHECK_THROWS_AS(net.sample_gradient_norms(x, y, work, J.topLeftCorner(2, 2)), ShapeError);
  for (const double max_norm : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(), 1e-307})
    CHECK_THROWS_AS(net.backward_clipped(x, y, work, gradients, max_norm), ValueError);
  MatrixXd y_in_G = MatrixXd::Constant(size, 8, 7);
  CHECK_THROWS_AS(net.sample_gradients(x, y_in_G.topLeftCorner(2, 4), work, y_in_G.leftCols(4)), ValueError);
  CHECK(y_in_G == MatrixXd::Constant(size, 8, 7));
  MatrixXd y_with_nan = y;
  y_with_nan(1, 2) = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(net.sample_gradients(x, y_with_nan, work, G), ValueError);
  CHECK_THROWS_AS(net.backward_clipped(x, y_with_nan, work, gradients, 1), ValueError);

  CHECK_THROWS_AS(net.parameter_jacobian(x, work, G), ShapeError);
  CHECK_THROWS_AS(net.parameter_jacobian(MatrixXd(3, 5), work, MatrixXd(size, 10)), ShapeError);
  CHECK_THROWS_AS(net.parameter_jacobian(MatrixXd(3, 0), work, MatrixXd(size, 0)), ShapeError);
  CHECK_THROWS_AS(net.parameter_jacobian(J.topLeftCorner(3, 4), work, J), ValueError);

  CHECK_THROWS_WITH(net.hessian_vector_product(x, y, norms, hessian_work, Hv),
                    "hessian_vector_product: v has 4 numbers, but the network has 34 parameters");
  CHECK_THROWS_AS(net.hessian_vector_product(x, y, v, hessian_work, norms), ShapeError);
  CHECK_THROWS_AS(net.hessian_vector_product(x, y, v, hessian_work, v), ValueError);
  CHECK_THROWS_AS(net.hessian_vector_product(x, y_with_nan, v, hessian_work, Hv), ValueError);
  CHECK_THROWS_AS(net.hessian_vector_product(x_2, y, v, hessian_work, Hv), ShapeError);
  const VectorXd zeros = VectorXd::Zero(4);
  CHECK_THROWS_AS(net.hessian_vector_product(x, weighted(y, zeros), v, hessian_work, Hv), ValueError);
  v[3] = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(net.hessian_vector_product(x, y, v, hessian_work, Hv), ValueError);

  CHECK(J == MatrixXd::Constant(size, 8, 7));
  CHECK(G == MatrixXd::Constant(size, 4, 7));
  CHECK(norms == VectorXd::Constant(4, 7));
  CHECK(Hv == VectorXd::Constant(size, 7));
  CHECK(gradients.flat() == Hv);
}

TEST_CASE("a network with BatchNorm has no gradients of samples in training") {
  const AnyNetwork<double> net = network_of_all_layers<double>(true);
  auto work = net.make_derivative_workspace(4, 1);
  const MatrixXd x = MatrixXd::Identity(3, 4), y = MatrixXd::Zero(2, 4);
  MatrixXd G(net.parameters().size(), 4);
  net.forward(x, work);
  CHECK_THROWS_WITH(net.sample_gradients(x, y, work, G),
                    "sample_gradients: in training, BatchNorm makes the output for a sample depend on the other samples of the batch, so "
                    "there is no gradient of one sample alone; use LayerNorm instead");
}

namespace {

/// A layer a = theta x with one parameter, without sample_gradients.
struct Scale : SameShape<Dynamic> {
  static constexpr std::string_view name = "Scale";
  static constexpr Index parameters_at_compile_time = 1;
  using SameShape<Dynamic>::SameShape;
  explicit Scale(Index units) : SameShape<Dynamic>("Scale", units) {}
  std::string_view activation_name() const { return ""; }
  std::array<TensorShape, 1> tensors() const { return {{{"scale", 1, 1}}}; }
  template <class Scalar>
  struct Parameters {
    TensorView<Scalar, 1> scale;
  };
  template <class Scalar>
  Parameters<Scalar> parameters(Scalar* theta) const {
    return {{theta, 1}};
  }
  template <class Scalar>
  void initialize(Scalar* theta, Random&) const {
    *theta = 1;
  }
  template <class Scalar, int MaxBatch>
  struct Cache {
    Cache(const Scale& layer, Index max_batch) : output(layer.outputs(), max_batch) {}
    BatchStorage<Scalar, Dynamic, MaxBatch> output;
  };
  template <class Scalar, int MaxBatch>
  void forward(const Scalar* theta, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache) const {
    cache.output.first(x.cols()) = *theta * x;
  }
  template <class Scalar, int MaxBatch>
  void backward(const Scalar* theta, ConstMatrixView<Scalar> x, const Cache<Scalar, MaxBatch>&, MatrixView<Scalar> delta, Scalar* gradient,
                MatrixView<Scalar>* dX) const {
    *gradient = delta.cwiseProduct(x).sum();
    if (dX != nullptr) *dX = *theta * delta;
  }
};

/// A loss without gradient_jvp.
struct Plain {
  static constexpr std::string_view name = "Plain";
  static constexpr bool works_on_logits = false;
  static constexpr Index min_outputs = 1;
  template <class Scalar>
  void check(ConstMatrixView<Scalar>, ConstMatrixView<Scalar>) const {}
  template <class Scalar>
  Scalar value(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y) const {
    return (y_hat - y).squaredNorm() / static_cast<Scalar>(y.cols());
  }
  template <class Scalar>
  void gradient(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y, MatrixView<Scalar> dJ) const {
    dJ = 2 * (y_hat - y) / static_cast<Scalar>(y.cols());
  }
  template <class Scalar>
  void link(MatrixView<Scalar>) const {}
};

}  // namespace

TEST_CASE("a layer without sample_gradients and a loss without gradient_jvp are refused by name") {
  AnyLayers<double> layers;
  layers.add(Scale{2});
  const AnyNetwork<double> net{Seed{1}, SquaredError{}, layers};
  const MatrixXd x = MatrixXd::Ones(2, 2);
  auto work = net.make_derivative_workspace(2);
  MatrixXd G(1, 2);
  net.forward(x, work);
  CHECK_THROWS_WITH(
      net.sample_gradients(x, x, work, G),
      "sample_gradients: the layer Scale has no sample_gradients, which gives the gradient by its parameters of each sample by "
      "itself (see core/concepts.hpp)");
  const AnyNetwork<double> plain = smooth_network<double>(Plain{});
  auto hessian_work = plain.make_hessian_vector_workspace(1);
  const VectorXd v = VectorXd::Zero(plain.parameters().size());
  VectorXd Hv = v;
  CHECK_THROWS_SAYING(plain.hessian_vector_product(x, x, v, hessian_work, Hv), StateError, "the loss Plain has no gradient_jvp");
}
