#pragma once

#include <algorithm>
#include <array>
#include <chainrule/core/detail/checks.hpp>
#include <chainrule/core/quantization.hpp>
#include <chainrule/core/shape_preserving_layer.hpp>
#include <chainrule/layers/detail/output_jet.hpp>

namespace chainrule {

/// Rounds numbers to the 256 steps of an int8 and gives them as real numbers again, so that a network learns with the rounding of the
/// quantized network that quantize makes of it (Jacob et al. 2018, section 3; PyTorch's FakeQuantize with MovingAverageMinMaxObserver):
///
///     a = scale (q - zero_point),  q = x / scale rounded + zero_point, from -128 to 127
///
/// scale and zero_point are those of the range from the buffer low to the buffer high. After each training step
/// net.update_statistics(work), which the Trainer calls, moves the range towards that of the batch; the first batch sets it:
///
///     low <- low + momentum (smallest x of the batch - low),  high <- high + momentum (largest x of the batch - high)
///
/// A training pass before that uses the range of its own batch, and prediction throws StateError; all other passes use the range. The
/// gradient goes straight through: it is that of a = x where x is in the range or rounds to an end of it, and 0 elsewhere. Momentum 0
/// freezes a range that is set. prepare_for_quantization puts these layers where they belong.
template <int N = Inferred>
class FakeQuantize : public SameShape<N>, public WithoutParameters {
 public:
  static constexpr std::string_view name = "FakeQuantize";  ///< the name in descriptions, files and messages
  static constexpr Index buffers_at_compile_time = 3;       ///< the number of buffers

  /// `momentum` is the share of the last batch in the range, from 0 to 1. Throws ValueError for others.
  explicit FakeQuantize(double momentum = 0.01) requires(N != Dynamic) : momentum_{checked(momentum)} {}
  /// Takes the number of units as a run-time value. Throws ShapeError if it is below 1 or contradicts N.
  explicit FakeQuantize(Index units, double momentum = 0.01) : SameShape<N>(name.data(), units), momentum_{checked(momentum)} {}

  /// The type of this layer with Units inputs, for a layer whose number of inputs is Inferred.
  template <int Units>
  using ForInputs = FakeQuantize<Units>;
  /// Returns this layer with `units` inputs, which is the number of outputs of the layer before.
  template <int Units>
  ForInputs<Units> for_inputs(Index units) const {
    return ForInputs<Units>(units, momentum_);
  }

  double momentum() const { return momentum_; }  ///< the share of the last batch in the range
  /// The hyperparameters with their names, for describe().
  auto hyperparameters() const { return std::tuple{Hyperparameter{"momentum", momentum_}}; }

  /// Names and shapes of the buffers, in the order of their flat vector.
  std::array<TensorShape, 3> buffer_tensors() const { return {{{"low", 1, 1}, {"high", 1, 1}, {"batches", 1, 1}}}; }
  /// The range, and the number of batches that it was learned from.
  template <class Scalar>
  struct Buffers {
    Scalar& low;      ///< the smallest number that is not changed by more than half a step
    Scalar& high;     ///< the largest number that is not changed by more than half a step
    Scalar& batches;  ///< the number of batches in the range; 0 where it is not set

    /// Sets the range, as one batch would. Throws ValueError unless low <= high are finite.
    void set(double new_low, double new_high) {
      check_range(static_cast<Scalar>(new_low), static_cast<Scalar>(new_high));
      low = static_cast<Scalar>(new_low);
      high = static_cast<Scalar>(new_high);
      batches = 1;
    }

    /// Prints the numbers with their names.
    template <class Stream>
    friend Stream& operator<<(Stream& out, const Buffers& views) {
      out << "low: " << views.low << "\nhigh: " << views.high << "\nbatches: " << views.batches << '\n';
      return out;
    }
  };
  /// The buffers by name, as references to this layer's slice of all buffers.
  template <class Scalar>
  Buffers<Scalar> buffers(Scalar* numbers) const {
    return {numbers[0], numbers[1], numbers[2]};
  }
  /// Sets the buffers to their initial values.
  template <class Scalar>
  void initialize_buffers(Scalar* numbers) const {
    std::fill_n(numbers, 3, Scalar{0});
  }

