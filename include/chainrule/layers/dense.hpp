#pragma once

#include <algorithm>
#include <array>
#include <chainrule/activations/identity.hpp>
#include <chainrule/core/concepts.hpp>
#include <chainrule/core/error.hpp>
#include <chainrule/core/product_precision.hpp>
#include <chainrule/kernels/elementwise.hpp>
#include <chainrule/kernels/layer_blocks.hpp>
#include <chainrule/kernels/layer_products.hpp>
#include <chainrule/kernels/small_layer.hpp>
#include <chainrule/layers/detail/elementwise_jet.hpp>
#include <chainrule/layers/sample_gradients.hpp>
#include <limits>

namespace chainrule {

/// Whether a Dense adds a bias.
enum class Bias {
  trained,  ///< z = W a + b, with b trained like W
  none,     ///< z = W a
};

/// A fully connected layer, a(l+1) = f(W(l) a(l) + b(l)): an affine map with an activation, like Dense in Keras or torch.nn.Linear followed
/// by an activation.
/// @code{.cpp}
/// Dense<64, 32, ReLU>{};                     // extents are types, checked by the compiler
/// Dense<Dynamic, Dynamic, ReLU>{64, 32};     // extents are values, checked when the network is built
/// Dense<64, 32, LeakyReLU>{LeakyReLU{0.2}};  // an activation with a parameter
/// @endcode
/// The parameters are weight (Out x In), drawn by the initializer Init, by default the activation's, and bias (Out), which starts at 0.
/// DenseWithoutBias is a Dense that has no bias; it computes the bits of one whose bias is 0.
template <int In, int Out, class F = Identity, class Init = decltype(std::declval<const F&>().default_initializer()),
          Bias kind_of_bias = Bias::trained>
class Dense {
  static_assert(In == Dynamic || In >= 1, "chainrule: Dense<In, Out>: In is the number of inputs: at least 1, or Dynamic");
  static_assert(Out == Dynamic || Out >= 1, "chainrule: Dense<In, Out>: Out is the number of outputs: at least 1, or Dynamic");
  static_assert(Activation<F>, "chainrule: Dense<In, Out, F>: F must be an activation, such as ReLU or Tanh (see core/concepts.hpp)");
  static_assert(Initializer<Init>,
                "chainrule: Dense<In, Out, F, Init>: Init must be an initializer, such as HeNormal (see core/concepts.hpp)");

 public:
  static constexpr bool has_bias = kind_of_bias == Bias::trained;  ///< whether b is a parameter; else z = W a
  /// The name in descriptions, files and messages.
  static constexpr std::string_view name = has_bias ? "Dense" : "DenseWithoutBias";
  static constexpr int inputs_at_compile_time = In;    ///< the number of inputs, or Dynamic, or Inferred
  static constexpr int outputs_at_compile_time = Out;  ///< the number of outputs, or Dynamic, or Inferred
  /// The number of parameters, or Dynamic.
  static constexpr Index parameters_at_compile_time = detail::extent_sum(detail::extent_product(Out, In), has_bias ? Out : 0);
  /// Whether backward computes dJ/dW and dJ/db of a frozen layer too. For a layer of at most 16 inputs and outputs, known at compile time,
  /// it takes tens of nanoseconds; vjp, which computes dJ/da(l) alone, needs products of any shape: 4 s of compiling and 18 KB of code.
  static constexpr bool gradient_is_cheap = kernels::is_small_layer(Out, In);
  using ActivationType = F;                                         ///< the type of the activation inside
  static constexpr bool is_identity = std::is_same_v<F, Identity>;  ///< whether there is no activation

  /// For extents given by the template arguments In and Out.
  explicit Dense(F f = F{}) requires(In != Dynamic && Out != Dynamic) : Dense(In, Out, f) {}

