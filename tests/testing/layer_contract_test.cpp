// Each clause finds the fault that it is there for.

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
  beyond_batch,
  left_over,
  needs_dJ_dx,
  mixes_samples,
  ignores_stride,
  writes_beside,
  not_initialized,
  same_names,
  count,
  fixed
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
    Cache(const Faulty& layer, Index max_batch) : output(layer.outputs(), max_batch), room{max_batch} {}
    BatchStorage<Scalar, N, MaxBatch> output;
    Index room;
  };

  template <class Scalar, int MaxBatch>
  void forward(const Scalar* theta, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache) const {
    const auto [scale, shift] = parameters(theta);
    MatrixView<Scalar> a = cache.output.first(x.cols());
    const Scalar before = a(0, 0);
    for (Index j = 0; j < x.cols(); ++j) a.col(j) = x.col(j).cwiseProduct(scale) + shift;
    if (fault == Fault::mixes_samples) a.rowwise() -= a.row(0) / 10;
    if (fault == Fault::mixes_samples) a.colwise() -= a.rowwise().mean();
    if (fault == Fault::left_over) a(0, 0) += before / 1000;
    if (fault == Fault::ignores_stride && x.cols() > 1) a(1, 1) = x.data()[x.rows() + 1] * scale[1] + shift[1];
    if (fault == Fault::fixed && N != Dynamic) a(0, 0) *= Scalar(1.000001);
  }

  template <class Scalar, int MaxBatch>
  void backward(const Scalar* theta, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache, MatrixView<Scalar> delta, Scalar* gradient,
                MatrixView<Scalar>* dJ_dx) const {
    const auto [scale, shift] = parameters(theta);
    const auto dJ = parameters(gradient);
    if (fault == Fault::needs_dJ_dx && dJ_dx == nullptr) return;
    auto d_scale = dJ.scale, d_shift = dJ.shift;
    d_scale = delta.cwiseProduct(x).rowwise().sum();
    d_shift = delta.rowwise().sum();
    if (fault == Fault::gradient) d_scale[2] *= 2;
    if (fault == Fault::beyond_batch && cache.room > x.cols()) d_shift += cache.output.first(cache.room).rightCols(1);
    if (dJ_dx == nullptr) return;
    for (Index j = 0; j < x.cols(); ++j) dJ_dx->col(j) = delta.col(j).cwiseProduct(scale);
    if (fault == Fault::dJ_dx) (*dJ_dx)(1, 3) *= -1;
    if (fault == Fault::writes_beside && dJ_dx->outerStride() > dJ_dx->rows()) *(dJ_dx->data() + dJ_dx->rows()) = 0;
  }
};

/// Says that it has one parameter too many.
template <int N>
struct Miscounted : Faulty<N> {
  using Faulty<N>::Faulty;
  static constexpr Index parameters_at_compile_time = N == Dynamic ? Dynamic : Index{11};
};

ContractReport report_of(Fault fault) {
  LayerFacts facts;
  if (fault == Fault::none || fault == Fault::count) facts.initial_parameters = {1, 1, 1, 1, 1, 0, 0, 0, 0, 0};
  if (fault == Fault::count) facts.initial_parameters.push_back(0);
  return testing::check_layer(Faulty<5>{fault}, Faulty<Dynamic>{5, fault}, facts);
}

void check_found(Fault fault, const char* clause, std::initializer_list<const char*> words) {
  check_broken(report_of(fault), clause, words);
}

}  // namespace

TEST_CASE("a layer without a fault keeps its contract, of which the report counts the clauses", "[contract]") {
  const ContractReport report = report_of(Fault::none);
  CHECK(report.to_string() == "Faulty keeps the contract of a layer, in double: 9 clauses");
  using Names = std::vector<std::string>;
  CHECK(report.clauses == Names{"name", "tensors", "initial parameters", "gradient", "without dJ/dx", "short batch", "samples alone",
                                "columns apart", "fixed and dynamic"});
  CHECK(testing::check_layer(Faulty<Dynamic>{5, Fault::none}).clauses.size() == 8);
  CHECK(testing::check_layer<float>(Faulty<5>{Fault::none}).to_string() == "Faulty keeps the contract of a layer, in float: 8 clauses");
}

TEST_CASE("the contract of a layer finds a wrong backward pass, and the entry", "[contract]") {
  check_found(Fault::gradient, "gradient",
              {"Faulty BREAKS the contract of a layer, in double, ", "gradient: gradient check FAILED", "worst relative error 0.5",
               "at layer<0>.scale(2, 0)"});
  check_found(Fault::dJ_dx, "gradient", {"worst relative error 2 at x(1, 3)"});
}

TEST_CASE("the contract of a layer finds what is read beyond the batch, or left over from one before", "[contract]") {
  check_found(Fault::beyond_batch, "short batch", {"short batch: a batch of 2 after one of 7 gives other outputs", "beyond its batch"});
  check_found(Fault::left_over, "short batch", {"or what is left over?"});
}

TEST_CASE("the contract of a layer finds a gradient that needs dJ/dx", "[contract]") {
  check_found(Fault::needs_dJ_dx, "without dJ/dx", {"without dJ/dx: backward gives another dJ/dtheta where no dJ/dx is wanted"});
}

TEST_CASE("the contract of a layer finds samples that depend on one another, unless they may", "[contract]") {
  check_found(Fault::mixes_samples, "samples alone", {"samples alone: the outputs of a batch of 7", "say .acts_on_samples = false"});
  const LayerFacts facts{.acts_on_samples = false};
  CHECK_FALSE(testing::check_layer(Faulty<Dynamic>{5, Fault::mixes_samples}, facts).is_broken("samples alone"));
}

TEST_CASE("the contract of a layer finds columns that are taken for neighbours, and numbers written between them", "[contract]") {
  check_found(Fault::ignores_stride, "columns apart", {"columns apart: three steps make other numbers, or NaN", "use outerStride()"});
  check_found(Fault::writes_beside, "columns apart", {"columns apart: backward writes beside dJ/dx"});
}

TEST_CASE("the contract of a layer finds parameters that are not set, or not as said", "[contract]") {
  check_found(Fault::not_initialized, "initial parameters", {"initial parameters: initialize() leaves a parameter NaN or infinite"});
  check_found(Fault::count, "initial parameters", {"a new layer has other parameters (10 of them) than the 11 of .initial_parameters"});
}

TEST_CASE("the contract of a layer finds tensors of one name, or another number of parameters", "[contract]") {
  check_found(Fault::same_names, "tensors", {"tensors: each tensor needs a name, and another than its neighbours"});
  ContractReport report;
  testing::check_tensors(report, Miscounted<5>{Fault::none});
  CHECK(report.failures == std::vector<std::string>{"tensors: parameters_at_compile_time says 11 parameters, but tensors() has 10"});
}

TEST_CASE("the contract of a layer finds a fixed layer that is not the dynamic one", "[contract]") {
  check_found(Fault::fixed, "fixed and dynamic", {"fixed and dynamic: three steps make other numbers where the extents are types"});
}
