#include <chainrule/activations/gelu.hpp>
#include <chainrule/activations/sigmoid.hpp>
#include <chainrule/activations/tanh.hpp>
#include <chainrule/any/any_network.hpp>
#include <chainrule/derivatives/first_order.hpp>
#include <chainrule/layers/activate.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/layers/residual.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/network.hpp>

#include "support/catch.hpp"
#include "support/random_data.hpp"

#include <functional>

using namespace chainrule;

TEST_CASE("the Jacobian is that of central differences, however many directions there is room for") {
  const Network<double, SquaredError, Dense<3, 4, Tanh>, Dense<4, 5, GELU>, Dense<5, 2>, Activate<Tanh>> net{Seed{1}};
  Random random{Seed{1}};
  const Eigen::MatrixXd x = chainrule_test::random_matrix<double>(3, 2, random);
  for (const Index directions : {1, 2}) {
    auto work = net.make_derivative_workspace(2, directions);
    Eigen::MatrixXd J(2, 6);
    net.jacobian(x, work, J);
    for (Index k = 0; k < 3; ++k) {
      Eigen::MatrixXd above = x, below = x;
      above.row(k).array() += 1e-5;
      below.row(k).array() -= 1e-5;
      const Eigen::MatrixXd difference = (net.predict_raw(above) - net.predict_raw(below)) / 2e-5;
      for (Index j = 0; j < 2; ++j) CHECK((J.col(3 * j + k) - difference.col(j)).norm() < 1e-9);
    }
  }
}

TEST_CASE("jvp and vjp are products with the Jacobian") {
  const Network<double, SquaredError, Dense<3, 20, Tanh>, Dense<20, 5>> net{Seed{1}};
  Random random{Seed{1}};
  const Eigen::MatrixXd x = chainrule_test::random_matrix<double>(3, 4, random), u = chainrule_test::random_matrix<double>(3, 4, random),
                        v = chainrule_test::random_matrix<double>(5, 4, random);
  auto work = net.make_derivative_workspace(4);
  Eigen::MatrixXd J(5, 12), along_u(5, 4), by_x(3, 4);
  net.jacobian(x, work, J);
  CHECK(net.jvp(x, u, work, along_u) == net.predict_raw(x));
  net.vjp(x, v, work, by_x);
  for (Index j = 0; j < 4; ++j) {
    CHECK((along_u.col(j) - J.middleCols(3 * j, 3) * u.col(j)).norm() < 1e-14);
    CHECK((by_x.col(j) - J.middleCols(3 * j, 3).transpose() * v.col(j)).norm() < 1e-14);
  }
}

// J = W2 diag(1 - tanh^2(W1 x + b1)) W1, computed with 30 digits from this formula
TEST_CASE("the Jacobian of a 2-3-1 tanh net is that of the formula") {
  Network<double, SquaredError, Dense<2, 3, Tanh>, Dense<3, 1>> net{Seed{1}};
  net.parameters() << 0.5, -1, 0.125, -0.25, 0.75, 1.5, 0.25, -0.5, 0.1875, 1, -0.5, 2, 0.125;
  auto work = net.make_derivative_workspace(1);
  Eigen::RowVector2d J;
  const double y = net.jacobian(Eigen::Vector2d(0.5, -0.75), work, J)(0, 0);
  CHECK(std::abs(y - -0.228525380309618622) < 1e-15);
  CHECK((J - Eigen::RowVector2d(0.528931218498218080, 1.29199153004682101)).norm() < 1e-15);
}