  /// Takes the extents as run-time values. Throws ShapeError for an extent below 1 and for one that contradicts In or Out.
  Dense(Index inputs, Index outputs, F f = F{}) : Dense(inputs, outputs, f, default_initializer(f)) {}

  /// Takes the extents, the activation and an initializer with hyperparameters of its own. Throws ShapeError for an extent below 1 and for
  /// one that contradicts In or Out.
  Dense(Index inputs, Index outputs, F f, Init initializer) : inputs_{inputs}, outputs_{outputs}, f_{f}, initializer_{initializer} {
    if (inputs < 1 || outputs < 1)
      detail::raise<ShapeError>(name, ": inputs and outputs must be at least 1, got ", inputs, " and ", outputs);
    if (outputs > ((std::numeric_limits<Index>::max)() / 16 - outputs) / inputs)
      detail::raise<ShapeError>(name, ": ", outputs, " x ", inputs, " weights are more than memory can address");
    if (inputs != inputs_.value() || outputs != outputs_.value())
      detail::raise<ShapeError>(name, ": its type says ", inputs_.value(), " inputs and ", outputs_.value(), " outputs, but it got ",
                                inputs, " and ", outputs);
  }

  Index inputs() const { return inputs_.value(); }              ///< the number of inputs, which is the number of rows of x
  Index outputs() const { return outputs_.value(); }            ///< the number of outputs, which is the number of rows of the output
  const F& activation() const { return f_; }                    ///< the activation inside
  std::string_view activation_name() const { return f_.name; }  ///< the name of the activation inside; empty if there is none
  /// Whether its outputs are divided by T if weight and bias are: it has no activation.
  constexpr bool scales_with_parameters() const { return detail::is_identity(f_); }
  /// Names and shapes of the parameters, in the order of the flat vector.
  std::array<TensorShape, has_bias ? 2 : 1> tensors() const {
    if constexpr (has_bias)
      return {{{"weight", outputs(), inputs(), true}, {"bias", outputs(), 1}}};
    else
      return {{{"weight", outputs(), inputs(), true}}};
  }

  /// A view of W in theta, or of dJ/dW in a gradient, for a layer without bias.
  template <class Scalar>
  struct WeightOnly {
    detail::MapOf<Scalar, Out, In> weight;  ///< W(l), Out x In

    /// Prints the tensor with its name, shape and numbers.
    template <class Stream>
    friend Stream& operator<<(Stream& out, const WeightOnly& views) {
      detail::print_tensor(out, "weight", views.weight);
      return out;
    }
  };
  /// Views of W and b in theta, or of dJ/dW and dJ/db in a gradient.
  template <class Scalar>
  struct WeightAndBias {
    detail::MapOf<Scalar, Out, In> weight;  ///< W(l), Out x In
    detail::MapOf<Scalar, Out, 1> bias;     ///< b(l), Out

    /// Prints the tensors with their names, shapes and numbers.
    template <class Stream>
    friend Stream& operator<<(Stream& out, const WeightAndBias& views) {
      detail::print_tensor(out, "weight", views.weight);
      detail::print_tensor(out, "bias", views.bias);
      return out;
    }
  };
  /// The views that parameters(theta) gives.
  template <class Scalar>
  using Parameters = std::conditional_t<has_bias, WeightAndBias<Scalar>, WeightOnly<Scalar>>;

  /// The parameters by name, as views on this layer's slice of theta or of dJ/dtheta.
  template <class Scalar>
  Parameters<Scalar> parameters(Scalar* theta) const {
    if constexpr (has_bias)
      return {{theta, outputs(), inputs()}, {bias_in(theta), outputs()}};
    else
      return {{theta, outputs(), inputs()}};
  }

  /// Draws the weights from `random` and sets all other parameters to their initial values.
  template <class Scalar>
  void initialize(Scalar* theta, Random& random) const {
    initializer_(std::span<Scalar>(theta, static_cast<std::size_t>(outputs() * inputs())), inputs(), outputs(), random);
    if constexpr (has_bias) std::fill_n(bias_in(theta), outputs(), Scalar{0});
  }

