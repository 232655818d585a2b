// For each clause of the contract, a loss with a fault that the clause must find.

#include <chainrule/testing/loss_contract.hpp>

#include "support/contract.hpp"

using namespace chainrule;
using chainrule_test::check_broken;

namespace {

enum class Fault {
  none,
  refuses_targets,
  accepts_nan,
  zero,
  gradient,
  divided_twice,
  not_divided,
  sum,
  nan,
  float_sum,
  memory_layout,
  writes_outside,
  link,
  gradient_jvp,
  jvp_writes_outside,
  link_jvp,
  asymmetric_link
};

/// Half the squared error, as a mean over the batch, with one fault.
struct Faulty {
  static constexpr std::string_view name = "Faulty";
  static constexpr bool works_on_logits = false;
  static constexpr Index min_outputs = 1;
  Fault fault = Fault::none;

  template <class Scalar>
  void check(ConstMatrixView<Scalar>, ConstMatrixView<Scalar> y) const {
    if (fault == Fault::refuses_targets) throw ValueError("Faulty takes nothing");
    if (fault != Fault::accepts_nan && !y.allFinite()) throw ValueError("Faulty takes numbers");
  }

  template <class Scalar>
  Scalar value(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y) const {
    using Sum = detail::Accumulator<Scalar>;
    Sum sum = 0;
    Scalar float_sum = 0;
    for (Index j = 0; j < y.cols(); ++j)
      for (Index i = 0; i < y.rows(); ++i) {
        const Sum error = static_cast<Sum>(y_hat(i, j)) - static_cast<Sum>(y(i, j));
        sum += error * error / 2;
        float_sum += static_cast<Scalar>(error * error / 2);
      }
    if (fault == Fault::float_sum) sum = float_sum;
    if (fault == Fault::zero) sum = 0;
    if (fault == Fault::memory_layout && y.outerStride() != y.rows()) sum *= 1 + Sum(1e-6L);
    return static_cast<Scalar>(fault == Fault::sum ? sum : sum / static_cast<Sum>(y.cols()));
  }

  template <class Scalar>
  void gradient(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y, MatrixView<Scalar> dJ) const {
    const Scalar batch = static_cast<Scalar>(y.cols());
    dJ = (y_hat - y) / batch;
    if (fault == Fault::gradient) dJ(y.rows() - 1, 0) *= Scalar(1.0001);
    if (fault == Fault::divided_twice) dJ /= batch;
    if (fault == Fault::not_divided) dJ *= batch;
    if (fault == Fault::nan && y_hat.array().abs().maxCoeff() > 100) dJ(0, 0) /= 0;
    if (fault == Fault::writes_outside && dJ.outerStride() > dJ.rows()) *(dJ.data() + dJ.rows()) = 0;
  }

  template <class Scalar>
  void link(MatrixView<Scalar> z) const {
    if (fault == Fault::link) z = z.array().exp();  // e^10000 overflows
  }
};

/// Faulty with second derivatives and y_hat = 2 z as its link, with one fault.
struct FaultyTwice : Faulty {
  template <class Scalar>
  void gradient_jvp(ConstMatrixView<Scalar>, ConstMatrixView<Scalar> y, ConstMatrixView<Scalar> direction, MatrixView<Scalar> out) const {
    out = direction / static_cast<Scalar>(y.cols());
    if (fault == Fault::gradient_jvp) out(y.rows() - 1, 0) *= Scalar(1.0001);
    if (fault == Fault::jvp_writes_outside && out.outerStride() > out.rows()) *(out.data() + out.rows()) = 0;
  }
  template <class Scalar>
  void link(MatrixView<Scalar> z) const {
    z *= 2;
    if (fault == Fault::asymmetric_link) z.row(0) += z.row(z.rows() - 1);
  }
  template <class Scalar>
  void link_jvp(ConstMatrixView<Scalar> prediction, MatrixView<Scalar> tangent) const {
    tangent *= 2;
    if (fault == Fault::asymmetric_link) tangent.row(0) += tangent.row(tangent.rows() - 1);
    if (fault == Fault::link_jvp) tangent.rightCols(tangent.cols() - prediction.cols()) /= 2;  // differentiates the first tangent alone
  }
};

ContractReport report_of(Fault fault) { return testing::check_loss<float>(Faulty{fault}, testing::random_matrix<float>); }

void check_found(Fault fault, const char* clause, std::initializer_list<const char*> words) {
  check_broken(report_of(fault), clause, words);
}

}  // namespace