namespace {

/// A loss whose link is e^z.
struct Exponential : SquaredError {
  static constexpr std::string_view name = "Exponential";
  static inline std::function<void()> meanwhile = [] {};  ///< called by the link
  template <class Scalar>
  void link(MatrixView<Scalar> z) const {
    meanwhile();
    z = z.array().exp();
  }
  template <class Scalar>
  void link_jvp(ConstMatrixView<Scalar> prediction, MatrixView<Scalar> tangent) const {
    for (Index j = 0; j < tangent.cols(); ++j) tangent.col(j).array() *= prediction.col(j % prediction.cols()).array();
  }
};

/// A loss without link_jvp.
struct NoLinkDerivative {
  static constexpr std::string_view name = "NoLinkDerivative";
  static constexpr bool works_on_logits = false;
  static constexpr Index min_outputs = 1;
  template <class Scalar>
  void check(ConstMatrixView<Scalar>, ConstMatrixView<Scalar>) const {}
  template <class Scalar>
  Scalar value(ConstMatrixView<Scalar>, ConstMatrixView<Scalar>) const {
    return 0;
  }
  template <class Scalar>
  void gradient(ConstMatrixView<Scalar>, ConstMatrixView<Scalar>, MatrixView<Scalar>) const {}
  template <class Scalar>
  void link(MatrixView<Scalar>) const {}
};

/// A layer of the user's without jvp and vjp, a = 2 x.
struct Doubling : SameShape<3>, WithoutParameters {
  Doubling() = default;
  static constexpr std::string_view name = "Doubling";
  template <class Scalar, int MaxBatch>
  struct Cache {
    Cache(const Doubling& layer, Index max_batch) : output(layer.outputs(), max_batch) {}
    BatchStorage<Scalar, 3, MaxBatch> output;
  };
  template <class Scalar, int MaxBatch>
  void forward(const Scalar*, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache) const {
    cache.output.first(x.cols()) = 2 * x;
  }
  template <class Scalar, int MaxBatch>
  void backward(const Scalar*, ConstMatrixView<Scalar>, Cache<Scalar, MaxBatch>&, MatrixView<Scalar> delta, Scalar*,
                MatrixView<Scalar>* input_gradient) const {
    if (input_gradient != nullptr) *input_gradient = 2 * delta;
  }
};

}  // namespace

TEST_CASE("of_prediction includes the loss's link, also after an activation whose derivative is written with its output") {
  const auto check = [](const auto& net) {
    Random random{Seed{1}};
    const Index inputs = net.inputs(), outputs = net.outputs();
    const Eigen::MatrixXd x = chainrule_test::random_matrix<double>(inputs, 2, random),
                          u = chainrule_test::random_matrix<double>(inputs, 2, random),
                          v = chainrule_test::random_matrix<double>(outputs, 2, random);
    Eigen::MatrixXd J(outputs, 2 * inputs), along_u(outputs, 2), by_x(inputs, 2);
    for (const Index directions : {1, 2}) {
      auto work = net.make_derivative_workspace(2, directions);
      CHECK(net.of_prediction().jacobian(x, work, J) == net.predict(x));
      for (Index k = 0; k < inputs; ++k) {
        Eigen::MatrixXd above = x, below = x;
        above.row(k).array() += 1e-5;
        below.row(k).array() -= 1e-5;
        const Eigen::MatrixXd difference = (net.predict(above) - net.predict(below)) / 2e-5;
        for (Index j = 0; j < 2; ++j) CHECK((J.col(inputs * j + k) - difference.col(j)).norm() < 1e-8);
      }
      CHECK(net.of_prediction().jvp(x, u, work, along_u) == net.predict(x));
      CHECK(net.of_prediction().vjp(x, v, work, by_x) == net.predict(x));
      for (Index j = 0; j < 2; ++j) {
        CHECK((along_u.col(j) - J.middleCols(inputs * j, inputs) * u.col(j)).norm() < 1e-14);
        CHECK((by_x.col(j) - J.middleCols(inputs * j, inputs).transpose() * v.col(j)).norm() < 1e-14);
      }
    }
  };
  check(Network<double, Exponential, Dense<3, 2, Sigmoid>>{Seed{1}});
  check(Network<double, Exponential, Dense<2, 3, Sigmoid>>{Seed{1}});
}

