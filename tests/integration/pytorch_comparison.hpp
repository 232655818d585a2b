#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <span>
#include <sstream>
#include <string>
#include <utility>

#include "support/catch.hpp"

namespace chainrule_test {

/// Compares arrays with PyTorch's, entry by entry, and keeps the worst relative difference,
///     |ours - theirs| / max(|theirs|, largest |theirs| of the array / 100)
/// The floor of a hundredth is there because an entry is a sum of products, whose rounding error is proportional to the terms and not to
/// what is left when they cancel. Without it, PyTorch's own float misses 1e-5 in entries that are small beside others of the same array.
class PyTorchComparison {
 public:
  /// `subject` names what is compared in the messages of failures.
  PyTorchComparison(std::string subject, double tolerance) : subject_{std::move(subject)}, tolerance_{tolerance} {}

  /// Checks all entries of one array against the tolerance; both have the same shape.
  template <class Ours, class Theirs>
  void operator()(const std::string& what, const Eigen::DenseBase<Ours>& ours, const Eigen::DenseBase<Theirs>& theirs) {
    INFO(subject_ << ": " << what);
    REQUIRE(ours.rows() == theirs.rows());
    REQUIRE(ours.cols() == theirs.cols());
    const Eigen::MatrixXd a = ours.derived().template cast<double>(), b = theirs.derived();

    const double floor = 1e-2 * b.cwiseAbs().maxCoeff();
    double worst = -1;
    std::ostringstream entry;
    for (Eigen::Index j = 0; j < b.cols(); ++j)
      for (Eigen::Index i = 0; i < b.rows(); ++i) {
        const double difference = std::abs(a(i, j) - b(i, j)) / std::max(std::abs(b(i, j)), floor);
        if (difference <= worst || std::isnan(worst)) continue;  // NaN stays the worst, and fails the check below
        worst = difference;
        entry.str("");
        entry.precision(17);
        entry << "(" << i << ", " << j << ") is " << a(i, j) << ", PyTorch has " << b(i, j);
      }
    INFO("entry " << entry.str());
    CHECK(worst <= tolerance_);
    worst_ = std::max(worst_, worst);
  }

  /// Checks all entries of one array; `theirs` has them in column-major order.
  template <class Ours>
  void operator()(const std::string& what, const Eigen::DenseBase<Ours>& ours, std::span<const double> theirs) {
    INFO(subject_ << ": " << what);
    REQUIRE(ours.size() == static_cast<Eigen::Index>(theirs.size()));
    (*this)(what, ours, Eigen::Map<const Eigen::MatrixXd>(theirs.data(), ours.rows(), ours.cols()));
  }

  /// The worst relative difference of all arrays.
  double worst() const { return worst_; }

 private:
  std::string subject_;
  double tolerance_;
  double worst_ = 0;
};

}  // namespace chainrule_test
