#include <array>
#include <chainrule/activations/relu.hpp>
#include <chainrule/activations/sigmoid.hpp>
#include <chainrule/activations/tanh.hpp>
#include <chainrule/inspect/layer_values.hpp>
#include <chainrule/layers/batch_norm.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/layers/dropout.hpp>
#include <chainrule/losses/binary_cross_entropy.hpp>
#include <chainrule/losses/softmax_cross_entropy.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/network.hpp>
#include <chainrule/threads/thread_team.hpp>
#include <limits>
#include <stdexcept>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/random_data.hpp"

using namespace chainrule;
using chainrule_test::Approx;
using chainrule_test::random_matrix;

namespace {

using Classifier = Network<float, SoftmaxCrossEntropy, Dense<4, 8, Tanh>, Dense<8, 3>>;
using Regressor = Network<float, SquaredError, Dense<4, 8, Tanh>, Dense<8, 2>>;

/// A net, a batch and everything that a training step needs.
struct Step {
  Classifier net{Seed{1}};
  Classifier::Workspace<> work = net.make_workspace(5);
  Classifier::Gradients gradients = net.make_gradients();
  Random random{Seed{2}};
  Matrix<float> x = random_matrix<float>(4, 5, random);
  std::vector<int> y{0, 1, 2, 1, 0};
};

/// J = k/2 |y_hat - y|^2, a loss with a hyperparameter k.
struct Scaled : SquaredError {
  double k = 1;
  template <class Scalar>
  Scalar value(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y) const {
    return static_cast<Scalar>(k) * SquaredError::value(y_hat, y);
  }
  template <class Scalar>
  void gradient(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y, MatrixView<Scalar> dJ) const {
    SquaredError::gradient(y_hat, y, dJ);
    dJ *= static_cast<Scalar>(k);
  }
};

/// J = 1/2 (a + b - y)^2 for two outputs a and b and one target y, a loss with fewer targets than outputs.
struct SumOfTwo {
  static constexpr std::string_view name = "SumOfTwo";
  static constexpr bool works_on_logits = false;
  static constexpr Index min_outputs = 2;
  static constexpr Index target_rows(Index) { return 1; }
  template <class Scalar>
  void check(ConstMatrixView<Scalar>, ConstMatrixView<Scalar> y) const {
    detail::check_finite("target", "y", y);
  }
  template <class Scalar>
  Scalar value(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y) const {
    return (y_hat.colwise().sum() - y).squaredNorm() / static_cast<Scalar>(2 * y.cols());
  }
  template <class Scalar>
  void gradient(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y, MatrixView<Scalar> dJ) const {
    for (Index j = 0; j < y.cols(); ++j) dJ.col(j).setConstant((y_hat.col(j).sum() - y(0, j)) / static_cast<Scalar>(y.cols()));
  }
  template <class Scalar>
  void link(MatrixView<Scalar>) const {}
};

/// A net with BatchNorm and Dropout, which compute differently in training and prediction.
struct Mixed {
  using Net = Network<double, Scaled, Dense<2, 6>, BatchNorm<>, Dropout<>, Dense<6, 1>>;
  Net net{Seed{1}, Dense<2, 6>{}, BatchNorm<>{}, Dropout<>{0.25}, Dense<6, 1>{}};
  Net::Workspace<> work = net.make_workspace(8);
  Random random{Seed{2}};
  Matrix<double> x = random_matrix<double>(2, 8, random);
  Matrix<double> y = random_matrix<double>(1, 8, random);
};

using Deep = Network<float, SquaredError, Dense<4, 60, Tanh>, Dense<60, 60, Tanh>, Dense<60, 1>>;
using SequenceOfDeep = detail::Sequence<Dense<4, 60, Tanh>, Dense<60, 60, Tanh>, Dense<60, 1>>;

/// The identity, which throws where it is told to.
struct Picky {
  static constexpr std::string_view name = "Picky";
  static inline std::atomic<bool> refuses = false;
  template <class Chunk>
  Chunk value(const Chunk& z) const {
    if (refuses) throw std::runtime_error("picky");
    return z;
  }
  template <class Chunk>
  Chunk derivative_from_output(const Chunk& a) const {
    if (refuses) throw std::runtime_error("picky");
    return Chunk::Ones(a.size());
  }
  HeNormal default_initializer() const { return {}; }
};

constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();

}  // namespace

TEST_CASE("forward and backward agree with the lecture's formulas written out in plain Eigen") {
  // the lecture's net: three weight matrices, sigmoid in each layer, J = 1/2 |y_hat - y|^2, one sample
  Network<double, SquaredError, Dense<3, 4, Sigmoid>, Dense<4, 4, Sigmoid>, Dense<4, 3, Sigmoid>> net{Seed{42}};
  net.parameters().array() += 0.1;  // makes the biases, which are 0 initially, count
  const Eigen::Vector3d x{0.5, -1.0, 2.0};
  const Eigen::Vector3d y{0.0, 1.0, 0.5};

  const auto sigma = [](const Eigen::VectorXd& z) -> Eigen::VectorXd { return 1 / (1 + (-z.array()).exp()); };
  const auto sigma_prime = [](const Eigen::VectorXd& a) -> Eigen::VectorXd { return a.array() * (1 - a.array()); };
  const Eigen::MatrixXd W1 = net.layer<0>().weight, W2 = net.layer<1>().weight, W3 = net.layer<2>().weight;
  const Eigen::VectorXd a2 = sigma(W1 * x + net.layer<0>().bias);
  const Eigen::VectorXd a3 = sigma(W2 * a2 + net.layer<1>().bias);
  const Eigen::VectorXd y_hat = sigma(W3 * a3 + net.layer<2>().bias);
  const Eigen::VectorXd delta4 = (y_hat - y).cwiseProduct(sigma_prime(y_hat));
  const Eigen::VectorXd delta3 = (W3.transpose() * delta4).cwiseProduct(sigma_prime(a3));
  const Eigen::VectorXd delta2 = (W2.transpose() * delta3).cwiseProduct(sigma_prime(a2));

  auto work = net.make_workspace(1);
  auto dJ = net.make_gradients();
  Eigen::Vector3d dJ_dx;
  CHECK(net.forward(x, work).isApprox(y_hat, 1e-14));
  CHECK(net.loss(y, work) == Approx(0.5 * (y_hat - y).squaredNorm()).epsilon(1e-14));
  net.backward(x, y, work, dJ, dJ_dx);
  CHECK(dJ.layer<2>().weight.isApprox(delta4 * a3.transpose(), 1e-13));
  CHECK(dJ.layer<1>().weight.isApprox(delta3 * a2.transpose(), 1e-13));
  CHECK(dJ.layer<0>().weight.isApprox(delta2 * x.transpose(), 1e-13));
  CHECK(dJ.layer<2>().bias.isApprox(delta4, 1e-13));
  CHECK(dJ.layer<1>().bias.isApprox(delta3, 1e-13));
  CHECK(dJ.layer<0>().bias.isApprox(delta2, 1e-13));
  CHECK(dJ_dx.isApprox(W1.transpose() * delta2, 1e-13));
}

TEST_CASE("theta is one flat vector, and a layer's weight and bias are views on it") {
  Classifier net{Seed{1}};
  CHECK(net.parameters().size() == 4 * 8 + 8 + 8 * 3 + 3);
  net.layer<1>().weight(2, 0) = 17;
  CHECK(net.parameters()[4 * 8 + 8 + 2] == 17);
  const Classifier copy = net;
  net.parameters().setZero();
  CHECK(copy.layer<1>().weight(2, 0) == 17);
  CHECK(std::as_const(net).layer<1>().weight.isZero(0));
  static_assert(decltype(net.layer<1>().weight)::RowsAtCompileTime == 3);
}

