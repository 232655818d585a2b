#pragma once
// The contract of a layer as a CHECK, and layers by hand.

#include <chainrule/testing/layer_contract.hpp>
#include <initializer_list>
#include <limits>
#include <type_traits>

#include "support/catch.hpp"
#include "support/contract.hpp"
#include "support/random_data.hpp"

namespace chainrule_test {

using chainrule::LayerFacts;
using chainrule::testing::net_of;
using chainrule::testing::NothingToPrepare;

/// What a layer makes of x, and of dJ/da on the way back, called as a network calls it: for worked examples.
template <class Scalar>
struct ByHand {
  chainrule::Matrix<Scalar> a;
  chainrule::Vector<Scalar> gradient;  ///< dJ/dtheta
  chainrule::Matrix<Scalar> dJ_dx;
};
template <class L, class Scalar>
ByHand<Scalar> by_hand(const L& layer, const std::vector<Scalar>& theta, const chainrule::Matrix<Scalar>& x,
                       const chainrule::Matrix<Scalar>& dJ_da, const chainrule::ForwardContext<Scalar>& pass = {chainrule::Mode::train}) {
  const auto x_view = chainrule::detail::const_view<Scalar>(x);
  typename L::template Cache<Scalar, chainrule::Dynamic> cache(layer, x.cols());
  if constexpr (chainrule::ModeIndependent<L>)
    layer.forward(theta.data(), x_view, cache);
  else
    layer.forward(theta.data(), x_view, cache, pass);
  ByHand<Scalar> result{cache.output.first(x.cols()), chainrule::Vector<Scalar>(theta.size()), x};
  if (pass.mode == chainrule::Mode::predict) return result;
  chainrule::Matrix<Scalar> delta = dJ_da;
  chainrule::MatrixView<Scalar> dJ_dx = chainrule::detail::mutable_view<Scalar>(result.dJ_dx);
  layer.backward(theta.data(), x_view, cache, chainrule::detail::mutable_view<Scalar>(delta), result.gradient.data(), &dJ_dx);
  return result;
}

/// A matrix written as it looks, against one that was computed, to a few units in the last place of its largest entry.
template <class Scalar>
bool close(const chainrule::Matrix<Scalar>& a, std::initializer_list<std::initializer_list<std::type_identity_t<Scalar>>> rows) {
  const chainrule::Matrix<Scalar> expected(rows);
  if (a.rows() != expected.rows() || a.cols() != expected.cols()) return false;
  return (a - expected).cwiseAbs().maxCoeff() <= 4 * std::numeric_limits<Scalar>::epsilon() * expected.cwiseAbs().maxCoeff();
}

/// dJ/dtheta and dJ/dx against central differences.
template <class Net, class Scalar>
void check_gradients_of_layer(const Net& net, const chainrule::Matrix<Scalar>& x, const chainrule::Matrix<Scalar>& y) {
  check_clause([&](auto& report) { chainrule::testing::check_gradients_of_layer(report, net, x, y); });
}

/// A layer whose extents are types, and the same one whose extents are values. Parameters that facts do not name there are none.
template <class Scalar = double, class Fixed, class AtRunTime, class Prepare = NothingToPrepare>
void check_layer(const Fixed& fixed, const AtRunTime& at_run_time, const LayerFacts& facts = {}, const Prepare& prepare = {}) {
  check(chainrule::testing::check_layer<Scalar>(fixed, at_run_time, facts, prepare));
  CHECK(chainrule::detail::parameter_count(at_run_time) == static_cast<chainrule::Index>(facts.initial_parameters.size()));
}

}  // namespace chainrule_test