  /// Storage that forward fills for backward, for up to max_batch samples: a(l+1), and z(l+1) if f' is written with it.
  template <class Scalar, int MaxBatch>
  struct Cache {
    using Storage = SpacedBatchStorage<Scalar, Out, MaxBatch>;  ///< the type of output and z, Out x max_batch
    /// Takes the place of z if f' is written with a alone.
    struct Nothing {
      Nothing(Index, Index) {}  ///< has the constructor of Storage
    };
    /// Allocates everything that passes over up to max_batch samples need.
    Cache(const Dense& layer, Index max_batch) : output(layer.outputs(), max_batch), z(layer.outputs(), max_batch) {}
    Storage output;                                                                         ///< a(l+1), outputs x max_batch
    [[no_unique_address]] std::conditional_t<DerivativeFromOutput<F>, Nothing, Storage> z;  ///< z(l+1), if f' is written with it
    Team* team = nullptr;                       ///< the threads of the forward pass, used by backward too; null for one thread
    DenseProducts<Scalar>* products = nullptr;  ///< computes the products of both passes; null for products in Scalar
  };

  /// Computes z(l+1) and a(l+1) from x = a(l).
  ///
  ///     z(l+1) = W(l) a(l) + b(l)        (Out x batch), without b(l) where there is none
  ///     a(l+1) = f(z(l+1))
  template <class Scalar, int MaxBatch>
  void forward(const Scalar* theta, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache, const ForwardContext<Scalar>& pass) const {
    cache.team = pass.team;
    if constexpr (always_small) {
      small_forward(theta, x, cache);
    } else {
      cache.products = pass.products != nullptr && pass.products->takes(outputs(), inputs()) ? pass.products : nullptr;
      if (cache.products != nullptr) return forward_by(*cache.products, theta, x, cache);
      if (may_be_small && is_small<Scalar>(pass.team)) return small_forward(theta, x, cache);
      blocks_for(x.cols(), pass.team).for_activation(pass.mode == Mode::predict, [&](const kernels::Block& block) {
        const MatrixView<Scalar> z = block.of(kept_for_derivative(cache).first(x.cols()));
        const ConstMatrixView<Scalar> samples = detail::columns_of(x, block.first_column, block.columns);
        products<Scalar>().affine(theta, samples, bias_in(theta), block.first_row, z, x.cols());
        if constexpr (!is_identity) kernels::activate(f_, detail::as_const(z), block.of(cache.output.first(x.cols())));
      });
    }
  }

  /// Computes the gradient by W(l) and b(l), and by x = a(l) if input_gradient is not null. `delta` is dJ/da(l+1) on entry and may
  /// be overwritten.
  ///
  ///     delta(l+1) = dJ/da(l+1) * f'(z(l+1))       (Out x batch)
  ///     dJ/dW(l)   = delta(l+1) a(l)^T             (Out x In)
  ///     dJ/db(l)   = row sums of delta(l+1)        (Out)
  ///     dJ/da(l)   = W(l)^T delta(l+1)             (In x batch)
  template <class Scalar, int MaxBatch>
  void backward(const Scalar* theta, ConstMatrixView<Scalar> x, const Cache<Scalar, MaxBatch>& cache, MatrixView<Scalar> delta,
                Scalar* gradient, MatrixView<Scalar>* input_gradient) const {
    if constexpr (always_small) {
      small_backward(theta, x, cache, delta, gradient, input_gradient, static_cast<const Scalar*>(nullptr));
    } else {
      if (may_be_small && cache.products == nullptr && is_small<Scalar>(cache.team))
        return small_backward(theta, x, cache, delta, gradient, input_gradient, static_cast<const Scalar*>(nullptr));
      times_derivative(cache, delta);
      if (cache.products != nullptr) {
        if (has_bias) products<Scalar>().bias_gradient(detail::as_const(delta), bias_in(gradient));
        return cache.products->backward(theta, x, detail::as_const(delta), gradient, input_gradient, cache.team);
      }
      blocks_for(x.cols(), cache.team).for_weight(false, [&](const kernels::Block& block) {
        products<Scalar>().weight_gradient(detail::as_const(delta), x, block, gradient);
        if (has_bias && block.is_first()) products<Scalar>().bias_gradient(detail::as_const(delta), bias_in(gradient));
        if (input_gradient != nullptr) products<Scalar>().input_gradient(theta, detail::as_const(delta), block, *input_gradient);
      });
    }
  }