TEST_CASE("predict applies the loss's link, so it returns probabilities if the loss works on logits") {
  const Step s;
  const Matrix<float> y_hat = s.net.predict(s.x);
  CHECK(y_hat.minCoeff() > 0);
  CHECK(y_hat.colwise().sum().isApprox(Eigen::RowVectorXf::Ones(5)));

  const Network<float, BinaryCrossEntropy, Dense<4, 1>> logistic{Seed{1}};
  auto work = logistic.make_workspace(5);
  const Eigen::MatrixXf z = logistic.forward(s.x, work);
  CHECK(logistic.predict(s.x).isApprox((1 / (1 + (-z.array()).exp())).matrix()));

  const Regressor regressor{Seed{1}};
  auto room = regressor.make_workspace(5);
  const Eigen::MatrixXf raw = regressor.forward(s.x, room);
  CHECK(regressor.predict(s.x) == raw);

  CHECK(logistic.predict_raw(s.x) == z);
  CHECK(regressor.predict_raw(s.x) == raw);
}

TEST_CASE("predict_raw gives logits in prediction mode: BatchNorm uses running statistics and Dropout is the identity") {
  Mixed m;
  for (int step = 0; step < 3; ++step) {
    m.net.forward(m.x, m.work);
    m.net.update_statistics(m.work);
  }
  m.net.parameters().array() += 0.1;  // makes the biases, which are 0 initially, count
  const auto statistics = m.net.buffers<1>();
  const Vector<double> deviation = (statistics.running_variance.array() + 1e-5).sqrt();
  const Matrix<double> z2 = (m.net.layer<0>().weight * m.x).colwise() + m.net.layer<0>().bias;
  const Matrix<double> x_hat = (z2.colwise() - statistics.running_mean).array().colwise() / deviation.array();
  const Matrix<double> a3 = (x_hat.array().colwise() * m.net.layer<1>().weight.array()).colwise() + m.net.layer<1>().bias.array();
  const Matrix<double> z5 = (m.net.layer<3>().weight * a3).colwise() + m.net.layer<3>().bias;
  CHECK(m.net.predict_raw(m.x).isApprox(z5, 1e-13));
  CHECK_FALSE(Matrix<double>(m.net.forward(m.x, m.work)).isApprox(z5, 0.1));
  const bool same = m.net.predict_raw(m.x, m.work) == m.net.predict_raw(m.x);
  CHECK(same);
  CHECK_THROWS_SAYING(m.net.loss(m.y, m.work), StateError, "call forward(x, work) first");  // predict_raw overwrote the caches
}

TEST_CASE("predict_raw has the forms and errors of predict") {
  Step s;
  const Eigen::MatrixXf z = s.net.forward(s.x, s.work);
  CHECK(s.net.predict_raw(s.x) == z);
  CHECK(s.net.predict_raw(s.x, s.work) == z);
  CHECK(s.net.predict_raw(s.x.leftCols(3)) == z.leftCols(3));
  CHECK(s.net.predict_raw(s.x.replicate(1, 60).eval()) == z.replicate(1, 60));  // more than predict computes at once
  const Eigen::Vector3f one = s.net.predict_raw(s.x.col(2));
  CHECK(one.isApprox(z.col(2), 1e-6f));
  CHECK_THROWS_SAYING(s.net.predict_raw(Eigen::MatrixXf::Zero(5, 1).eval()), ShapeError, "predict_raw: x has 5 rows");
  CHECK_THROWS_SAYING(s.net.predict_raw(Eigen::MatrixXf(4, 0)), ShapeError, "predict_raw: the batch is empty");
  CHECK_THROWS_SAYING(s.net.predict_raw(Eigen::MatrixXf::Zero(4, 6).eval(), s.work), ShapeError, "predict_raw: the batch has 6 samples");
  CHECK_THROWS_SAYING(s.net.predict_raw(s.work.cache<0>().output.first(5).topRows(4), s.work), ValueError, "predict_raw: x lies in");
  s.x(2, 3) = not_a_number;
  CHECK_THROWS_SAYING(s.net.predict_raw(s.x), ValueError, "predict_raw: x(2, 3) is ");
}

TEST_CASE("predict gives the same bits with and without a workspace, and for x as a matrix, block, map or column") {
  Step s;
  const Eigen::MatrixXf expected = s.net.predict(s.x);
  CHECK(s.net.predict(s.x, s.work) == expected);
  CHECK(s.net.predict(s.x.leftCols(3)) == expected.leftCols(3));
  Eigen::MatrixXf larger = Eigen::MatrixXf::Constant(9, 5, not_a_number);  // for x as a block, with padding between columns
  larger.middleRows(2, 4) = s.x;
  CHECK(s.net.predict(larger.middleRows(2, 4)) == expected);
  CHECK(s.net.predict(Eigen::Map<const Eigen::MatrixXf>(s.x.data(), 4, 5)) == expected);
  const Eigen::Vector4f sample = s.x.col(2);
  const Eigen::Vector3f one = s.net.predict(sample);
  CHECK(one.isApprox(expected.col(2), 1e-6f));  // a single sample is summed in another order than a batch
  CHECK(s.net.predict(s.x.col(2)) == one);
  auto fixed_work = s.net.make_workspace<1>();
  CHECK(s.net.predict(sample, fixed_work) == one);
}

// Without a workspace, predict splits a large batch into pieces; the last one may be smaller.
TEST_CASE("predict without a workspace gives large batches the bits that one workspace for all samples gives") {
  const Classifier net{Seed{1}};
  Random random{Seed{2}};
  const Matrix<float> x = random_matrix<float>(4, 600, random);
  auto work = net.make_workspace(600);
  const Matrix<float> all = net.predict(x, work);
  CHECK(net.predict(x) == all);
  CHECK(net.predict(x.leftCols(257)) == all.leftCols(257));
}

TEST_CASE("a row of a matrix may be the targets of a net with one output") {
  const Network<float, SquaredError, Dense<4, 1>> net{Seed{1}};
  Step s;
  auto work = net.make_workspace(5);
  Eigen::MatrixXf table = Eigen::MatrixXf::Zero(3, 5);
  table.row(1) << 1, 2, 3, 4, 5;
  net.forward(s.x, work);
  const Eigen::RowVectorXf y = table.row(1);
  CHECK(net.loss(table.row(1), work) == net.loss(y, work));
  CHECK(net.loss(table.row(1), work) != net.loss(table.row(0), work));
}

TEST_CASE("labels may be of any integer type and give the loss and gradient of one-hot targets") {
  Step s;
  s.net.forward(s.x, s.work);
  const float J = s.net.loss(s.y, s.work);
  const Eigen::VectorXi eigen_labels = Eigen::Map<const Eigen::VectorXi>(s.y.data(), 5);
  CHECK(s.net.loss(eigen_labels, s.work) == J);
  CHECK(s.net.loss(std::array<unsigned char, 5>{0, 1, 2, 1, 0}, s.work) == J);
  Eigen::MatrixXf one_hot = Eigen::MatrixXf::Zero(3, 5);
  for (Index j = 0; j < 5; ++j) one_hot(s.y[static_cast<std::size_t>(j)], j) = 1;
  CHECK(s.net.loss(one_hot, s.work) == Approx(J));

  s.net.backward(s.x, s.y, s.work, s.gradients);
  const Eigen::VectorXf by_label = s.gradients.flat();
  s.net.backward(s.x, one_hot, s.work, s.gradients);
  CHECK(s.gradients.flat().isApprox(by_label));
}

