#pragma once

#include <chainrule/core/types.hpp>

namespace chainrule::detail {

/// Gives the library's own trainers and reports what users of a Network do not call.
struct NetworkAccess {
  /// The layers with the places of their parameters.
  template <class Net>
  static const auto& sequence(const Net& net) {
    return net.sequence();
  }

  /// The first of all parameters.
  template <class Net>
  static const auto* theta(const Net& net) {
    return net.theta();
  }

  /// The caches of a workspace, to write to.
  template <class Work>
  static auto& caches(Work& work) {
    return work.caches_;
  }
  /// The deltas of a workspace, to write to.
  template <class Work>
  static auto& deltas(Work& work) {
    return work.deltas_;
  }

  /// Makes the pass of net.predict_raw(x, work), and returns the checked view on x. `who` begins the messages.
  template <class Net, class X, class Work>
  static auto predict_raw(const char* who, const Net& net, const X& x, Work& work) {
    return net.checked_predict_raw(who, x, work);
  }
  /// A view on the raw outputs of so many samples in the workspace.
  template <class Net, class Work>
  static auto output_of(const Net& net, const Work& work, Index samples) {
    return net.output_of(work, samples);
  }
  /// Calls f, and throws StateError where another pass has used the workspace meanwhile.
  template <class Work, class F>
  static void in_one_pass(const char* who, Work& work, const F& f) {
    work.last_pass_.begin(&f);
    f();
    work.last_pass_.end(who, &f);
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