  /// Computes the derivative of a(l+1) along directions da(l), for the last forward pass.
  ///
  ///     da(l+1) = f'(z(l+1)) * (W(l) da(l))        (Out x directions batch)
  template <class Scalar, int MaxBatch>
  void jvp(const Scalar* theta, ConstMatrixView<Scalar> x, const Cache<Scalar, MaxBatch>& cache, ConstMatrixView<Scalar> direction,
           MatrixView<Scalar> derivative) const {
    products<Scalar>().linear(theta, direction, derivative);
    times_derivative_of(cache, x.cols(), derivative);
  }

  /// Computes dJ/da(l) from `delta`, which is dJ/da(l+1) on entry and dJ/dz(l+1) afterwards, as backward does, but no gradient by theta.
  ///
  ///     delta(l+1) = dJ/da(l+1) * f'(z(l+1)),  dJ/da(l) = W(l)^T delta(l+1)        (In x directions batch)
  template <class Scalar, int MaxBatch>
  void vjp(const Scalar* theta, ConstMatrixView<Scalar> x, const Cache<Scalar, MaxBatch>& cache, MatrixView<Scalar> delta,
           MatrixView<Scalar>& input_gradient) const {
    times_derivative_of(cache, x.cols(), delta);
    if (cache.products != nullptr) {
      Scalar* const no_gradient = nullptr;
      return cache.products->backward(theta, x, detail::as_const(delta), no_gradient, &input_gradient, cache.team);
    }
    blocks_for(delta.cols(), cache.team).for_weight(false, [&](const kernels::Block& block) {
      products<Scalar>().input_gradient(theta, detail::as_const(delta), block, input_gradient);
    });
  }

  /// Says which derivative the activation lacks for `order`; empty if it lacks none. See core/concepts.hpp.
  std::string missing_derivative(int order) const { return detail::missing_derivative_of_activation(f_, order); }

  /// Gives the gradient by W(l) and b(l) of each column of `delta` by itself, and computes dJ/da(l) if input_gradient is not null. `delta`
  /// is dJ/da(l+1) on entry and dJ/dz(l+1) afterwards; column k batch + j belongs to sample j. Their norms need no gradient (Goodfellow
  /// 2015).
  ///
  ///     dJ/dW(l) = delta_c a_j^T,  dJ/db(l) = delta_c  for column c of sample j;  |gradient| = |delta_c| sqrt(|a_j|^2 + 1),
  ///                                                                               or |delta_c| |a_j| without bias
  template <class Scalar, int MaxBatch>
  void sample_gradients(const Scalar* theta, ConstMatrixView<Scalar> x, const Cache<Scalar, MaxBatch>& cache, MatrixView<Scalar> delta,
                        const SampleGradients<Scalar>& gradients, MatrixView<Scalar>* input_gradient) const {
    times_derivative_of(cache, x.cols(), delta);
    for (Index c = 0; c < delta.cols(); ++c) {
      const Scalar* delta_c = delta.data() + c * delta.outerStride();
      gradients.outer_product(c, 0, outputs(), delta_c, inputs(), x.data() + gradients.sample_of(c) * x.outerStride());
      if constexpr (has_bias) gradients.numbers(c, outputs() * inputs(), outputs(), delta_c);
    }
    if (input_gradient != nullptr)
      products<Scalar>().input_gradient(theta, detail::as_const(delta), kernels::Block{0, outputs(), 0, inputs()}, *input_gradient);
  }

