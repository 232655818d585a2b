#pragma once
// The derivatives of a network by its parameters beyond dJ/dtheta: the Jacobian of the outputs, the gradient of each sample by itself, and
// products with the Hessian of J.

#include <algorithm>
#include <chainrule/core/detail/hyperparameter_checks.hpp>
#include <chainrule/core/detail/network_access.hpp>
#include <chainrule/core/detail/overlap.hpp>
#include <chainrule/derivatives/detail/checks.hpp>
#include <chainrule/derivatives/detail/unit_vectors.hpp>
#include <chainrule/derivatives/jet_workspace.hpp>
#include <chainrule/derivatives/workspace.hpp>
#include <chainrule/gradients.hpp>
#include <chainrule/layers/sample_gradients.hpp>
#include <chainrule/optimizers/clip.hpp>

namespace chainrule {

/// Base class of Network with its derivatives by theta. All work is done by the calling thread, except for the backward pass at the end of
/// backward_clipped; nothing allocates. Throws ShapeError for a result of the wrong shape and where the workspace is too small, ValueError
/// where arguments share memory with a result. Where a call throws, no result has changed.
///
/// A layer of your own with parameters needs the member sample_gradients for the Jacobian and for gradients of samples, and the members of
/// SecondOrderDerivatives for products with the Hessian (core/concepts.hpp). A network with one that lacks them does not compile, and an
/// AnyNetwork throws StateError.
template <class Net>
class ParameterDerivatives {
 public:
  /// Computes the Jacobians by theta of all samples into J, parameters x (outputs batch): column j outputs + o is the gradient of output o
  /// of sample j. (This is the transpose of the usual Jacobian, because a gradient is contiguous, as theta is.) F(x) is the raw output in
  /// prediction mode, as for FirstOrderDerivatives, whose errors this function has too; it returns F(x), outputs x batch. The workspace is
  /// one of make_derivative_workspace, and several outputs are computed at once where it has room for them.
  ///
  ///     J(i, j outputs + o) = dF_o(x_j)/dtheta_i
  template <class X, class Work, detail::EigenDense J>
  auto parameter_jacobian(const Eigen::DenseBase<X>& x, Work& work, J&& jacobian) const {
    using Scalar = typename Net::ScalarType;
    constexpr const char* who = "parameter_jacobian";
    if constexpr (checked_types<X, X, Work>() && checked_derivative_workspace<Work>()) {
      MatrixView<Scalar> all = detail::mutable_view<Scalar>(jacobian);
      const Index outputs = network().outputs(), batch = x.cols();
      check_network(who);
      check_shape(who, "J", all, outputs * batch, "parameters x (outputs batch)");
      detail::check_outside_derivatives(who, "x", detail::memory_of(x.derived()), work);
      detail::check_result_outside(who, "J", detail::memory_of(all), network(), x.derived(), work);
      const ConstMatrixView<Scalar> input = Access::checked_input(who, network(), x, work);
      Access::in_one_pass(who, work, [&] {
        Access::run_predict(network(), input, work);
        const Index at_once = (std::min)(outputs, work.max_batch() / batch);
        for (Index first = 0; first < outputs; first += at_once) {
          const Index count = (std::min)(at_once, outputs - first);
          MatrixView<Scalar> v = detail::last_of(Access::deltas(work)).first(count * batch);
          detail::set_unit_vectors(first, count, batch, v);
          go_back(input, work, count * batch, SampleGradients<Scalar>(all, batch, outputs, first));
        }
      });
      return Access::output_of(network(), work, batch);
    }
  }

