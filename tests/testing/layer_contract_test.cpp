// For each clause of the contract, a layer with a fault that the clause must find.

#include <chainrule/core/shape_preserving_layer.hpp>
#include <chainrule/testing/layer_contract.hpp>

#include "support/contract.hpp"

using namespace chainrule;
using chainrule_test::check_broken;

namespace {

enum class Fault {
  none,
  gradient,
  dJ_dx,
  reads_beyond_batch,
  uses_old_numbers,
  needs_dJ_dx,
  mixes_samples,
  ignores_stride,
  writes_outside,
  not_initialized,
  same_names,
  parameter_count,
  fixed_differs
};

/// a = scale * x + shift for each unit, with one fault.
template <int N>
struct Faulty : SameShape<N> {
  static constexpr std::string_view name = "Faulty";
  static constexpr Index parameters_at_compile_time = Dynamic;
  Fault fault = Fault::none;

  explicit Faulty(Fault f) requires(N != Dynamic) : fault{f} {}
  Faulty(Index units, Fault f) : SameShape<N>("Faulty", units), fault{f} {}

  Index units() const { return this->inputs(); }
  std::array<TensorShape, 2> tensors() const {
    return {{{"scale", units(), 1}, {fault == Fault::same_names ? "scale" : "shift", units(), 1}}};
  }
  template <class Scalar>
  struct Parameters {
    TensorView<Scalar, N> scale, shift;
  };
  template <class Scalar>
  Parameters<Scalar> parameters(Scalar* theta) const {
    return {{theta, units()}, {theta + units(), units()}};
  }
  template <class Scalar>
  void initialize(Scalar* theta, Random&) const {
    std::fill_n(theta, units(), Scalar{1});
    if (fault != Fault::not_initialized) std::fill_n(theta + units(), units(), Scalar{0});
  }

  template <class Scalar, int MaxBatch>
  struct Cache {
    Cache(const Faulty& layer, Index largest_batch) : output(layer.outputs(), largest_batch), max_batch{largest_batch} {}
    BatchStorage<Scalar, N, MaxBatch> output;
    Index max_batch;
  };

  template <class Scalar, int MaxBatch>
  void forward(const Scalar* theta, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache) const {
    const auto [scale, shift] = parameters(theta);
    MatrixView<Scalar> a = cache.output.first(x.cols());
    const Scalar before = a(0, 0);
    for (Index j = 0; j < x.cols(); ++j) a.col(j) = x.col(j).cwiseProduct(scale) + shift;
    if (fault == Fault::mixes_samples) a.rowwise() -= a.row(0) / 10;
    if (fault == Fault::mixes_samples) a.colwise() -= a.rowwise().mean();
    if (fault == Fault::uses_old_numbers) a(0, 0) += before / 1000;
    if (fault == Fault::ignores_stride && x.cols() > 1) a(1, 1) = x.data()[x.rows() + 1] * scale[1] + shift[1];
    if (fault == Fault::fixed_differs && N != Dynamic) a(0, 0) *= Scalar(1.000001);
  }

