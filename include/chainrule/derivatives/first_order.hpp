#pragma once
// The derivatives of a network's outputs by its inputs: products with the Jacobian dF/dx from both sides, and the Jacobian itself.

#include <algorithm>
#include <chainrule/core/detail/network_access.hpp>
#include <chainrule/core/detail/overlap.hpp>
#include <chainrule/derivatives/workspace.hpp>
#include <chainrule/detail/argument_checks.hpp>

namespace chainrule {

/// Base class of Network with its derivatives by x. F(x) is the raw output in prediction mode, predict_raw(x): before the loss's link,
/// without Dropout, and with the running statistics of BatchNorm. At a kink, such as that of ReLU at 0, the derivative is the one that
/// backward uses.
///
/// Each function returns F(x), outputs x batch, a view that is valid until the next pass that uses the workspace, and allocates nothing.
/// All work is done by the calling thread. Errors are those of predict_raw; ShapeError for a v, u, J or result of the wrong shape, and
/// where the workspace is too small; ValueError for NaN or infinity in v or u, and where arguments share memory with a result. Where a call
/// throws, no result has changed.
///
/// A layer of your own needs the members jvp and vjp (core/concepts.hpp). A network with one that lacks them does not compile, and an
/// AnyNetwork throws StateError.
template <class Net>
class FirstOrderDerivatives {
 public:
  /// Computes the vector-Jacobian product, the gradient of v^T F by x, into `result`, inputs x batch. v: outputs x batch. As torch.func.vjp
  /// and jax.vjp, but without a gradient by theta.
  ///
  ///     result = (dF/dx)^T v, for each sample
  template <class X, class V, class Work, detail::EigenDense Result>
  auto vjp(const Eigen::DenseBase<X>& x, const Eigen::DenseBase<V>& v, Work& work, Result&& result) const {
    using Scalar = typename Net::ScalarType;
    static_cast<void>(detail::checked_viewable<Scalar, X>() && detail::checked_viewable<Scalar, V>());
    const auto given = detail::const_view<Scalar>(v);
    MatrixView<Scalar> by_x = detail::mutable_view<Scalar>(result);
    check("vjp", "v", given, network().outputs(), "result", by_x, network().inputs(), x, work);
    const ConstMatrixView<Scalar> input = Access::predict_raw("vjp", network(), x, work);
    Access::in_one_pass("vjp", work, [&] {
      detail::last_of(Access::deltas(work)).first(given.cols()) = given;
      Access::sequence(network()).vjp(Access::theta(network()), input, Access::caches(work), Access::deltas(work), given.cols(), by_x);
    });
    return Access::output_of(network(), work, input.cols());
  }

  /// Computes the Jacobian-vector product, the derivative of F along u, into `result`, outputs x batch. u: inputs x batch. As
  /// torch.func.jvp and jax.jvp.
  ///
  ///     result = dF/dx u = d/dt F(x + t u) at t = 0, for each sample
  template <class X, class U, class Work, detail::EigenDense Result>
  auto jvp(const Eigen::DenseBase<X>& x, const Eigen::DenseBase<U>& u, Work& work, Result&& result) const {
    using Scalar = typename Net::ScalarType;
    static_cast<void>(detail::checked_viewable<Scalar, X>() && detail::checked_viewable<Scalar, U>());
    const auto given = detail::const_view<Scalar>(u);
    MatrixView<Scalar> along_u = detail::mutable_view<Scalar>(result);
    check("jvp", "u", given, network().inputs(), "result", along_u, network().outputs(), x, work);
    const ConstMatrixView<Scalar> input = Access::predict_raw("jvp", network(), x, work);
    Access::in_one_pass("jvp", work, [&] {
      Access::sequence(network()).jvp(Access::theta(network()), input, Access::caches(work), given, Access::deltas(work));
      along_u = detail::last_of(Access::deltas(work)).first(given.cols());
    });
    return Access::output_of(network(), work, input.cols());
  }

