#pragma once

#include <chainrule/core/shape_preserving_layer.hpp>
#include <chainrule/layers/detail/output_jet.hpp>
#include <cmath>
#include <concepts>

namespace chainrule {

namespace detail {

/// The template argument of Dropout: a number of units. A class, so that every compiler gets as far as the sentence about Dropout<0.2>:
/// clang before version 18 takes no floating-point number as a template argument.
struct DropoutUnits {
  int number;
  bool is_rate;

  template <std::integral Number>
  consteval DropoutUnits(Number units) : number{static_cast<int>(units)}, is_rate{false} {}
  template <std::floating_point Number>
  consteval DropoutUnits(Number) : number{Inferred}, is_rate{true} {}
};

/// The number of units that Dropout's template argument says.
template <DropoutUnits Units>
constexpr int units_of_dropout() {
  constexpr bool is_number_of_units = !Units.is_rate;
  static_assert(is_number_of_units,
                "chainrule: Dropout<N>: N is a number of units, which may be left out; the rate is an argument: Dropout<>{0.2}");
  return Units.number;
}

}  // namespace detail

/// Inverted dropout (Srivastava et al. 2014): training sets each number to 0 with probability `rate` and divides it by 1 - rate otherwise;
/// prediction changes nothing. Dropout<>{0.2} takes its number of units from the layer before. The default rate is 1/2, as in PyTorch.
///
/// The mask depends only on the seed and step of the workspace and on the position of the sample in the batch, not on threads or compilers.
template <detail::DropoutUnits Units = Inferred>
class Dropout : public SameShape<detail::units_of_dropout<Units>()>, public WithoutParameters {
  static constexpr int N = Units.number;

 public:
  static constexpr std::string_view name = "Dropout";  ///< the name in descriptions, files and messages

  /// `rate` is the share of units that a training pass sets to 0, in [0, 1). Throws ValueError for any other.
  explicit Dropout(double rate = 0.5) requires(N != Dynamic) : rate_{checked(rate)} {}
  /// Takes the number of units as a run-time value. Throws ShapeError if it is below 1 or contradicts N.
  Dropout(Index units, double rate) : SameShape<N>(name.data(), units), rate_{checked(rate)} {}

  /// The type of this layer with Units inputs, for a layer whose number of inputs is Inferred.
  template <int Inputs>
  using ForInputs = Dropout<Inputs>;
  /// Returns this layer with `units` inputs, which is the number of outputs of the layer before.
  template <int Inputs>
  ForInputs<Inputs> for_inputs(Index units) const {
    return {units, rate_};
  }

  double rate() const { return rate_; }  ///< the share of units that a training pass sets to 0
  /// The hyperparameters with their names, for describe().
  auto hyperparameters() const { return std::tuple{Hyperparameter{"rate", rate_}}; }

  /// Storage that forward fills for backward, for up to max_batch samples: the output and the mask m.
  template <class Scalar, int MaxBatch>
  struct Cache {
    /// Allocates everything that passes over up to max_batch samples need.
    Cache(const Dropout& layer, Index max_batch) : output(layer.outputs(), max_batch), mask(layer.outputs(), max_batch) {}
    SpacedBatchStorage<Scalar, N, MaxBatch> output;  ///< a(l+1), outputs x max_batch
    BatchStorage<Scalar, N, MaxBatch> mask;          ///< m, N x batch: 0 or 1/(1 - rate) for each number
    Mode mode = Mode::predict;                       ///< the mode of the last forward pass
  };

  ///     a(l+1) = m * a(l) in training, a(l) in prediction        (N x batch)
  template <class Scalar, int MaxBatch>
  void forward(const Scalar*, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache, const ForwardContext<Scalar>& pass) const {
    MatrixView<Scalar> a = cache.output.first(x.cols());
    cache.mode = pass.mode;
    if (pass.mode == Mode::predict) {
      a = x;
      return;
    }
    MatrixView<Scalar> m = cache.mask.first(x.cols());
    for (Index j = 0; j < x.cols(); ++j)
      draw_mask(Random{derived_seed(pass.seed, static_cast<std::uint64_t>(pass.first_sample + j))}, m.rows(),
                m.data() + j * m.outerStride());
    a = x.cwiseProduct(m);
  }