  /// Computes the gradient by theta of the loss of each sample after `forward(x, work)`, a training pass, into G, parameters x batch. y:
  /// the targets, as for `backward`, or from_outside(dJ_dy). The mean of the columns is the dJ/dtheta of `backward`, with the same masks of
  /// Dropout.
  ///
  ///     G.col(j) = dl_j/dtheta  with J = 1/batch sum_j l_j;  l_j = w_j/m J_j where samples or classes have weights (core/weighting.hpp)
  ///
  /// Errors are those of `backward`. Throws StateError for a network with BatchNorm, which in training makes the output for a sample depend
  /// on the other samples, so that no loss belongs to one sample alone.
  template <class X, class Y, class Work, detail::EigenDense G>
  void sample_gradients(const Eigen::DenseBase<X>& x, const Y& y, Work& work, G&& gradients) const {
    using Scalar = typename Net::ScalarType;
    constexpr const char* who = "sample_gradients";
    if constexpr (checked_types<X, Y, Work>()) {
      MatrixView<Scalar> all = detail::mutable_view<Scalar>(gradients);
      const Index batch = x.cols();
      const auto checked = checked_training_pass(who, x, y, work, "G", detail::memory_of(all));
      check_shape(who, "G", all, batch, "parameters x batch");
      Access::in_one_pass(who, work, [&] {
        set_last_delta_of_samples<Y>(checked.source, batch, work);
        go_back(checked.x, work, batch, SampleGradients<Scalar>(all, batch, 1, 0));
      });
    }
  }

  /// Computes the Euclidean norms of the columns of sample_gradients into `norms`, a vector of `batch` numbers, without these columns: for
  /// Dense from delta and a alone (Goodfellow 2015, Efficient per-example gradient computations).
  ///
  ///     norms_j = |dl_j/dtheta| = sqrt(sum over layers: |delta_j|^2 (|a_j|^2 + 1))        for layers Dense
  template <class X, class Y, class Work, detail::EigenDense Norms>
  void sample_gradient_norms(const Eigen::DenseBase<X>& x, const Y& y, Work& work, Norms&& norms) const {
    using Scalar = typename Net::ScalarType;
    constexpr const char* who = "sample_gradient_norms";
    if constexpr (checked_types<X, Y, Work>()) {
      MatrixView<Scalar> all = detail::mutable_view<Scalar>(norms);
      const auto checked = checked_training_pass(who, x, y, work, "norms", detail::memory_of(all));
      if (all.size() != x.cols() || (all.rows() != 1 && all.cols() != 1))
        detail::raise<ShapeError>(who, ": norms is ", all.rows(), " x ", all.cols(), ", but it must be a vector of ", x.cols(),
                                  " numbers, one for each sample of x");
      compute_norms<Y>(who, checked.x, checked.source, work, all.data(), all.cols() == 1 ? Index{1} : all.outerStride());
    }
  }