TEST_CASE("derivatives refuse what cannot be right, and change no result") {
  const Network<double, Exponential, Dense<3, 4, Tanh>, Dense<4, 2>> net{Seed{1}};
  auto work = net.make_derivative_workspace(2);
  Eigen::MatrixXd x = Eigen::MatrixXd::Ones(3, 2), u = x, v = Eigen::MatrixXd::Ones(2, 2), J = Eigen::MatrixXd::Constant(2, 6, 7),
                  by_x = Eigen::MatrixXd::Constant(3, 2, 7), along = Eigen::MatrixXd::Constant(2, 2, 7);
  const Eigen::MatrixXd none(3, 0), three(3, 3), large = Eigen::MatrixXd::Ones(3, 3);
  CHECK_THROWS_SAYING(net.vjp(x, u, work, by_x), ShapeError, "vjp: v is 3 x 2, but it must be 2 x 2, one column for each sample of x");
  CHECK_THROWS_SAYING(net.jvp(x, v, work, along), ShapeError, "jvp: u is 2 x 2, but it must be 3 x 2");
  CHECK_THROWS_SAYING(net.jvp(x, none, work, along), ShapeError, "jvp: u is 3 x 0, but it must be 3 x 2");
  CHECK_THROWS_SAYING(net.jvp(x, u, work, by_x), ShapeError, "jvp: the result is 3 x 2, but it must be 2 x 2");
  CHECK_THROWS_SAYING(net.jacobian(x, work, by_x), ShapeError, "jacobian: J is 2 x 6 here", "is 3 x 2");
  CHECK_THROWS_SAYING(net.jacobian(v, work, J), ShapeError, "jacobian: x has 2 rows, but the network has 3 inputs");
  CHECK_THROWS_SAYING(net.jacobian(none, work, J.leftCols(0)), ShapeError, "jacobian: the batch is empty");
  Eigen::MatrixXd J3 = Eigen::MatrixXd::Constant(2, 15, 7);
  const Eigen::MatrixXd five = Eigen::MatrixXd::Ones(3, 5);
  CHECK_THROWS_SAYING(
      net.jacobian(five, work, J3), ShapeError,
      "jacobian: the batch has 5 samples, but the workspace has room for 4; net.make_derivative_workspace(samples) makes one "
      "for 5");
  const Eigen::MatrixXd row = Eigen::MatrixXd::Ones(1, 3);
  CHECK_THROWS_SAYING(net.jacobian(row, work, J), ShapeError, "jacobian: x has 1 rows, but the network has 3 inputs");
  CHECK_THROWS_SAYING(net.jvp(row, u, work, along), ShapeError, "jvp: x has 1 rows, but the network has 3 inputs");
  CHECK_THROWS_SAYING(net.vjp(none, v, work, by_x), ShapeError, "vjp: the batch is empty");
  const double nan = std::numeric_limits<double>::quiet_NaN();
  u(1, 1) = v(0, 1) = nan;
  CHECK_THROWS_SAYING(net.vjp(x, v, work, by_x), ValueError, "vjp: v");
  CHECK_THROWS_SAYING(net.jvp(x, u, work, along), ValueError, "jvp: u");
  CHECK_THROWS_SAYING(net.jacobian(u, work, J), ValueError, "jacobian: x");
  u(1, 1) = v(0, 1) = 1;
  const auto y = net.predict_raw(x, work);
  CHECK_THROWS_SAYING(net.vjp(x, y, work, by_x), ValueError, "vjp: v lies in the workspace");
  CHECK_THROWS_SAYING(net.vjp(x, v, work, x), ValueError, "vjp: x and the result share memory");
  CHECK_THROWS_SAYING(net.jvp(x, u, work, u.topRows(2)), ValueError, "jvp: u and the result share memory");
  const auto p = net.of_prediction().jvp(x, u, work, along);
  along.setConstant(7);
  CHECK_THROWS_SAYING(net.of_prediction().vjp(x, p, work, by_x), ValueError, "vjp: v lies in the workspace");
  Network<double, SquaredError, Dense<3, 3>> square{Seed{1}};
  auto square_work = square.make_derivative_workspace(2);
  CHECK_THROWS_SAYING(square.vjp(x, u, square_work, square.parameters().head<9>().reshaped(3, 3).leftCols(2)), ValueError,
                      "vjp: theta and the result share memory");
  auto moved = std::move(work);
  CHECK_THROWS_SAYING(net.jacobian(x, work, J), StateError, "jacobian: this workspace was moved to another object");
  CHECK_THROWS_SAYING(net.jvp(x, u, work, along), StateError, "jvp: this workspace was moved");
  CHECK_THROWS_SAYING(net.make_derivative_workspace(0), ShapeError, "samples and directions must be at least 1, got 0 and 2");
  CHECK_THROWS_SAYING(net.make_derivative_workspace(2, 0), ShapeError, "got 2 and 0");
  CHECK((J.array() == 7).all());
  CHECK((J3.array() == 7).all());
  CHECK((by_x.array() == 7).all());
  CHECK((along.array() == 7).all());
}

