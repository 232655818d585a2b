#include <chainrule/metrics/log_loss.hpp>
#include <limits>
#include <vector>

#include "support/catch.hpp"

using namespace chainrule;
using chainrule_test::Approx;

namespace {

using Ints = std::vector<int>;
constexpr double few_eps = 1e-14;

const Eigen::MatrixXd p{{0.5, 0.25, 0.125, 0.25, 0.5, 0.375, 0.25, 0.125},
                        {0.25, 0.5, 0.5, 0.25, 0.375, 0.375, 0.125, 0.375},
                        {0.25, 0.25, 0.375, 0.5, 0.125, 0.25, 0.625, 0.5}};

}  // namespace

// The literals are from scikit-learn's log_loss, except for targets that are probabilities, which it does not take.

TEST_CASE("log_loss is minus the mean logarithm of the probability of the true class") {
  CHECK(log_loss(p, Ints{0, 1, 1, 2, 1, 0, 2, 0}) == Approx(0.9104615498986006).epsilon(few_eps));
  CHECK(log_loss(p.leftCols(2), Ints{0, 1}) == Approx(0.6931471805599453).epsilon(few_eps));  // ln 2
  CHECK(log_loss(p.leftCols(2), Eigen::Matrix<double, 3, 2>{{1, 0}, {0, 1}, {0, 0}}) == Approx(0.6931471805599453).epsilon(few_eps));
}

TEST_CASE("log_loss of one row takes it as the probability of class 1") {
  const Eigen::RowVectorXd yes{{0.9, 0.1, 0.2, 0.65}};
  CHECK(log_loss(yes, Ints{1, 0, 0, 1}) == Approx(0.21616187468057912).epsilon(few_eps));
  CHECK(log_loss(yes, Eigen::RowVectorXd{{1, 0, 0, 1}}) == Approx(0.21616187468057912).epsilon(few_eps));
}

// -(ln 1/4)/2 - (ln 1/4)/2 for the first sample, -(ln 1/2)/4 - 3 (ln 1/4)/4 for the second: 2 ln 2 and 1.75 ln 2
TEST_CASE("log_loss of targets that are probabilities is the cross entropy") {
  const Eigen::MatrixXd y_hat{{0.25, 0.25}, {0.25, 0.5}, {0.5, 0.25}};
  const Eigen::MatrixXd y{{0.5, 0}, {0.5, 0.25}, {0, 0.75}};
  CHECK(log_loss(y_hat, y) == Approx(1.2996509635498974).epsilon(few_eps));
  CHECK(log_loss(Eigen::RowVectorXd{{0.5}}, Eigen::RowVectorXd{{0.25}}) == Approx(0.6931471805599453).epsilon(few_eps));
}

TEST_CASE("log_loss clamps probabilities between epsilon and 1 - epsilon of their scalar type") {
  const Eigen::MatrixXd certain{{1, 0, 0.5, 0.25}, {0, 1, 0.5, 0.25}, {0, 0, 0, 0.5}};
  const Ints y{0, 2, 1, 2};
  CHECK(log_loss(certain, y) == Approx(9.357486937559262).epsilon(few_eps));
  CHECK(log_loss(certain.cast<float>().eval(), y) == Approx(4.332169997708958).epsilon(1e-7));

  const Eigen::RowVectorXd yes{{0, 0, 1}};
  CHECK(log_loss(yes, Ints{1, 0, 1}) == Approx(12.014551129705717).epsilon(few_eps));
  CHECK(log_loss(yes.cast<float>().eval(), Ints{1, 0, 1}) == Approx(5.314128463765779).epsilon(1e-7));
}

TEST_CASE("log_loss divides probabilities by their sum where it is not exactly 1") {
  const Eigen::MatrixXd rough{{0.5004, 0.25}, {0.25, 0.5}, {0.25, 0.2495}};
  CHECK(log_loss(rough, Ints{0, 1}) == Approx(0.6926972379644856).epsilon(few_eps));
}

TEST_CASE("log_loss has a name, and smaller is better") {
  CHECK(std::string(log_loss.name) == "log_loss");
  STATIC_REQUIRE_FALSE(LogLoss::larger_is_better);
}

TEST_CASE("log_loss refuses numbers that are not probabilities") {
  CHECK_THROWS_SAYING(log_loss(Eigen::RowVectorXf{{0.5f, 1.5f}}, Ints{0, 1}), ValueError, "log_loss: y_hat(0, 1) is 1.5", "from 0 to 1");
  const Eigen::MatrixXf logits{{0.5f, 0.25f}, {0.5f, 0.25f}};
  CHECK_THROWS_SAYING(log_loss(logits, Ints{0, 1}), ValueError, "log_loss: the probabilities of sample 1 in y_hat sum to 0.5");
  CHECK_THROWS_SAYING(log_loss(logits.leftCols(1), logits.rightCols(1)), ValueError, "of sample 0 in y sum to 0.5", "must sum to 1");
}

TEST_CASE("log_loss names itself in its errors") {
  CHECK_THROWS_SAYING(log_loss(p, Ints{0}), ShapeError, "log_loss: y_hat has 8 samples, but y has 1");
  Eigen::MatrixXd diverged = p;
  diverged(2, 7) = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_SAYING(log_loss(diverged, Ints{0, 1, 1, 2, 1, 0, 2, 0}), ValueError, "log_loss: y_hat(2, 7) is nan");
}