  /// Throws StateError for a prediction before there is a range, and ValueError where the buffers do not hold one.
  template <class Scalar>
  void check_pass(const ForwardContext<Scalar>& pass, Index) const {
    if (has_range(pass))
      check_range(buffers(pass.buffers).low, buffers(pass.buffers).high);
    else if (pass.mode == Mode::predict)
      detail::raise<StateError>(name,
                                " has no range to predict with; call net.update_statistics(work) after each training step, or set it: "
                                "net.buffers<0>().set(-1, 1)");
  }

  /// Storage that forward fills for backward, for up to max_batch samples; part of a Workspace.
  template <class Scalar, int MaxBatch>
  struct Cache {
    /// Allocates everything that passes over up to max_batch samples need.
    Cache(const FakeQuantize& layer, Index max_batch) : output(layer.outputs(), max_batch) {}
    SpacedBatchStorage<Scalar, N, MaxBatch> output;  ///< a(l+1), outputs x max_batch
    Quantization quantization;                       ///< scale and zero point of the last forward pass
    Scalar low = 0;                                  ///< the smallest number of the batch, after a pass in training
    Scalar high = 0;                                 ///< the largest number of the batch, after a pass in training
    Mode mode = Mode::predict;                       ///< the mode of the last forward pass
  };

  /// NaN stays NaN. Throws ValueError for a range beyond the numbers of float.
  ///
  ///     a = scale (q - zero_point),  q = x / scale rounded + zero_point, from -128 to 127        (N x batch)
  template <class Scalar, int MaxBatch>
  void forward(const Scalar*, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache, const ForwardContext<Scalar>& pass) const {
    cache.mode = pass.mode;
    if (pass.mode == Mode::train) {
      cache.low = x.minCoeff();
      cache.high = x.maxCoeff();
    }
    const bool is_known = has_range(pass);
    const Scalar low = is_known ? buffers(pass.buffers).low : cache.low, high = is_known ? buffers(pass.buffers).high : cache.high;
    const bool is_range = low == low && high == high;  // false where NaN is among the first numbers
    cache.quantization =
        detail::quantization_of<std::int8_t>(name, is_range ? static_cast<double>(low) : 0.0, is_range ? static_cast<double>(high) : 0.0);
    const Quantization of = cache.quantization;
    MatrixView<Scalar> a = cache.output.first(x.cols());
    for (Index j = 0; j < x.cols(); ++j)
      for (Index i = 0; i < x.rows(); ++i) {
        const Scalar x_i = x(i, j);
        a(i, j) =
            x_i == x_i ? static_cast<Scalar>(detail::dequantized(detail::quantized<std::int8_t>(static_cast<float>(x_i), of), of)) : x_i;
      }
  }

  ///     dJ/dx = dJ/da where x / scale + zero_point is from -128.5 to 127.5, 0 elsewhere        (N x batch)
  template <class Scalar, int MaxBatch>
  void backward(const Scalar*, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache, MatrixView<Scalar> delta, Scalar*,
                MatrixView<Scalar>* input_gradient) const {
    if (input_gradient != nullptr) straight_through(x, cache, detail::as_const(delta), *input_gradient);
  }

  /// Computes the straight-through derivative of a along directions dx, for the last forward pass.
  ///
  ///     da = dx where x is in the range, 0 elsewhere        (N x directions batch)
  template <class Scalar, int MaxBatch>
  void jvp(const Scalar*, ConstMatrixView<Scalar> x, const Cache<Scalar, MaxBatch>& cache, ConstMatrixView<Scalar> direction,
           MatrixView<Scalar> derivative) const {
    straight_through(x, cache, direction, derivative);
  }
  /// Computes dJ/dx from `delta`, which is dJ/da, as backward does.
  template <class Scalar, int MaxBatch>
  void vjp(const Scalar*, ConstMatrixView<Scalar> x, const Cache<Scalar, MaxBatch>& cache, MatrixView<Scalar> delta,
           MatrixView<Scalar>& input_gradient) const {
    straight_through(x, cache, detail::as_const(delta), input_gradient);
  }

