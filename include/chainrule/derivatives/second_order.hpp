#pragma once
// The derivatives of second order of a network's outputs by its inputs, and gradients of a J that depends on derivatives.

#include <algorithm>
#include <chainrule/core/detail/network_access.hpp>
#include <chainrule/core/detail/overlap.hpp>
#include <chainrule/derivatives/detail/checks.hpp>
#include <chainrule/derivatives/detail/unit_vectors.hpp>
#include <chainrule/derivatives/jet_workspace.hpp>
#include <chainrule/gradients.hpp>

namespace chainrule {

/// Base class of Network with its derivatives of second order by x. F(x) is the raw output in prediction mode, predict_raw(x): before the
/// loss's link, without Dropout, and with the running statistics of BatchNorm. At a kink f'' is 0, as in PyTorch.
///
/// A derivative that is too large for the network's scalar type, such as a second one along directions of 1e30 in float, is infinite or
/// NaN.
///
/// All functions use a workspace of make_jet_workspace and allocate nothing. All work is done by the calling thread. Errors are those of
/// predict_raw; ShapeError for a result of the wrong shape and where the workspace is too small, ValueError where arguments share memory
/// with a result, and StateError for an activation without the second derivative or, in backward_jet of second derivatives, the third.
/// Where a call throws, no result has changed.
///
/// A layer of your own needs the members JetCache, forward_jet and backward_jet, and an activation f'' and f''' (core/concepts.hpp). A
/// network with one that lacks them does not compile, and an AnyNetwork throws StateError.
template <class Net>
class SecondOrderDerivatives {
 public:
  /// Computes the Hessians of output number `output` for all samples into H, inputs x (inputs batch): that of sample j is
  /// H.middleCols(j * inputs, inputs). It is the derivative of the backward pass along each input (forward over reverse); each column takes
  /// about four predictions. Throws ValueError where the network has no such output.
  ///
  ///     H(i, k) = d2F_output/(dx_i dx_k)
  template <class X, class Work, detail::EigenDense H>
  void hessian(const Eigen::DenseBase<X>& x, Index output, Work& work, H&& hessians) const {
    using Scalar = typename Net::ScalarType;
    if constexpr (checked_types<X, Work>()) {
      const Index inputs = network().inputs(), batch = x.cols();
      MatrixView<Scalar> all = detail::mutable_view<Scalar>(hessians);
      if (output < 0 || output >= network().outputs())
        detail::raise<ValueError>("hessian: there is no output ", output, "; the network has ", network().outputs(), ", counted from 0");
      detail::check_shape_of_x("hessian", network(), x, work, "make_jet_workspace(samples)");
      check_result("hessian", "H", all, inputs, inputs * batch, x, work);
      const ConstMatrixView<Scalar> input = checked_input("hessian", x, work);
      Access::in_one_pass("hessian", work, [&] {
        const Index at_once = (std::min)(inputs, work.max_batch() / batch);
        for (Index first = 0; first < inputs; first += at_once)
          columns_of_hessian(input, output, first, (std::min)(at_once, inputs - first), work, all);
      });
    }
  }

  /// Computes the Hessians of the only output. Throws ShapeError where the network has several: then say which.
  template <class X, class Work, detail::EigenDense H>
  void hessian(const Eigen::DenseBase<X>& x, Work& work, H&& hessians) const {
    if (network().outputs() != 1)
      detail::raise<ShapeError>("hessian: the network has ", network().outputs(), " outputs; hessian(x, i, work, H) is that of output i");
    hessian(x, Index{0}, work, hessians);
  }