TEST_CASE("passes over a small batch give the same bits in a workspace that held a larger batch before") {
  Step s;
  s.net.forward(s.x, s.work);
  s.net.backward(s.x, s.y, s.work, s.gradients);
  const auto x2 = s.x.leftCols(2);
  const std::vector<int> y2{0, 1};
  s.net.forward(x2, s.work);
  s.net.backward(x2, y2, s.work, s.gradients);
  const Eigen::VectorXf after_longer = s.gradients.flat();
  auto fresh = s.net.make_workspace(2);
  s.net.forward(x2, fresh);
  s.net.backward(x2, y2, fresh, s.gradients);
  CHECK(s.gradients.flat() == after_longer);
}

TEST_CASE("a network's constructor checks shapes that are known only at run time") {
  CHECK_THROWS_SAYING((make_network<float, SquaredError>(Seed{1}, Dense<Dynamic, Dynamic>{3, 32}, Dense<Dynamic, Dynamic>{64, 2})),
                      ShapeError, "Network: layer<1> expects 64 inputs, but layer<0> gives 32 outputs");
  CHECK_THROWS_SAYING((make_network<float, SoftmaxCrossEntropy>(Seed{1}, Dense<Dynamic, Dynamic>{3, 1})), ShapeError,
                      "SoftmaxCrossEntropy needs at least 2 outputs, but the last layer has 1");
  // extents in types and run-time extents may be mixed: Dense<3, Dynamic> before Dense<Dynamic, 2>
  CHECK(make_network<float, SquaredError>(Seed{1}, Dense<3, Dynamic, ReLU>{3, 7}, Dense<Dynamic, 2>{7, 2}).parameters().size() ==
        3 * 7 + 7 + 14 + 2);
}

TEST_CASE("forward and predict reject x with wrong rows, no samples or too many samples") {
  Step s;
  CHECK_THROWS_SAYING(s.net.forward(Eigen::MatrixXf::Zero(3, 5).eval(), s.work), ShapeError,
                      "forward: x has 3 rows, but the network has 4 inputs");
  CHECK_THROWS_SAYING(s.net.predict(Eigen::MatrixXf::Zero(5, 1).eval()), ShapeError, "predict: x has 5 rows, but the network has 4 inputs");
  CHECK_THROWS_SAYING(s.net.forward(Eigen::MatrixXf(4, 0), s.work), ShapeError, "forward: the batch is empty");
  CHECK_THROWS_SAYING(s.net.predict(Eigen::MatrixXf(4, 0)), ShapeError, "predict: the batch is empty");
  CHECK_THROWS_SAYING(s.net.forward(Eigen::MatrixXf::Zero(4, 6).eval(), s.work), ShapeError, "the batch has 6 samples", "room for 5",
                      "make_workspace(6)");
  CHECK(s.work.cached_samples() == 0);
}

TEST_CASE("NaN or infinity in x throws an error that names the position, and the caches stay valid") {
  Step s;
  s.net.forward(s.x, s.work);
  const float J = s.net.loss(s.y, s.work);
  for (const float bad : {not_a_number, infinity, -infinity}) {
    Eigen::MatrixXf x = s.x;
    x(2, 3) = bad;
    CHECK_THROWS_SAYING(s.net.forward(x, s.work), ValueError, "forward: x(2, 3) is ", "feature or output 2 of sample 3", "must be finite");
    CHECK_THROWS_SAYING(s.net.predict(x, s.work), ValueError, "predict: x(2, 3)");
    CHECK_THROWS_SAYING(s.net.predict(x), ValueError, "predict: x(2, 3)");
    CHECK_THROWS_SAYING(s.net.backward(x, s.y, s.work, s.gradients), ValueError, "backward: x(2, 3)");
  }
  CHECK(s.net.loss(s.y, s.work) == J);
  CHECK(s.gradients.flat().isZero(0));
}

TEST_CASE("loss and backward reject y with wrong samples, wrong rows, labels out of range or no probabilities") {
  Step s;
  s.net.forward(s.x, s.work);
  const Eigen::VectorXf theta = s.net.parameters();
  CHECK_THROWS_SAYING(s.net.loss(std::vector<int>{1, 2}, s.work), ShapeError, "loss: y has 2 samples, but the last forward(x, work) had 5");
  CHECK_THROWS_SAYING(s.net.backward(s.x, std::vector<int>{1, 2}, s.work, s.gradients), ShapeError, "backward: y has 2 samples");
  CHECK_THROWS_SAYING(s.net.backward(s.x.leftCols(2), s.y, s.work, s.gradients), ShapeError, "backward: x has 2 samples", "had 5");
  CHECK_THROWS_SAYING(s.net.loss(Eigen::MatrixXf::Zero(2, 5).eval(), s.work), ShapeError,
                      "loss: y has 2 rows, but the network has 3 outputs");
  CHECK_THROWS_SAYING(s.net.loss(std::vector<int>{0, 1, 3, 0, 0}, s.work), ValueError, "the label of sample 2 is 3", "labels are 0 to 2");
  CHECK_THROWS_SAYING(s.net.backward(s.x, std::vector<int>{0, -1, 2, 0, 0}, s.work, s.gradients), ValueError,
                      "the label of sample 1 is -1");
  CHECK_THROWS_SAYING(s.net.loss(Eigen::MatrixXf::Constant(3, 5, 0.5f).eval(), s.work), ValueError, "sum to 1.5");
  CHECK_THROWS_SAYING(s.net.loss(Eigen::MatrixXf::Constant(3, 5, not_a_number).eval(), s.work), ValueError, "y(0, 0) is nan");
  CHECK(s.gradients.flat().isZero(0));
  CHECK(s.net.parameters() == theta);
}

TEST_CASE("loss and backward without a forward pass throw and say so") {
  Step s;
  CHECK_THROWS_SAYING(s.net.loss(s.y, s.work), StateError, "loss: the workspace holds no forward pass; call forward(x, work) first");
  CHECK_THROWS_SAYING(s.net.backward(s.x, s.y, s.work, s.gradients), StateError, "backward: the workspace holds no forward pass");
  s.net.forward(s.x, s.work);
  s.net.predict(s.x, s.work);  // overwrites the cached forward pass
  CHECK_THROWS_SAYING(s.net.backward(s.x, s.y, s.work, s.gradients), StateError, "call forward(x, work) first");
}

TEST_CASE("passes reject a workspace, gradients or dJ/dx of other extents") {
  auto net = make_network<float, SquaredError>(Seed{1}, Dense<Dynamic, Dynamic, ReLU>{4, 8}, Dense<Dynamic, Dynamic>{8, 2});
  const auto other = make_network<float, SquaredError>(Seed{1}, Dense<Dynamic, Dynamic, ReLU>{5, 9}, Dense<Dynamic, Dynamic>{9, 2});
  const Step s;
  const Eigen::MatrixXf y = Eigen::MatrixXf::Zero(2, 5);
  auto work = net.make_workspace(5);
  auto gradients = net.make_gradients();
  auto other_work = other.make_workspace(5);
  auto other_gradients = other.make_gradients();
  CHECK_THROWS_SAYING(net.forward(s.x, other_work), ShapeError, "this workspace was made for another network: layer<0>", "9 there",
                      "8 here");
  CHECK_THROWS_SAYING(std::as_const(net).predict(s.x, other_work), ShapeError, "predict: this workspace was made for another network");
  CHECK_THROWS_SAYING(net.update_statistics(other_work), ShapeError, "update_statistics: this workspace was made for another network");
  net.forward(s.x, work);
  CHECK_THROWS_SAYING(net.backward(s.x, y, work, other_gradients), ShapeError, "these gradients were made for another network: layer<0>");
  Eigen::MatrixXf dJ_dx(4, 4);
  CHECK_THROWS_SAYING(net.backward(s.x, y, work, gradients, dJ_dx), ShapeError,
                      "dJ/dx is 4 x 5 here, but the matrix given for it is 4 x 4");
  CHECK(gradients.flat().isZero(0));
}