  /// Storage that forward_jet fills for backward_jet, for up to max_batch samples and jets of up to max_columns columns.
  template <class Scalar>
  struct JetCache {
    /// Takes the place of what only an activation needs.
    struct Nothing {
      Nothing(Index, Index) {}  ///< has the constructor of the storage
    };
    using Storage = BatchStorage<Scalar, Dynamic, Dynamic>;  ///< the type of output and z
    /// Allocates everything.
    JetCache(const Dense& layer, Index max_batch, Index max_columns)
        : output(layer.outputs(), max_columns), z(layer.outputs(), max_columns), f(layer.outputs(), max_batch) {}
    Storage output;                                                             ///< the jet of a(l+1), outputs x columns
    [[no_unique_address]] std::conditional_t<is_identity, Nothing, Storage> z;  ///< the jet of z(l+1), if it is another one
    [[no_unique_address]] std::conditional_t<is_identity, Nothing, detail::ActivationDerivatives<Scalar>> f;  ///< at z(l+1)
  };

  /// Computes the jet of a(l+1) from the jet of a(l), for the last forward pass. Where theta_direction = (V, c) is not null, theta depends
  /// on t_1 as well, as W + t_1 V and b + t_1 c; then the jet has no second derivatives.
  ///
  ///     z_c = W(l) a_c for each channel c,  z_1 = W(l) a_1 + V a(l) + c;  then the jet of f(z)
  template <class Scalar, int MaxBatch>
  void forward_jet(const Scalar* theta, const Scalar* theta_direction, ConstMatrixView<Scalar> x, const Cache<Scalar, MaxBatch>& cache,
                   const JetShape& shape, ConstMatrixView<Scalar> jet, JetCache<Scalar>& result) const
      requires(is_identity || HasSecondDerivative<F>) {
    MatrixView<Scalar> z = jet_of_z(result).first(shape.columns());
    products<Scalar>().linear(theta, jet, z);
    if (theta_direction != nullptr) {
      MatrixView<Scalar> z_1 = shape.first_of(z, 0);
      products<Scalar>().add_linear(theta_direction, x, z_1);
      if constexpr (has_bias) z_1.colwise() += ConstVectorView<Scalar>(bias_in(theta_direction), outputs());
    }
    if constexpr (!is_identity) {
      result.f.compute(f_, shape, ConstMatrixView<Scalar>(kept_for_derivative(cache).first(x.cols())));
      detail::elementwise_jet(shape, result.f, detail::as_const(z), result.output.first(shape.columns()));
    }
  }

  /// Computes the gradients of a J that depends on a(l+1) and on its jet. `delta`, Out x batch, is dJ/da(l+1), and `deltas`, Out x columns,
  /// the gradient by its jet; both are overwritten. Where `gradient` is null, no gradient by theta is computed, and where input_gradient is
  /// null, none by x and its jet.
  ///
  ///     dJ/dW(l) = delta(l+1) a(l)^T + sum over channels: delta_c a_c^T,  dJ/db(l) = row sums of delta(l+1)
  ///     dJ/da(l) = W(l)^T delta(l+1) + V^T delta_1,  dJ/da_c = W(l)^T delta_c
  template <class Scalar, int MaxBatch>
  void backward_jet(const Scalar* theta, const Scalar* theta_direction, ConstMatrixView<Scalar> x, const Cache<Scalar, MaxBatch>&,
                    const JetShape& shape, ConstMatrixView<Scalar> jet, const JetCache<Scalar>& result, MatrixView<Scalar> delta,
                    MatrixView<Scalar> deltas, Scalar* gradient, MatrixView<Scalar>* input_gradient,
                    MatrixView<Scalar>* jet_gradient) const {
    if constexpr (!is_identity)
      detail::elementwise_jet_backward(shape, result.f, ConstMatrixView<Scalar>(result.z.first(shape.columns())), delta, deltas);
    const kernels::Block all{0, outputs(), 0, inputs()};
    if (gradient != nullptr) {
      products<Scalar>().weight_gradient(detail::as_const(delta), x, all, gradient);
      products<Scalar>().add_weight_gradient(detail::as_const(deltas), jet, gradient);
      if constexpr (has_bias) products<Scalar>().bias_gradient(detail::as_const(delta), bias_in(gradient));
    }
    if (input_gradient == nullptr) return;
    products<Scalar>().input_gradient(theta, detail::as_const(delta), all, *input_gradient);
    if (theta_direction != nullptr)
      products<Scalar>().add_input_gradient(theta_direction, detail::as_const(shape.first_of(deltas, 0)), *input_gradient);
    products<Scalar>().input_gradient(theta, detail::as_const(deltas), all, *jet_gradient);
  }