  /// Computes the Laplacian of each output into `result`, outputs x batch.
  ///
  ///     result = sum over inputs i: d2F/dx_i^2
  template <class X, class Work, detail::EigenDense Result>
  void laplacian(const Eigen::DenseBase<X>& x, Work& work, Result&& result) const {
    using Scalar = typename Net::ScalarType;
    if constexpr (checked_types<X, Work>()) {
      const Index inputs = network().inputs(), batch = x.cols();
      MatrixView<Scalar> sum = detail::mutable_view<Scalar>(result);
      detail::check_shape_of_x("laplacian", network(), x, work, "make_jet_workspace(samples)");
      check_result("laplacian", "the result", sum, network().outputs(), batch, x, work);
      const ConstMatrixView<Scalar> input = checked_input("laplacian", x, work);
      const Index columns = Access::max_columns(work);
      if (columns < 2 * batch)
        detail::raise<ShapeError>("laplacian: the workspace has room for the derivatives of ", columns / 2, " samples, but x has ", batch,
                                  "; make_jet_workspace(", batch, ") makes one that fits");
      Access::in_one_pass("laplacian", work, [&] {
        Access::run_predict(network(), input, work);
        const Index at_once = (std::min)(inputs, columns / batch - 1);
        sum.setZero();
        for (Index first = 0; first < inputs; first += at_once)
          add_second_derivatives(input, first, (std::min)(at_once, inputs - first), work, sum);
      });
    }
  }

  /// Computes F(x) and its derivatives along the directions that the workspace was made for, outputs x batch each: work.value(),
  /// work.first(k) and work.second(p). Several derivatives go through each product at once (Taylor mode). Throws StateError for a workspace
  /// made without directions.
  ///
  ///     first(k) = d/dt_k F(x + sum t u),  second(p) = sum over its terms: coefficient d2/(dt_k dt_l) F(x + sum t u)     at t = 0
  template <class X, class Work>
  void forward_jet(const Eigen::DenseBase<X>& x, Work& work) const {
    using Scalar = typename Net::ScalarType;
    if constexpr (checked_types<X, Work>()) {
      detail::check_shape_of_x("forward_jet", network(), x, work, "make_jet_workspace(samples, directions)");
      detail::check_outside_derivatives("forward_jet", "x", detail::memory_of(x.derived()), work);
      const ConstMatrixView<Scalar> input = checked_input("forward_jet", x, work);
      JetShape shape = work.shape();
      shape.batch = input.cols();
      if (shape.first < 1)
        detail::raise<StateError>(
            "forward_jet: this workspace was made without directions; make_jet_workspace(samples, directions) takes them");
      Access::in_one_pass("forward_jet", work, [&] {
        Access::run_predict(network(), input, work);
        MatrixView<Scalar> jet = Access::jet(work).first(shape.columns());
        jet.setZero();
        for (Index k = 0; k < shape.first; ++k) shape.first_of(jet, k).colwise() = Access::directions(work).col(k);
        Access::sequence(network()).forward_jet(Access::theta(network()), no_direction<Scalar>(), input, Access::caches(work), shape,
                                                detail::as_const(jet), Access::jet_caches(work));
        Access::dJ_dvalue(work, shape.batch).setZero();
        detail::last_of(Access::jet_deltas(work)).first(shape.columns()).setZero();
      });
      Access::set_jet_pass(network(), input, work);
    }
  }