  template <class Scalar, int MaxBatch>
  void backward(const Scalar* theta, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache, MatrixView<Scalar> delta, Scalar* gradient,
                MatrixView<Scalar>* dJ_dx) const {
    const auto [scale, shift] = parameters(theta);
    const auto dJ = parameters(gradient);
    if (fault == Fault::needs_dJ_dx && dJ_dx == nullptr) return;
    auto d_scale = dJ.scale, d_shift = dJ.shift;
    d_scale.setZero();
    d_shift.setZero();
    for (Index j = 0; j < x.cols(); ++j) {  // in this order for any extents; Eigen sums in an order that depends on them
      d_scale += delta.col(j).cwiseProduct(x.col(j));
      d_shift += delta.col(j);
    }
    if (fault == Fault::gradient) d_scale[2] *= 2;
    if (fault == Fault::reads_beyond_batch && cache.max_batch > x.cols()) d_shift += cache.output.first(cache.max_batch).rightCols(1);
    if (dJ_dx == nullptr) return;
    for (Index j = 0; j < x.cols(); ++j) dJ_dx->col(j) = delta.col(j).cwiseProduct(scale);
    if (fault == Fault::dJ_dx) (*dJ_dx)(1, 3) *= -1;
    if (fault == Fault::writes_outside && dJ_dx->outerStride() > dJ_dx->rows()) *(dJ_dx->data() + dJ_dx->rows()) = 0;
  }
};

/// Declares one parameter more than its tensors have.
template <int N>
struct Miscounted : Faulty<N> {
  using Faulty<N>::Faulty;
  static constexpr Index parameters_at_compile_time = N == Dynamic ? Dynamic : Index{11};
};

ContractReport report_of(Fault fault) {
  LayerProperties properties;
  if (fault == Fault::none || fault == Fault::parameter_count) properties.initial_parameters = {1, 1, 1, 1, 1, 0, 0, 0, 0, 0};
  if (fault == Fault::parameter_count) properties.initial_parameters.push_back(0);
  return testing::check_layer(Faulty<5>{fault}, Faulty<Dynamic>{5, fault}, properties);
}

void check_found(Fault fault, const char* clause, std::initializer_list<const char*> words) {
  check_broken(report_of(fault), clause, words);
}

}  // namespace

TEST_CASE("a layer without a fault satisfies the contract, and the report lists its clauses", "[contract]") {
  const ContractReport report = report_of(Fault::none);
  CHECK(report.to_string() == "Faulty satisfies the contract of a layer, in double: 9 clauses");
  using Names = std::vector<std::string>;
  CHECK(report.clauses == Names{"name", "tensors", "initial parameters", "gradient", "without dJ/dx", "short batch", "single samples",
                                "strided columns", "fixed and dynamic"});
  CHECK(testing::check_layer(Faulty<Dynamic>{5, Fault::none}).clauses.size() == 8);
  CHECK(testing::check_layer<float>(Faulty<5>{Fault::none}).to_string() == "Faulty satisfies the contract of a layer, in float: 8 clauses");
}

TEST_CASE("check_layer finds a wrong backward pass and names the entry", "[contract]") {
  check_found(Fault::gradient, "gradient",
              {"Faulty VIOLATES the contract of a layer, in double, ", "gradient: gradient check FAILED", "worst relative error 0.5",
               "at layer<0>.scale(2, 0)"});
  check_found(Fault::dJ_dx, "gradient", {"worst relative error 2 at x(1, 3)"});
}

TEST_CASE("check_layer finds numbers read beyond the batch or left over from the batch before", "[contract]") {
  check_found(Fault::reads_beyond_batch, "short batch",
              {"short batch: a batch of 2 after one of 7 gives other outputs", "beyond its batch"});
  check_found(Fault::uses_old_numbers, "short batch", {"or numbers left over from the batch before?"});
}

TEST_CASE("check_layer finds a gradient that is wrong without dJ/dx", "[contract]") {
  check_found(Fault::needs_dJ_dx, "without dJ/dx", {"without dJ/dx: backward gives another dJ/dtheta if no dJ/dx is requested"});
}

TEST_CASE("check_layer finds samples that depend on one another, unless the properties allow it", "[contract]") {
  check_found(Fault::mixes_samples, "single samples", {"single samples: the outputs of a batch of 7", "set .samples_independent = false"});
  const LayerProperties properties{.samples_independent = false};
  CHECK_FALSE(testing::check_layer(Faulty<Dynamic>{5, Fault::mixes_samples}, properties).is_broken("single samples"));
}

TEST_CASE("check_layer compares no straight-through gradients with differences", "[contract]") {
  const ContractReport report = testing::check_layer(Faulty<Dynamic>{5, Fault::gradient}, {.straight_through = true});
  CHECK(report.failures.empty());
  using Names = std::vector<std::string>;
  CHECK(report.clauses ==
        Names{"name", "tensors", "initial parameters", "without dJ/dx", "short batch", "single samples", "strided columns"});
}

