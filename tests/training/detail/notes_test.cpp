#include <chainrule/training/detail/notes.hpp>

#include <chainrule/activations/relu.hpp>
#include <chainrule/activations/sigmoid.hpp>
#include <chainrule/layers/batch_norm.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/layers/embedding.hpp>
#include <chainrule/losses/binary_cross_entropy.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/network.hpp>

#include "support/catch.hpp"

using namespace chainrule;
using chainrule_test::ContainsSubstring;

namespace {

const Eigen::MatrixXf standardized = Eigen::MatrixXf::Random(16, 6);

// 16 x 6 numbers from 0 to 255: 255, 0, 4, 6, ..., 190
Eigen::MatrixXf pixels() {
  Eigen::MatrixXf x(16, 6);
  for (Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(2 * i);
  x(0, 0) = 255;
  x(1, 0) = 0;
  return x;
}

template <class Net>
std::vector<std::string> notes(const Net& net, const Eigen::MatrixXf& x, const Eigen::MatrixXf& y) {
  return detail::notes_on_data(net, DataView{x, y});
}

template <class Net>
std::string only_note(const Net& net, const Eigen::MatrixXf& x, const Eigen::MatrixXf& y) {
  const auto all = notes(net, x, y);
  REQUIRE(all.size() == 1);
  return all[0];
}

}  // namespace

TEST_CASE("features that are not scaled have a note, unless the first layer scales them") {
  const Network<float, SquaredError, Dense<16, 1>> net{Seed{1}};
  const Eigen::MatrixXf y = Eigen::MatrixXf::Random(1, 6);
  CHECK(notes(net, standardized, y).empty());
  CHECK(notes(net, pixels() / 255, y).empty());
  CHECK_THAT(only_note(net, pixels(), y), ContainsSubstring("from 0 to 255, as pixels are") && ContainsSubstring("divide them by 255"));
  CHECK_THAT(only_note(net, pixels() * 100, y), ContainsSubstring("16 of 16 features are large, most of all feature 0"));
  Eigen::MatrixXf one_large = standardized;
  one_large.row(3) << 300, -300, 300, 300, -300, 300;
  CHECK_THAT(only_note(net, one_large, y), ContainsSubstring("feature 3 is large, with a root mean square of 300,"));
  const Network<float, SquaredError, BatchNorm<16>, Dense<16, 1>> scaled{Seed{1}};
  CHECK(notes(scaled, pixels(), y).empty());
}

TEST_CASE("rows of categories are no large features") {
  const Network<float, SquaredError, Embedding<2, CategoryRow{.row = 0, .categories = 5000, .size = 2}>, Dense<3, 1>> net{Seed{1}};
  Eigen::MatrixXf x = standardized.topRows(2);
  x.row(0) << 4000, 3000, 4999, 1, 2, 3;
  CHECK(notes(net, x, Eigen::MatrixXf::Random(1, 6)).empty());
  x(1, 2) = 5000;
  CHECK_THAT(only_note(net, x, Eigen::MatrixXf::Random(1, 6)), ContainsSubstring("feature 1 is large"));
}

TEST_CASE("targets that the last activation cannot reach have a note") {
  Eigen::MatrixXf y(1, 6);
  y << 0, 1, 0.5f, 1.005f, 5.3f, -2;
  const Network<float, SquaredError, Dense<16, 1, Sigmoid>> sigmoid{Seed{1}};
  CHECK(notes(sigmoid, standardized, y.cwiseMax(0).cwiseMin(1.005f)).empty());
  CHECK_THAT(
      only_note(sigmoid, standardized, y),
      ContainsSubstring("2 of 6 targets, such as 5.3, cannot be reached, because outputs of the last layer (Sigmoid) are from 0 to 1"));
  const Network<float, SquaredError, Dense<16, 1, ReLU>> relu{Seed{1}};
  CHECK_THAT(only_note(relu, standardized, y),
             ContainsSubstring("1 of 6 targets, such as -2, ") && ContainsSubstring("(ReLU) are at least 0"));
  CHECK(notes(relu, standardized, y.cwiseAbs() * 1e7f).empty());
  CHECK(notes(Network<float, SquaredError, Dense<16, 1>>{Seed{1}}, standardized, y).empty());
}

TEST_CASE("a loss before the first step is compared with that of the mean of the targets") {
  Network<float, SquaredError, Dense<16, 1>> net{Seed{1}};
  auto work = net.make_workspace(6);
  std::vector<std::string> all;
  const auto measure = [&](const Eigen::MatrixXf& x, const Eigen::MatrixXf& y) {
    all.clear();
    detail::FirstLoss first;
    first.measure(net, detail::const_view<float>(x), WeightedTargets<float, ConstMatrixView<float>>{detail::const_view<float>(y)}, work,
                  all);
    return first;
  };
  Eigen::MatrixXf y(1, 6);
  y << -1, 1, -1, 1, -1, 1;  // the loss of their mean is 1/2
  const detail::FirstLoss first = measure(standardized, y);
  CHECK(all.empty());
  first.compare(1, 0.1, all);
  CHECK(all.empty());
  first.compare(1000, 0.1, all);
  REQUIRE(all.size() == 1);
  CHECK_THAT(all[0], ContainsSubstring("the learning rate, 0.1, is probably too large"));

  measure(pixels(), y);
  REQUIRE(all.size() == 1);
  CHECK_THAT(all[0],
             ContainsSubstring("times that of a constant prediction, 0.5, ") && ContainsSubstring("scale the features, here up to 255"));
  measure(standardized, (y.array() + 1000).matrix());
  REQUIRE(all.size() == 1);
  CHECK_THAT(all[0], ContainsSubstring("scale the targets, here up to 1e+03"));
  measure(standardized, y / 1000);
  REQUIRE(all.size() == 1);
  CHECK_THAT(all[0], ContainsSubstring("or scale the targets if they are small"));
}
