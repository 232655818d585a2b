#pragma once

#include <chainrule/core/chain.hpp>
#include <chainrule/core/checks.hpp>
#include <chainrule/core/layered_vector.hpp>
#include <chainrule/core/targets.hpp>
#include <chainrule/core/views.hpp>
#include <chainrule/gradients.hpp>
#include <chainrule/workspace.hpp>

namespace chainrule {

/// A function F: X -> Y with its loss J, a chain of layers (Sequential in PyTorch and Keras). It owns its parameters theta
/// as one flat vector, and is const while it works: all that a pass writes lies in a Workspace, so any number of threads can
/// use one network, each with a workspace of its own.
///
/// One column is one sample. x and y are column-major Eigen matrices, vectors, blocks or maps, used in place; labels may be
/// any contiguous range of integers. What throws has changed nothing: ShapeError for extents that do not fit and an empty
/// batch, ValueError for NaN or infinity in x and for impossible targets, StateError for backward before forward.
template <class Scalar, class LossType, class... Layers>
class Network {
  static_assert(std::is_floating_point_v<Scalar>, "chainrule: Network<Scalar, ...>: Scalar must be float, double or long double");
  static_assert(Loss<LossType>, "chainrule: Network<Scalar, Loss, Layers...>: the second argument must be a loss, such as SquaredError");
  static_assert(sizeof...(Layers) > 0, "chainrule: Network<Scalar, Loss, Layers...> needs at least one layer");
  static_assert((Layer<Layers> && ...),
                "chainrule: Network<Scalar, Loss, Layers...>: each argument after the loss must be a layer, such as Dense<In, Out>");
  using Chain = detail::Chain<Layers...>;
  static_assert(Chain::fits());
  static constexpr std::size_t last = sizeof...(Layers) - 1;
  static constexpr int In = Chain::inputs_at_compile_time;
  static constexpr int Out = Chain::outputs_at_compile_time;
  static_assert(Out == Dynamic || Out >= LossType::min_outputs,
                "chainrule: SoftmaxCrossEntropy needs at least two outputs; for a yes or no with one output use BinaryCrossEntropy");
  static_assert(
      !LossType::works_on_logits || detail::gives_raw_outputs<typename Chain::template At<last>>(),
      "chainrule: this loss works on logits and brings its own link, so the last layer must have no activation; write Dense<In, Out>");

 public:
  using ScalarType = Scalar;
  using Gradients = chainrule::Gradients<Scalar, Layers...>;
  template <int MaxBatch = Dynamic>
  using Workspace = chainrule::Workspace<Scalar, MaxBatch, Layers...>;
  /// A view on outputs x batch numbers in a workspace, valid until its next use.
  using Output = Eigen::Map<const Matrix<Scalar, Out, Dynamic>>;
  /// The same network with other numbers: Rebind<double>.
  template <class Other>
  using Rebind = Network<Other, LossType, Layers...>;

  /// Weights are drawn by each layer's initializer, from the first layer to the last; biases start at 0.
  explicit Network(Seed seed) requires(Chain::all_extents_are_types()) : Network(seed, Layers{}...) {}

  /// With the layers as values, for those that have run-time extents or parameters. Throws ShapeError if they do not fit.
  explicit Network(Seed seed, Layers... layers) : theta_{detail::checked_chain<LossType>(std::tuple<Layers...>{layers...})} {
    Random random{seed};
    detail::for_each_index<last + 1>([&](auto i) { get<i>().initialize(theta_.slice(i), random); });
  }

  Index inputs() const { return std::get<0>(layers()).inputs(); }
  Index outputs() const { return std::get<last>(layers()).outputs(); }
  const std::tuple<Layers...>& layers() const { return theta_.layers(); }
  const LossType& loss_function() const { return loss_; }

  /// theta, all parameters as one flat vector, to read and to write.
  VectorView<Scalar> parameters() { return theta_.flat(); }
  ConstVectorView<Scalar> parameters() const { return theta_.flat(); }

  /// Layer I's parameters by name, as views: `layer<0>().weight` is W(1), `.bias` is b(1).
  template <std::size_t I>
  auto layer() {
    return theta_.template layer<I>();
  }
  template <std::size_t I>
  auto layer() const {
    return theta_.template layer<I>();
  }