TEST_CASE("passes reject an x that lies in the workspace, to the end of activations whose columns have gaps between them") {
  const Network<float, SquaredError, Dense<128, 128>, Dense<128, 1>> net{Seed{1}};
  auto work = net.make_workspace(64);
  const Matrix<float> x = Matrix<float>::Random(128, 64);
  for (Index j = 0; j < 64; ++j) {
    CAPTURE(j);
    net.forward(x, work);
    CHECK_THROWS_SAYING(net.forward(work.activation<0>().col(j), work), ValueError, "forward: x lies in the workspace");
  }
}

TEST_CASE("passes reject an x that lies in the workspace they write to") {
  // a prediction may be fed back as x into another workspace, or as a copy
  const Network<float, SquaredError, Dense<2, 2, Tanh>> net{Seed{1}};
  const Eigen::Vector2f x{1, 2};
  auto work = net.make_workspace(1);
  auto other = net.make_workspace(1);
  const Eigen::Vector2f twice = net.predict(net.predict(x));
  const auto h = net.predict(x, work);
  CHECK_THROWS_SAYING(net.predict(h, work), ValueError, "predict: x lies in the workspace that this call writes to", ".eval()");
  CHECK_THROWS_SAYING(net.forward(h, work), ValueError, "forward: x lies in the workspace");
  CHECK(net.predict(h, other) == twice);
  CHECK(net.predict(h.eval(), work) == twice);
}

TEST_CASE("backward rejects a dJ/dx that shares memory with an argument, with theta, with dJ/dtheta or with the workspace") {
  auto net = make_network<float, SquaredError>(Seed{1}, Dense<Dynamic, Dynamic, Tanh>{3, 3}, Dense<Dynamic, Dynamic>{3, 3});
  Random random{Seed{2}};
  Eigen::MatrixXf x = random_matrix<float>(3, 2, random), y = random_matrix<float>(3, 2, random), dJ_dx(3, 2);
  Eigen::VectorXf weights = Eigen::VectorXf::Ones(6);
  auto work = net.make_workspace(2);
  auto dJ = net.make_gradients();
  net.forward(x, work);
  net.backward(x, y, work, dJ, dJ_dx);
  const Eigen::VectorXf right = dJ.flat();
  const Eigen::MatrixXf right_dJ_dx = dJ_dx;

  const auto refused = [&](auto&& output, const char* words) {
    CHECK_THROWS_SAYING(net.backward(x, weighted(y, weights.head(2)), work, dJ, output), ValueError, "backward: ", words);
  };
  refused(x, "x and dJ/dx share memory");
  refused(y, "y and dJ/dx share memory");
  refused(Eigen::Map<Eigen::MatrixXf>(weights.data(), 3, 2), "the weights of y and dJ/dx share memory");
  refused(Eigen::Map<Eigen::MatrixXf>(net.parameters().data() + 2, 3, 2), "theta and dJ/dx share memory");
  refused(Eigen::Map<Eigen::MatrixXf>(dJ.flat().data() + 18, 3, 2), "dJ/dtheta and dJ/dx share memory");
  refused(Eigen::Map<Eigen::MatrixXf>(const_cast<float*>(work.activation<0>().data()), 3, 2), "dJ/dx lies in the workspace");
  Eigen::MatrixXf overlapping(3, 2);
  CHECK_THROWS_SAYING(net.backward(x, y, work, dJ, Eigen::Map<Eigen::MatrixXf, 0, Eigen::OuterStride<>>(overlapping.data(), 3, 2, 1)),
                      ShapeError, "so they overlap");
  CHECK(dJ.flat() == right);  // nothing was written

  // blocks of rows of one matrix lie between each other, but share nothing
  Eigen::MatrixXf table(9, 2);
  table << x, y, y;
  net.forward(table.topRows(3), work);
  net.backward(table.topRows(3), table.middleRows(3, 3), work, dJ, table.bottomRows(3));
  CHECK(table.bottomRows(3) == right_dJ_dx);
  CHECK(dJ.flat() == right);
}

TEST_CASE("passes reject x, y and weights that lie in what they write to: dJ/dtheta, theta or the workspace") {
  Step s;
  const Network<float, SquaredError, Dense<4, 4, Sigmoid>> net{Seed{1}};
  auto work = net.make_workspace<2>();
  auto on_heap = net.make_workspace(2);
  auto dJ = net.make_gradients();
  const Eigen::MatrixXf x = s.x.leftCols(2), y = s.x.rightCols(2);
  const auto y_hat = net.predict(x, work);
  CHECK_THROWS_SAYING(net.evaluate(x, y_hat, work), ValueError, "evaluate: y lies in the workspace that this call writes to", ".eval()");
  CHECK_THROWS_SAYING(net.evaluate(x, weighted(y, Eigen::Map<const Eigen::VectorXf>(y_hat.data(), 2)), work), ValueError,
                      "evaluate: the weights of y lies in");
  const auto y_hat_on_heap = net.predict(x, on_heap);
  CHECK_THROWS_SAYING(net.evaluate(x, y_hat_on_heap, on_heap), ValueError, "evaluate: y lies in the workspace");
  CHECK(net.evaluate(x, y_hat.eval(), work).loss == 0);

  net.forward(x, work);
  const Eigen::Map<const Eigen::MatrixXf> in_gradients(dJ.flat().data() + 3, 4, 2);
  CHECK_THROWS_SAYING(net.backward(x, in_gradients, work, dJ), ValueError, "backward: y and dJ/dtheta share memory");
  net.forward(in_gradients, work);
  CHECK_THROWS_SAYING(net.backward(in_gradients, y, work, dJ), ValueError, "backward: x and dJ/dtheta share memory");
  CHECK(dJ.flat().isZero(0));
  const auto outputs = net.forward(x, on_heap);
  CHECK_THROWS_SAYING(net.loss(outputs, on_heap), ValueError, "loss: y lies in the workspace");
  CHECK_THROWS_SAYING(net.backward(x, outputs, on_heap, dJ), ValueError, "backward: y lies in the workspace");
  CHECK(dJ.flat().isZero(0));

  auto copy = net;
  const Eigen::Map<const Eigen::MatrixXf> in_theta(copy.parameters().data(), 4, 2);
  copy.forward(in_theta, work);
  copy.backward(in_theta, y, work, dJ);  // reads theta alone
  CHECK_THROWS_SAYING(detail::NetworkAccess::backward_and_step(copy, in_theta, y, work, dJ, 0.1f), ValueError, "x and theta share memory");
  CHECK(copy.parameters() == net.parameters());
}

TEST_CASE("loss, backward and update_statistics after the forward pass of another network throw StateError") {
  Step s;
  Classifier other = s.net;
  s.net.forward(s.x, s.work);
  constexpr const char* words = "the last forward pass in this workspace was made by another network";
  CHECK_THROWS_SAYING(other.loss(s.y, s.work), StateError, "loss: ", words);
  CHECK_THROWS_SAYING(other.backward(s.x, s.y, s.work, s.gradients), StateError, "backward: ", words);
  CHECK_THROWS_SAYING(other.update_statistics(s.work), StateError, "update_statistics: ", words);
  CHECK(s.gradients.flat().isZero(0));
  s.net.backward(s.x, s.y, s.work, s.gradients);
  other.forward(s.x, s.work);
  CHECK_NOTHROW(other.loss(s.y, s.work));
}

