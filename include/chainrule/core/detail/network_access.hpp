#pragma once

#include <chainrule/core/detail/require_cpp20.hpp>

namespace chainrule::detail {

/// Gives the library's own trainers and reports what users of a Network do not call.
struct NetworkAccess {
  /// The layers with the places of their parameters.
  template <class Net>
  static const auto& sequence(const Net& net) {
    return net.sequence();
  }

  /// Backward and theta <- theta - rate dJ/dtheta in one pass over the layers: the bits of `net.backward` and a step of plain SGD, but
  /// sooner, because dJ/dW(l) is used while it is in the processor's cache. `scratch` then holds no gradient.
  template <class Net, class X, class Y, class Work>
  static void backward_and_step(Net& net, const X& x, const Y& y, Work& work, typename Net::Gradients& scratch,
                                typename Net::ScalarType rate) {
    net.backward_and_step(x, y, work, scratch, rate);
  }

  /// Throws what the passes would throw for x and y, however many samples they have: shapes, NaN, impossible targets. `who` begins the
  /// message.
  template <class Net, class X, class Y>
  static void check_data(const char* who, const Net& net, const X& x, const Y& y) {
    net.check_data(who, x, y);
  }
};

}  // namespace chainrule::detail
