#pragma once

#include <chainrule/core/layered_vector.hpp>

namespace chainrule {

/// dJ/dtheta: `flat()`, a vector of theta's shape, and by layer `layer<i>().weight` = dJ/dW(i+1), `layer<i>().bias`.
/// Made by `net.make_gradients()`; backward overwrites it.
template <class Scalar, class Sequence>
class Gradients : public LayeredVector<Scalar, Sequence> {
 public:
  using LayeredVector<Scalar, Sequence>::LayeredVector;

  /// Whether a team shared the backward pass that filled it: then each thread has a part of it at hand, and a step is shared too.
  bool is_shared() const { return shared_; }

 private:
  template <class, class, class...>
  friend class Network;  // its backward pass says whether it was shared
  bool shared_ = false;
};

}  // namespace chainrule
