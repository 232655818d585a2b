#pragma once
// Checks of the arguments of derivatives by x, made before anything is written.

#include <chainrule/core/detail/network_access.hpp>
#include <chainrule/core/detail/overlap.hpp>
#include <chainrule/detail/argument_checks.hpp>
#include <chainrule/workspace.hpp>
#include <string>
#include <string_view>
#include <type_traits>

namespace chainrule::detail {

/// The type of a network's layers with the places of their parameters.
template <class Net>
using SequenceOfNet = std::remove_cvref_t<decltype(NetworkAccess::sequence(std::declval<const Net&>()))>;

/// Throws ValueError where the argument `name` lies in a workspace for derivatives, in one of its further parts too.
template <class Work>
void check_outside_derivatives(const char* who, const char* name, Memory argument, const Work& work) {
  check_outside_workspace(who, name, argument, work);
  if (NetworkAccess::holds(work, argument)) lies_in_workspace(who, name);
}

/// Throws for an x whose shape the network or the workspace cannot take: to be called before other arguments are compared with the shape of
/// x. `maker`: how such a workspace is made, for the message.
template <class Net, class X, class Work>
void check_shape_of_x(const char* who, const Net& net, const Eigen::DenseBase<X>& x, const Work& work, const char* maker) {
  check_rows(who, "x", x.rows(), net.inputs(), "inputs");
  check_batch(who, x.cols());
  if (x.cols() <= work.max_batch()) return;
  check_not_moved_from(who, work.max_batch());
  raise<ShapeError>(who, ": the batch has ", x.cols(), " samples, but the workspace has room for ", work.max_batch(), "; net.", maker,
                    " makes one for ", x.cols());
}

/// Throws StateError unless the layers of the network have derivatives of this order; missing_derivative in core/detail/layer_passes.hpp
/// says what an order is.
template <class Scalar, class Sequence>
void check_derivatives(const char* who, const Sequence& sequence, int order) {
  const std::string missing = sequence.template missing_derivative<Scalar>(order);
  if (!missing.empty()) raise<StateError>(who, ": ", missing);
}

/// Whether a workspace was made by a network of this type.
template <class Net, class Work>
constexpr bool is_workspace_of() {
  return requires(const Work& work) {
    []<int MaxBatch>(const Workspace<typename Net::ScalarType, MaxBatch, SequenceOfNet<Net>>&) {}(work);
  };
}

/// Whether a loss has the derivative of its link, as far as its type tells.
template <class Scalar, class LossType>
constexpr bool may_have_link_jvp() {
  return requires(const LossType& loss, ConstMatrixView<Scalar> prediction, MatrixView<Scalar> tangent) {
    loss.link_jvp(prediction, tangent);
  };
}
/// Throws StateError where a loss whose type is known only at run time does not have the derivative of its link.
template <class LossType>
void check_link_jvp(const char* who, const LossType& loss) {
  if (!has_link_jvp(loss))
    raise<StateError>(who, ": the loss ", loss.name,
                      " has no link_jvp, the derivative of its link, which derivatives of a prediction need (see core/concepts.hpp)");
}

/// Whether the arguments of a call are of these kinds, one letter for each: m for a matrix, n for a number, o for another object with a
/// name, such as a workspace or gradients, * for anything. T: as a function `f(T&&...)` deduces them.
template <class... T>
constexpr bool have_kinds(std::string_view kinds) {
  if (sizeof...(T) != kinds.size()) return false;
  std::size_t i = 0;
  const auto is = [&](bool is_matrix, bool is_number, bool has_name) {
    const char kind = kinds[i++];
    return kind == '*' || kind == (is_matrix ? 'm' : is_number ? 'n' : has_name ? 'o' : '?');
  };
  return (is(EigenDense<T>, std::is_convertible_v<T, Index>, std::is_lvalue_reference_v<T>) && ...);
}

/// Stands for the result of a derivative whose arguments are wrong in kind, number or order, and does not compile.
template <class Result, class... T>
Result wrong_derivative_arguments() {
  static_assert(
      sizeof...(T) != sizeof...(T),
      "chainrule: arguments of derivatives are, in this order: the matrix x, targets y, the matrix of a direction, the workspace, results: "
      "net.vjp(x, v, work, result), net.jvp(x, u, work, result), net.jacobian(x, work, J), net.parameter_jacobian(x, work, J), "
      "net.hessian(x, output, work, H), net.laplacian(x, work, result), net.forward_jet(x, work), net.backward_jet(x, work, gradients), "
      "net.sample_gradients(x, y, work, G), net.sample_gradient_norms(x, y, work, norms), net.backward_clipped(x, y, work, gradients, "
      "max_norm), net.hessian_vector_product(x, y, v, work, product)");
  return no_result<Result>();
}

/// Throws ValueError where `written`, a result, shares memory with what is read, or lies in the workspace.
template <class Net, class X, class Work>
void check_result_outside(const char* who, const char* name, Memory written, const Net& net, const X& x, const Work& work) {
  check_no_overlap(who, "x", memory_of(x), name, written);
  check_no_overlap(who, "theta", memory_of(NetworkAccess::theta(net), net.parameters().size()), name, written);
  check_outside_derivatives(who, name, written, work);
}

}  // namespace chainrule::detail
