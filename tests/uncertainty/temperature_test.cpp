#include <chainrule/activations/relu.hpp>
#include <chainrule/core/random.hpp>
#include <chainrule/layers/activate.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/metrics/calibration.hpp>
#include <chainrule/network.hpp>
#include <chainrule/uncertainty/temperature.hpp>

#include "support/catch.hpp"

using namespace chainrule;
using chainrule_test::Approx;

namespace {

using Ints = std::vector<int>;

}  // namespace

// All samples have the logit 2, and 3 of 4 are yes, so sigma(2/T) = 3/4 and T = 2/ln 3.
TEST_CASE("fit_temperature makes the probability of equal logits the share of samples that are right") {
  const double T = 2 / 1.098612288668109691;
  const Ints y{1, 0, 1, 1};
  CHECK(fit_temperature(BinaryCrossEntropy{}, Matrix<float>{{2, 2, 2, 2}}, y) == Approx(T).epsilon(1e-12));
  CHECK(fit_temperature(BinaryCrossEntropy{}, Matrix<double>{{2, 2, 2, 2}}, Matrix<double>{{1, 0, 1, 1}}) == Approx(T).epsilon(1e-12));
  const Matrix<double> pairs{{1, 1, 1, 1}, {3, 3, 3, 3}};
  CHECK(fit_temperature(SoftmaxCrossEntropy{}, pairs, y) == Approx(T).epsilon(1e-12));
  CHECK(fit_temperature(SoftmaxCrossEntropy{}, Matrix<double>(1000 * pairs), y) == Approx(1000 * T).epsilon(1e-12));
  CHECK(fit_temperature(SoftmaxCrossEntropy{}, Matrix<double>(pairs / 1000), y) == Approx(T / 1000).epsilon(1e-12));
}

TEST_CASE("fit_temperature finds the factor by which logits are too large, and makes the calibration error small") {
  Random random{Seed{3}};
  Matrix<double> z(4, 4000);
  Ints y;
  for (Index j = 0; j < z.cols(); ++j) {
    double sum = 0;
    for (Index k = 0; k < 4; ++k) z(k, j) = 4 * random.uniform(), sum += std::exp(z(k, j));
    double u = random.uniform() * sum;
    int label = 0;
    while (label < 3 && (u -= std::exp(z(label, j))) > 0) ++label;
    y.push_back(label);
  }
  const Matrix<double> too_sure = 2.5 * z;
  const auto probabilities = [](const Matrix<double>& logits) {
    Matrix<double> p = logits;
    SoftmaxCrossEntropy{}.link(detail::mutable_view<double>(p));
    return p;
  };
  const double T = fit_temperature(SoftmaxCrossEntropy{}, too_sure, y);
  CHECK(T == Approx(2.5).epsilon(0.05));
  const double before = expected_calibration_error(probabilities(too_sure), y);
  const double after = expected_calibration_error(probabilities(too_sure / T), y);
  CAPTURE(before, after);
  CHECK(before > 0.15);
  CHECK(after < 0.03);
}

TEST_CASE("apply_temperature divides the raw outputs by T and keeps the classes") {
  Network<double, SoftmaxCrossEntropy, Dense<2, 5, ReLU>, Dense<5, 3>> net{Seed{1}};
  const Matrix<double> x = Matrix<double>::Random(2, 9), z = net.predict_raw(x);
  apply_temperature(net, 2);
  CHECK(net.predict_raw(x) == z / 2);
  CHECK_THROWS_SAYING(apply_temperature(net, 0), ValueError, "apply_temperature: the temperature must be above 0 and finite, got 0");
  Network<double, SquaredError, Dense<2, 3>, Activate<ReLU>> other{Seed{1}};
  const Vector<double> theta = other.parameters();
  CHECK_THROWS_SAYING(apply_temperature(other, 2), ValueError, "the last layer is Activate ReLU, but it must be a Dense");
  CHECK(theta == other.parameters());
}

TEST_CASE("fit_temperature refuses logits for which no temperature is the best, and data that do not fit") {
  const Matrix<double> z{{2, -2, 2}};
  CHECK_THROWS_SAYING(fit_temperature(BinaryCrossEntropy{}, z, Ints{1, 0, 1}), ValueError, "no sample is predicted wrong");
  CHECK_THROWS_SAYING(fit_temperature(BinaryCrossEntropy{}, z, Ints{0, 1, 1}), ValueError, "no better than equal probabilities");
  CHECK_THROWS_SAYING(fit_temperature(BinaryCrossEntropy{}, z, Ints{0, 1}), ShapeError, "logits for 3 samples, but targets for 2");
  CHECK_THROWS_SAYING(fit_temperature(BinaryCrossEntropy{}, z, Ints{0, 1, 2}), ValueError, "the label of sample 2 is 2");
  CHECK_THROWS_SAYING(fit_temperature(SoftmaxCrossEntropy{}, z, Ints{0, 0, 0}), ShapeError, "needs at least 2 outputs");
  CHECK_THROWS_SAYING(fit_temperature(BinaryCrossEntropy{}, Matrix<double>{{std::numeric_limits<double>::infinity()}}, Ints{1}), ValueError,
                      "inf");
}