  /// Writes z(l+1), and turns `delta`, which is dJ/da(l+1) on entry, into delta(l+1), for layer_values. Where forward kept only a(l+1), z
  /// is computed anew, and its last bits may differ from those of the forward pass.
  ///
  ///     z(l+1) = W(l) a(l) + b(l),  delta(l+1) = dJ/da(l+1) * f'(z(l+1))        (Out x batch)
  template <class Scalar, int MaxBatch>
  void z_and_delta(const Scalar* theta, ConstMatrixView<Scalar> x, const Cache<Scalar, MaxBatch>& cache, MatrixView<Scalar> z,
                   MatrixView<Scalar> delta) const {
    if constexpr (is_identity || !DerivativeFromOutput<F>)
      z = kept_for_derivative(cache).first(x.cols());
    else if (cache.products != nullptr)
      cache.products->affine(theta, bias_in(theta), x, z, cache.team);
    else
      products<Scalar>().affine(theta, x, bias_in(theta), 0, z, x.cols());
    times_derivative(cache, delta);
  }

  /// Does what backward and a following step theta <- theta + factor dJ/dtheta do, with the same bits. Saves memory traffic, because dJ/dW
  /// is added to W while it is in registers. `scratch` is as large as this layer's gradient; its content afterwards is unspecified.
  template <class Scalar, int MaxBatch>
  void backward_and_step(Scalar* theta, ConstMatrixView<Scalar> x, const Cache<Scalar, MaxBatch>& cache, MatrixView<Scalar> delta,
                         Scalar factor, Scalar* scratch, MatrixView<Scalar>* input_gradient) const {
    if constexpr (always_small) {
      small_backward(theta, x, cache, delta, theta, input_gradient, &factor);
    } else {
      if (may_be_small && cache.products == nullptr && is_small<Scalar>(cache.team))
        return small_backward(theta, x, cache, delta, theta, input_gradient, &factor);
      times_derivative(cache, delta);
      if (cache.products != nullptr) {
        cache.products->backward_and_step(theta, x, detail::as_const(delta), factor, scratch, input_gradient, cache.team);
        return step_bias(delta, factor, theta, scratch);
      }
      blocks_for(x.cols(), cache.team).for_weight(input_gradient == nullptr, [&](const kernels::Block& block) {
        if (input_gradient != nullptr)  // reads only the columns of W that this block then changes
          products<Scalar>().input_gradient(theta, detail::as_const(delta), block, *input_gradient);
        products<Scalar>().add_multiple_of_gradient(factor, detail::as_const(delta), x, block, theta, scratch);
        if (block.is_first()) step_bias(delta, factor, theta, scratch);
      });
    }
  }

 private:
  static Init default_initializer(const F& f) {
    if constexpr (std::is_same_v<Init, decltype(f.default_initializer())>) {
      return f.default_initializer();
    } else {
      return Init{};
    }
  }