TEST_CASE("a loss without a fault satisfies the contract, and the report lists its clauses", "[contract]") {
  const ContractReport report = report_of(Fault::none);
  CHECK(report.to_string() == "Faulty satisfies the contract of a loss, in float: 8 clauses");
  using Names = std::vector<std::string>;
  CHECK(report.clauses ==
        Names{"name", "targets", "value", "gradient", "mean over the batch", "memory layout", "extreme outputs", "large batch"});
}

TEST_CASE("check_loss finds a wrong gradient", "[contract]") {
  check_found(Fault::gradient, "gradient",
              {"Faulty VIOLATES the contract of a loss, in float", "gradient: dJ/dy_hat(0, 0) is ",
               ", but a central difference of J gives ", "in a batch of "});
}

TEST_CASE("check_loss finds a value or gradient that is divided by the batch twice or not at all", "[contract]") {
  check_found(Fault::divided_twice, "gradient", {"in a batch of 6: is it divided by the batch twice, or J not at all?"});
  check_found(Fault::divided_twice, "mean over the batch", {"with every sample twice dJ/dy_hat(0, 0) is "});
  check_found(Fault::not_divided, "gradient", {"in a batch of 6: J is divided by the batch, is its gradient?"});
  check_found(Fault::sum, "mean over the batch",
              {"J of a batch of 1 is ", ", but with every sample twice it is ", "only the loss divides"});
}

TEST_CASE("check_loss finds a sum of floats whose rounding errors add up", "[contract]") {
  check_found(Fault::float_sum, "large batch",
              {"large batch: J of a sample is ", "of 262144 times the same", "keep the sum of floats in a double"});
}

TEST_CASE("check_loss finds a J that is 0 for wrong predictions", "[contract]") {
  check_found(Fault::zero, "value",
              {"value: J is 0 for predictions that differ from the targets; if J may be 0 or negative there, set .positive = false"});
}

TEST_CASE("check_loss finds NaN and infinity for extreme outputs", "[contract]") {
  check_found(Fault::nan, "extreme outputs", {"extreme outputs: dJ/dy_hat is not finite for outputs of -1e4 and 10000"});
  check_found(Fault::link, "extreme outputs", {"extreme outputs: the prediction is not finite"});
}

TEST_CASE("check_loss finds results that depend on the memory layout, and numbers written between columns", "[contract]") {
  check_found(Fault::memory_layout, "memory layout", {"memory layout: J is ", " for the same numbers in columns with an outer stride"});
  check_found(Fault::writes_outside, "memory layout",
              {"memory layout: dJ/dy_hat has other bits if columns have an outer stride, or gradient writes between"});
}

TEST_CASE("check_loss checks gradient_jvp and link_jvp of a loss that has them") {
  const auto report = [](Fault fault) { return testing::check_loss<float>(FaultyTwice{{fault}}, testing::random_matrix<float>); };
  CHECK(report(Fault::none).to_string() == "Faulty satisfies the contract of a loss, in float: 10 clauses");
  check_broken(report(Fault::gradient_jvp), "gradient_jvp", {"gradient_jvp: gradient_jvp(0, 0) is ", ", but a central difference gives "});
  check_broken(report(Fault::jvp_writes_outside), "memory layout", {"gradient_jvp gives other bits if columns have an outer stride"});
  check_broken(report(Fault::link_jvp), "link_jvp", {"link_jvp of a second tangent(0, 0) is ", ", but a central difference gives "});
  check_broken(report(Fault::asymmetric_link), "link_jvp",
               {"the Jacobian of the link H must be symmetric, but for two directions <a, H b> is"});
}

TEST_CASE("check_loss finds valid targets that are refused and NaN that is accepted", "[contract]") {
  check_found(Fault::refuses_targets, "targets", {"targets: check(y_hat, y) refuses a valid target: Faulty takes nothing"});
  check_found(Fault::accepts_nan, "targets", {"targets: check(y_hat, y) must throw ValueError for a y with a NaN"});
}