  ///     dJ/da(l) = m * dJ/da(l+1)        (N x batch)
  template <class Scalar, int MaxBatch>
  void backward(const Scalar*, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache, MatrixView<Scalar> delta, Scalar*,
                MatrixView<Scalar>* input_gradient) const {
    if (input_gradient != nullptr) *input_gradient = delta.cwiseProduct(cache.mask.first(x.cols()));
  }

  /// Copies the directions, since prediction changes nothing.
  template <class Scalar, int MaxBatch>
  void jvp(const Scalar*, ConstMatrixView<Scalar>, const Cache<Scalar, MaxBatch>&, ConstMatrixView<Scalar> direction,
           MatrixView<Scalar> derivative) const {
    derivative = direction;
  }
  /// Computes dJ/da(l) from `delta`, which is dJ/da(l+1).
  ///
  ///     dJ/da(l) = m * dJ/da(l+1) after a pass in training, dJ/da(l+1) after a prediction        (N x directions batch)
  template <class Scalar, int MaxBatch>
  void vjp(const Scalar*, ConstMatrixView<Scalar> x, const Cache<Scalar, MaxBatch>& cache, MatrixView<Scalar> delta,
           MatrixView<Scalar>& input_gradient) const {
    const Index batch = x.cols();
    if (cache.mode == Mode::predict)
      input_gradient = delta;
    else
      for (Index first = 0; first < delta.cols(); first += batch)
        input_gradient.middleCols(first, batch) = delta.middleCols(first, batch).cwiseProduct(cache.mask.first(batch));
  }

  /// Storage that forward_jet fills, for jets of up to max_columns columns.
  template <class Scalar>
  using JetCache = detail::OutputJet<Scalar>;

  /// Copies the jet, since prediction changes nothing.
  template <class Scalar, int MaxBatch>
  void forward_jet(const Scalar*, const Scalar*, ConstMatrixView<Scalar>, const Cache<Scalar, MaxBatch>&, const JetShape& shape,
                   ConstMatrixView<Scalar> jet, JetCache<Scalar>& result) const {
    result.output.first(shape.columns()) = jet;
  }
  /// Copies the gradients, since prediction changes nothing.
  template <class Scalar, int MaxBatch>
  void backward_jet(const Scalar*, const Scalar*, ConstMatrixView<Scalar>, const Cache<Scalar, MaxBatch>&, const JetShape&,
                    ConstMatrixView<Scalar>, const JetCache<Scalar>&, MatrixView<Scalar> delta, MatrixView<Scalar> deltas, Scalar*,
                    MatrixView<Scalar>* input_gradient, MatrixView<Scalar>* jet_gradient) const {
    if (input_gradient == nullptr) return;
    *input_gradient = delta;
    *jet_gradient = deltas;
  }

 private:
  static double checked(double rate) {
    detail::check_fraction(name, "the rate", rate);
    return rate;
  }

  // Draws the mask of one sample. Each unit takes 32 random bits: of every 64, first the lower 32.
  template <class Scalar>
  [[gnu::noinline]] void draw_mask(Random random, Index units, Scalar* mask) const {
    const Scalar kept = static_cast<Scalar>(1 / (1 - rate_));
    const auto dropped_below = static_cast<std::uint64_t>(std::llround(rate_ * 0x1p32));
    // The comparison is the sign of a difference, because a branch on random bits would be mispredicted half of the time.
    const auto number = [&](std::uint64_t bits) { return kept * static_cast<Scalar>(1 - static_cast<int>((bits - dropped_below) >> 63)); };
    Index i = 0;
    for (; i + 2 <= units; i += 2) {
      const std::uint64_t bits = random();
      mask[i] = number(bits & 0xffffffffu);
      mask[i + 1] = number(bits >> 32);
    }
    if (i < units) mask[i] = number(random() & 0xffffffffu);
  }

  double rate_;
};

}  // namespace chainrule