  // Small layers use one kernel for a whole pass, on one thread. Whether a layer is always small is known at compile time, so that the
  // compiler does not instantiate the products that such a layer never uses.
  static constexpr bool always_small = gradient_is_cheap, may_be_small = kernels::may_be_small(Out, In);

  // A fused activation is applied in registers by the kernel for small layers. Any other is applied after the products in forward and
  // before them in backward.
  static constexpr bool is_worth_fusing() {
    if constexpr (requires { F::worth_fusing; })
      return F::worth_fusing;
    else
      return false;
  }
  template <class Scalar>
  static constexpr bool is_fused = kernels::CanBeFused<F, Scalar> && !is_identity && (always_small || is_worth_fusing());
  template <class Scalar>
  auto fused_activation() const {
    if constexpr (is_fused<Scalar>)
      return f_;
    else
      return kernels::NoActivation{};
  }

  template <class Scalar>
  bool is_small(const Team* team) const {
    return team == nullptr && Small<Scalar>::is_small(outputs(), inputs());
  }
  template <class Scalar>
  using Small = kernels::SmallLayer<Scalar, Out, In>;

  // The bias that the kernels for small layers read, or the dJ/db that they write: a place in theta or in a gradient. A layer without bias
  // gives them numbers that are 0 at first and that nobody reads afterwards.
  template <class Scalar>
  struct BiasInPlace {
    Scalar* place;
    Scalar* data() const { return place; }
  };
  template <class Scalar>
  struct NoBias {
    explicit NoBias(const void*) {}
    Scalar* data() { return numbers; }
    const Scalar* data() const { return numbers; }
    Scalar numbers[static_cast<std::size_t>(kernels::max_small_extent)] = {};
  };
  template <class Scalar>
  using BiasOfSmall = std::conditional_t<has_bias, BiasInPlace<Scalar>, NoBias<std::remove_const_t<Scalar>>>;

  // The forward pass with the products of another precision.
  template <class Scalar, class Cache>
  void forward_by(DenseProducts<Scalar>& products, const Scalar* theta, ConstMatrixView<Scalar> x, Cache& cache) const {
    const MatrixView<Scalar> z = kept_for_derivative(cache).first(x.cols());
    products.affine(theta, bias_in(theta), x, z, cache.team);
    if constexpr (!is_identity)
      blocks_for(x.cols(), cache.team).for_derivative([&](const kernels::Block& block) {
        kernels::activate(f_, block.of(detail::as_const(z)), block.of(cache.output.first(x.cols())));
      });
  }
  // b <- b + factor dJ/db
  template <class Scalar>
  void step_bias(MatrixView<Scalar> delta, Scalar factor, Scalar* theta, Scalar* scratch) const {
    if constexpr (has_bias) {
      products<Scalar>().bias_gradient(detail::as_const(delta), bias_in(scratch));
      kernels::add_multiple<Scalar>(outputs(), factor, bias_in(scratch), bias_in(theta));
    }
  }

  template <class Scalar, class Cache>
  void small_forward(const Scalar* theta, ConstMatrixView<Scalar> x, Cache& cache) const {
    MatrixView<Scalar> z = kept_for_derivative(cache).first(x.cols());
    const BiasOfSmall<const Scalar> b{bias_in(theta)};
    Small<Scalar>::forward(fused_activation<Scalar>(),
                           {outputs(), theta, inputs(), x.cols(), x.data(), x.outerStride(), b.data(), z.data()});
    if constexpr (!is_fused<Scalar> && !is_identity) kernels::activate(f_, detail::as_const(z), cache.output.first(x.cols()));
  }
  // Writes dJ/dW and dJ/db to `out`; with a factor, `out` is theta and W and b are updated instead.
  template <class Scalar, class Cache>
  void small_backward(const Scalar* theta, ConstMatrixView<Scalar> x, const Cache& cache, MatrixView<Scalar> delta, Scalar* out,
                      MatrixView<Scalar>* dX, const Scalar* factor) const {
    const ConstMatrixView<Scalar> kept = kept_for_derivative(cache).first(x.cols());
    if constexpr (!is_fused<Scalar> && !is_identity) kernels::multiply_by_derivative(f_, kept, delta);
    BiasOfSmall<Scalar> b{bias_in(out)};
    Small<Scalar>::backward(fused_activation<Scalar>(),
                            {outputs(), theta, inputs(), x.cols(), x.data(), x.outerStride(), kept.data(), delta.data(), out, b.data(),
                             dX == nullptr ? nullptr : dX->data(), dX == nullptr ? 0 : dX->outerStride(), factor});
  }