  /// The backward pass for private training: computes the mean of the gradients of all samples, each scaled to the norm max_norm if its own
  /// is larger, into `gradients` (Abadi et al. 2016, Deep Learning with Differential Privacy, algorithm 1; the noise is the caller's).
  /// Called as `backward` is, after `forward(x, work)`, with a workspace of make_derivative_workspace(batch, 1). It takes about two
  /// backward passes: the gradients of samples are never formed, only their norms, by which the gradients by the outputs are scaled.
  ///
  ///     dJ/dtheta = 1/batch sum_j g_j min(1, max_norm/|g_j|)  with the columns g_j of sample_gradients
  ///
  /// Where layers of the network are frozen, g_j are the gradients by the parameters of the others; StateError where a part of a layer is.
  /// Errors are those of sample_gradients; ValueError for a max_norm that is not above 0 and finite, or so small that the gradient would
  /// have numbers below the smallest normal one, and for a gradient whose norm is not finite.
  template <class X, class Y, class Work, class Scalar, class Sequence>
  void backward_clipped(const Eigen::DenseBase<X>& x, const Y& y, Work& work, Gradients<Scalar, Sequence>& gradients,
                        double max_norm) const {
    constexpr const char* who = "backward_clipped";
    constexpr bool fit = std::is_same_v<Gradients<Scalar, Sequence>, typename Net::Gradients>;
    static_assert(fit, "chainrule: these gradients were made by a network of another type");
    if constexpr (fit && checked_types<X, Y, Work>() && checked_derivative_workspace<Work>()) {
      using Number = detail::Accumulator<Scalar>;
      const Index batch = x.cols();
      detail::check_positive<Scalar>(who, "max_norm", max_norm);
      detail::check_limit_is_normal<Scalar>(who, "max_norm", max_norm,
                                            static_cast<double>(batch) * std::sqrt(static_cast<double>(parameters())));
      detail::check_gradients(Access::sequence(network()), gradients.sequence());
      const auto checked =
          checked_training_pass(who, x, y, work, "dJ/dtheta", detail::memory_of(std::as_const(gradients).data(), gradients.size()));
      Scalar* const norms = Access::by_x(work, batch).data();
      compute_norms<Y>(who, checked.x, checked.source, work, norms, Index{1}, checked_frozen_layers(who));
      for (Index j = 0; j < batch; ++j)
        if (!detail::is_finite(norms[j]))
          detail::raise<ValueError>(who, ": the gradient of sample ", j, " has the norm ", norms[j], ", so it cannot be scaled to ",
                                    max_norm, "; look at its y_hat and y, or leave it out of the batch");
      MatrixView<Scalar> delta = detail::last_of(Access::deltas(work)).first(batch);
      Access::set_last_delta<Y>(network(), checked.source, batch, work);
      for (Index j = 0; j < batch; ++j)
        if (static_cast<Number>(norms[j]) > static_cast<Number>(max_norm))
          detail::scale(delta.rows(), static_cast<Number>(max_norm), static_cast<Number>(norms[j]), delta.data() + j * delta.outerStride());
      Access::backward_from_deltas(who, network(), checked.x, work, gradients);
    }
  }

  /// Computes the product of the Hessian of J by theta with v, exactly, into Hv: the derivative of the backward pass along v (forward over
  /// reverse; Pearlmutter 1994, Fast exact multiplication by the Hessian). J is the loss that `evaluate` gives for x and y, in prediction
  /// mode, weights included. v and Hv are contiguous vectors, or objects of make_gradients(); the workspace is one of
  /// make_hessian_vector_workspace or make_jet_workspace. At a kink f'' is 0, as in PyTorch.
  ///
  ///     Hv = d2J/dtheta2 v = d/dt dJ/dtheta(theta + t v) at t = 0
  ///
  /// Errors are those of `evaluate`; ValueError for NaN or infinity in v; StateError for an activation without f'', and for a loss in an
  /// AnyLoss without gradient_jvp. A network with another loss that has none does not compile.
  template <class X, class Y, class V, class Work, class Result>
  void hessian_vector_product(const Eigen::DenseBase<X>& x, const Y& y, const V& v, Work& work, Result&& product) const {
    using Scalar = typename Net::ScalarType;
    constexpr const char* who = "hessian_vector_product";
    if constexpr (checked_hessian_types<X, Y, Work>()) {
      const auto& loss = network().loss_function();
      detail::check_derivatives<Scalar>(who, Access::sequence(network()), 2);
      if (!detail::has_gradient_jvp(loss))
        detail::raise<StateError>(who, ": the loss ", loss.name,
                                  " has no gradient_jvp, the derivative of its gradient, which second derivatives of J need (see "
                                  "core/concepts.hpp)");
      const ConstVectorView<Scalar> direction = detail::const_flat<Scalar>(who, "v", v);
      VectorView<Scalar> Hv = detail::mutable_flat<Scalar>(who, "Hv", product);
      check_size(who, "v", direction.size());
      check_size(who, "Hv", Hv.size());
      detail::check_finite(who, "v", detail::matrix_view(direction.data(), direction.size(), 1));
      const detail::Memory read = detail::memory_of(direction), written = detail::memory_of(Hv);
      detail::check_no_overlap(who, "v", read, "Hv", written);
      detail::check_outside_derivatives(who, "v", read, work);
      detail::check_outside_derivatives(who, "x", detail::memory_of(x.derived()), work);
      detail::check_result_outside(who, "Hv", written, network(), x.derived(), work);
      detail::check_no_overlap_of_data(who, x.derived(), y, "Hv", written);
      const ConstMatrixView<Scalar> input = Access::checked_input(who, network(), x, work);
      const auto target = detail::with_mean_weight<Scalar>(
          who, loss, detail::checked_target<Scalar, detail::SequenceOfNet<Net>>(who, loss, y, work, input.cols(), "x"));
      Access::in_one_pass(who, work, [&] { multiply_by_hessian(input, target, direction.data(), work, Hv.data()); });
    }
  }