TEST_CASE("derivatives of a prediction notice another pass in their workspace between the forward pass and the products") {
  const Network<double, Exponential, Dense<3, 4, Tanh>, Dense<4, 2>> net{Seed{1}};
  auto work = net.make_derivative_workspace(1);
  const Eigen::Vector3d x = Eigen::Vector3d::Ones(), of_another_thread = Eigen::Vector3d::Zero();
  Eigen::MatrixXd J(2, 3);
  Exponential::meanwhile = [&] { net.predict_raw(of_another_thread, work); };
  CHECK_THROWS_SAYING(net.of_prediction().jacobian(x, work, J), StateError, "jacobian: another pass used this workspace at the same time");
  CHECK_THROWS_SAYING(net.of_prediction().jvp(x, x, work, J.leftCols(1)), StateError, "jvp: another pass used this workspace");
  Exponential::meanwhile = [] {};
}

TEST_CASE("an AnyNetwork refuses derivatives that a layer or the loss does not have, and workspaces of other networks") {
  const AnyNetwork<double> net{Seed{1}, NoLinkDerivative{}, {Dense<3, 3, Tanh>{}, Dense<3, 2>{}}};
  const AnyNetwork<double> without{Seed{1}, NoLinkDerivative{}, {Dense<3, 3>{}, Doubling{}, Dense<3, 2>{}}};
  const AnyNetwork<double> inside{Seed{1}, NoLinkDerivative{}, {Dense<3, 3>{}, Residual<AnyLayers<double>>{{Doubling{}}}, Dense<3, 2>{}}};
  auto work = net.make_derivative_workspace(2);
  auto work_without = without.make_derivative_workspace(2), work_inside = inside.make_derivative_workspace(2);
  const Eigen::MatrixXd x = Eigen::MatrixXd::Ones(3, 2);
  Eigen::MatrixXd J = Eigen::MatrixXd::Constant(2, 6, 7);
  const char* missing = "jacobian: the layer Doubling has no jvp and vjp";
  CHECK_THROWS_SAYING(without.jacobian(x, work_without, J), StateError, missing);
  CHECK_THROWS_SAYING(inside.jacobian(x, work_inside, J), StateError, missing);
  CHECK_THROWS_SAYING(net.jacobian(x, work_without, J), ShapeError, "jacobian: this workspace was made for another network");
  CHECK_THROWS_SAYING(net.of_prediction().jacobian(x, work, J), StateError,
                      "jacobian: the loss NoLinkDerivative has no link_jvp, the derivative of its link");
  CHECK((J.array() == 7).all());
  CHECK_NOTHROW(net.jacobian(x, work, J));
}