  // delta <- delta * f'(z)
  template <class Cache, class Scalar>
  void times_derivative(const Cache& cache, MatrixView<Scalar>& delta) const {
    if constexpr (is_identity) return;
    blocks_for(delta.cols(), cache.team).for_derivative([&](const kernels::Block& block) {
      kernels::multiply_by_derivative(f_, block.of(kept_for_derivative(cache).first(delta.cols())), block.of(delta));
    });
  }

  // derivative <- derivative * f'(z), where column k batch + j belongs to sample j
  template <class Cache, class Scalar>
  void times_derivative_of(const Cache& cache, Index batch, MatrixView<Scalar> derivative) const {
    if constexpr (!is_identity)
      kernels::multiply_directions_by_derivative(f_, ConstMatrixView<Scalar>(kept_for_derivative(cache).first(batch)), derivative);
  }

  // the jet of z(l+1), which is that of a(l+1) without an activation
  template <class Scalar>
  static auto& jet_of_z(JetCache<Scalar>& result) {
    if constexpr (is_identity) {
      return result.output;
    } else {
      return result.z;
    }
  }

  template <class Scalar>
  kernels::LayerProducts<Scalar> products() const {
    return {outputs(), inputs()};
  }
  // b in theta, or dJ/db in a gradient; null for a layer without bias.
  template <class Scalar>
  Scalar* bias_in(Scalar* theta) const {
    return has_bias ? theta + outputs() * inputs() : nullptr;
  }

  // Returns how the team partitions a pass over this number of samples.
  kernels::LayerBlocks blocks_for(Index samples, Team* team) const { return {outputs(), inputs(), samples, team}; }

  // a(l+1) if f' is written with it, else z(l+1)
  template <class Cache>
  static auto& kept_for_derivative(Cache& cache) {
    if constexpr (DerivativeFromOutput<F>) {
      return cache.output;
    } else {
      return cache.z;
    }
  }

  [[no_unique_address]] detail::Extent<In> inputs_;
  [[no_unique_address]] detail::Extent<Out> outputs_;
  [[no_unique_address]] F f_;
  [[no_unique_address]] Init initializer_;
};

/// A fully connected layer without bias, a(l+1) = f(W(l) a(l)), like Dense with use_bias=False in Keras or torch.nn.Linear with bias=False.
/// @code{.cpp}
/// DenseWithoutBias<64, 32, ReLU>{};                   // extents are types
/// DenseWithoutBias<Dynamic, Dynamic, ReLU>{64, 32};   // extents are values
/// @endcode
/// A layer before a BatchNorm or LayerNorm needs no bias, because these subtract it again.
template <int In, int Out, class F = Identity, class Init = decltype(std::declval<const F&>().default_initializer())>
using DenseWithoutBias = Dense<In, Out, F, Init, Bias::none>;

namespace detail {

/// Whether L is a Dense itself; a class derived from it may compute something else.
template <class L>
inline constexpr bool is_dense = false;
template <int In, int Out, class F, class Init, Bias bias>
inline constexpr bool is_dense<Dense<In, Out, F, Init, bias>> = true;

}  // namespace detail

}  // namespace chainrule
