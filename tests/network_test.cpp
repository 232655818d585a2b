#include <chainrule/chainrule.hpp>
#include <limits>
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

/// A net, a batch and all that a step needs, for the tests of errors.
struct Step {
  Classifier net{Seed{1}};
  Classifier::Workspace<> work = net.make_workspace(5);
  Classifier::Gradients gradients = net.make_gradients();
  Random random{Seed{2}};
  Matrix<float> x = random_matrix<float>(4, 5, random);
  std::vector<int> y{0, 1, 2, 1, 0};
};

constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();

}  // namespace

TEST_CASE("the lecture's formulas, written out with plain Eigen, are what forward and backward compute") {
  // three weight matrices, sigmoid everywhere, J = 1/2 |y_hat - y|^2, one sample: the lecture's net and its punchline
  Network<double, SquaredError, Dense<3, 4, Sigmoid>, Dense<4, 4, Sigmoid>, Dense<4, 3, Sigmoid>> net{Seed{42}};
  net.parameters().array() += 0.1;  // so that biases take part
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

TEST_CASE("theta is one flat vector, and the layers are views on it") {
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

TEST_CASE("predict applies the loss's link: probabilities where the loss works on logits") {
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
}

TEST_CASE("predict gives the same bits in every form: into a workspace or not, block, map, const, one sample or many") {
  Step s;
  const Eigen::MatrixXf expected = s.net.predict(s.x);
  CHECK(s.net.predict(s.x, s.work) == expected);
  CHECK(s.net.predict(s.x.leftCols(3)) == expected.leftCols(3));
  Eigen::MatrixXf larger = Eigen::MatrixXf::Constant(9, 5, not_a_number);  // x as a block whose columns lie apart
  larger.middleRows(2, 4) = s.x;
  CHECK(s.net.predict(larger.middleRows(2, 4)) == expected);
  CHECK(s.net.predict(Eigen::Map<const Eigen::MatrixXf>(s.x.data(), 4, 5)) == expected);
  const Eigen::Vector4f sample = s.x.col(2);
  const Eigen::Vector3f one = s.net.predict(sample);
  CHECK(one == expected.col(2));
  auto fixed_work = s.net.make_workspace<1>();
  CHECK(s.net.predict(sample, fixed_work) == one);
}

TEST_CASE("a row of a matrix can be the target of a net with one output") {
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

TEST_CASE("labels may be any integers, and give what one-hot probabilities give") {
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

TEST_CASE("backward may be called again for another target, and a short batch leaves no trace of a longer one") {
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

TEST_CASE("run-time shapes are checked when the network is built") {
  CHECK_THROWS_SAYING((make_network<float, SquaredError>(Seed{1}, Dense<Dynamic, Dynamic>{3, 32}, Dense<Dynamic, Dynamic>{64, 2})),
                      ShapeError, "Network: layer<1> expects 64 inputs, but layer<0> gives 32 outputs");
  CHECK_THROWS_SAYING((make_network<float, SoftmaxCrossEntropy>(Seed{1}, Dense<Dynamic, Dynamic>{3, 1})), ShapeError,
                      "SoftmaxCrossEntropy needs at least 2 outputs, but the last layer has 1");
  // a type beside a value: Dense<3, Dynamic> may meet Dense<Dynamic, 2>
  CHECK(make_network<float, SquaredError>(Seed{1}, Dense<3, Dynamic, ReLU>{3, 7}, Dense<Dynamic, 2>{7, 2}).parameters().size() ==
        3 * 7 + 7 + 14 + 2);
}

TEST_CASE("wrong x: rows, empty, too many samples") {
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

TEST_CASE("NaN and infinity in x are an error that names the place, and the caches stay as they were") {
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

TEST_CASE("wrong y: samples, rows, labels out of range, no probabilities") {
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

TEST_CASE("loss and backward before forward say so") {
  Step s;
  CHECK_THROWS_SAYING(s.net.loss(s.y, s.work), StateError, "loss: the workspace holds no forward pass; call forward(x, work) first");
  CHECK_THROWS_SAYING(s.net.backward(s.x, s.y, s.work, s.gradients), StateError, "backward: the workspace holds no forward pass");
  s.net.forward(s.x, s.work);
  s.net.predict(s.x, s.work);  // overwrites the caches
  CHECK_THROWS_SAYING(s.net.backward(s.x, s.y, s.work, s.gradients), StateError, "call forward(x, work) first");
}

TEST_CASE("a workspace, gradients or dJ/dx of other extents are refused") {
  const auto net = make_network<float, SquaredError>(Seed{1}, Dense<Dynamic, Dynamic, ReLU>{4, 8}, Dense<Dynamic, Dynamic>{8, 2});
  const auto other = make_network<float, SquaredError>(Seed{1}, Dense<Dynamic, Dynamic, ReLU>{5, 9}, Dense<Dynamic, Dynamic>{9, 2});
  const Step s;
  const Eigen::MatrixXf y = Eigen::MatrixXf::Zero(2, 5);
  auto work = net.make_workspace(5);
  auto gradients = net.make_gradients();
  auto other_work = other.make_workspace(5);
  auto other_gradients = other.make_gradients();
  CHECK_THROWS_SAYING(net.forward(s.x, other_work), ShapeError, "this workspace was made for another network: layer<0>", "9 there",
                      "8 here");
  net.forward(s.x, work);
  CHECK_THROWS_SAYING(net.backward(s.x, y, work, other_gradients), ShapeError, "these gradients were made for another network: layer<0>");
  Eigen::MatrixXf dJ_dx(4, 4);
  CHECK_THROWS_SAYING(net.backward(s.x, y, work, gradients, dJ_dx), ShapeError,
                      "dJ/dx is 4 x 5 here, but the matrix given for it is 4 x 4");
  CHECK(gradients.flat().isZero(0));
}

TEST_CASE("x must not lie in the workspace that is written to") {
  // feeding a result back: into another workspace, or as a copy
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

TEST_CASE("a large layer has views of run-time shape, so that a copy of one does not overflow the stack") {
  const Network<float, SquaredError, Dense<784, 500, ReLU>, Dense<500, 10>> net{Seed{1}};
  static_assert(decltype(net.layer<0>().weight)::RowsAtCompileTime == Dynamic);
  static_assert(decltype(net.layer<1>().weight)::RowsAtCompileTime == 10);
  const Eigen::MatrixXf copy = net.layer<0>().weight.eval();
  CHECK(copy.rows() == 500);
  CHECK(copy.cols() == 784);
  const Network<float, SquaredError, Dense<2, 40000>> wide{Seed{1}};
  CHECK(wide.predict(Eigen::Vector2f(1, 2)).rows() == 40000);
}

TEST_CASE("one const network serves many threads, each with a workspace of its own, and all get the same bits") {
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