TEST_CASE("check_layer finds an ignored outer stride and numbers written between columns", "[contract]") {
  check_found(Fault::ignores_stride, "strided columns", {"strided columns: three steps give other numbers, or NaN", "use outerStride()"});
  check_found(Fault::writes_outside, "strided columns", {"strided columns: backward writes outside dJ/dx"});
}

TEST_CASE("check_layer finds parameters that are not set or differ from the expected ones", "[contract]") {
  check_found(Fault::not_initialized, "initial parameters", {"initial parameters: initialize() leaves a parameter NaN or infinite"});
  check_found(Fault::parameter_count, "initial parameters",
              {"a new layer has other parameters (10 of them) than the 11 of .initial_parameters"});
}

TEST_CASE("check_layer finds tensors with the same name and a wrong number of parameters", "[contract]") {
  check_found(Fault::same_names, "tensors", {"tensors: each tensor needs a name that no other tensor of the layer has"});
  ContractReport report;
  testing::check_tensors(report, Miscounted<5>{Fault::none});
  CHECK(report.failures == std::vector<std::string>{"tensors: parameters_at_compile_time says 11 parameters, but tensors() has 10"});
}

TEST_CASE("check_layer finds a fixed layer that differs from the dynamic one", "[contract]") {
  check_found(Fault::fixed_differs, "fixed and dynamic", {"fixed and dynamic: three steps give other numbers with fixed extents"});
}

namespace {

enum class DerivativeFault {
  none,
  jvp,
  vjp,
  samples,
  samples_by_x,
  norms,
  first_derivative,
  second_derivative,
  theta_direction,
  by_theta,
  by_x,
  by_jet
};

/// a = w x^2 for each unit, with its derivatives by x, and one fault in them.
struct Squaring : SameShape<3> {
  static constexpr std::string_view name = "Squaring";
  static constexpr Index parameters_at_compile_time = 3;
  DerivativeFault fault;

  explicit Squaring(DerivativeFault f = DerivativeFault::none) : fault{f} {}
  std::array<TensorShape, 1> tensors() const { return {{{"w", 3, 1}}}; }
  template <class Scalar>
  struct Parameters {
    TensorView<Scalar, 3> w;
  };
  template <class Scalar>
  Parameters<Scalar> parameters(Scalar* theta) const {
    return {TensorView<Scalar, 3>(theta)};
  }
  template <class Scalar>
  void initialize(Scalar* theta, Random&) const {
    std::fill_n(theta, 3, Scalar{1});
  }
  template <class Scalar, int MaxBatch>
  struct Cache {
    Cache(const Squaring& layer, Index max_batch) : output(layer.outputs(), max_batch) {}
    BatchStorage<Scalar, 3, MaxBatch> output;
  };
  template <class Scalar, int MaxBatch>
  void forward(const Scalar* theta, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache) const {
    const auto w = parameters(theta).w;
    for (Index j = 0; j < x.cols(); ++j) cache.output.first(x.cols()).col(j) = w.cwiseProduct(x.col(j).cwiseAbs2());
  }
  template <class Scalar, int MaxBatch>
  void backward(const Scalar* theta, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache, MatrixView<Scalar> delta, Scalar* gradient,
                MatrixView<Scalar>* dJ_dx) const {
    parameters(gradient).w = delta.cwiseProduct(x.cwiseAbs2()).rowwise().sum();
    if (dJ_dx != nullptr) jvp(theta, x, cache, detail::as_const(delta), *dJ_dx);
  }
  template <class Scalar, int MaxBatch>
  void jvp(const Scalar* theta, ConstMatrixView<Scalar> x, const Cache<Scalar, MaxBatch>&, ConstMatrixView<Scalar> direction,
           MatrixView<Scalar> derivative) const {
    const auto w = parameters(theta).w;
    for (Index k = 0; k < direction.cols(); ++k) derivative.col(k) = 2 * w.cwiseProduct(x.col(k % x.cols())).cwiseProduct(direction.col(k));
    if (fault == DerivativeFault::jvp && direction.cols() > x.cols()) derivative(0, x.cols()) *= 2;
  }
  template <class Scalar, int MaxBatch>
  void vjp(const Scalar* theta, ConstMatrixView<Scalar> x, const Cache<Scalar, MaxBatch>& cache, MatrixView<Scalar> delta,
           MatrixView<Scalar>& input_gradient) const {
    Squaring{}.jvp(theta, x, cache, detail::as_const(delta), input_gradient);
    if (fault == DerivativeFault::vjp) input_gradient(2, 1) *= 2;
  }
  template <class Scalar, int MaxBatch>
  void sample_gradients(const Scalar* theta, ConstMatrixView<Scalar> x, const Cache<Scalar, MaxBatch>& cache, MatrixView<Scalar> delta,
                        const SampleGradients<Scalar>& gradients, MatrixView<Scalar>* input_gradient) const {
    for (Index c = 0; c < delta.cols(); ++c) {
      Vector<Scalar> dw = delta.col(c).cwiseProduct(x.col(gradients.sample_of(c)).cwiseAbs2());
      if (fault == DerivativeFault::samples && c == x.cols()) dw[1] += 1;
      if (fault == DerivativeFault::norms && delta.cols() == x.cols()) dw[1] += 1;
      gradients.numbers(c, 0, 3, dw.data());
    }
    if (input_gradient == nullptr) return;
    Squaring{}.vjp(theta, x, cache, delta, *input_gradient);
    if (fault == DerivativeFault::samples_by_x) (*input_gradient)(0, 0) += 1;
  }