  /// The backward pass after forward_jet(x, work), for a J that depends on F(x) and on its derivatives: fills `gradients` with dJ/dtheta.
  /// Write the derivatives of J by each of them to work.dJ_dvalue(), work.dJ_dfirst(k) and work.dJ_dsecond(p) before; they are overwritten.
  /// The result is exact, not a difference. x and theta must be those of forward_jet: a step of an optimizer comes after this call, and
  /// then the next forward_jet. Throws StateError where the workspace does not hold a forward_jet of this network; it holds none after this
  /// call.
  ///
  ///     dJ/dtheta = sum over samples of dJ/dF dF/dtheta + sum over derivatives: dJ/dF_c dF_c/dtheta
  template <class X, class Work, class Scalar, class Sequence>
  void backward_jet(const Eigen::DenseBase<X>& x, Work& work, Gradients<Scalar, Sequence>& gradients) const {
    constexpr bool fit = std::is_same_v<Gradients<Scalar, Sequence>, typename Net::Gradients>;
    static_assert(fit, "chainrule: these gradients were made by a network of another type");
    if constexpr (fit && checked_types<X, Work>()) {
      detail::check_not_moved_from("backward_jet", work.max_batch());
      const JetShape shape = work.shape();
      if (shape.batch < 1) detail::raise<StateError>("backward_jet: the workspace holds no derivatives; call forward_jet(x, work) first");
      if (!work.was_forward_of(Access::identity(network())))
        detail::raise<StateError>(
            "backward_jet: the last forward_jet in this workspace was made by another network (or by this one before it was copied, moved "
            "or assigned to); call forward_jet(x, work) of this network first");
      detail::check_derivatives<Scalar>("backward_jet", Access::sequence(network()), shape.second > 0 ? 3 : 2);
      const ConstMatrixView<Scalar> input = Access::checked_backward_input("backward_jet", network(), x, work, gradients);
      const ConstMatrixView<Scalar> by_value = detail::as_const(Access::dJ_dvalue(work, shape.batch));
      detail::check_finite("backward_jet", "dJ_dvalue", by_value);
      detail::check_finite("backward_jet", "dJ_dfirst or dJ_dsecond",
                           detail::as_const(detail::last_of(Access::jet_deltas(work)).first(shape.columns())));
      MatrixView<Scalar>* const nothing = nullptr;
      Access::in_one_pass("backward_jet", work, [&] {
        detail::last_of(Access::deltas(work)).first(shape.batch) = by_value;
        Access::sequence(network()).backward_jet(Access::theta(network()), no_direction<Scalar>(), input, Access::caches(work), shape,
                                                 detail::as_const(Access::jet(work).first(shape.columns())), Access::jet_caches(work),
                                                 Access::deltas(work), Access::jet_deltas(work), gradients.data(), nothing, nothing);
      });
      Access::forget_pass(work);
    }
  }

  /// Does not compile for arguments of other kinds or in another order; the message says what to write instead.
  template <class... T>
  requires(!detail::have_kinds<T...>("mnom") && !detail::have_kinds<T...>("mom")) void hessian(T&&...) const {
    return detail::wrong_derivative_arguments<void, T...>();
  }
  /// Does not compile for arguments of other kinds or in another order; the message says what to write instead.
  template <class... T>
  requires(!detail::have_kinds<T...>("mom")) void laplacian(T&&...) const { return detail::wrong_derivative_arguments<void, T...>(); }
  /// Does not compile for arguments of other kinds or in another order; the message says what to write instead.
  template <class... T>
  requires(!detail::have_kinds<T...>("mo")) void forward_jet(T&&...) const { return detail::wrong_derivative_arguments<void, T...>(); }
  /// Does not compile for arguments of other kinds or in another order; the message says what to write instead.
  template <class... T>
  requires(!detail::have_kinds<T...>("moo")) void backward_jet(T&&...) const { return detail::wrong_derivative_arguments<void, T...>(); }

 private:
  using Access = detail::NetworkAccess;
  const Net& network() const { return static_cast<const Net&>(*this); }
  template <class Scalar>
  static constexpr const Scalar* no_direction() {
    return nullptr;
  }

  // Whether the types of the arguments fit the network. Where not, a sentence says what to do.
  template <class X, class Work>
  static constexpr bool checked_types() {
    using Scalar = typename Net::ScalarType;
    constexpr bool have_jets = detail::SequenceOfNet<Net>::template have_jets<Scalar>();
    static_assert(have_jets,
                  "chainrule: derivatives of second order need the members JetCache, forward_jet and backward_jet of each layer, and the "
                  "second derivative of each activation, also of those inside a Residual (see core/concepts.hpp)");
    constexpr bool is_mutable = !std::is_const_v<Work>;
    static_assert(is_mutable, "chainrule: a derivative is computed in its workspace, so that cannot be const");
    constexpr bool is_one = std::is_same_v<std::remove_const_t<Work>, typename Net::JetWorkspace>;
    static_assert(is_one, "chainrule: this derivative needs a workspace made by net.make_jet_workspace");
    constexpr int In = detail::SequenceOfNet<Net>::inputs_at_compile_time;
    return have_jets && is_mutable && is_one && detail::checked_viewable<Scalar, X>() && detail::checked_rows<In, X>();
  }

