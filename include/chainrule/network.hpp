#pragma once

#include <chainrule/core/detail/hyperparameter_checks.hpp>
#include <chainrule/core/detail/inline_for_speed.hpp>
#include <chainrule/core/detail/network_access.hpp>
#include <chainrule/core/detail/network_checks.hpp>
#include <chainrule/derivatives/by_parameters.hpp>
#include <chainrule/derivatives/detail/checks.hpp>
#include <chainrule/derivatives/first_order.hpp>
#include <chainrule/derivatives/second_order.hpp>
#include <chainrule/detail/argument_checks.hpp>
#include <chainrule/detail/optional_headers.hpp>
#include <chainrule/detail/wrong_arguments.hpp>
#include <chainrule/gradients.hpp>
#include <chainrule/workspace.hpp>

#if defined(CHAINRULE_KERNELS_COMPILED)
#include <chainrule/kernels/compiled_once.inc>
#endif

namespace chainrule {

/// A feedforward network: a chain of layers (Sequential in PyTorch and Keras), which is a function F: X -> Y, with its loss J. It owns its
/// parameters theta as one flat vector. Passes do not change it: they write only to a Workspace, so any number of threads can use one
/// network, each with a workspace of its own.
///
/// One column is one sample. x and y are column-major Eigen matrices, vectors, blocks or maps, used in place; labels may be any contiguous
/// range of integers. Errors: ShapeError for extents that do not fit and for an empty batch, ValueError for NaN or infinity in x, for
/// invalid targets and for an argument that lies in memory which the call writes to, StateError for backward before forward, for backward
/// after the forward pass of another network or of this one before something was assigned to it, for a workspace that two threads use at
/// once, and for an object that was moved from. A call that throws one of these has changed nothing. What a layer, activation or loss of
/// your own throws arrives at the caller, also from a team's threads; the workspace then holds no forward pass, or, after backward, the
/// gradients have unspecified values.
template <class Scalar, class LossType, class... Layers>
class Network : public NetworkBase<Scalar, typename detail::ProvenNetwork<Scalar, LossType, Layers...>::Sequence>,
                public FirstOrderDerivatives<Network<Scalar, LossType, Layers...>>,
                public ParameterDerivatives<Network<Scalar, LossType, Layers...>>,
                public SecondOrderDerivatives<Network<Scalar, LossType, Layers...>> {
  using Proven = detail::ProvenNetwork<Scalar, LossType, Layers...>;
  using Sequence = typename Proven::Sequence;
  using Base = typename Proven::Base;
  static constexpr int In = Sequence::inputs_at_compile_time, Out = Proven::Chain::outputs_at_compile_time;
  static constexpr Index target_rows = detail::target_rows<LossType>(Out);
  template <class Y>
  using Numbers = detail::NumbersOr<Scalar, Y>;
  using AnyWorkspace = detail::WorkspaceArgument<Scalar, Sequence>;
  using AnyGradients = detail::GradientsArgument<chainrule::Gradients<Scalar, Sequence>>;

 public:
  using Base::buffers;
  using Base::frozen;
  using Base::inputs;
  using Base::layers;
  using Base::parameters;
  using ScalarType = Scalar;                                 ///< the type of the numbers
  using Gradients = chainrule::Gradients<Scalar, Sequence>;  ///< dJ/dtheta, flat and by layer
  template <int MaxBatch = Dynamic>
  using Workspace = chainrule::Workspace<Scalar, MaxBatch, Sequence>;            ///< caches and deltas; see make_workspace
  using JetWorkspace = chainrule::JetWorkspace<Scalar, Sequence>;                ///< see make_jet_workspace
  using DerivativeWorkspace = chainrule::DerivativeWorkspace<Scalar, Sequence>;  ///< see make_derivative_workspace
  /// A view on outputs x batch numbers in a workspace, valid until the next pass that uses the workspace.
  using Output = Eigen::Map<const Matrix<Scalar, Out, Dynamic>>;
  /// The result of predict and predict_raw without a workspace: outputs x batch, with as many columns as the type of x says.
  template <class X>
  using Prediction = Matrix<Scalar, detail::fixed_rows<Scalar, Out, X::ColsAtCompileTime>, X::ColsAtCompileTime>;
  template <class Other>
  using Rebind = Network<Other, LossType, Layers...>;  ///< network of these layers with another scalar type: Rebind<double>

  /// Weights are drawn by each layer's initializer, from the first layer to the last; biases start at 0.
  explicit Network(Seed seed) requires(Proven::Chain::all_extents_are_types()) : Network(seed, LossType{}, Layers{}...) {}

  /// Takes the layers as values, for layers with run-time extents or hyperparameters. Throws ShapeError if they do not fit together.
  explicit Network(Seed seed, Layers... layer) : Network(seed, LossType{}, layer...) {}

  /// Takes the loss as a value, for a loss with hyperparameters, such as Huber{.delta = 2}.
  explicit Network(Seed seed, LossType loss) requires(Proven::Chain::all_extents_are_types()) : Network(seed, loss, Layers{}...) {}
  /// Takes the loss and the layers as values. Throws ShapeError if they do not fit together, ValueError for a hyperparameter that Scalar
  /// cannot hold: an epsilon of 1e-50 is 0 in float.
  Network(Seed seed, LossType loss, Layers... layer)
      : Network(loss, detail::checked_chain(loss, detail::NamedLayers<Layers...>::list(layer...))) {
    Random random{derived_seed(seed, detail::weights_stream)};
    sequence().initialize(parameters().data(), random);
  }

  /// Does not compile for a network without a Seed; the message says what to write instead.
  template <class Nothing = void>
  Network() : Network(detail::without_seed<Network, Nothing>()) {}
  /// Does not compile for a seed given as a plain number; the message says what to write instead.
  template <std::integral Number, class... Rest>
  explicit Network(Number, const Rest&...) : Network(detail::without_seed<Network, Number>()) {}

  const LossType& loss_function() const { return *loss_; }  ///< the loss, with its hyperparameters

  /// Allocates the memory for passes over up to max_batch samples. `make_workspace<8>()` keeps it inside the object where all extents are
  /// fixed and it is small. Throws ShapeError for a max_batch below 1, and for one that memory cannot hold.
  Workspace<> make_workspace(Index max_batch) const { return Workspace<>(sequence(), max_batch); }
  /// Allocates the memory for passes over up to max_batch samples whose products of dense layers are computed in another precision, such as
  /// bfloat16 (precision/bfloat16.hpp). Throws ShapeError as above, and ValueError where Scalar is not float.
  Workspace<> make_workspace(Index max_batch, const ProductPrecision& precision) const {
    std::vector<TensorShape> tensors;
    detail::for_each_layer(layers(), [&](const auto& layer) {
      if (layer.name == "Embedding") return;  // no product has the weights of an Embedding, which may be many
      const auto of_layer = layer.tensors();
      tensors.insert(tensors.end(), of_layer.begin(), of_layer.end());
    });
    return Workspace<>(sequence(), max_batch, precision.template make<Scalar>("make_workspace", tensors, (std::max)(max_batch, Index{1})));
  }
  /// Makes a workspace for up to MaxBatch samples, which needs no heap where all extents are types and it is small.
  template <int MaxBatch = 0>
  Workspace<MaxBatch> make_workspace() const {
    static_assert(MaxBatch >= 1, "chainrule: make_workspace(max_batch) needs the largest number of samples of a batch");
    return Workspace<MaxBatch>(sequence(), MaxBatch);
  }

  /// Allocates the memory for derivatives by x of up to `samples` samples, for as many directions at once as the network has inputs or
  /// outputs, whichever are fewer. Throws ShapeError for `samples` below 1, and where memory cannot hold them.
  DerivativeWorkspace make_derivative_workspace(Index samples) const {
    return make_derivative_workspace(samples, (std::min)(inputs(), this->outputs()));
  }
  /// Allocates the memory for derivatives by x of up to `samples` samples and `directions` directions at once; more are computed in pieces.
  DerivativeWorkspace make_derivative_workspace(Index samples, Index directions) const {
    return DerivativeWorkspace(sequence(), samples, directions);
  }

  /// Allocates the memory for the Hessians and the Laplacian of up to `samples` samples. Throws ShapeError for `samples` below 1, and where
  /// memory cannot hold them.
  JetWorkspace make_jet_workspace(Index samples) const {
    return JetWorkspace(sequence(), detail::extent_product(samples, inputs()), Index{2});
  }
  /// Allocates the memory for forward_jet and backward_jet of up to `samples` samples with these directions.
  JetWorkspace make_jet_workspace(Index samples, const JetDirections<Scalar>& directions) const {
    return JetWorkspace(sequence(), samples, directions);
  }

  /// Allocates the memory for Hessian-vector products of J for up to `samples` samples, less than make_jet_workspace(samples).
  JetWorkspace make_hessian_vector_workspace(Index samples) const { return JetWorkspace(sequence(), samples, Index{1}); }

  /// The derivatives by x of predict(x), with the loss's link included: net.of_prediction().jacobian(x, work, J). A view on this network.
  PredictionDerivatives<Network> of_prediction() const { return PredictionDerivatives<Network>(*this); }

  /// Allocates a vector for dJ/dtheta.
  Gradients make_gradients() const {
    Gradients gradients(sequence());
    gradients.set_frozen(frozen());
    return gradients;
  }

  /// A copy of the network with another scalar type: net.rebind<double>().
  template <class Other>
  Rebind<Other> rebind() const {
    Rebind<Other> copy(*loss_, sequence());
    copy.parameters() = parameters().template cast<Other>();
    copy.buffers() = buffers().template cast<Other>();
    if (frozen() != nullptr) copy.set_frozen(*frozen());
    return copy;
  }

  /// The forward pass of a training step: with Dropout's mask of step `work.step()`, to which it adds 1, and BatchNorm's statistics of this
  /// batch; the raw outputs of a trained network are those of predict_raw. Keeps every activation in `work` for loss and backward, and
  /// returns y_hat.
  ///
  ///     a(1) = x,  a(l+1) = f(W(l) a(l) + b(l));  y_hat = a(L+1), before the loss's link          (outputs x batch)
  template <class X, int MaxBatch>
  Output forward(const Eigen::DenseBase<X>& x, Workspace<MaxBatch>& work) const {
    require_input<X>();
    ForwardContext<Scalar> pass = work.training_pass(buffer_data(), work.team_for(parameter_count(), x.cols()));
    pass.frozen = frozen_slice();
    return run_forward(checked_input("forward", x, work, pass), work, pass);
  }

  /// The loss of the last forward pass. y: a matrix, outputs x batch, or integer class labels where the loss takes them; either may be
  /// `weighted(y, w)`, and then core/weighting.hpp says by what J is divided.
  ///
  ///     J = J(y, y_hat), the mean over the batch
  template <class Y, int MaxBatch>
  Scalar loss(const Y& y, const Workspace<MaxBatch>& work) const {
    static_cast<void>(detail::checked_targets<Y>() && detail::checked_viewable<Scalar, Numbers<Y>>() &&
                      detail::checked_rows<target_rows, Numbers<Y>>());
    const auto target = detail::checked_target<Scalar>("loss", sequence(), identity(), *loss_, y, work);
    return detail::loss_value(*loss_, raw_output(work, work.cached_samples()), target);
  }

  /// The backward pass after `forward(x, work)`: fills `gradients` with dJ/dtheta. y: the targets, as for `loss`, or
  /// `from_outside(dJ_dy)`, which is taken as dJ/dy_hat in place of the gradient of the loss.
  ///
  ///     dJ/dy_hat by the loss,  then from the last layer to the first: dJ/dW(l), dJ/db(l), dJ/da(l) by the chain rule
  template <class X, class Y, int MaxBatch>
  void backward(const Eigen::DenseBase<X>& x, const Y& y, Workspace<MaxBatch>& work, Gradients& gradients) const {
    require_input<X>();
    static_cast<void>(detail::checked_targets_or_gradient<Y>() && detail::checked_viewable<Scalar, Numbers<Y>>() &&
                      detail::checked_rows<target_rows, Numbers<Y>>());
    run_backward(x, y, work, gradients, nullptr);
  }

  /// The backward pass that also writes dJ/dx to `input_gradient`, which has the shape inputs x batch already.
  template <class X, class Y, int MaxBatch, detail::EigenDense D>
  void backward(const Eigen::DenseBase<X>& x, const Y& y, Workspace<MaxBatch>& work, Gradients& gradients, D&& input_gradient) const {
    require_input<X>();
    static_cast<void>(detail::checked_targets_or_gradient<Y>() && detail::checked_viewable<Scalar, Numbers<Y>>() &&
                      detail::checked_rows<target_rows, Numbers<Y>>());
    MatrixView<Scalar> dJ_dx = detail::mutable_view<Scalar>(input_gradient);
    run_backward(x, y, work, gradients, &dJ_dx);
  }

  /// The backward pass after `forward(x, work)` that writes dJ/dx alone, to `dJ_dx` of the shape inputs x batch, and computes no gradient
  /// by theta: for a J whose other parts learn, such as the actor that a critic judges, or an input that is optimized. y: as for
  /// `backward`. The bits are those of the dJ/dx of `backward`.
  ///
  ///     dJ/dy_hat by the loss,  then from the last layer to the first: dJ/da(l) = (da(l+1)/da(l))^T dJ/da(l+1);  dJ/dx = dJ/da(1)
  ///
  /// A layer of your own needs the members jvp and vjp (core/concepts.hpp). A network with one that lacks them does not compile, and an
  /// AnyNetwork throws StateError. (net.vjp computes a vector-Jacobian product in prediction mode, without a loss.)
  template <class X, class Y, int MaxBatch, detail::EigenDense D>
  void input_gradient(const Eigen::DenseBase<X>& x, const Y& y, Workspace<MaxBatch>& work, D&& dJ_dx) const {
    constexpr const char* who = "input_gradient";
    constexpr bool has_vjp = Sequence::template have_input_derivatives<Scalar>();
    static_assert(has_vjp,
                  "chainrule: the gradient by x alone needs the members jvp and vjp of each layer, also of those inside a Residual (see "
                  "core/concepts.hpp)");
    if constexpr (has_vjp && detail::checked_viewable<Scalar, X>() && detail::checked_targets_or_gradient<Y>()) {
      MatrixView<Scalar> result = detail::mutable_view<Scalar>(dJ_dx);
      const auto input = detail::const_view<Scalar>(x);
      detail::check_derivatives<Scalar>(who, sequence(), 1);
      check_input_of_last_forward(who, x, input, work);
      const auto source = detail::checked_gradient_source<Scalar>(who, sequence(), *loss_, y, work);
      detail::check_samples(who, "x", input.cols(), work.cached_samples(), "the last forward(x, work)");
      check_input_gradient(who, x.derived(), y, result, work);
      const detail::LastPass::Mark mark{};
      work.last_pass_.begin(mark);
      set_last_delta<Y>(source, input.cols(), work);
      sequence().vjp(theta(), input, work.caches_, work.deltas_, input.cols(), result);
      work.last_pass_.end(who, mark);
    }
  }

  /// Updates running statistics by the batch of the last forward pass. To be called once in each training step where there is a BatchNorm
  /// or a FakeQuantize; otherwise it does nothing. (Only this and the optimizer's step change the network.)
  template <int MaxBatch>
  void update_statistics(const Workspace<MaxBatch>& work) {
    update_statistics_by(work, 0);
  }
  /// Updates running statistics by the batch of the last forward pass, whose share in them is `share` in place of BatchNorm's momentum:
  /// with 1/k in batch k of a pass over the data, for k = 1, 2, ..., they become the mean of the batches. Throws ValueError for a share
  /// that is not above 0 and at most 1. recompute_statistics calls it.
  template <int MaxBatch>
  void update_statistics(const Workspace<MaxBatch>& work, double share) {
    if (detail::is_zero(share) || !detail::is_within(share, 0, 1))
      detail::raise<ValueError>("update_statistics: share must be above 0 and at most 1, got ", share);
    update_statistics_by(work, share);
  }

  /// Predicts y_hat for x, one sample or a batch, with the loss's link applied: probabilities where the loss works on logits. This overload
  /// allocates its result, unless the net is small with fixed extents and x is one sample of fixed size.
  template <class X>
  Prediction<X> predict(const Eigen::DenseBase<X>& x) const {
    require_input<X>();
    return predict_in_pieces<true>("predict", x);
  }

  /// Predicts into a workspace, without any allocation. The caches of an earlier forward pass there are lost.
  template <class X, int MaxBatch>
  Output predict(const Eigen::DenseBase<X>& x, Workspace<MaxBatch>& work) const {
    require_input<X>();
    const auto input = checked_input("predict", x, work, predicting());
    const detail::LastPass::Mark mark{};
    work.last_pass_.begin(mark);
    const Output y_hat = link(run_predict(input, work), work);
    work.last_pass_.end("predict", mark);
    return y_hat;
  }

  /// The raw outputs for x in prediction mode, outputs x batch: what `predict` returns before the loss's link, so logits where the loss
  /// works on logits, as PyTorch's model(x) after model.eval() and Keras's model.predict for from_logits=True. Dropout is the identity and
  /// BatchNorm uses its running statistics, unlike in `forward`, which is a training pass. Where the loss has no link, the result is that
  /// of `predict`. Errors and allocation are those of `predict(x)`.
  ///
  ///     z(L+1) = W(L) a(L) + b(L) for a last layer Dense without an activation;  predict(x) = link(z(L+1))
  template <class X>
  Prediction<X> predict_raw(const Eigen::DenseBase<X>& x) const {
    require_input<X>();
    return predict_in_pieces<false>("predict_raw", x);
  }

  /// Computes the raw outputs for x in prediction mode into a workspace, without any allocation. The caches of an earlier forward pass
  /// there are lost.
  template <class X, int MaxBatch>
  Output predict_raw(const Eigen::DenseBase<X>& x, Workspace<MaxBatch>& work) const {
    require_input<X>();
    const auto input = checked_input("predict_raw", x, work, predicting());
    const detail::LastPass::Mark mark{};
    work.last_pass_.begin(mark);
    run_predict(input, work);
    work.last_pass_.end("predict_raw", mark);
    return output_of(work, input.cols());
  }

  /// The result of evaluate.
  struct Evaluation {
    Scalar loss;        ///< J, the mean over the samples, weighted where there are weights of samples or classes
    Output prediction;  ///< y_hat, the link applied
  };
  /// The loss and the prediction for samples that are not learned from: x, inputs x samples, and targets y. Works as `predict` does,
  /// without Dropout and with running statistics. Does not allocate. Throws ValueError where all weights are 0.
  ///
  ///     J = sum w_j J_j / sum w_j    with the weights of samples and classes; where y says the mean weight m: sum w_j J_j / (samples m)
  template <class X, class Y, int MaxBatch>
  Evaluation evaluate(const Eigen::DenseBase<X>& x, const Y& y, Workspace<MaxBatch>& work) const {
    require_input<X>();
    static_cast<void>(detail::checked_targets<Y>() && detail::checked_viewable<Scalar, Numbers<Y>>() &&
                      detail::checked_rows<target_rows, Numbers<Y>>());
    const auto input = checked_input("evaluate", x, work, predicting());
    const auto target = detail::with_mean_weight<Scalar>(
        "evaluate", *loss_, detail::checked_target<Scalar, Sequence>("evaluate", *loss_, y, work, input.cols(), "x"));
    const detail::LastPass::Mark mark{};
    work.last_pass_.begin(mark);
    const auto y_hat = run_predict(input, work);
    const Scalar J = detail::loss_value(*loss_, y_hat, target);
    const Evaluation result{J, link(y_hat, work)};
    work.last_pass_.end("evaluate", mark);
    return result;
  }

  /// The mean weight of the samples with these targets, over the weights of samples and classes: for a data set in a training loop of your
  /// own, as BatchOptions::mean_weight or the last argument of weighted(). 1 where nothing has a weight. Throws ValueError where all
  /// weights are 0.
  template <class Y>
  double mean_weight(const Y& y) const {
    const auto view = detail::target_view<Scalar>(y);
    const auto& plain = detail::without_weights(view);
    const ConstMatrixView<Scalar> y_hat{nullptr, this->outputs(), detail::samples_of(plain), Eigen::OuterStride<>(this->outputs())};
    const auto target = detail::checked_target<Scalar, LossType, Sequence>("mean_weight", *loss_, y, y_hat, "y");
    return detail::mean_weight_of("mean_weight", *loss_, detail::as_weighted<Scalar>(target));
  }

  /// Does not compile for an x that is no Eigen matrix; the message says what to write instead.
  Output predict(detail::MatrixArgument x) const;
  /// Does not compile for an x that is no Eigen matrix, or something else than a workspace; the message says what to write instead.
  Output predict(detail::MatrixArgument x, AnyWorkspace work) const;
  /// Does not compile for an x that is no Eigen matrix; the message says what to write instead.
  Output predict_raw(detail::MatrixArgument x) const;
  /// Does not compile for an x that is no Eigen matrix, or something else than a workspace; the message says what to write instead.
  Output predict_raw(detail::MatrixArgument x, AnyWorkspace work) const;
  /// Does not compile for a pass without a workspace; the message says what to write instead.
  template <class X>
  Output forward(const X&) const {
    return detail::without_workspace<Output, X>();
  }
  /// Does not compile for an x that is no Eigen matrix, or something else than a workspace; the message says what to write instead.
  Output forward(detail::MatrixArgument x, AnyWorkspace work) const;
  /// Does not compile for the loss without a workspace; the message says what to write instead.
  template <class Y>
  Scalar loss(const Y&) const {
    return detail::without_workspace<Scalar, Y>();
  }
  /// Does not compile for the loss with something else than a workspace, such as the loss of x and y; the message says what to write
  /// instead.
  Scalar loss(detail::TargetsArgument y, AnyWorkspace work) const;
  /// Does not compile for an evaluation without a workspace; the message says what to write instead.
  template <class X, class Y>
  Evaluation evaluate(const X&, const Y&) const {
    return detail::without_workspace<Evaluation, X>();
  }
  /// Does not compile for an x that is no Eigen matrix, or something else than a workspace; the message says what to write instead.
  Evaluation evaluate(detail::MatrixArgument x, detail::TargetsArgument y, AnyWorkspace work) const;
  /// Does not compile for a backward pass without a workspace or gradients; the message says what to write instead.
  template <class X, class Y, class... Rest>
  requires(sizeof...(Rest) <= 1) void backward(const X&, const Y&, Rest&...) const { detail::without_workspace<void, X>(); }
  /// Does not compile for an x that is no Eigen matrix, or something else than a workspace and gradients; the message says what to write
  /// instead.
  void backward(detail::MatrixArgument x, detail::TargetsArgument y, AnyWorkspace work, AnyGradients gradients) const;
  /// Does not compile for the arguments above, or for a dJ/dx that is no Eigen matrix; the message says what to write instead.
  void backward(detail::MatrixArgument x, detail::TargetsArgument y, AnyWorkspace work, AnyGradients gradients,
                detail::MatrixArgument input_gradient) const;

 protected:
  /// Sets all parameters to 0. Throws ValueError for a hyperparameter that is not 0 but is as a Scalar, or is infinite as one.
  Network(const LossType& loss, const Sequence& of) : Base(of), loss_{loss} {
    detail::check_hyperparameters<Scalar>(loss);
    detail::for_each_layer(layers(), [](const auto& layer) { detail::check_hyperparameters<Scalar>(layer); });
  }

 private:
  template <class, class, class...>
  friend class Network;
  friend struct detail::NetworkAccess;
  using Base::buffer_data;
  using Base::frozen_slice;
  using Base::identity;
  using Base::mutable_theta;
  using Base::sequence;
  using Base::theta;
  template <int MaxBatch>
  void update_statistics_by(const Workspace<MaxBatch>& work, double share) {
    detail::check_forward_pass("update_statistics", layers(), identity(), work);
    sequence().update_statistics(buffers().data(), work.caches_, work.cached_samples(), frozen_slice(), share);
  }
  Index parameter_count() const { return sequence().parameter_offset(detail::size_of(layers())); }
  ForwardContext<Scalar> predicting(Team* team = nullptr, DenseProducts<Scalar>* products = nullptr) const {
    return {Mode::predict, buffer_data(), {}, 0, team, {}, nullptr, products};
  }

  // predict and predict_raw without a workspace
  template <bool applies_link, class X>
  Prediction<X> predict_in_pieces(const char* who, const Eigen::DenseBase<X>& x) const {
    const auto input = detail::checked_input<Scalar>(who, sequence(), x);
    sequence().check_pass(predicting(), input.cols());
    // at most 256 samples at a time, so that the activations between the layers stay small
    constexpr int most = 256, fixed = X::ColsAtCompileTime;
    constexpr int batch = Sequence::template inline_batch<Scalar, (fixed > most ? most : fixed), false>();
    auto caches = sequence().template make_caches<Scalar, batch>(std::min<Index>(input.cols(), most));
    Prediction<X> y_hat(this->outputs(), input.cols());
    for (Index first = 0, samples = 0, left = 0; (left = input.cols() - first) > 0; first += samples) {
      samples =
          left == most + 1 ? most - 1 : std::min<Index>(most, left);  // never one sample alone at the end: its sums are in another order
      sequence().forward(theta(), detail::columns_of(input, first, samples), caches, predicting());
      const MatrixView<Scalar> piece = detail::last_of(caches).output.first(samples);
      if constexpr (applies_link) loss_->link(piece);
      y_hat.middleCols(first, samples) = piece;
    }
    return y_hat;
  }

  template <int MaxBatch>
  static ConstMatrixView<Scalar> raw_output(const Workspace<MaxBatch>& work, Index samples) {
    return detail::last_of(work.caches()).output.first(samples);
  }
  template <int MaxBatch>
  static Output output_of(const Workspace<MaxBatch>& work, Index samples) {
    const auto a = raw_output(work, samples);
    return {a.data(), a.rows(), a.cols()};
  }

  template <int MaxBatch>
  [[gnu::always_inline]] Output run_forward(const ConstMatrixView<Scalar>& x, Workspace<MaxBatch>& work,
                                            const ForwardContext<Scalar>& pass) const {
    const Scalar* const theta_begin = theta();
    const detail::LastPass::Mark mark{};
    work.last_pass_.begin(mark);
    work.set_cached_samples(0);
    sequence().forward(theta_begin, x, work.caches_, pass);
    work.set_forward_pass(identity(), x);
    work.set_step(work.step() + 1);
    work.last_pass_.end("forward", mark);
    return output_of(work, x.cols());
  }
  // forward for an x that a check of the whole data set has looked at
  template <int MaxBatch>
  Output forward_of_checked(const ConstMatrixView<Scalar>& x, Workspace<MaxBatch>& work) const {
    ForwardContext<Scalar> pass = work.training_pass(buffer_data(), work.team_for(parameter_count(), x.cols()));
    pass.frozen = frozen_slice();
    return run_forward(x, work, pass);
  }
  // forward_of_checked for one of the shards of a batch whose passes go on at the same time, by the calling thread alone
  template <int MaxBatch>
  Output forward_of_shard(const ConstMatrixView<Scalar>& x, Workspace<MaxBatch>& work, ShardReduction<Scalar>& shards) const {
    ForwardContext<Scalar> pass = work.training_pass(buffer_data(), nullptr);
    pass.frozen = frozen_slice();
    pass.shards = &shards;
    sequence().check_pass(pass, x.cols());
    return run_forward(x, work, pass);
  }

  template <int MaxBatch>
  ConstMatrixView<Scalar> run_predict(const ConstMatrixView<Scalar>& x, Workspace<MaxBatch>& work) const {
    Team* const team = work.team_for(parameter_count(), x.cols(), kernels::far_minimum_of_predictions(x.cols()));
    const auto pass = predicting(team, work.pass_.products.get());
    const Scalar* const theta_begin = theta();
    work.set_cached_samples(0);
    sequence().forward(theta_begin, x, work.caches_, pass);
    return raw_output(work, x.cols());
  }

  // The prediction for one sample whose output of the first layer first_output(a) writes.
  template <bool applies_link, int MaxBatch, class FirstOutput>
  Output predict_after_first(const char* who, Workspace<MaxBatch>& work, const FirstOutput& first_output) const {
    const auto pass = predicting(work.team_for(parameter_count() - sequence().parameter_offset(1), 1), work.pass_.products.get());
    detail::check_capacity(who, 1, work.max_batch());
    detail::check_workspace(who, layers(), work);
    sequence().check_pass(pass, 1);
    const detail::LastPass::Mark mark{};
    work.last_pass_.begin(mark);
    work.set_cached_samples(0);
    first_output(detail::element(work.caches_, detail::Constant<0>{}).output.first(1).data());
    sequence().forward_after_first(theta(), 1, work.caches_, pass);
    if constexpr (applies_link) loss_->link(detail::last_of(work.caches_).output.first(1));
    work.last_pass_.end(who, mark);
    return output_of(work, 1);
  }

  template <int MaxBatch>
  Output link(const ConstMatrixView<Scalar>& y_hat, Workspace<MaxBatch>& work) const {
    loss_->link(detail::last_of(work.caches_).output.first(y_hat.cols()));
    return output_of(work, y_hat.cols());
  }

  // The backward pass. Calls layer_done(begin, end) after each layer, from the last to the first, where dJ/dtheta is complete in [begin,
  // end). Where no parameter before some layer learns, the layers before it are left out.
  template <class X, class Y, int MaxBatch, class LayerDone = detail::NothingAfterLayer>
  void run_backward(const Eigen::DenseBase<X>& x, const Y& y, Workspace<MaxBatch>& work, Gradients& gradients,
                    MatrixView<Scalar>* input_gradient, const LayerDone& layer_done = {}) const {
    begin_backward(x, y, work, gradients, input_gradient, false);
    const auto input = detail::const_view<Scalar>(x);
    const detail::LastPass::Mark mark{};
    work.last_pass_.begin(mark);
    gradients.set_frozen(frozen());
    sequence().backward(theta(), input, work.caches_, work.deltas_, gradients.data(), input_gradient, frozen_slice(), layer_done);
    gradients.set_zero_where_frozen();
    work.last_pass_.end("backward", mark);
  }

  // The backward pass of which layer_done hears in time to send what is complete: there, dJ/dtheta is 0 where it is frozen.
  template <class X, class Y, int MaxBatch, class LayerDone>
  void backward_by_layer(const Eigen::DenseBase<X>& x, const Y& y, Workspace<MaxBatch>& work, Gradients& gradients,
                         const LayerDone& layer_done) const {
    run_backward(x, y, work, gradients, nullptr, [&](Index begin, Index end) {
      gradients.set_zero_where_frozen(begin, end);
      layer_done(begin, end);
    });
  }

  // Does not compile for an X that cannot be an input of this network; the message says why.
  template <class X>
  static constexpr void require_input() {
    static_cast<void>(detail::checked_viewable<Scalar, X>() && detail::checked_rows<In, X>());
  }

  template <int MaxBatch>
  void backward_from_deltas(const char* who, const ConstMatrixView<Scalar>& x, Workspace<MaxBatch>& work, Gradients& gradients) const {
    gradients.shared_ = work.team_for(gradients.size(), x.cols()) != nullptr;
    MatrixView<Scalar>* const no_input_gradient = nullptr;
    const detail::LastPass::Mark mark{};
    work.last_pass_.begin(mark);
    sequence().backward(theta(), x, work.caches_, work.deltas_, gradients.data(), no_input_gradient, frozen_slice());
    gradients.set_frozen(frozen());
    gradients.set_zero_where_frozen();
    work.last_pass_.end(who, mark);
  }

  template <class X, class Y, int MaxBatch>
  void backward_and_step(const Eigen::DenseBase<X>& x, const Y& y, Workspace<MaxBatch>& work, Gradients& scratch, Scalar rate) {
    begin_backward(x, y, work, scratch, nullptr, true);
    const auto input = detail::const_view<Scalar>(x);
    const detail::LastPass::Mark mark{};
    work.last_pass_.begin(mark);
    sequence().backward_and_step(mutable_theta(), input, work.caches_, work.deltas_, -rate, scratch.data(), kernels::add_multiple<Scalar>,
                                 frozen_slice());
    scratch.set_frozen(frozen());
    work.last_pass_.end("descend", mark);
  }

  template <class X, class Y>
  void check_data(const char* who, const Eigen::DenseBase<X>& x, const Y& y) const {
    const auto input = detail::checked_input<Scalar>(who, sequence(), x);
    const ConstMatrixView<Scalar> y_hat{nullptr, this->outputs(), input.cols(),
                                        Eigen::OuterStride<>(this->outputs())};  // a view of the right shape without numbers
    detail::checked_target<Scalar, LossType, Sequence>(who, *loss_, y, y_hat, "x");
  }

  // makes all checks; `steps`: whether theta is changed too
  template <class X, class Y, int MaxBatch>
  CHAINRULE_INLINE_FOR_SPEED void begin_backward(const Eigen::DenseBase<X>& x, const Y& y, Workspace<MaxBatch>& work, Gradients& gradients,
                                                 const MatrixView<Scalar>* input_gradient, bool steps) const {
    const auto input = detail::const_view<Scalar>(x);
    check_input_of_last_forward("backward", x, input, work);
    const Index samples = input.cols();
    const auto source = detail::checked_gradient_source<Scalar>("backward", sequence(), *loss_, y, work);
    detail::check_samples("backward", "x", samples, work.cached_samples(), "the last forward(x, work)");
    detail::check_gradients(sequence(), gradients.sequence());
    const Scalar* const gradient = std::as_const(gradients).data();
    const detail::Memory dJ_dtheta = detail::memory_of(gradient, gradients.size());
    if (steps) detail::check_no_overlap_of_data("descend", x.derived(), y, "theta", detail::memory_of(theta(), gradients.size()));
    detail::check_no_overlap_of_data("backward", x.derived(), y, "dJ/dtheta", dJ_dtheta);
    if (input_gradient != nullptr) {
      check_input_gradient("backward", x.derived(), y, *input_gradient, work);
      detail::check_no_overlap("backward", "dJ/dtheta", dJ_dtheta, "dJ/dx", detail::memory_of(*input_gradient));
    }
    gradients.shared_ = work.team_for(gradients.size(), samples) != nullptr;
    set_last_delta<Y>(source, samples, work);
  }

  // throws unless `input`, a view on x, can be that of the workspace's forward pass; looks at its numbers only where it is another matrix
  template <class X, int MaxBatch>
  [[gnu::always_inline]] void check_input_of_last_forward(const char* who, const Eigen::DenseBase<X>& x,
                                                          const ConstMatrixView<Scalar>& input, const Workspace<MaxBatch>& work) const {
    detail::check_forward_pass(who, layers(), identity(), work);
    if (input.rows() != inputs() || !work.has_checked(input)) detail::checked_input<Scalar>(who, sequence(), x, work, nullptr);
  }

  // the last of the deltas <- dJ/dy_hat, from outside or of the loss
  template <class Y, class Source, int MaxBatch>
  [[gnu::always_inline]] void set_last_delta(const Source& source, Index samples, Workspace<MaxBatch>& work) const {
    MatrixView<Scalar> dJ_dy = detail::last_of(work.deltas_).first(samples);
    if constexpr (detail::is_from_outside<Y>)
      dJ_dy = source;
    else
      detail::loss_gradient(*loss_, raw_output(work, samples), source, dJ_dy);
  }

  template <class X, int MaxBatch>
  ConstMatrixView<Scalar> checked_backward_input(const char* who, const Eigen::DenseBase<X>& x, const Workspace<MaxBatch>& work,
                                                 const Gradients& gradients) const {
    const auto input = detail::const_view<Scalar>(x);
    detail::check_workspace(who, layers(), work);
    if (!work.was_forward_of(identity())) detail::forward_of_other_network(who);
    if (input.rows() != inputs() || !work.has_checked(input)) detail::checked_input<Scalar>(who, sequence(), x, work, nullptr);
    detail::check_samples(who, "x", input.cols(), work.jet_samples(), "the last forward_jet(x, work)");
    detail::check_gradients(sequence(), gradients.sequence());
    detail::check_no_overlap(who, "x", detail::memory_of(x.derived()), "dJ/dtheta", detail::memory_of(gradients.data(), gradients.size()));
    return input;
  }

  template <class X, class Y, int MaxBatch>
  [[gnu::noinline]] void check_input_gradient(const char* who, const X& x, const Y& y, const MatrixView<Scalar>& input_gradient,
                                              const Workspace<MaxBatch>& work) const {
    detail::check_input_gradient(who, input_gradient.rows(), input_gradient.cols(), inputs(), x.cols());
    const detail::Memory dJ_dx = detail::memory_of(input_gradient);
    detail::check_no_overlap_of_data(who, x, y, "dJ/dx", dJ_dx);
    detail::check_no_overlap(who, "theta", detail::memory_of(theta(), parameter_count()), "dJ/dx", dJ_dx);
    detail::check_outside_workspace(who, "dJ/dx", dJ_dx, work);
  }

  // Inlined, and with a view of its own, so that the caller keeps the view and the context of the pass in registers.
  template <class X, int MaxBatch>
  [[gnu::always_inline]] ConstMatrixView<Scalar> checked_input(const char* who, const Eigen::DenseBase<X>& x,
                                                               const Workspace<MaxBatch>& work, const ForwardContext<Scalar>& pass) const {
    detail::checked_input<Scalar>(who, sequence(), x, work, pass.team);
    sequence().check_pass(pass, x.cols());
    return detail::const_view<Scalar>(x);
  }

  [[no_unique_address]] detail::CopiedByMove<LossType> loss_;
};

/// Makes a network from layers whose types need not be written down: make_network<float, SoftmaxCrossEntropy>(Seed{42}, layers...).
template <class Scalar, class LossType, class... Layers>
Network<Scalar, LossType, Layers...> make_network(Seed seed, Layers... layers) {
  return Network<Scalar, LossType, Layers...>(seed, layers...);
}
/// Makes a network with a loss that has hyperparameters: make_network<float>(Seed{42}, Huber{.delta = 2}, layers...).
template <class Scalar, Loss LossType, class... Layers>
Network<Scalar, LossType, Layers...> make_network(Seed seed, LossType loss, Layers... layers) {
  return Network<Scalar, LossType, Layers...>(seed, loss, layers...);
}

}  // namespace chainrule