  /// Does not compile for arguments of other kinds or in another order; the message says what to write instead.
  template <class... T>
  requires(!detail::have_kinds<T...>("mom")) auto parameter_jacobian(T&&...) const {
    return detail::wrong_derivative_arguments<typename Net::Output, T...>();
  }
  /// Does not compile for arguments of other kinds or in another order; the message says what to write instead.
  template <class... T>
  requires(!detail::have_kinds<T...>("m*om")) void sample_gradients(T&&...) const {
    return detail::wrong_derivative_arguments<void, T...>();
  }
  /// Does not compile for arguments of other kinds or in another order; the message says what to write instead.
  template <class... T>
  requires(!detail::have_kinds<T...>("m*om")) void sample_gradient_norms(T&&...) const {
    return detail::wrong_derivative_arguments<void, T...>();
  }
  /// Does not compile for arguments of other kinds or in another order; the message says what to write instead.
  template <class... T>
  requires(!detail::have_kinds<T...>("m*oon")) void backward_clipped(T&&...) const {
    return detail::wrong_derivative_arguments<void, T...>();
  }
  /// Does not compile for arguments of other kinds or in another order; the message says what to write instead.
  template <class... T>
  requires(!detail::have_kinds<T...>("m**o*")) void hessian_vector_product(T&&...) const {
    return detail::wrong_derivative_arguments<void, T...>();
  }

 private:
  using Access = detail::NetworkAccess;

  const Net& network() const { return static_cast<const Net&>(*this); }
  Index parameters() const { return network().parameters().size(); }

  // Whether the types of the arguments of gradients of samples fit the network. Where not, a sentence says what to do. (All sentences are
  // in one function, because compilers list each call between the user's and a failed static_assert.)
  template <class X, class Y, class Work>
  static constexpr bool checked_types() {
    using Scalar = typename Net::ScalarType;
    constexpr bool have = detail::SequenceOfNet<Net>::template have_sample_gradients<Scalar>();
    static_assert(have,
                  "chainrule: gradients of single samples by theta need the members jvp and vjp of each layer and sample_gradients of each "
                  "layer with parameters, also of those inside a Residual (see core/concepts.hpp)");
    constexpr bool is_of_net = detail::is_workspace_of<Net, Work>();
    static_assert(is_of_net, "chainrule: this workspace was made by a network of another type");
    constexpr int In = detail::SequenceOfNet<Net>::inputs_at_compile_time;
    return have && is_of_net && detail::checked_viewable<Scalar, X>() && detail::checked_rows<In, X>() &&
           detail::checked_targets_or_gradient<Y>() && detail::checked_viewable<Scalar, detail::NumbersOr<Scalar, Y>>();
  }
  template <class Work>
  static constexpr bool checked_derivative_workspace() {
    constexpr bool is_one = std::is_same_v<std::remove_const_t<Work>, typename Net::DerivativeWorkspace>;
    static_assert(is_one, "chainrule: this derivative needs a workspace made by net.make_derivative_workspace(samples)");
    return is_one;
  }
  template <class X, class Y, class Work>
  static constexpr bool checked_hessian_types() {
    using Scalar = typename Net::ScalarType;
    using LossType = std::remove_cvref_t<decltype(std::declval<const Net&>().loss_function())>;
    constexpr bool have_jets = detail::SequenceOfNet<Net>::template have_jets<Scalar>();
    static_assert(
        have_jets,
        "chainrule: hessian_vector_product needs the members JetCache, forward_jet and backward_jet of each layer, and the second "
        "derivative of each activation, also of those inside a Residual (see core/concepts.hpp)");
    constexpr bool has_jvp = TwiceDifferentiableLoss<LossType> || requires(const LossType& loss) { loss.has_gradient_jvp(); };
    static_assert(has_jvp,
                  "chainrule: hessian_vector_product needs the member gradient_jvp of the loss, the derivative of its gradient (see "
                  "core/concepts.hpp)");
    constexpr bool is_one = std::is_same_v<std::remove_const_t<Work>, typename Net::JetWorkspace>;
    static_assert(is_one, "chainrule: hessian_vector_product needs a workspace made by net.make_hessian_vector_workspace(samples)");
    constexpr int In = detail::SequenceOfNet<Net>::inputs_at_compile_time;
    return have_jets && has_jvp && is_one && detail::checked_viewable<Scalar, X>() && detail::checked_rows<In, X>() &&
           detail::checked_targets<Y>() && detail::checked_viewable<Scalar, detail::NumbersOr<Scalar, Y>>();
  }

