#pragma once
// The derivatives of a network's outputs by its inputs: products with the Jacobian dF/dx from both sides, and the Jacobian itself.

#include <algorithm>
#include <chainrule/core/detail/network_access.hpp>
#include <chainrule/core/detail/overlap.hpp>
#include <chainrule/derivatives/detail/checks.hpp>
#include <chainrule/derivatives/detail/unit_vectors.hpp>
#include <chainrule/derivatives/workspace.hpp>

namespace chainrule {

/// Base class of Network with its derivatives by x, and of what net.of_prediction() returns. For a network, F(x) is the raw output in
/// prediction mode, predict_raw(x): before the loss's link, without Dropout, and with the running statistics of BatchNorm. For
/// net.of_prediction(), F(x) is predict(x), the loss's link included. At a kink, such as that of ReLU at 0, the derivative is the one that
/// backward uses.
///
/// Each function returns F(x), outputs x batch, a view that is valid until the next pass that uses the workspace, and allocates nothing.
/// The workspace's team shares the forward pass and the products of vjp, to the same bits. Errors are those of predict_raw; ShapeError for
/// a v, u, J or result of the wrong shape, and where the workspace is too small; ValueError for NaN or infinity in v or u, and where
/// arguments share memory with a result. Where a call throws, no result has changed.
///
/// A layer of your own needs the members jvp and vjp (core/concepts.hpp). A network with one that lacks them does not compile, and an
/// AnyNetwork throws StateError. A loss of your own needs link_jvp for net.of_prediction().
template <class Net, class Derived = Net>
class FirstOrderDerivatives {
 public:
  /// Computes the vector-Jacobian product, the gradient of v^T F by x, into `result`, inputs x batch. v: outputs x batch. As torch.func.vjp
  /// and jax.vjp, but without a gradient by theta.
  ///
  ///     result = (dF/dx)^T v, for each sample
  template <class X, class V, class Work, detail::EigenDense Result>
  auto vjp(const Eigen::DenseBase<X>& x, const Eigen::DenseBase<V>& v, Work& work, Result&& result) const {
    using Scalar = typename Net::ScalarType;
    if constexpr (checked_types<X, V, Work>() && detail::checked_rows<detail::SequenceOfNet<Net>::inputs_at_compile_time, X>()) {
      const auto given = detail::const_view<Scalar>(v);
      MatrixView<Scalar> by_x = detail::mutable_view<Scalar>(result);
      check_products("vjp", "v", given, network().outputs(), by_x, network().inputs(), x, work);
      const ConstMatrixView<Scalar> input = Access::checked_input("vjp", network(), x, work);
      Access::in_one_pass("vjp", work, [&] {
        run_forward(input, work);
        MatrixView<Scalar> last_delta = detail::last_of(Access::deltas(work)).first(given.cols());
        last_delta = given;
        multiply_by_link(work, input.cols(), last_delta);
        Access::sequence(network()).vjp(Access::theta(network()), input, Access::caches(work), Access::deltas(work), given.cols(), by_x);
      });
      return value_of(work, input.cols());
    }
  }

  /// Computes the Jacobian-vector product, the derivative of F along u, into `result`, outputs x batch. u: inputs x batch. As
  /// torch.func.jvp and jax.jvp.
  ///
  ///     result = dF/dx u = d/dt F(x + t u) at t = 0, for each sample
  template <class X, class U, class Work, detail::EigenDense Result>
  auto jvp(const Eigen::DenseBase<X>& x, const Eigen::DenseBase<U>& u, Work& work, Result&& result) const {
    using Scalar = typename Net::ScalarType;
    if constexpr (checked_types<X, U, Work>() && detail::checked_rows<detail::SequenceOfNet<Net>::inputs_at_compile_time, X>()) {
      const auto given = detail::const_view<Scalar>(u);
      MatrixView<Scalar> along_u = detail::mutable_view<Scalar>(result);
      check_products("jvp", "u", given, network().inputs(), along_u, network().outputs(), x, work);
      const ConstMatrixView<Scalar> input = Access::checked_input("jvp", network(), x, work);
      Access::in_one_pass("jvp", work, [&] {
        run_forward(input, work);
        along_u = derivatives_along(input, given, work);
      });
      return value_of(work, input.cols());
    }
  }