  /// Allocates what passes over up to max_batch samples need. `make_workspace<8>()` has its room inside where all extents are
  /// types and it is small.
  Workspace<> make_workspace(Index max_batch) const { return Workspace<>(layers(), max_batch); }
  template <int MaxBatch>
  Workspace<MaxBatch> make_workspace() const {
    static_assert(MaxBatch >= 1, "chainrule: make_workspace<MaxBatch>() needs room for at least one sample");
    return Workspace<MaxBatch>(layers(), MaxBatch);
  }

  Gradients make_gradients() const { return Gradients(layers()); }

  // a(1) = x,  a(l+1) = f(W(l) a(l) + b(l));  y_hat = a(L+1), before the loss's link          (outputs x batch)
  /// The forward pass. Keeps every activation in `work` for loss and backward.
  template <class X, int MaxBatch>
  Output forward(const Eigen::DenseBase<X>& x, Workspace<MaxBatch>& work) const {
    const auto input = checked_input("forward", x, work);
    run_forward(input, work.caches());
    work.set_cached_samples(input.cols());
    return output_of(work.caches(), input.cols());
  }

  // J = J(y, y_hat), the mean over the batch
  /// The loss of the last forward pass. y: outputs x batch; or integer class labels where the loss takes them.
  template <class Y, int MaxBatch>
  Scalar loss(const Y& y, const Workspace<MaxBatch>& work) const {
    const auto target = checked_target("loss", y, work);
    return loss_.value(work.template cache<last>().output.first(work.cached_samples()), target);
  }

  // delta(L+1) = dJ/dy_hat,  then from the last layer to the first: dJ/dW(l), dJ/db(l), dJ/da(l) by the chain rule
  /// The backward pass after `forward(x, work)`: fills `gradients` with dJ/dtheta.
  template <class X, class Y, int MaxBatch>
  void backward(const Eigen::DenseBase<X>& x, const Y& y, Workspace<MaxBatch>& work, Gradients& gradients) const {
    run_backward(x, y, work, gradients, nullptr);
  }

  /// The same, and dJ/dx too, written to `input_gradient` (inputs x batch, already of that size).
  template <class X, class Y, int MaxBatch, detail::EigenDense D>
  void backward(const Eigen::DenseBase<X>& x, const Y& y, Workspace<MaxBatch>& work, Gradients& gradients, D&& input_gradient) const {
    MatrixView<Scalar> dJ_dx = detail::mutable_view<Scalar>(input_gradient);
    run_backward(x, y, work, gradients, &dJ_dx);
  }

  /// The prediction, the loss's link applied: probabilities where the loss works on logits. x: one sample or a batch.
  /// This form allocates its result (a net of small fixed extents and one sample of fixed size: nothing).
  template <class X>
  Matrix<Scalar, detail::fixed_rows<Scalar, Out, X::ColsAtCompileTime>, X::ColsAtCompileTime> predict(const Eigen::DenseBase<X>& x) const {
    const auto input = checked_input("predict", x);
    auto caches = detail::make_caches<Scalar, X::ColsAtCompileTime>(layers(), input.cols());
    run_predict(input, caches);
    return output_of(caches, input.cols());
  }

  /// The same into a workspace, without any allocation. The caches of an earlier forward pass there are lost.
  template <class X, int MaxBatch>
  Output predict(const Eigen::DenseBase<X>& x, Workspace<MaxBatch>& work) const {
    const auto input = checked_input("predict", x, work);
    work.set_cached_samples(0);
    run_predict(input, work.caches());
    return output_of(work.caches(), input.cols());
  }

 private:
  template <std::size_t I>
  const auto& get() const {
    return std::get<I>(layers());
  }

  // a(I+1), what layer I reads: x for the first layer, then the activation of the layer before
  template <std::size_t I, class Caches>
  static ConstMatrixView<Scalar> input_of(ConstMatrixView<Scalar> x, const Caches& caches) {
    if constexpr (I == 0) {
      return x;
    } else {
      return std::get<I - 1>(caches).output.first(x.cols());
    }
  }

  template <class Caches>
  static Output output_of(const Caches& caches, Index samples) {
    const auto a = std::get<last>(caches).output.first(samples);
    return {a.data(), a.rows(), a.cols()};
  }

  template <class Caches>
  void run_forward(ConstMatrixView<Scalar> x, Caches& caches) const {
    detail::for_each_index<last + 1>([&](auto i) { get<i>().forward(theta_.slice(i), input_of<i>(x, caches), std::get<i>(caches)); });
  }

