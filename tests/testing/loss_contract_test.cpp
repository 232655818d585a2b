// Each clause finds the fault that it is there for.

#include <chainrule/testing/loss_contract.hpp>

#include "support/contract.hpp"

using namespace chainrule;
using chainrule_test::check_broken;

namespace {

enum class Fault { none, refuses, takes_nan, zero, gradient, divided_twice, not_divided, sum, nan, drifts, place, writes_beside, link };

/// Half the squared error, the mean over the batch, with one fault.
struct Faulty {
  static constexpr std::string_view name = "Faulty";
  static constexpr bool works_on_logits = false;
  static constexpr Index min_outputs = 1;
  Fault fault = Fault::none;

  template <class Scalar>
  void check(ConstMatrixView<Scalar>, ConstMatrixView<Scalar> y) const {
    if (fault == Fault::refuses) throw ValueError("Faulty takes nothing");
    if (fault != Fault::takes_nan && !y.allFinite()) throw ValueError("Faulty takes numbers");
  }

  template <class Scalar>
  Scalar value(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y) const {
    using Sum = detail::Accumulator<Scalar>;
    Sum sum = 0;
    Scalar drifting = 0;
    for (Index j = 0; j < y.cols(); ++j)
      for (Index i = 0; i < y.rows(); ++i) {
        const Sum error = static_cast<Sum>(y_hat(i, j)) - static_cast<Sum>(y(i, j));
        sum += error * error / 2;
        drifting += static_cast<Scalar>(error * error / 2);
      }
    if (fault == Fault::drifts) sum = drifting;
    if (fault == Fault::zero) sum = 0;
    if (fault == Fault::place && y.outerStride() != y.rows()) sum *= 1 + Sum(1e-6L);
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
    if (fault == Fault::writes_beside && dJ.outerStride() > dJ.rows()) *(dJ.data() + dJ.rows()) = 0;
  }

  template <class Scalar>
  void link(MatrixView<Scalar> z) const {
    if (fault == Fault::link) z = z.array().exp();  // no softmax: e^10000
  }
};

ContractReport report_of(Fault fault) { return testing::check_loss<float>(Faulty{fault}, testing::random_matrix<float>); }

void check_found(Fault fault, const char* clause, std::initializer_list<const char*> words) {
  check_broken(report_of(fault), clause, words);
}

}  // namespace

TEST_CASE("a loss without a fault keeps its contract, of which the report counts the clauses", "[contract]") {
  const ContractReport report = report_of(Fault::none);
  CHECK(report.to_string() == "Faulty keeps the contract of a loss, in float: 8 clauses");
  using Names = std::vector<std::string>;
  CHECK(report.clauses == Names{"name", "targets", "value", "gradient", "mean over the batch", "place", "extreme outputs", "long mean"});
}

TEST_CASE("the contract of a loss finds a wrong gradient", "[contract]") {
  check_found(Fault::gradient, "gradient",
              {"Faulty BREAKS the contract of a loss, in float", "gradient: dJ/dy_hat(0, 0) is ", ", but a central difference of J gives ",
               "in a batch of "});
}

TEST_CASE("the contract of a loss finds what is divided by the batch twice, or never", "[contract]") {
  check_found(Fault::divided_twice, "gradient", {"in a batch of 6: is it divided by the batch twice, or J not at all?"});
  check_found(Fault::divided_twice, "mean over the batch", {"with every sample twice dJ/dy_hat(0, 0) is "});
  check_found(Fault::not_divided, "gradient", {"in a batch of 6: J is divided by the batch, is its gradient?"});
  check_found(Fault::sum, "mean over the batch", {"J of a batch of 1 is ", ", but with every sample twice it is ", "nobody but the loss"});
}

TEST_CASE("the contract of a loss finds a mean of floats that drifts", "[contract]") {
  check_found(Fault::drifts, "long mean",
              {"long mean: J of a sample is ", "of 262144 times the same", "keep the sum of floats in a double"});
}

TEST_CASE("the contract of a loss finds J that says nothing", "[contract]") {
  check_found(Fault::zero, "value", {"value: J is 0 for targets that are not met; if it may be 0 or less there, say .positive = false"});
}

TEST_CASE("the contract of a loss finds NaN and infinity for extreme outputs", "[contract]") {
  check_found(Fault::nan, "extreme outputs", {"extreme outputs: dJ/dy_hat is not finite for outputs of -1e4 and 10000"});
  check_found(Fault::link, "extreme outputs", {"extreme outputs: the prediction is not finite"});
}

TEST_CASE("the contract of a loss finds what depends on where its arguments lie, or is written between them", "[contract]") {
  check_found(Fault::place, "place", {"place: J is ", " of the same numbers in columns that lie apart"});
  check_found(Fault::writes_beside, "place", {"place: dJ/dy_hat has other bits where columns lie apart, or something is written between"});
}

TEST_CASE("the contract of a loss finds targets that are refused, and NaN that is not", "[contract]") {
  check_found(Fault::refuses, "targets", {"targets: check(y_hat, y) refuses a target that is one: Faulty takes nothing"});
  check_found(Fault::takes_nan, "targets", {"targets: check(y_hat, y) must throw ValueError for a y with a NaN"});
}