  /// Computes the Jacobians of all samples into J, outputs x (inputs batch): that of sample j is J.middleCols(j * inputs, inputs). It uses
  /// the cheaper of the two products: jvp along each input, or vjp for each output. The workspace is one of make_derivative_workspace.
  ///
  ///     J(i, k) = dF_i/dx_k
  template <class X, class Work, detail::EigenDense J>
  auto jacobian(const Eigen::DenseBase<X>& x, Work& work, J&& jacobians) const {
    using Scalar = typename Net::ScalarType;
    constexpr bool fits = is_derivative_workspace<Work>();
    static_assert(fits, "chainrule: a Jacobian needs a workspace made by net.make_derivative_workspace(samples)");
    if constexpr (fits && checked_types<X, X, Work>() && detail::checked_rows<detail::SequenceOfNet<Net>::inputs_at_compile_time, X>()) {
      MatrixView<Scalar> all = detail::mutable_view<Scalar>(jacobians);
      const Index inputs = network().inputs(), outputs = network().outputs(), batch = x.cols();
      check_network("jacobian");
      check_shape_of_x("jacobian", x, work);
      if (all.rows() != outputs || all.cols() != inputs * batch)
        detail::raise<ShapeError>("jacobian: J is ", outputs, " x ", inputs * batch,
                                  " here, outputs x (inputs batch), but the matrix given for it is ", all.rows(), " x ", all.cols());
      detail::check_outside_derivatives("jacobian", "x", detail::memory_of(x.derived()), work);
      detail::check_result_outside("jacobian", "J", detail::memory_of(all), network(), x.derived(), work);
      const ConstMatrixView<Scalar> input = Access::checked_input("jacobian", network(), x, work);
      Access::in_one_pass("jacobian", work, [&] {
        run_forward(input, work);
        const Index directions = (std::min)(inputs, outputs), at_once = (std::min)(directions, work.max_batch() / batch);
        for (Index first = 0; first < directions; first += at_once) {
          const Index count = (std::min)(at_once, directions - first);
          if (inputs <= outputs)
            columns_of_jacobian(input, first, count, work, all);
          else
            rows_of_jacobian(input, first, count, work, all);
        }
      });
      return value_of(work, input.cols());
    }
  }

  /// Does not compile for arguments of other kinds or in another order; the message says what to write instead.
  template <class... T>
  requires(!detail::have_kinds<T...>("mmom")) auto vjp(T&&...) const {
    return detail::wrong_derivative_arguments<typename Net::Output, T...>();
  }
  /// Does not compile for arguments of other kinds or in another order; the message says what to write instead.
  template <class... T>
  requires(!detail::have_kinds<T...>("mmom")) auto jvp(T&&...) const {
    return detail::wrong_derivative_arguments<typename Net::Output, T...>();
  }
  /// Does not compile for arguments of other kinds or in another order; the message says what to write instead.
  template <class... T>
  requires(!detail::have_kinds<T...>("mom")) auto jacobian(T&&...) const {
    return detail::wrong_derivative_arguments<typename Net::Output, T...>();
  }

 private:
  using Access = detail::NetworkAccess;
  static constexpr bool includes_link = !std::is_same_v<Net, Derived>;

  const Net& network() const {
    if constexpr (includes_link)
      return *static_cast<const Derived&>(*this).net_;
    else
      return static_cast<const Net&>(*this);
  }