  /// Computes the Jacobians of all samples into J, outputs x (inputs batch): that of sample j is J.middleCols(j * inputs, inputs). It uses
  /// the cheaper of the two products: jvp along each input, or vjp for each output.
  ///
  ///     J(i, k) = dF_i/dx_k
  template <class X, class Scalar, class Sequence, detail::EigenDense J>
  auto jacobian(const Eigen::DenseBase<X>& x, DerivativeWorkspace<Scalar, Sequence>& work, J&& jacobians) const {
    static_assert(std::is_same_v<DerivativeWorkspace<Scalar, Sequence>, typename Net::DerivativeWorkspace>,
                  "chainrule: this workspace was made by a network of another type");
    static_cast<void>(detail::checked_viewable<Scalar, X>());
    MatrixView<Scalar> all = detail::mutable_view<Scalar>(jacobians);
    const Index inputs = network().inputs(), outputs = network().outputs(), batch = x.cols();
    if (all.rows() != outputs || all.cols() != inputs * batch)
      detail::raise<ShapeError>("jacobian: J is ", outputs, " x ", inputs * batch,
                                " here, outputs x (inputs batch), but the matrix given for it is ", all.rows(), " x ", all.cols());
    check_result("jacobian", "J", all, x, work);
    const ConstMatrixView<Scalar> input = Access::predict_raw("jacobian", network(), x, work);
    Access::in_one_pass("jacobian", work, [&] {
      const Index directions = (std::min)(inputs, outputs), at_once = (std::min)(directions, work.max_batch() / batch);
      for (Index first = 0; first < directions; first += at_once) {
        const Index count = (std::min)(at_once, directions - first);
        if (inputs <= outputs)
          columns_of_jacobian(input, first, count, work, all);
        else
          rows_of_jacobian(input, first, count, work, all);
      }
    });
    return Access::output_of(network(), work, input.cols());
  }

 private:
  using Access = detail::NetworkAccess;
  const Net& network() const { return static_cast<const Net&>(*this); }

  // Sets column k batch + j to the unit vector of entry first + k, for each k and j.
  template <class Scalar>
  static void set_unit_vectors(Index first, Index count, Index batch, MatrixView<Scalar> v) {
    v.setZero();
    for (Index k = 0; k < count; ++k) v.row(first + k).segment(k * batch, batch).setOnes();
  }

  // Columns first, ..., first + count - 1 of each sample's Jacobian, by jvp along the unit vectors of these inputs.
  template <class Scalar, class Work>
  void columns_of_jacobian(const ConstMatrixView<Scalar>& x, Index first, Index count, Work& work, MatrixView<Scalar>& all) const {
    const Index inputs = x.rows(), batch = x.cols();
    MatrixView<Scalar> u = work.by_x(count * batch);
    set_unit_vectors(first, count, batch, u);
    Access::sequence(network()).jvp(Access::theta(network()), x, Access::caches(work), detail::as_const(u), Access::deltas(work));
    const auto along = detail::last_of(Access::deltas(work)).first(count * batch);
    for (Index j = 0; j < batch; ++j)
      for (Index k = 0; k < count; ++k) all.col(j * inputs + first + k) = along.col(k * batch + j);
  }

  // Rows first, ..., first + count - 1 of each sample's Jacobian, by vjp with the unit vectors of these outputs.
  template <class Scalar, class Work>
  void rows_of_jacobian(const ConstMatrixView<Scalar>& x, Index first, Index count, Work& work, MatrixView<Scalar>& all) const {
    const Index inputs = x.rows(), batch = x.cols();
    set_unit_vectors(first, count, batch, detail::last_of(Access::deltas(work)).first(count * batch));
    MatrixView<Scalar> by_x = work.by_x(count * batch);
    Access::sequence(network()).vjp(Access::theta(network()), x, Access::caches(work), Access::deltas(work), count * batch, by_x);
    for (Index j = 0; j < batch; ++j)
      for (Index k = 0; k < count; ++k) all.row(first + k).segment(j * inputs, inputs) = by_x.col(k * batch + j).transpose();
  }

  // Throws unless a vector for each sample is given, and room for the result.
  template <class Scalar, class X, class Work>
  void check(const char* who, const char* name, const ConstMatrixView<Scalar>& given, Index rows, const char* result_name,
             const MatrixView<Scalar>& result, Index result_rows, const Eigen::DenseBase<X>& x, const Work& work) const {
    const auto check_shape = [&](const char* what, Index has_rows, Index has_columns, Index expected) {
      if (has_rows != expected || has_columns != x.cols())
        detail::raise<ShapeError>(who, ": ", what, " is ", has_rows, " x ", has_columns, ", but it must be ", expected, " x ", x.cols(),
                                  ", one column for each sample of x");
    };
    check_shape(name, given.rows(), given.cols(), rows);
    check_shape(result_name, result.rows(), result.cols(), result_rows);
    detail::check_finite(who, name, given);
    detail::check_no_overlap(who, name, detail::memory_of(given), result_name, detail::memory_of(result));
    detail::check_outside_workspace(who, name, detail::memory_of(given), work);
    check_result(who, result_name, result, x, work);
  }

  // Throws where a result shares memory with what is read, or with the workspace.
  template <class Scalar, class X, class Work>
  void check_result(const char* who, const char* name, const MatrixView<Scalar>& result, const Eigen::DenseBase<X>& x,
                    const Work& work) const {
    const detail::Memory written = detail::memory_of(result);
    detail::check_no_overlap(who, "x", detail::memory_of(x.derived()), name, written);
    detail::check_no_overlap(who, "theta", detail::memory_of(Access::theta(network()), network().parameters().size()), name, written);
    detail::check_outside_workspace(who, name, written, work);
  }
};

}  // namespace chainrule