  // Throws where a layer, whose type may be known only at run time, lacks a member for gradients of single samples.
  void check_network(const char* who) const {
    for (const int order : {0, 1}) detail::check_derivatives<typename Net::ScalarType>(who, Access::sequence(network()), order);
  }

  void check_size(const char* who, const char* name, Index size) const {
    if (size != parameters())
      detail::raise<ShapeError>(who, ": ", name, " has ", size, " numbers, but the network has ", parameters(), " parameters");
  }
  template <class Scalar>
  void check_shape(const char* who, const char* name, const MatrixView<Scalar>& result, Index columns, const char* shape) const {
    if (result.rows() != parameters() || result.cols() != columns)
      detail::raise<ShapeError>(who, ": ", name, " is ", parameters(), " x ", columns, " here, ", shape,
                                ", but the matrix given for it is ", result.rows(), " x ", result.cols());
  }

  // Views on x and on the source of dJ/dy_hat: the targets, or a gradient from outside.
  template <class Scalar, class Source>
  struct TrainingPass {
    ConstMatrixView<Scalar> x;
    Source source;
  };

  // Returns views on x and on the source of dJ/dy_hat after all checks of a backward pass whose result is in the memory `written`, and
  // those of gradients of single samples.
  template <class X, class Y, class Work>
  auto checked_training_pass(const char* who, const Eigen::DenseBase<X>& x, const Y& y, const Work& work, const char* name,
                             detail::Memory written) const {
    using Scalar = typename Net::ScalarType;
    const auto& sequence = Access::sequence(network());
    const ConstMatrixView<Scalar> input = detail::const_view<Scalar>(x);
    check_network(who);
    Access::check_input_of_last_forward(who, network(), x, input, work);
    const auto source = detail::checked_gradient_source<Scalar>(who, sequence, network().loss_function(), y, work);
    detail::check_samples(who, "x", input.cols(), work.cached_samples(), "the last forward(x, work)");
    if (sequence.fewest_training_samples() > 1)
      detail::raise<StateError>(who,
                                ": in training, BatchNorm makes the output for a sample depend on the other samples of the batch, so there "
                                "is no gradient of one sample alone; use LayerNorm instead");
    detail::check_no_overlap_of_data(who, x.derived(), y, name, written);
    detail::check_result_outside(who, name, written, network(), x.derived(), work);
    return TrainingPass<Scalar, std::remove_const_t<decltype(source)>>{input, source};
  }

  // delta(L+1) = batch dJ/dy_hat, whose column j is the gradient of the loss of sample j        (outputs x batch)
  template <class Y, class Source, class Work>
  void set_last_delta_of_samples(const Source& source, Index batch, Work& work) const {
    Access::set_last_delta<Y>(network(), source, batch, work);
    detail::last_of(Access::deltas(work)).first(batch) *= static_cast<typename Net::ScalarType>(batch);
  }