  template <class Scalar>
  struct JetCache {
    JetCache(const Squaring& layer, Index, Index max_columns) : output(layer.outputs(), max_columns) {}
    BatchStorage<Scalar, Dynamic, Dynamic> output;
  };
  template <class Scalar, int MaxBatch>
  void forward_jet(const Scalar* theta, const Scalar* theta_direction, ConstMatrixView<Scalar> x, const Cache<Scalar, MaxBatch>& cache,
                   const JetShape& shape, ConstMatrixView<Scalar> jet, JetCache<Scalar>& result) const {
    MatrixView<Scalar> a = result.output.first(shape.columns());
    Squaring{}.jvp(theta, x, cache, jet, a);
    const auto w = parameters(theta).w;
    for (const SecondDerivativeTerm& term : shape.terms) {
      MatrixView<Scalar> a_p = shape.second_of(a, term.second);
      for (Index j = 0; j < shape.batch; ++j)
        a_p.col(j) += static_cast<Scalar>(2 * term.coefficient) *
                      w.cwiseProduct(shape.first_of(jet, term.k).col(j)).cwiseProduct(shape.first_of(jet, term.l).col(j));
    }
    if (theta_direction != nullptr)
      for (Index j = 0; j < shape.batch; ++j) a.col(j) += parameters(theta_direction).w.cwiseProduct(x.col(j).cwiseAbs2());
    if (fault == DerivativeFault::first_derivative) a(0, 0) += 1;
    if (fault == DerivativeFault::second_derivative && shape.second > 0) shape.second_of(a, 1)(0, 0) += 1;
    if (fault == DerivativeFault::theta_direction && theta_direction != nullptr) a(0, 0) += 1;
  }
  template <class Scalar, int MaxBatch>
  void backward_jet(const Scalar* theta, const Scalar* theta_direction, ConstMatrixView<Scalar> x, const Cache<Scalar, MaxBatch>&,
                    const JetShape& shape, ConstMatrixView<Scalar> jet, const JetCache<Scalar>&, MatrixView<Scalar> delta,
                    MatrixView<Scalar> deltas, Scalar* gradient, MatrixView<Scalar>* by_x, MatrixView<Scalar>* by_jet) const {
    Vector<Scalar> dw = delta.cwiseProduct(x.cwiseAbs2()).rowwise().sum();
    const auto w = parameters(theta).w;
    Matrix<Scalar> dx = (2 * w).asDiagonal() * x.cwiseProduct(delta), d_jet(3, shape.columns());
    for (Index c = 0; c < shape.channels(); ++c) {
      const Index first = c * shape.batch;
      const Matrix<Scalar> d = deltas.middleCols(first, shape.batch), x_c = jet.middleCols(first, shape.batch);
      dw += 2 * d.cwiseProduct(x).cwiseProduct(x_c).rowwise().sum();
      dx += (2 * w).asDiagonal() * d.cwiseProduct(x_c);
      d_jet.middleCols(first, shape.batch) = (2 * w).asDiagonal() * d.cwiseProduct(x);
    }
    for (const SecondDerivativeTerm& term : shape.terms) {
      const Matrix<Scalar> d = static_cast<Scalar>(2 * term.coefficient) * shape.second_of(deltas, term.second);
      const Matrix<Scalar> k = shape.first_of(jet, term.k), l = shape.first_of(jet, term.l);
      dw += d.cwiseProduct(k).cwiseProduct(l).rowwise().sum();
      d_jet.middleCols(term.k * shape.batch, shape.batch) += w.asDiagonal() * d.cwiseProduct(l);
      d_jet.middleCols(term.l * shape.batch, shape.batch) += w.asDiagonal() * d.cwiseProduct(k);
    }
    if (theta_direction != nullptr) dx += (2 * parameters(theta_direction).w).asDiagonal() * x.cwiseProduct(deltas.leftCols(shape.batch));
    if (fault == DerivativeFault::by_theta) dw[1] += 1;
    if (fault == DerivativeFault::by_x) dx(1, 1) += 1;
    if (fault == DerivativeFault::by_jet) d_jet(1, shape.batch) += 1;
    if (gradient != nullptr) parameters(gradient).w = dw;
    if (by_x != nullptr) *by_x = dx;
    if (by_jet != nullptr) *by_jet = d_jet;
  }
};

}  // namespace

