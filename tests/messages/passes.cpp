#include <chainrule/chainrule.hpp>
#include <limits>

#include "page.hpp"

using namespace chainrule;

void messages::passes(Page& page) {
  page.section("Predicting and training steps");
  Network<float, SoftmaxCrossEntropy, Dense<Dynamic, Dynamic, Tanh>, Dense<Dynamic, Dynamic>> net{Seed{1}, {4, 8}, {8, 3}};
  auto work = net.make_workspace(5);
  auto dJ = net.make_gradients();
  const Eigen::MatrixXf x = Eigen::MatrixXf::Ones(4, 5);  // 5 samples
  const std::vector<int> y{0, 1, 2, 0, 1};

  page.mistake("", [&] { net.forward(x.topRows(3), work); });
  page.mistake("If samples are rows, as in NumPy, transpose them: `Eigen::MatrixXf columns = rows.transpose();`.",
               [&] { net.predict(Eigen::MatrixXf::Ones(5, 4).eval()); });
  page.mistake("", [&] { net.predict(x.leftCols(0)); });
  page.mistake("", [&] { net.forward(Eigen::MatrixXf::Ones(4, 6).eval(), work); });
  page.mistake("", [&] {
    Eigen::MatrixXf missing = x;
    missing(2, 3) = std::numeric_limits<float>::quiet_NaN();
    net.forward(missing, work);
  });
  page.mistake("", [&] {
    const Eigen::MatrixXf samples_in_rows = x.transpose();
    net.predict(samples_in_rows.row(0).transpose());
  });
  page.mistake("", [&] { net.make_workspace(0); });
  page.mistake("", [&] { net.loss(y, work); });
  page.mistake("", [&] { net.backward(x, y, work, dJ); });
  page.mistake("", [&] {
    net.forward(x, work);
    net.loss(std::vector<int>{0, 1}, work);
  });
  page.mistake("Pass `backward` the same x as `forward`, and the y that belongs to it.", [&] {
    net.forward(x, work);
    net.backward(x.leftCols(4), y, work, dJ);
  });
  page.mistake("", [&] {
    net.forward(x, work);
    Eigen::MatrixXf dJ_dx(4, 1);
    net.backward(x, y, work, dJ, dJ_dx);
  });
  page.mistake("", [&] {
    decltype(net) other{Seed{1}, {4, 16}, {16, 3}};
    auto dJ_of_other = other.make_gradients();
    net.forward(x, work);
    net.backward(x, y, work, dJ_of_other);
  });
  page.mistake("", [&] {
    decltype(net) other{Seed{1}, {4, 16}, {16, 3}};
    auto work_of_other = other.make_workspace(5);
    net.forward(x, work_of_other);
  });
  page.mistake("", [] {
    Network<float, SquaredError, Dense<4, 4>> step{Seed{1}};
    auto workspace = step.make_workspace(1);
    const auto next = step.predict(Eigen::Vector4f{1, 2, 3, 4}, workspace);
    step.predict(next, workspace);
  });
}

void messages::targets(Page& page) {
  page.section("Targets and weights");
  Network<float, SoftmaxCrossEntropy, Dense<4, 3>> net{Seed{1}};
  auto work = net.make_workspace(2);
  const Eigen::MatrixXf two = Eigen::MatrixXf::Ones(4, 2);  // 2 samples
  net.forward(two, work);

  page.mistake("Labels count from 0.", [&] { net.loss(std::vector<int>{1, 3}, work); });
  page.mistake("", [&] {
    const Eigen::MatrixXf probabilities = Eigen::MatrixXf::Constant(3, 2, 0.5f);
    net.loss(probabilities, work);
  });
  page.mistake("", [&] {
    const Eigen::RowVectorXf labels{{1, 2}};
    net.loss(Eigen::MatrixXf(labels), work);
  });
  page.mistake("", [&] {
    const std::vector<int> y{1, 2};
    const std::vector<float> w{1, 2, 3};
    net.loss(weighted(y, w), work);
  });
  page.mistake("", [&] {
    const std::vector<int> y{1, 2};
    const std::vector<float> w{1, -1};
    net.loss(weighted(y, w), work);
  });
  page.mistake("", [&] {
    Network<float, ClassWeighted<SoftmaxCrossEntropy>, Dense<4, 3>> classes{Seed{1}, {{1, 5}}};
    auto workspace = classes.make_workspace(2);
    classes.evaluate(two, std::vector<int>{1, 2}, workspace);
  });
  page.mistake("", [&] {
    Network<float, BinaryCrossEntropy, Dense<4, 3>> several{Seed{1}};
    auto workspace = several.make_workspace(2);
    several.evaluate(two, std::vector<int>{1, 2}, workspace);
  });
  page.mistake("`BinaryCrossEntropy` takes 0 and 1; only `Hinge` takes -1 and 1.", [&] {
    Network<float, BinaryCrossEntropy, Dense<4, 1>> yes_no{Seed{1}};
    auto workspace = yes_no.make_workspace(2);
    yes_no.evaluate(two, Eigen::RowVector2f{-1, 1}, workspace);
  });
  page.mistake("", [&] {
    Network<float, Hinge, Dense<4, 1>> signs{Seed{1}};
    auto workspace = signs.make_workspace(2);
    signs.evaluate(two, Eigen::RowVector2f{0, 1}, workspace);
  });
  page.mistake("", [&] {
    Network<float, PoissonNLL, Dense<4, 1>> counts{Seed{1}};
    auto workspace = counts.make_workspace(2);
    counts.evaluate(two, Eigen::RowVector2f{3, -1}, workspace);
  });
  page.mistake("", [&] {
    Network<float, GaussianNLL, Dense<4, 3>> normal{Seed{1}};
    auto workspace = normal.make_workspace(2);
    normal.evaluate(two, Eigen::RowVector2f{3, -1}, workspace);
  });
  page.mistake("", [&] {
    Network<float, Huber, Dense<4, 1>> robust{Seed{1}, Huber{.delta = 0}};
    auto workspace = robust.make_workspace(2);
    robust.evaluate(two, Eigen::RowVector2f{3, -1}, workspace);
  });
  page.mistake("", [&] {
    Network<float, SoftmaxCrossEntropy, Dense<4, 3>> smooth{Seed{1}, SoftmaxCrossEntropy{.label_smoothing = 1}};
    auto workspace = smooth.make_workspace(2);
    smooth.evaluate(two, std::vector<int>{1, 2}, workspace);
  });
}

void messages::derivatives(Page& page) {
  page.section("Derivatives by x");
  const AnyNetwork<double> net{Seed{1}, SquaredError{}, {Dense<3, 8, Tanh>{}, Dense<8, 2>{}}};
  auto work = net.make_derivative_workspace(4);
  auto jet_work = net.make_jet_workspace(4);
  const Eigen::MatrixXd x = Eigen::MatrixXd::Ones(3, 4);  // 4 samples
  Eigen::MatrixXd J(2, 12), H(3, 12);

  page.mistake("", [&] { net.jacobian(x, work, J.leftCols(3)); });
  page.mistake("", [&] { net.vjp(x, x, work, H.leftCols(4)); });
  page.mistake("", [&] { net.hessian(x, jet_work, H); });
  page.mistake("", [&] { net.forward_jet(x, jet_work); });
  page.mistake("", [&] { jet_work.value(); });
  page.mistake("", [&] { net.make_jet_workspace(4, JetDirections<double>{Eigen::MatrixXd::Identity(2, 2)}); });
}