  // The frozen parameters, which must be those of whole layers.
  detail::FrozenSlice checked_frozen_layers(const char* who) const {
    const detail::FrozenSlice frozen{network().frozen().get(), 0};
    const auto& sequence = Access::sequence(network());
    for (std::size_t i = 0; i < detail::size_of(network().layers()); ++i) {
      const Index begin = sequence.parameter_offset(i), end = sequence.parameter_offset(i + 1);
      if (frozen.overlaps(begin, end) && !frozen.contains(begin, end))
        detail::raise<StateError>(who, ": a part of layer ", i,
                                  " is frozen, so the norm of its gradient would be that of the whole layer; ", "freeze whole layers");
    }
    return frozen;
  }

  // Runs the backward pass, and gives the gradient of each column of delta(L+1) to `gradients`. Precondition: set_last_delta_of_samples.
  template <class Scalar, class Work>
  void go_back(const ConstMatrixView<Scalar>& x, Work& work, Index columns, const SampleGradients<Scalar>& gradients,
               const detail::FrozenSlice& frozen = {}) const {
    MatrixView<Scalar>* const no_input_gradient = nullptr;
    Access::sequence(network()).sample_gradients(Access::theta(network()), x, Access::caches(work), Access::deltas(work), columns,
                                                 gradients, no_input_gradient, frozen);
  }

  template <class Y, class Scalar, class Source, class Work>
  void compute_norms(const char* who, const ConstMatrixView<Scalar>& x, const Source& source, Work& work, Scalar* norms, Index step,
                     const detail::FrozenSlice& frozen = {}) const {
    Access::in_one_pass(who, work, [&] {
      for (Index j = 0; j < x.cols(); ++j) norms[j * step] = 0;
      set_last_delta_of_samples<Y>(source, x.cols(), work);
      go_back(x, work, x.cols(), SampleGradients<Scalar>(norms, step, x.cols()), frozen);
    });
  }

  // Along theta + t v: y_hat_1 is the derivative of y_hat. Hv is the gradient by theta of v^T dJ/dtheta = (dJ/dy_hat)^T y_hat_1, a function
  // of y_hat and y_hat_1:
  //
  //     gradient by y_hat = d2J/dy_hat2 y_hat_1,  gradient by y_hat_1 = dJ/dy_hat        (outputs x batch)
  template <class Scalar, class Target, class Work>
  void multiply_by_hessian(const ConstMatrixView<Scalar>& x, const Target& y, const Scalar* v, Work& work, Scalar* Hv) const {
    const auto& sequence = Access::sequence(network());
    const Scalar* const theta = Access::theta(network());
    const JetShape shape{x.cols(), 1, 0, {}};
    Access::run_predict(network(), x, work);
    MatrixView<Scalar> jet = Access::jet(work).first(shape.columns());
    jet.setZero();  // x does not depend on t
    sequence.forward_jet(theta, v, x, Access::caches(work), shape, detail::as_const(jet), Access::jet_caches(work));
    const ConstMatrixView<Scalar> y_hat = detail::as_const(detail::last_of(Access::caches(work)).output.first(shape.batch));
    const ConstMatrixView<Scalar> y_hat_1 = detail::as_const(detail::last_of(Access::jet_caches(work)).output.first(shape.columns()));
    const auto& loss = network().loss_function();
    detail::loss_gradient(loss, y_hat, y, detail::last_of(Access::jet_deltas(work)).first(shape.columns()));
    detail::loss_gradient_jvp(loss, y_hat, y, y_hat_1, detail::last_of(Access::deltas(work)).first(shape.batch));
    MatrixView<Scalar>* const nothing = nullptr;
    sequence.backward_jet(theta, v, x, Access::caches(work), shape, detail::as_const(jet), Access::jet_caches(work), Access::deltas(work),
                          Access::jet_deltas(work), Hv, nothing, nothing);
  }
};

}  // namespace chainrule
