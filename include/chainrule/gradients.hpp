#pragma once

#include <chainrule/core/layered_vector.hpp>

namespace chainrule {

/// dJ/dtheta: as a vector of theta's shape, `flat()`, and by layer, `layer<i>().weight` = dJ/dW(i+1), `layer<i>().bias`. Made by
/// `net.make_gradients()`; backward overwrites it.
template <class Scalar, class Sequence>
class Gradients : public LayeredVector<Scalar, Sequence> {
 public:
  using LayeredVector<Scalar, Sequence>::LayeredVector;

  /// Whether a team of threads shared the backward pass that filled it. Then the optimizer's step is shared too, since each thread has its
  /// part of the gradient in its processor's cache.
  bool is_shared() const { return shared_; }

 private:
  template <class, class, class...>
  friend class Network;  // sets whether a team shared the backward pass
  bool shared_ = false;
};

}  // namespace chainrule