TEST_CASE("check_layer finds wrong derivatives by x, and names the clause", "[contract]") {
  const auto check_clause = [](DerivativeFault fault, const char* clause, std::initializer_list<const char*> words) {
    check_broken(testing::check_layer(Squaring{fault}), clause, words);
  };
  const ContractReport report = testing::check_layer(Squaring{});
  CHECK(report.to_string() == "Squaring satisfies the contract of a layer, in double: 14 clauses");
  CHECK(std::vector(report.clauses.end() - 5, report.clauses.end()) ==
        std::vector<std::string>{"jvp", "vjp", "sample_gradients", "forward_jet", "backward_jet"});
  check_clause(DerivativeFault::jvp, "jvp", {"jvp: it differs by", "from the central difference of forward in prediction mode"});
  check_clause(DerivativeFault::vjp, "vjp", {"vjp: v^T jvp(u) is", "but vjp(v)^T u is"});
  check_clause(DerivativeFault::samples, "sample_gradients", {"sample_gradients: a gradient by theta differs by"});
  check_clause(DerivativeFault::samples_by_x, "sample_gradients", {"sample_gradients: dJ/dx differs by"});
  check_clause(DerivativeFault::norms, "sample_gradients", {"sample_gradients: the norm of a gradient is"});
  check_clause(DerivativeFault::first_derivative, "forward_jet", {"forward_jet: the jet of the output differs by"});
  check_clause(DerivativeFault::second_derivative, "forward_jet", {"forward_jet: the jet of the output differs by"});
  check_clause(DerivativeFault::theta_direction, "forward_jet", {"the jet of the output with a direction of theta differs by"});
  check_clause(DerivativeFault::by_theta, "backward_jet", {"backward_jet: the gradient by theta differs by"});
  check_clause(DerivativeFault::by_x, "backward_jet", {"backward_jet: the gradient by x differs by"});
  check_clause(DerivativeFault::by_jet, "backward_jet", {"backward_jet: the gradient by the jet of x differs by"});
}