  /// Storage that forward_jet fills, for jets of up to max_columns columns.
  template <class Scalar>
  using JetCache = detail::OutputJet<Scalar>;

  /// Computes the jet of a from the jet of x; straight through, the second derivative of a is 0.
  ///
  ///     a_c = x_c where x is in the range, 0 elsewhere, for each channel c
  template <class Scalar, int MaxBatch>
  void forward_jet(const Scalar*, const Scalar*, ConstMatrixView<Scalar> x, const Cache<Scalar, MaxBatch>& cache, const JetShape& shape,
                   ConstMatrixView<Scalar> jet, JetCache<Scalar>& result) const {
    straight_through(x, cache, jet, result.output.first(shape.columns()));
  }
  /// Computes the gradients by x and its jet from those by a and its jet, as backward does.
  template <class Scalar, int MaxBatch>
  void backward_jet(const Scalar*, const Scalar*, ConstMatrixView<Scalar> x, const Cache<Scalar, MaxBatch>& cache, const JetShape&,
                    ConstMatrixView<Scalar>, const JetCache<Scalar>&, MatrixView<Scalar> delta, MatrixView<Scalar> deltas, Scalar*,
                    MatrixView<Scalar>* input_gradient, MatrixView<Scalar>* jet_gradient) const {
    if (input_gradient == nullptr) return;
    straight_through(x, cache, detail::as_const(delta), *input_gradient);
    straight_through(x, cache, detail::as_const(deltas), *jet_gradient);
  }

  /// Moves the range towards that of the batch of the last forward pass, whose share is `share`, or the momentum where that is 0; sets it
  /// to that of the first batch. Keeps it if that pass was a prediction. Throws ValueError where the batch had NaN or infinity.
  template <class Scalar, int MaxBatch>
  void update_statistics(Scalar* numbers, const Cache<Scalar, MaxBatch>& cache, Index, double share = 0) const {
    if (cache.mode == Mode::predict) return;
    if (!detail::is_finite(cache.low) || !detail::is_finite(cache.high))
      detail::raise<ValueError>("update_statistics: the batch of ", name, " has NaN or infinity, which has no range");
    auto range = buffers(numbers);
    const Scalar m = range.batches > 0 ? static_cast<Scalar>(share == 0 ? momentum_ : share) : Scalar{1};
    range.low = (1 - m) * range.low + m * cache.low;
    range.high = (1 - m) * range.high + m * cache.high;
    range.batches += 1;
  }

 private:
  template <class Scalar>
  static void check_range(Scalar low, Scalar high) {
    if (!(detail::is_finite(low) && detail::is_finite(high) && low <= high))
      detail::raise<ValueError>(name, ": expected a range of finite numbers, but found ", low, " to ", high);
  }
  static double checked(double momentum) {
    if (!detail::is_within(momentum, 0, 1)) detail::raise<ValueError>(name, ": momentum must be from 0 to 1, got ", momentum);
    return momentum;
  }

  template <class Scalar>
  bool has_range(const ForwardContext<Scalar>& pass) const {
    return pass.buffers != nullptr && pass.buffers[2] > 0;
  }

  // out = v where x is in the range, 0 elsewhere, for each N x batch matrix of v, which are side by side
  template <class Scalar, int MaxBatch>
  static void straight_through(const ConstMatrixView<Scalar>& x, const Cache<Scalar, MaxBatch>& cache, const ConstMatrixView<Scalar>& v,
                               MatrixView<Scalar> out) {
    const float low = -128.5f - static_cast<float>(cache.quantization.zero_point);
    const float high = 127.5f - static_cast<float>(cache.quantization.zero_point);
    for (Index first = 0; first < v.cols(); first += x.cols())
      for (Index j = 0; j < x.cols(); ++j)
        for (Index i = 0; i < x.rows(); ++i) {
          const float steps = static_cast<float>(x(i, j)) / cache.quantization.scale;
          out(i, first + j) = steps >= low && steps <= high ? v(i, first + j) : Scalar{0};
        }
  }

  double momentum_;
};

}  // namespace chainrule
