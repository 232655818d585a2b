#pragma once
// Catch2 wrappers for chainrule/testing/layer_contract.hpp, and single passes of a layer for worked examples.

#include <chainrule/testing/layer_contract.hpp>
#include <initializer_list>
#include <limits>
#include <type_traits>

#include "support/catch.hpp"
#include "support/contract.hpp"
#include "support/random_data.hpp"

namespace chainrule_test {

using chainrule::LayerProperties;
using chainrule::testing::net_of;
using chainrule::testing::NoPreparation;

/// Results of one forward and one backward pass of a layer alone.
template <class Scalar>
struct ByHand {
  chainrule::Matrix<Scalar> a;         ///< the output
  chainrule::Vector<Scalar> gradient;  ///< dJ/dtheta
  chainrule::Matrix<Scalar> dJ_dx;
};

/// Runs a forward pass of a layer on x and, unless the mode is predict, a backward pass from dJ_da, as a network would.
template <class L, class Scalar>
ByHand<Scalar> by_hand(const L& layer, const std::vector<Scalar>& theta, const chainrule::Matrix<Scalar>& x,
                       const chainrule::Matrix<Scalar>& dJ_da,
                       const chainrule::ForwardContext<Scalar>& context = {chainrule::Mode::train}) {
  const auto x_view = chainrule::detail::const_view<Scalar>(x);
  typename L::template Cache<Scalar, chainrule::Dynamic> cache(layer, x.cols());
  if constexpr (chainrule::ModeIndependent<L>)
    layer.forward(theta.data(), x_view, cache);
  else
    layer.forward(theta.data(), x_view, cache, context);
  ByHand<Scalar> result{cache.output.first(x.cols()), chainrule::Vector<Scalar>(theta.size()), x};
  if (context.mode == chainrule::Mode::predict) return result;
  chainrule::Matrix<Scalar> delta = dJ_da;
  chainrule::MatrixView<Scalar> dJ_dx = chainrule::detail::mutable_view<Scalar>(result.dJ_dx);
  layer.backward(theta.data(), x_view, cache, chainrule::detail::mutable_view<Scalar>(delta), result.gradient.data(), &dJ_dx);
  return result;
}

/// Whether a matrix equals the one with these rows, except for an error of 4 eps of its largest entry.
template <class Scalar>
bool close(const chainrule::Matrix<Scalar>& a, std::initializer_list<std::initializer_list<std::type_identity_t<Scalar>>> rows) {
  const chainrule::Matrix<Scalar> expected(rows);
  if (a.rows() != expected.rows() || a.cols() != expected.cols()) return false;
  return (a - expected).cwiseAbs().maxCoeff() <= 4 * std::numeric_limits<Scalar>::epsilon() * expected.cwiseAbs().maxCoeff();
}

/// Compares dJ/dtheta and dJ/dx of a network with central differences.
template <class Net, class Scalar>
void check_gradients_of_layer(const Net& net, const chainrule::Matrix<Scalar>& x, const chainrule::Matrix<Scalar>& y) {
  check_clause([&](auto& report) { chainrule::testing::check_gradients_of_layer(report, net, x, y); });
}

/// Checks a layer with fixed and with dynamic extents, and that properties.initial_parameters names all its parameters.
template <class Scalar = double, class FixedLayer, class DynamicLayer, class Prepare = NoPreparation>
void check_layer(const FixedLayer& fixed, const DynamicLayer& dynamic, const LayerProperties& properties = {},
                 const Prepare& prepare = {}) {
  check(chainrule::testing::check_layer<Scalar>(fixed, dynamic, properties, prepare));
  CHECK(chainrule::detail::parameter_count(dynamic) == static_cast<chainrule::Index>(properties.initial_parameters.size()));
}

}  // namespace chainrule_test