  template <class Caches>
  void run_predict(ConstMatrixView<Scalar> x, Caches& caches) const {
    run_forward(x, caches);
    loss_.link(std::get<last>(caches).output.first(x.cols()));
  }

  template <class X, class Y, int MaxBatch>
  void run_backward(const Eigen::DenseBase<X>& x, const Y& y, Workspace<MaxBatch>& work, Gradients& gradients,
                    MatrixView<Scalar>* input_gradient) const {
    const auto input = checked_input("backward", x, work);
    const auto target = checked_target("backward", y, work);
    const Index samples = input.cols();
    detail::check_samples("backward", "x", samples, work.cached_samples());
    detail::check_gradients(layers(), gradients.layers());
    if (input_gradient != nullptr) detail::check_input_gradient(input_gradient->rows(), input_gradient->cols(), inputs(), samples);

    loss_.gradient(work.template cache<last>().output.first(samples), target, work.template delta<last>(samples));
    detail::for_each_index<last + 1>([&](auto k) {
      constexpr std::size_t i = last - k;
      if constexpr (i > 0) {
        MatrixView<Scalar> delta_before = work.template delta<i - 1>(samples);
        get<i>().backward(theta_.slice(i), input_of<i>(input, work.caches()), work.template cache<i>(), work.template delta<i>(samples),
                          gradients.slice(i), &delta_before);
      } else {
        get<i>().backward(theta_.slice(i), input, work.template cache<i>(), work.template delta<i>(samples), gradients.slice(i),
                          input_gradient);
      }
    });
  }

  template <class X>
  ConstMatrixView<Scalar> checked_input(const char* who, const Eigen::DenseBase<X>& x) const {
    static_assert(In == Dynamic || X::RowsAtCompileTime == Dynamic || In == X::RowsAtCompileTime,
                  "chainrule: x must have as many rows as the network has inputs; one column is one sample");
    const ConstMatrixView<Scalar> input = detail::const_view<Scalar>(x);
    detail::check_rows(who, "x", input.rows(), inputs(), "inputs");
    detail::check_batch(who, input.cols());
    detail::check_finite(who, "x", input);
    return input;
  }

  template <class X, int MaxBatch>
  ConstMatrixView<Scalar> checked_input(const char* who, const Eigen::DenseBase<X>& x, const Workspace<MaxBatch>& work) const {
    detail::check_workspace(who, layers(), work);
    detail::check_room(who, x.cols(), work.max_batch());
    const auto input = checked_input(who, x);
    detail::for_each_index<last + 1>(
        [&](auto i) { detail::check_apart<Scalar>(who, input, work.template cache<i>().output.first(work.max_batch())); });
    return input;
  }

  template <class Y, int MaxBatch>
  auto checked_target(const char* who, const Y& y, const Workspace<MaxBatch>& work) const {
    const auto target = detail::target_view<Scalar>(y);
    detail::check_workspace(who, layers(), work);
    detail::check_forward_ran(who, work.cached_samples());
    detail::check_samples(who, "y", detail::samples_of(target), work.cached_samples());
    const auto y_hat = work.template cache<last>().output.first(work.cached_samples());
    if constexpr (!detail::LabelVector<Y>) {
      static_assert(Out == Dynamic || Y::RowsAtCompileTime == Dynamic || Out == Y::RowsAtCompileTime,
                    "chainrule: y must have as many rows as the network has outputs; one column is one sample");
      detail::check_rows(who, "y", target.rows(), outputs(), "outputs");
    }
    constexpr bool takes_this = requires { loss_.check(y_hat, target); };
    static_assert(takes_this,
                  "chainrule: this loss takes targets as a matrix (outputs x batch); integer class labels go with SoftmaxCrossEntropy");
    if constexpr (takes_this) loss_.check(y_hat, target);
    return target;
  }

  LossType loss_{};
  detail::LayeredVector<Scalar, Layers...> theta_;
};

/// A network whose layers' types need not be written down: make_network<float, SoftmaxCrossEntropy>(Seed{42}, layers...).
template <class Scalar, class LossType, class... Layers>
Network<Scalar, LossType, Layers...> make_network(Seed seed, Layers... layers) {
  return Network<Scalar, LossType, Layers...>(seed, layers...);
}

}  // namespace chainrule