TEST_CASE("a pass after something was assigned to the network of the forward pass, or swapped with it, throws StateError") {
  constexpr const char* words = "by this one before it was copied, moved or assigned to";
  const auto check = [&](auto net, auto other) {
    const Step s;
    auto work = net.make_workspace(5);
    auto dJ = net.make_gradients();
    const auto refuses = [&] {
      CHECK_THROWS_SAYING(net.loss(s.y, work), StateError, "loss: ", words);
      CHECK_THROWS_SAYING(net.backward(s.x, s.y, work, dJ), StateError, "backward: ", words);
      CHECK_THROWS_SAYING(net.update_statistics(work), StateError, "update_statistics: ", words);
      CHECK_THROWS_SAYING(layer_values(net, s.x, s.y, work), StateError, "layer_values: ", words);
      CHECK(dJ.flat().isZero(0));
      net.forward(s.x, work);
      CHECK_NOTHROW(net.loss(s.y, work));
    };
    net.forward(s.x, work);
    net = other;
    refuses();
    net = other.template rebind<float>();
    refuses();
    std::swap(net, other);
    refuses();
    net.parameters() = other.parameters();  // writing numbers is not assigning to the network
    CHECK_NOTHROW(net.backward(s.x, s.y, work, dJ));
  };
  check(Classifier{Seed{1}}, Classifier{Seed{2}});
  using OnHeap = Network<float, SoftmaxCrossEntropy, Dense<Dynamic, Dynamic, Tanh>, Dense<Dynamic, Dynamic>>;
  check(OnHeap{Seed{1}, {4, 8}, {8, 3}}, OnHeap{Seed{2}, {4, 8}, {8, 3}});
}

TEST_CASE("a network or gradients that were moved from throw StateError, and small ones of fixed extents stay whole") {
  const Step s;
  auto net = make_network<float, SoftmaxCrossEntropy>(Seed{1}, Dense<Dynamic, Dynamic, Tanh>{4, 8}, Dense<Dynamic, Dynamic>{8, 3});
  auto work = net.make_workspace(5);
  auto dJ = net.make_gradients();
  net.forward(s.x, work);
  auto moved = std::move(net);
  moved.backward(s.x, s.y, work, dJ);  // theta is where it was in forward
  constexpr const char* words = "the numbers of this network or of these gradients were moved to another object";
  CHECK_THROWS_SAYING(net.forward(s.x, work), StateError, words);
  CHECK_THROWS_SAYING(net.predict(s.x, work), StateError, words);
  CHECK_THROWS_SAYING(net.predict(s.x), StateError, words);
  CHECK_THROWS_SAYING(net.evaluate(s.x, s.y, work), StateError, words);
  CHECK_THROWS_SAYING(net.loss(s.y, work), StateError, words);
  CHECK_THROWS_SAYING(net.backward(s.x, s.y, work, dJ), StateError, words);
  CHECK_THROWS_SAYING(net.update_statistics(work), StateError, words);
  CHECK_THROWS_SAYING(net.parameters(), StateError, words);
  CHECK_THROWS_SAYING(net.layer<0>(), StateError, words);
  CHECK_THROWS_SAYING(net.tensor("0.weight"), StateError, words);
  CHECK_THROWS_SAYING(net.rebind<double>(), StateError, words);
  CHECK(net.inputs() == 4);
  net = moved;
  CHECK(net.predict(s.x) == moved.predict(s.x));

  auto moved_dJ = std::move(dJ);
  moved.forward(s.x, work);
  CHECK_THROWS_SAYING(moved.backward(s.x, s.y, work, dJ), StateError, words);
  CHECK_THROWS_SAYING(dJ.flat(), StateError, words);
  CHECK_THROWS_SAYING(dJ.slice(1), StateError, words);
  CHECK_THROWS_SAYING(moved_dJ.slice(3), ValueError, "layer 3: the network has 2 layers");

  Classifier small{Seed{1}};
  const Classifier moved_small = std::move(small);
  CHECK(small.predict(s.x) == moved_small.predict(s.x));
  STATIC_REQUIRE(std::is_nothrow_move_constructible_v<Classifier>);
  STATIC_REQUIRE(std::is_nothrow_move_constructible_v<decltype(net)>);
}

TEST_CASE("a workspace whose team was destroyed, or is another one, throws StateError") {
  Step s;
  {
    ThreadTeam team{2};
    s.work.set_team(&team);
    s.net.forward(s.x, s.work);
  }
  constexpr const char* words = "was destroyed before it; set another team or nullptr";
  CHECK_THROWS_SAYING(s.net.forward(s.x, s.work), StateError, words);
  CHECK_THROWS_SAYING(s.net.predict(s.x, s.work), StateError, words);
  CHECK_THROWS_SAYING(s.net.backward(s.x, s.y, s.work, s.gradients), StateError, words);
  CHECK_THROWS_SAYING(s.work.team(), StateError, words);
  s.work.set_team(nullptr);  // the caches still hold the team
  CHECK_THROWS_SAYING(s.net.backward(s.x, s.y, s.work, s.gradients), StateError, "holds no forward pass");
  s.net.forward(s.x, s.work);
  s.net.backward(s.x, s.y, s.work, s.gradients);
}

TEST_CASE("what an activation throws in a thread of a team arrives at the caller, and the team and the network work on") {
  auto net = make_network<float, SquaredError>(Seed{1}, Dense<Dynamic, Dynamic, Picky>{64, 256}, Dense<Dynamic, Dynamic>{256, 1});
  const Eigen::MatrixXf x = Eigen::MatrixXf::Ones(64, 512), y = Eigen::MatrixXf::Ones(1, 512);
  auto work = net.make_workspace(512);  // enough to be shared where other cores are far away too
  auto dJ = net.make_gradients();
  ThreadTeam team{3, 8};
  work.set_team(&team);
  for (int repeat = 0; repeat < 3; ++repeat) {
    Picky::refuses = true;
    CHECK_THROWS_SAYING(net.forward(x, work), std::runtime_error, "picky");
    CHECK_THROWS_SAYING(net.predict(x, work), std::runtime_error, "picky");
    Picky::refuses = false;
    net.forward(x, work);
    Picky::refuses = true;
    CHECK_THROWS_SAYING(net.backward(x, y, work, dJ), std::runtime_error, "picky");
    Picky::refuses = false;
    net.backward(x, y, work, dJ);
    CHECK(dJ.is_shared());
  }
}

TEST_CASE("predict of a fixed number of samples keeps at most 32 KiB of activations on the stack") {
  using Sequence = SequenceOfDeep;
  STATIC_REQUIRE(Sequence::inline_batch<float, 100, false>() == Dynamic);
  STATIC_REQUIRE(Sequence::inline_batch<float, 4, false>() == 4);
  const Deep net{Seed{1}};
  const Eigen::Matrix<float, 4, 100> x = Eigen::Matrix<float, 4, 100>::Ones();
  CHECK(net.predict(x) == net.predict(Eigen::MatrixXf(x)));
}

