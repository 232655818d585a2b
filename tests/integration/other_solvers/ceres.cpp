// Ceres (Agarwal, Mierle and others) minimizes J of a network by the function objective, and as least squares by the function residuals.

#include <ceres/ceres.h>

#include <chainrule/minimize/objective.hpp>
#include <chainrule/minimize/residuals.hpp>
#include <vector>

#include "integration/other_solvers/fit.hpp"
#include "support/catch.hpp"

using namespace chainrule_test;
using Targets = chainrule::ConstMatrixView<double>;

namespace {

/// J of a network as Ceres wants it.
class Loss final : public ceres::FirstOrderFunction {
 public:
  explicit Loss(chainrule::Objective<FitNet, Targets>& J) : J_{J} {}
  int NumParameters() const override { return static_cast<int>(J_.size()); }
  bool Evaluate(const double* theta, double* cost, double* gradient) const override {
    const auto n = static_cast<std::size_t>(J_.size());
    *cost = J_(std::span(theta, n), std::span(gradient, gradient == nullptr ? 0 : n));
    return std::isfinite(*cost);
  }

 private:
  chainrule::Objective<FitNet, Targets>& J_;
};

/// The residuals of a network as Ceres wants them: a row-major Jacobian, residuals x parameters, has a residual's gradient in one piece.
class Rows final : public ceres::CostFunction {
 public:
  explicit Rows(chainrule::Residuals<FitNet, Targets>& r) : r_{r} {
    set_num_residuals(static_cast<int>(r.residuals()));
    mutable_parameter_block_sizes()->push_back(static_cast<int>(r.size()));
  }
  bool Evaluate(const double* const* theta, double* values, double** jacobians) const override {
    const std::span<const double> of_theta(theta[0], static_cast<std::size_t>(r_.size()));
    const std::span<double> of_values(values, static_cast<std::size_t>(r_.residuals()));
    if (jacobians == nullptr || jacobians[0] == nullptr)
      r_(of_theta, of_values);
    else
      r_(of_theta, of_values, Eigen::Map<Eigen::MatrixXd>(jacobians[0], r_.size(), r_.residuals()));
    return true;
  }

 private:
  chainrule::Residuals<FitNet, Targets>& r_;
};

}  // namespace

TEST_CASE("Ceres minimizes J of a network") {
  const auto data = curve();
  FitNet net = net_of_sines();
  auto J = chainrule::objective(net, data, {.l2 = 1e-4});
  std::vector<double> theta(net.parameters().begin(), net.parameters().end());
  ceres::GradientProblem problem(new Loss(J));
  ceres::GradientProblemSolver::Options options;
  options.max_num_iterations = 3000;
  options.function_tolerance = 1e-15;
  options.logging_type = ceres::SILENT;
  ceres::GradientProblemSolver::Summary summary;
  ceres::Solve(options, problem, theta.data(), &summary);
  INFO(summary.BriefReport());
  CHECK(std::abs(summary.final_cost - minimum_with_penalty) < 1e-8 * minimum_with_penalty);
}

TEST_CASE("Ceres fits a network by least squares") {
  const auto data = curve();
  FitNet net = net_of_sines();
  auto r = chainrule::residuals(net, data);
  ceres::Problem problem;
  problem.AddResidualBlock(new Rows(r), nullptr, net.parameters().data());
  ceres::Solver::Options options;
  options.max_num_iterations = 300;
  options.function_tolerance = 1e-15;
  options.logging_type = ceres::SILENT;
  ceres::Solver::Summary summary;
  ceres::Solve(options, &problem, &summary);
  INFO(summary.BriefReport());
  CHECK(summary.final_cost < 1e-5);
  auto J = chainrule::objective(net, data);
  CHECK(std::abs(J(net.parameters()) - summary.final_cost) < 1e-12);
}