  // Returns a view on x after the checks of a prediction, and of the layers, whose types may be known only at run time.
  template <class X, class Work>
  auto checked_input(const char* who, const Eigen::DenseBase<X>& x, const Work& work) const {
    detail::check_derivatives<typename Net::ScalarType>(who, Access::sequence(network()), 2);
    return Access::checked_input(who, network(), x, work);
  }

  // Columns first, ..., first + count - 1 of the Hessian of each sample. Column k batch + j of a pass over count x batch samples is sample
  // j with the unit vector of input first + k as its direction; v is the unit vector of the output:
  //
  //     column = d/dt (dF/dx (x + t u))^T v = gradient by x of v^T dF/dx u
  template <class Scalar, class Work>
  void columns_of_hessian(const ConstMatrixView<Scalar>& x, Index output, Index first, Index count, Work& work,
                          MatrixView<Scalar>& all) const {
    const Index inputs = x.rows(), batch = x.cols();
    const JetShape shape{count * batch, 1, 0, {}};
    MatrixView<Scalar> points = Access::points(work).first(shape.batch), by_x = Access::points_gradient(work).first(shape.batch);
    MatrixView<Scalar> jet = Access::jet(work).first(shape.columns()), by_jet = Access::jet_gradient(work).first(shape.columns());
    detail::set_unit_vectors(first, count, batch, jet);
    for (Index k = 0; k < count; ++k) points.middleCols(k * batch, batch) = x;
    Access::run_predict(network(), detail::as_const(points), work);
    Access::sequence(network()).forward_jet(Access::theta(network()), no_direction<Scalar>(), detail::as_const(points),
                                            Access::caches(work), shape, detail::as_const(jet), Access::jet_caches(work));
    detail::last_of(Access::deltas(work)).first(shape.batch).setZero();
    MatrixView<Scalar> v = detail::last_of(Access::jet_deltas(work)).first(shape.columns());
    v.setZero();
    v.row(output).setOnes();
    Scalar* const no_gradient = nullptr;
    Access::sequence(network()).backward_jet(Access::theta(network()), no_direction<Scalar>(), detail::as_const(points),
                                             Access::caches(work), shape, detail::as_const(jet), Access::jet_caches(work),
                                             Access::deltas(work), Access::jet_deltas(work), no_gradient, &by_x, &by_jet);
    for (Index j = 0; j < batch; ++j)
      for (Index k = 0; k < count; ++k) all.col(j * inputs + first + k) = by_x.col(k * batch + j);
  }

  // Adds the second derivatives along inputs first, ..., first + count - 1 to `sum`, as one second derivative with a term for each.
  template <class Scalar, class Work>
  void add_second_derivatives(const ConstMatrixView<Scalar>& x, Index first, Index count, Work& work, MatrixView<Scalar>& sum) const {
    const JetShape shape{x.cols(), count, 1, Access::terms_of_laplacian(work).first(static_cast<std::size_t>(count))};
    MatrixView<Scalar> jet = Access::jet(work).first(shape.columns());
    detail::set_unit_vectors(first, count, x.cols(), jet);
    Access::sequence(network()).forward_jet(Access::theta(network()), no_direction<Scalar>(), x, Access::caches(work), shape,
                                            detail::as_const(jet), Access::jet_caches(work));
    sum += shape.second_of(detail::last_of(Access::jet_caches(work)).output.first(shape.columns()), 0);
  }

  // Throws unless a result has its shape, and where it shares memory with what is read or with the workspace.
  template <class Scalar, class X, class Work>
  void check_result(const char* who, const char* name, const MatrixView<Scalar>& result, Index rows, Index columns,
                    const Eigen::DenseBase<X>& x, const Work& work) const {
    if (result.rows() != rows || result.cols() != columns)
      detail::raise<ShapeError>(who, ": ", name, " is ", rows, " x ", columns, " here, but the matrix given for it is ", result.rows(),
                                " x ", result.cols());
    detail::check_outside_derivatives(who, "x", detail::memory_of(x.derived()), work);
    detail::check_result_outside(who, name, detail::memory_of(result), network(), x.derived(), work);
  }
};

}  // namespace chainrule