TEST_CASE("a large layer's weight is a view with run-time extents, so that copying it does not overflow the stack") {
  const Network<float, SquaredError, Dense<784, 500, ReLU>, Dense<500, 10>> net{Seed{1}};
  static_assert(decltype(net.layer<0>().weight)::RowsAtCompileTime == Dynamic);
  static_assert(decltype(net.layer<1>().weight)::RowsAtCompileTime == 10);
  const Eigen::MatrixXf copy = net.layer<0>().weight.eval();
  CHECK(copy.rows() == 500);
  CHECK(copy.cols() == 784);
  const Network<float, SquaredError, Dense<2, 40000>> wide{Seed{1}};
  CHECK(wide.predict(Eigen::Vector2f(1, 2)).rows() == 40000);
}

TEST_CASE("several threads can use one const network, each with its own workspace, and get the same bits") {
  const Classifier net{Seed{1}};
  Random random{Seed{2}};
  const auto x = random_matrix<float>(4, 64, random);
  const auto y = chainrule_test::random_labels(64, 3, random);
  const auto work_alone = [&] {
    auto work = net.make_workspace(64);
    auto gradients = net.make_gradients();
    net.forward(x, work);
    net.backward(x, y, work, gradients);
    return Eigen::VectorXf(gradients.flat());
  };
  const Eigen::VectorXf expected = work_alone();
  std::vector<int> equal(4, 0);
  std::vector<std::thread> threads;
  for (int& result : equal)
    threads.emplace_back([&] {
      for (int repeat = 0; repeat < 50; ++repeat) result += work_alone() == expected ? 1 : 0;
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(equal == std::vector<int>(4, 50));
}

TEST_CASE("evaluate returns the loss and the prediction without a training step") {
  Step s;
  s.net.forward(s.x, s.work);
  const float J = s.net.loss(s.y, s.work);
  s.work.set_step(7);
  const auto result = s.net.evaluate(s.x, s.y, s.work);
  CHECK(result.loss == J);  // equal, because no layer differs between training and prediction
  const bool as_predict = result.prediction == s.net.predict(s.x);
  CHECK(as_predict);
  CHECK(s.work.step() == 7);
  CHECK_THROWS_SAYING(s.net.loss(s.y, s.work), StateError, "call forward(x, work) first");

  CHECK_THROWS_SAYING(s.net.evaluate(s.x, std::vector<int>{0, 1}, s.work), ShapeError, "evaluate: y has 2 samples, but x had 5");
  CHECK_THROWS_SAYING(s.net.evaluate(s.x, std::vector<int>{0, 1, 2, 3, 0}, s.work), ValueError, "the label of sample 3 is 3");
  CHECK_THROWS_SAYING(s.net.evaluate(Eigen::MatrixXf::Zero(3, 5).eval(), s.y, s.work), ShapeError, "evaluate: x has 3 rows");
}

TEST_CASE("check_data reports the errors that the passes would, without a workspace") {
  const Step s;
  const Eigen::MatrixXf many = s.x.replicate(1, 20);
  std::vector<int> y(100, 2);
  CHECK_NOTHROW(detail::NetworkAccess::check_data("fit", s.net, many, y));
  y[77] = 3;
  CHECK_THROWS_SAYING(detail::NetworkAccess::check_data("fit", s.net, many, y), ValueError, "the label of sample 77 is 3");
  CHECK_THROWS_SAYING(detail::NetworkAccess::check_data("fit", s.net, s.x, y), ShapeError, "fit: y has 100 samples, but x had 5");
}

TEST_CASE("Dropout and BatchNorm act in forward, and are replaced by identity and running statistics in predict and evaluate") {
  Mixed m;
  const Matrix<double> first = m.net.forward(m.x, m.work);
  const bool another_mask = m.net.forward(m.x, m.work) != first;
  CHECK(another_mask);
  CHECK(m.work.step() == 2);
  m.net.update_statistics(m.work);
  const auto result = m.net.evaluate(m.x, m.y, m.work);
  const bool as_predict = result.prediction == m.net.predict(m.x);
  CHECK(as_predict);
  CHECK(result.loss == Approx((result.prediction - m.y).squaredNorm() / 16));
  m.work.set_step(0);
  const bool same_again = m.net.forward(m.x, m.work) == first;
  CHECK(same_again);
  CHECK(m.net.fewest_training_samples() == 2);
}

TEST_CASE("buffers are one vector with named views, which only update_statistics changes") {
  Mixed m;
  CHECK_THROWS_SAYING(m.net.update_statistics(m.work), StateError, "update_statistics: the workspace holds no forward pass");
  const Vector<double> theta = m.net.parameters();
  const Vector<double> at_first{{0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 0}};
  m.net.forward(m.x, m.work);
  const bool forward_is_const = m.net.buffers() == at_first;
  CHECK(forward_is_const);
  m.net.update_statistics(m.work);
  m.net.forward(m.x, m.work);
  m.net.update_statistics(m.work);
  CHECK(m.net.buffers<1>().batches == 2);
  CHECK(m.net.buffers()[12] == 2);
  const Vector<double> mean = m.work.cache<0>().output.first(8).rowwise().mean();
  CHECK(m.net.buffers().head(6).isApprox(0.19 * mean));  // 0.1 + 0.9 * 0.1, after two updates with the same mean
  CHECK(std::as_const(m.net).buffers<1>().running_mean[5] == m.net.buffers()[5]);
  const bool theta_stays = m.net.parameters() == theta;
  CHECK(theta_stays);

  Step without;  // a net without running statistics
  without.net.forward(without.x, without.work);
  without.net.update_statistics(without.work);
  CHECK(without.net.buffers().size() == 0);
}

TEST_CASE("rebind converts a network to another scalar type with its theta, buffers, loss and layers") {
  Mixed m;
  m.net.forward(m.x, m.work);
  m.net.update_statistics(m.work);
  const auto narrow = m.net.rebind<float>();
  static_assert(std::is_same_v<decltype(narrow)::ScalarType, float>);
  const bool same_theta = narrow.parameters() == m.net.parameters().cast<float>();
  CHECK(same_theta);
  const bool same_buffers = narrow.buffers() == m.net.buffers().cast<float>();
  CHECK(same_buffers);
  CHECK(narrow.loss_function().k == 1);
  CHECK(std::get<2>(narrow.layers()).rate() == 0.25);
  CHECK(narrow.predict(m.x.cast<float>().eval()).cast<double>().isApprox(m.net.predict(m.x), 1e-5));
}

TEST_CASE("a network's constructor accepts a loss with hyperparameters, with or without layers") {
  Mixed m;
  const auto loss_of = [&](const Mixed::Net& net) {
    m.work.set_step(0);
    net.forward(m.x, m.work);
    return net.loss(m.y, m.work);
  };
  const Dropout<> half;
  const double plain = loss_of(Mixed::Net{Seed{1}});
  CHECK(plain > 0);
  CHECK(loss_of(Mixed::Net{Seed{1}, Scaled{{}, 2}}) == 2 * plain);
  CHECK(loss_of(Mixed::Net{Seed{1}, Scaled{{}, 4}, Dense<2, 6>{}, BatchNorm<>{}, half, Dense<6, 1>{}}) == 4 * plain);
  CHECK(loss_of(make_network<double>(Seed{1}, Scaled{{}, 8}, Dense<2, 6>{}, BatchNorm<>{}, half, Dense<6, 1>{})) == 8 * plain);
  CHECK(loss_of(make_network<double, Scaled>(Seed{1}, Dense<2, 6>{}, BatchNorm<>{}, half, Dense<6, 1>{})) == plain);
  CHECK(Mixed::Net(Seed{1}, Scaled{{}, 2}).rebind<float>().loss_function().k == 2);
}

TEST_CASE("a loss may have fewer targets than the network has outputs, also with sample weights") {
  Network<double, SumOfTwo, Dense<1, 2>> net{Seed{1}};
  net.parameters() << 1, 0.5, 0, 0;  // y_hat = (x, x/2), whose sum is 3/2 x
  const Matrix<double> x{{2, 4, 6}};
  const Matrix<double> y{{1, 7, 8}};  // errors 2, -1, 1
  const std::vector<double> w{1, 0, 3};
  auto work = net.make_workspace(3);
  auto gradients = net.make_gradients();
  net.forward(x, work);
  CHECK(net.loss(y, work) == 1);
  net.backward(x, y, work, gradients);
  CHECK(gradients.flat()[0] == Approx((2 * 2 - 1 * 4 + 1 * 6) / 3.0));

  CHECK(net.loss(weighted(y, w, 0.5), work) == Approx((1 * 2 + 3 * 0.5) / 1.5));
  net.backward(x, weighted(y, w, 0.5), work, gradients);
  CHECK(gradients.flat()[0] == Approx((1 * 2 * 2 + 3 * 1 * 6) / 1.5));
  CHECK(net.evaluate(x, weighted(y, w), work).loss == Approx((1 * 2 + 3 * 0.5) / 4));
  net.forward(x, work);
  CHECK_THROWS_SAYING(net.loss(Matrix<double>::Zero(2, 3).eval(), work), ShapeError, "loss: y has 2 rows, but the network has 1 targets");
  const std::vector<double> two{1, 2}, negative{1, -2, 1};
  CHECK_THROWS_SAYING(net.loss(weighted(y, two), work), ShapeError, "there are 2 weights for 3 samples");
  CHECK_THROWS_SAYING(net.backward(x, weighted(y, negative), work, gradients), ValueError, "the weight of sample 1 is -2");
}

TEST_CASE("backward with the loss's own gradient from outside gives the bits of backward with y") {
  Step s;
  Eigen::MatrixXf dJ_dx(4, 5), dJ_dx_from_outside(4, 5), table(6, 5);
  table.setConstant(not_a_number);  // around the block that is read
  auto dJ_dy = table.middleRows(2, 3);
  SoftmaxCrossEntropy{}.gradient(detail::const_view<float>(s.net.forward(s.x, s.work)), Labels<int>(s.y),
                                 detail::mutable_view<float>(dJ_dy));
  Eigen::MatrixXf p_minus_y = s.net.predict(s.x);
  for (Index j = 0; j < 5; ++j) p_minus_y(s.y[static_cast<std::size_t>(j)], j) -= 1;
  CHECK(dJ_dy.isApprox(p_minus_y / 5));
  s.net.backward(s.x, s.y, s.work, s.gradients, dJ_dx);

  auto from_outside_gradients = s.net.make_gradients();
  s.net.backward(s.x, from_outside(dJ_dy), s.work, from_outside_gradients, dJ_dx_from_outside);
  CHECK(from_outside_gradients.flat() == s.gradients.flat());
  CHECK(dJ_dx_from_outside == dJ_dx);
  s.gradients.flat().setZero();
  s.net.backward(s.x, from_outside(std::as_const(table).middleRows(2, 3)), s.work, s.gradients);
  CHECK(from_outside_gradients.flat() == s.gradients.flat());
}

TEST_CASE("backward takes the gradient of one output from outside as a row of a matrix, and of one sample as a column") {
  const Network<double, SquaredError, Dense<2, 1>> net{Seed{1}};
  const Eigen::Matrix<double, 2, 3> x{{1, 2, 3}, {-1, 0, 4}};
  const Eigen::Matrix<double, 2, 3> table{{9, 9, 9}, {0.5, -1, 2}};
  auto work = net.make_workspace(3);
  auto dJ = net.make_gradients();
  net.forward(x, work);
  net.backward(x, from_outside(table.row(1)), work, dJ);
  CHECK(dJ.layer<0>().weight == Eigen::RowVector2d(4.5, 7.5));  // dJ_dy x^T: 0.5 - 2 + 6, -0.5 + 8
  CHECK(dJ.layer<0>().bias[0] == 1.5);
  net.forward(x.col(2), work);
  net.backward(x.col(2), from_outside(table.col(2).tail<1>()), work, dJ);
  CHECK(dJ.layer<0>().weight == Eigen::RowVector2d(6, 8));
}

TEST_CASE("backward rejects a gradient from outside of another shape, with NaN, before forward, or in memory that it writes to") {
  Step s;
  Eigen::MatrixXf d = Eigen::MatrixXf::Ones(3, 5), dJ_dx(4, 5);
  const auto backward = [&](auto&& dJ_dy) { s.net.backward(s.x, from_outside(dJ_dy), s.work, s.gradients, dJ_dx); };
  CHECK_THROWS_SAYING(backward(d), StateError, "backward: the workspace holds no forward pass; call forward(x, work) first");
  const auto y_hat = s.net.forward(s.x, s.work);
  CHECK_THROWS_SAYING(backward(d.topRows(2)), ShapeError, "backward: dJ/dy_hat has 2 rows, but the network has 3 outputs");
  CHECK_THROWS_SAYING(backward(d.leftCols(4)), ShapeError, "backward: dJ/dy_hat has 4 samples, but the last forward(x, work) had 5");
  CHECK_THROWS_SAYING(s.net.backward(s.x.leftCols(4), from_outside(d), s.work, s.gradients), ShapeError, "backward: x has 4 samples");
  d(1, 3) = not_a_number;
  CHECK_THROWS_SAYING(backward(d), ValueError,
                      "backward: dJ/dy_hat(1, 3) is nan (feature or output 1 of sample 3); all numbers must be finite",
                      "in the code that computes it");
  d(1, 3) = -infinity;
  CHECK_THROWS_SAYING(backward(d), ValueError, "dJ/dy_hat(1, 3) is -inf");
  CHECK_THROWS_SAYING(backward(y_hat), ValueError, "backward: dJ/dy_hat lies in the workspace that this call writes to", ".eval()");
  const auto map = [](const float* data) { return Eigen::Map<const Eigen::MatrixXf>(data, 3, 5); };
  CHECK_THROWS_SAYING(backward(map(s.gradients.flat().data())), ValueError, "backward: dJ/dy_hat and dJ/dtheta share memory");
  dJ_dx.setZero();
  CHECK_THROWS_SAYING(backward(map(dJ_dx.data())), ValueError, "backward: dJ/dy_hat and dJ/dx share memory");
  CHECK_THROWS_SAYING(
      detail::NetworkAccess::backward_and_step(s.net, s.x, from_outside(map(s.net.parameters().data())), s.work, s.gradients, 0.1f),
      ValueError, "dJ/dy_hat and theta share memory");
  CHECK(s.gradients.flat().isZero(0));
  CHECK(dJ_dx.isZero(0));
}

TEST_CASE("two nets in a chain, with dJ/dx of the second from outside in the first, give the gradients of one net of the same layers") {
  const auto whole =
      make_network<float, SquaredError>(Seed{1}, Dense<6, 4, Tanh>{}, Dense<4, 2, Tanh>{}, Dense<2, 4, Tanh>{}, Dense<4, 6>{});
  auto encoder = make_network<float, SquaredError>(Seed{2}, Dense<6, 4, Tanh>{}, Dense<4, 2, Tanh>{});
  auto decoder = make_network<float, SquaredError>(Seed{3}, Dense<2, 4, Tanh>{}, Dense<4, 6>{});
  const Index half = encoder.parameters().size();
  encoder.parameters() = whole.parameters().head(half);
  decoder.parameters() = whole.parameters().tail(decoder.parameters().size());

  Random random{Seed{4}};
  const Eigen::MatrixXf x = random_matrix<float>(6, 7, random);
  auto work = whole.make_workspace(7);
  auto dJ = whole.make_gradients();
  Eigen::MatrixXf dJ_dx(6, 7), dJ_dcode(2, 7), dJ_dx_of_chain(6, 7);
  whole.forward(x, work);
  whole.backward(x, x, work, dJ, dJ_dx);

  ThreadTeam team{2};
  for (Team* threads : {static_cast<Team*>(nullptr), static_cast<Team*>(&team)}) {
    auto encoding = encoder.make_workspace(7);
    auto decoding = decoder.make_workspace(7);
    encoding.set_team(threads);
    auto dJ_encoder = encoder.make_gradients();
    auto dJ_decoder = decoder.make_gradients();
    const auto code = encoder.forward(x, encoding);  // read where it lies, in the encoder's workspace
    decoder.forward(code, decoding);
    CHECK(decoder.loss(x, decoding) == whole.loss(x, work));
    decoder.backward(code, x, decoding, dJ_decoder, dJ_dcode);
    encoder.backward(x, from_outside(dJ_dcode), encoding, dJ_encoder, dJ_dx_of_chain);
    CHECK(dJ_encoder.flat() == dJ.flat().head(half));
    CHECK(dJ_decoder.flat() == dJ.flat().tail(dJ_decoder.size()));
    CHECK(dJ_dx_of_chain == dJ_dx);
  }
}

TEST_CASE("the gradient of an actor through a critic agrees with central differences") {
  // J(theta of the actor) = mean over s of -Q(s, mu(s))
  auto actor = make_network<double, SquaredError>(Seed{1}, Dense<3, 5, Tanh>{}, Dense<5, 2, Tanh>{});
  const auto critic = make_network<double, SquaredError>(Seed{2}, Dense<5, 6, Tanh>{}, Dense<6, 1>{});
  Random random{Seed{3}};
  constexpr Index batch = 4;
  Eigen::MatrixXd state_action(5, batch), dJ_dx(5, batch);
  state_action.topRows(3) = random_matrix<double>(3, batch, random);
  const auto states = state_action.topRows(3);
  const auto J = [&] {
    state_action.bottomRows(2) = actor.predict(states);
    return -critic.predict(state_action).mean();
  };

  auto acting = actor.make_workspace(batch);
  auto judging = critic.make_workspace(batch);
  auto dJ = actor.make_gradients();
  state_action.bottomRows(2) = actor.forward(states, acting);
  critic.forward(state_action, judging);
  const Eigen::RowVectorXd dJ_dQ = Eigen::RowVectorXd::Constant(batch, -1.0 / batch);
  critic.input_gradient(state_action, from_outside(dJ_dQ), judging, dJ_dx);
  actor.backward(states, from_outside(dJ_dx.bottomRows(2)), acting, dJ);

  constexpr double h = 1e-5;
  for (Index i = 0; i < dJ.size(); ++i) {
    double& theta_i = actor.parameters()[i];
    const double there = theta_i;
    theta_i = there + h;
    const double above = J();
    theta_i = there - h;
    const double below = J();
    theta_i = there;
    CHECK(dJ.flat()[i] == Approx((above - below) / (2 * h)).margin(1e-9));
  }
  CHECK(dJ.flat().cwiseAbs().minCoeff() > 1e-6);  // no check of zeros
}

TEST_CASE("input_gradient gives the dJ/dx of backward, with the batch's statistics and the mask of Dropout, for y and from outside") {
  Mixed m;
  auto dJ = m.net.make_gradients();
  Eigen::MatrixXd dJ_dx(2, 8), alone(2, 8);
  const Eigen::MatrixXd dJ_dy = m.net.forward(m.x, m.work) - m.y;
  m.net.backward(m.x, m.y, m.work, dJ, dJ_dx);
  m.net.input_gradient(m.x, m.y, m.work, alone);
  CHECK(alone == dJ_dx);
  m.net.backward(m.x, from_outside(dJ_dy), m.work, dJ, dJ_dx);
  m.net.input_gradient(m.x, from_outside(dJ_dy), m.work, alone);
  CHECK(alone == dJ_dx);
  CHECK(dJ_dx.cwiseAbs().maxCoeff() > 0);
  const Eigen::VectorXd gradient = dJ.flat();
  m.net.backward(m.x, from_outside(dJ_dy), m.work, dJ);  // input_gradient has left the forward pass as it was
  CHECK(dJ.flat() == gradient);
}

TEST_CASE("input_gradient of large layers gives the same bits on one thread and on a team, and for a single sample") {
  const auto net = make_network<float, SquaredError>(Seed{1}, Dense<Dynamic, Dynamic, Tanh>{300, 257}, Dense<Dynamic, Dynamic>{257, 90});
  Random random{Seed{2}};
  const Eigen::MatrixXf x = random_matrix<float>(300, 64, random), y = random_matrix<float>(90, 64, random);
  auto work = net.make_workspace(64);
  auto dJ = net.make_gradients();
  ThreadTeam team{2};
  for (const Index samples : {1, 64}) {
    Eigen::MatrixXf dJ_dx(300, samples), alone(300, samples);
    net.forward(x.leftCols(samples), work);
    net.backward(x.leftCols(samples), y.leftCols(samples), work, dJ, dJ_dx);
    net.input_gradient(x.leftCols(samples), y.leftCols(samples), work, alone);
    CHECK(alone == dJ_dx);
    work.set_team(&team);
    alone.setZero();
    net.forward(x.leftCols(samples), work);
    net.input_gradient(x.leftCols(samples), y.leftCols(samples), work, alone);
    CHECK(alone == dJ_dx);
    work.set_team(nullptr);
  }
}

TEST_CASE("input_gradient rejects what backward rejects: no forward pass, wrong extents, and shared memory") {
  Step s;
  Eigen::MatrixXf dJ_dx = Eigen::MatrixXf::Zero(4, 5);
  CHECK_THROWS_SAYING(s.net.input_gradient(s.x, s.y, s.work, dJ_dx), StateError, "input_gradient: the workspace holds no forward pass");
  s.net.forward(s.x, s.work);
  CHECK_THROWS_SAYING(s.net.input_gradient(s.x.leftCols(4), s.y, s.work, dJ_dx), ShapeError, "input_gradient: x has 4 samples");
  CHECK_THROWS_SAYING(s.net.input_gradient(s.x, std::vector<int>{1}, s.work, dJ_dx), ShapeError, "input_gradient: y has 1 samples");
  CHECK_THROWS_SAYING(s.net.input_gradient(s.x, s.y, s.work, dJ_dx.topRows(3)), ShapeError,
                      "input_gradient: dJ/dx is 4 x 5 here, but the matrix given for it is 3 x 5");
  CHECK_THROWS_SAYING(s.net.input_gradient(s.x, from_outside(dJ_dx), s.work, dJ_dx), ShapeError, "input_gradient: dJ/dy_hat has 4 rows");
  CHECK_THROWS_SAYING(s.net.input_gradient(s.x, from_outside(dJ_dx.topRows(3)), s.work, dJ_dx), ValueError,
                      "input_gradient: dJ/dy_hat and dJ/dx share memory");
  CHECK_THROWS_SAYING(s.net.input_gradient(s.x, s.y, s.work, s.x), ValueError, "input_gradient: x and dJ/dx share memory");
  CHECK_THROWS_SAYING(s.net.input_gradient(s.x, s.y, s.work, Eigen::Map<Eigen::MatrixXf>(s.net.parameters().data(), 4, 5)), ValueError,
                      "input_gradient: theta and dJ/dx share memory");
  CHECK(dJ_dx.isZero(0));
}
