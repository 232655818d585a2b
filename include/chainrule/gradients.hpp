#pragma once

#include <algorithm>
#include <chainrule/core/frozen_parameters.hpp>
#include <chainrule/core/layered_vector.hpp>
#include <memory>

namespace chainrule {

/// dJ/dtheta: as a vector of theta's shape, `flat()`, and by layer, `layer<i>().weight` = dJ/dW(i+1), `layer<i>().bias`. Made by
/// `net.make_gradients()`; backward overwrites it, and sets it to 0 where the network is frozen.
template <class Scalar, class Sequence>
class Gradients : public LayeredVector<Scalar, Sequence> {
 public:
  using LayeredVector<Scalar, Sequence>::LayeredVector;

  /// Whether a team of threads shared the backward pass that filled it. Then the optimizer's step is shared too, since each thread has its
  /// part of the gradient in its processor's cache.
  bool is_shared() const { return shared_; }

  /// The parameters that were frozen in the backward pass that filled it, or when it was made: dJ/dtheta is 0 there. nullptr where all
  /// parameters learn.
  const std::shared_ptr<const FrozenParameters>& frozen() const { return frozen_; }

 private:
  template <class, class, class...>
  friend class Network;  // sets whether a team shared the backward pass
  void set_frozen(const std::shared_ptr<const FrozenParameters>& frozen) {
    if (frozen_ != frozen) frozen_ = frozen;  // not in every pass, because counting references takes longer
  }
  void set_zero_where_frozen() { set_zero_where_frozen(0, this->size()); }
  void set_zero_where_frozen(Index begin, Index end) {
    if (frozen_ == nullptr) return;
    for (const auto& range : frozen_->ranges()) {
      const Index first = (std::max)(range.begin, begin), last = (std::min)(range.end, end);
      if (first < last) std::fill(this->data() + first, this->data() + last, Scalar{0});
    }
  }

  bool shared_ = false;
  std::shared_ptr<const FrozenParameters> frozen_;
};

}  // namespace chainrule