  // Whether the types of the arguments fit the network. Where not, a sentence says what to do. (All sentences are in one function, because
  // compilers list each call between the user's and a failed static_assert.)
  template <class X, class Given, class Work>
  static constexpr bool checked_types() {
    using Scalar = typename Net::ScalarType;
    using LossType = std::remove_cvref_t<decltype(std::declval<const Net&>().loss_function())>;
    constexpr bool has_jvp = detail::SequenceOfNet<Net>::template have_input_derivatives<Scalar>();
    static_assert(has_jvp,
                  "chainrule: derivatives of a network by x need the members jvp and vjp of each of its layers, also of those inside a "
                  "Residual (see core/concepts.hpp)");
    constexpr bool has_link = !includes_link || detail::may_have_link_jvp<Scalar, LossType>();
    static_assert(has_link, "chainrule: derivatives of a prediction need the member link_jvp of the loss (see core/concepts.hpp)");
    constexpr bool is_mutable = !std::is_const_v<Work>;
    static_assert(is_mutable, "chainrule: a derivative is computed in its workspace, so that cannot be const");
    constexpr bool is_of_net = detail::is_workspace_of<Net, Work>();
    static_assert(is_of_net, "chainrule: this workspace was made by a network of another type");
    constexpr bool fits = !includes_link || is_derivative_workspace<Work>();
    static_assert(fits, "chainrule: derivatives of a prediction need a workspace made by net.make_derivative_workspace(samples)");
    return has_jvp && has_link && is_mutable && is_of_net && fits && detail::checked_viewable<Scalar, X>() &&
           detail::checked_viewable<Scalar, Given>();
  }
  template <class Work>
  static constexpr bool is_derivative_workspace() {
    return std::is_same_v<std::remove_const_t<Work>, typename Net::DerivativeWorkspace>;
  }

  // Throws where a layer or the loss, whose types are known only at run time, has no derivative.
  void check_network(const char* who) const {
    detail::check_derivatives<typename Net::ScalarType>(who, Access::sequence(network()), 1);
    if constexpr (includes_link) detail::check_link_jvp(who, network().loss_function());
  }

  template <class X, class Work>
  void check_shape_of_x(const char* who, const Eigen::DenseBase<X>& x, const Work& work) const {
    constexpr bool is_one = is_derivative_workspace<Work>();
    detail::check_shape_of_x(who, network(), x, work, is_one ? "make_derivative_workspace(samples)" : "make_workspace(samples)");
  }

  // Makes the prediction, and keeps a copy of F(x) after the loss's link where that is included: the layers' derivatives need the raw
  // output. In one pass with what follows, so that two threads that share a workspace are noticed also between the two.
  template <class Scalar, class Work>
  void run_forward(const ConstMatrixView<Scalar>& x, Work& work) const {
    Access::run_predict(network(), x, work);
    if constexpr (includes_link) {
      auto prediction = Access::prediction(work, x.cols());
      prediction = detail::last_of(work.caches()).output.first(x.cols());
      network().loss_function().link(prediction);
    }
  }
  template <class Work>
  auto value_of(Work& work, Index samples) const {
    if constexpr (includes_link) {
      const auto prediction = Access::prediction(work, samples);
      return typename Net::Output(prediction.data(), prediction.rows(), prediction.cols());
    } else {
      return Access::output_of(network(), work, samples);
    }
  }

  // Multiplies each column by the Jacobian of the loss's link if F(x) includes the link, else does nothing. Column k batch + j belongs to
  // sample j. The Jacobian is symmetric, so this serves jvp and vjp.
  template <class Work, class Scalar>
  void multiply_by_link([[maybe_unused]] Work& work, [[maybe_unused]] Index batch, [[maybe_unused]] MatrixView<Scalar> columns) const {
    if constexpr (includes_link) network().loss_function().link_jvp(detail::as_const(Access::prediction(work, batch)), columns);
  }

