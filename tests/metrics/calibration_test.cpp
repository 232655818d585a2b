#include <chainrule/metrics/calibration.hpp>
#include <vector>

#include "support/catch.hpp"

using namespace chainrule;
using chainrule_test::Approx;

namespace {

using Ints = std::vector<int>;

}  // namespace

// Confidences 0.6, 0.7, 0.9, 0.95, 0.75 with predictions right, wrong, right, right, right; 5 bins of width 0.2
TEST_CASE("A reliability diagram has confidence and accuracy of the samples in each bin") {
  const Eigen::Matrix2Xd p{{0.6, 0.3, 0.1, 0.95, 0.25}, {0.4, 0.7, 0.9, 0.05, 0.75}};
  const Ints y{0, 0, 1, 0, 1};
  const ReliabilityDiagram diagram(p, y, 5);
  REQUIRE(diagram.bins().size() == 5);
  CHECK(diagram.samples() == 5);
  CHECK(diagram.bins()[1].samples == 0);
  CHECK(diagram.bins()[2].samples == 1);  // 0.6 is the upper border of its bin
  CHECK(diagram.bins()[2].accuracy == 1);
  CHECK(diagram.bins()[3].samples == 2);
  CHECK(diagram.bins()[3].low == 0.6);
  CHECK(diagram.bins()[3].high == 0.8);
  CHECK(diagram.bins()[3].confidence == Approx(0.725).epsilon(1e-15));
  CHECK(diagram.bins()[3].accuracy == 0.5);
  CHECK(diagram.bins()[3].gap() == Approx(0.225).epsilon(1e-14));
  CHECK(diagram.expected_calibration_error() == Approx(0.2 * 0.4 + 0.4 * 0.225 + 0.4 * 0.075).epsilon(1e-14));
  CHECK(diagram.maximum_calibration_error() == Approx(0.4).epsilon(1e-14));
  CHECK(ExpectedCalibrationError{5}(p, y) == diagram.expected_calibration_error());
  CHECK(expected_calibration_error(p.row(1), y) == expected_calibration_error(p, y));  // one row: max(p, 1 - p)
  CHECK(diagram.to_string() ==
        " confidence   samples  accuracy  0                                       1\n"
        "      0.600         1     1.000  ========================|===============\n"
        "      0.725         2     0.500  ====================         |\n"
        "      0.925         2     1.000  =====================================|==\n"
        "expected calibration error: 0.2000\n");
}

// P(yes) of 0.4, 0.7, 0.9, 0.05, 0.75, of which the third and the last are yes
TEST_CASE("A reliability diagram of yes has P(yes) from 0 to 1 and the share of yes, for one row or two") {
  const Eigen::Matrix2Xd p{{0.6, 0.3, 0.1, 0.95, 0.25}, {0.4, 0.7, 0.9, 0.05, 0.75}};
  const Ints y{0, 0, 1, 0, 1};
  const ReliabilityDiagram diagram(p.row(1), y, 5, ReliabilityOf::yes);
  CHECK(diagram.bins()[0].samples == 1);
  CHECK(diagram.bins()[1].samples == 1);
  CHECK(diagram.bins()[1].accuracy == 0);
  CHECK(diagram.bins()[2].samples == 0);
  CHECK(diagram.bins()[3].confidence == Approx(0.725).epsilon(1e-15));
  CHECK(diagram.bins()[3].accuracy == 0.5);
  CHECK(diagram.expected_calibration_error() == Approx(0.2 * 0.05 + 0.2 * 0.4 + 0.4 * 0.225 + 0.2 * 0.1).epsilon(1e-14));
  CHECK(diagram.to_string() ==
        "     P(yes)   samples       yes  0                                       1\n"
        "      0.050         1     0.000    |\n"
        "      0.400         1     0.000                  |\n"
        "      0.725         2     0.500  ====================         |\n"
        "      0.900         1     1.000  ====================================|===\n"
        "expected calibration error: 0.2000\n");
  CHECK(ReliabilityDiagram(p, y, 5, ReliabilityOf::yes).to_string() == diagram.to_string());
  const Eigen::Matrix3Xd three = Eigen::Matrix3Xd::Constant(3, 5, 1 / 3.0);
  CHECK_THROWS_SAYING(ReliabilityDiagram(three, y, 5, ReliabilityOf::yes), ShapeError,
                      "ReliabilityOf::yes needs two classes, but y_hat has 3 rows");
}

TEST_CASE("Each confidence is in exactly one bin, also at the borders") {
  for (const Index bins : {1, 3, 7, 10, 15, 100}) {
    Eigen::RowVectorXd borders(bins + 1);
    for (Index b = 0; b <= bins; ++b) borders[b] = static_cast<double>(b) / static_cast<double>(bins);
    Eigen::MatrixXd p(2, 1);
    for (Index b = 0; b <= bins; ++b) {
      p << borders[b], 1 - borders[b];
      const ReliabilityDiagram diagram(p, Ints{0}, bins);
      const double confidence = p.maxCoeff();
      for (const ReliabilityBin& bin : diagram.bins()) CHECK(bin.samples == (confidence > bin.low && confidence <= bin.high ? 1 : 0));
    }
  }
}

TEST_CASE("Calibration refuses numbers that are no probabilities and impossible numbers of bins") {
  const Eigen::RowVectorXd p{{0.5, 1.5}};
  CHECK(std::string(expected_calibration_error.name) == "expected_calibration_error");
  CHECK_THROWS_SAYING(expected_calibration_error(p, Ints{0, 1}), ValueError, "ReliabilityDiagram: y_hat(0, 1) is 1.5");
  CHECK_THROWS_SAYING(ExpectedCalibrationError{0}, ValueError, "bins must be 1 to 10000, got 0");
  CHECK_THROWS_SAYING(ReliabilityDiagram(Eigen::RowVectorXd{{0.5}}, Ints{0}, 0), ValueError, "bins must be 1 to 10000, got 0");
}
