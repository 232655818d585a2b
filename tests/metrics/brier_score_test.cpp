#include <chainrule/metrics/brier_score.hpp>
#include <vector>

#include "support/catch.hpp"

using namespace chainrule;
using chainrule_test::Approx;

namespace {

using Ints = std::vector<int>;

}  // namespace

TEST_CASE("brier_score is the mean squared error of probabilities") {
  const Eigen::RowVectorXd p{{0.1, 0.9, 0.8, 0.3}};
  CHECK(brier_score(p, Ints{0, 1, 1, 0}) == Approx(0.0375).epsilon(1e-14));  // the example of scikit-learn's brier_score_loss
  CHECK(brier_score(p, Eigen::RowVectorXd{{0, 1, 1, 0}}) == Approx(0.0375).epsilon(1e-14));
  Eigen::Matrix2Xd both(2, 4);
  both << 1 - p.array(), p.array();
  CHECK(brier_score(both, Ints{0, 1, 1, 0}) == Approx(2 * 0.0375).epsilon(1e-14));
  CHECK(brier_score(Eigen::Matrix3Xf{{0.5f, 0}, {0.25f, 0}, {0.25f, 1}}, Ints{0, 1}) == (0.375 + 2) / 2);
}

TEST_CASE("brier_score refuses numbers that are no probabilities") {
  CHECK(std::string(brier_score.name) == "brier_score");
  CHECK_THROWS_SAYING(brier_score(Eigen::RowVectorXd{{0.5, 1.5}}, Ints{0, 1}), ValueError, "brier_score: y_hat(0, 1) is 1.5");
  CHECK_THROWS_SAYING(brier_score(Eigen::RowVectorXd{{0.5, 1}}, Ints{0, 2}), ValueError, "brier_score: the label of sample 1");
}