  // The derivatives of F along directions of x, outputs x directions batch, which are then in the last delta of the workspace.
  template <class Scalar, class Work>
  MatrixView<Scalar> derivatives_along(const ConstMatrixView<Scalar>& x, const ConstMatrixView<Scalar>& directions, Work& work) const {
    Access::sequence(network()).jvp(Access::theta(network()), x, Access::caches(work), directions, Access::deltas(work));
    MatrixView<Scalar> along = detail::last_of(Access::deltas(work)).first(directions.cols());
    multiply_by_link(work, x.cols(), along);
    return along;
  }

  // Columns first, ..., first + count - 1 of each sample's Jacobian, by jvp along the unit vectors of these inputs.
  template <class Scalar, class Work>
  void columns_of_jacobian(const ConstMatrixView<Scalar>& x, Index first, Index count, Work& work, MatrixView<Scalar>& all) const {
    const Index inputs = x.rows(), batch = x.cols();
    MatrixView<Scalar> u = Access::by_x(work, count * batch);
    detail::set_unit_vectors(first, count, batch, u);
    const MatrixView<Scalar> along = derivatives_along(x, detail::as_const(u), work);
    for (Index j = 0; j < batch; ++j)
      for (Index k = 0; k < count; ++k) all.col(j * inputs + first + k) = along.col(k * batch + j);
  }

  // Rows first, ..., first + count - 1 of each sample's Jacobian, by vjp with the unit vectors of these outputs.
  template <class Scalar, class Work>
  void rows_of_jacobian(const ConstMatrixView<Scalar>& x, Index first, Index count, Work& work, MatrixView<Scalar>& all) const {
    const Index inputs = x.rows(), batch = x.cols();
    MatrixView<Scalar> v = detail::last_of(Access::deltas(work)).first(count * batch);
    detail::set_unit_vectors(first, count, batch, v);
    multiply_by_link(work, batch, v);
    MatrixView<Scalar> by_x = Access::by_x(work, count * batch);
    Access::sequence(network()).vjp(Access::theta(network()), x, Access::caches(work), Access::deltas(work), count * batch, by_x);
    for (Index j = 0; j < batch; ++j)
      for (Index k = 0; k < count; ++k) all.row(first + k).segment(j * inputs, inputs) = by_x.col(k * batch + j).transpose();
  }

  // Throws unless a vector for each sample is given, and room for the result.
  template <class Scalar, class X, class Work>
  void check_products(const char* who, const char* name, const ConstMatrixView<Scalar>& given, Index rows, const MatrixView<Scalar>& result,
                      Index result_rows, const Eigen::DenseBase<X>& x, const Work& work) const {
    const auto check_shape = [&](const char* what, Index has_rows, Index has_columns, Index expected) {
      if (has_rows != expected || has_columns != x.cols())
        detail::raise<ShapeError>(who, ": ", what, " is ", has_rows, " x ", has_columns, ", but it must be ", expected, " x ", x.cols(),
                                  ", one column for each sample of x");
    };
    check_network(who);
    check_shape_of_x(who, x, work);
    check_shape(name, given.rows(), given.cols(), rows);
    check_shape("the result", result.rows(), result.cols(), result_rows);
    detail::check_finite(who, name, given);
    detail::check_no_overlap(who, name, detail::memory_of(given), "the result", detail::memory_of(result));
    detail::check_outside_derivatives(who, name, detail::memory_of(given), work);
    detail::check_outside_derivatives(who, "x", detail::memory_of(x.derived()), work);
    detail::check_result_outside(who, "the result", detail::memory_of(result), network(), x.derived(), work);
  }
};

/// Derivatives of predict(x), returned by net.of_prediction(): with the loss's link included, such as those of probabilities by x. A view
/// on the network, which must outlive it.
template <class Net>
class PredictionDerivatives : public FirstOrderDerivatives<Net, PredictionDerivatives<Net>> {
 public:
  /// Views the network.
  explicit PredictionDerivatives(const Net& net) : net_{&net} {}

 private:
  template <class, class>
  friend class FirstOrderDerivatives;
  const Net* net_;
};

}  // namespace chainrule
