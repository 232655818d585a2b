#pragma once

#include <chainrule/core/detail/layered_vector.hpp>

namespace chainrule::detail {

/// What a network is made of: its layers, theta, and what is kept beside theta. "Given the structure, the weights define the
/// function, so they define the model." Network adds the passes.
template <class Scalar, class Sequence>
class Model {
 public:
  Index inputs() const { return sequence().inputs(); }
  Index outputs() const { return sequence().outputs(); }
  const typename Sequence::Tuple& layers() const { return theta_.layers(); }  ///< as a tuple, from the first to the last
  /// The smallest batch that forward takes: 2 where there is a BatchNorm, else 1.
  Index fewest_training_samples() const { return sequence().fewest_training_samples(); }

  /// theta, all parameters as one flat vector, to read and to write.
  VectorView<Scalar> parameters() { return theta_.flat(); }
  ConstVectorView<Scalar> parameters() const { return theta_.flat(); }

  /// What is kept and saved with theta but not trained: running statistics of BatchNorm, shift and scale of Normalize.
  VectorView<Scalar> buffers() { return buffers_.flat(); }
  ConstVectorView<Scalar> buffers() const { return buffers_.flat(); }

  /// Layer I's parameters by name, as views: `layer<0>().weight` is W(1), `.bias` is b(1).
  template <std::size_t I>
  auto layer() {
    return theta_.template layer<I>();
  }
  template <std::size_t I>
  auto layer() const {
    return theta_.template layer<I>();
  }

  /// Layer I's buffers by name: `buffers<1>().running_mean`.
  template <std::size_t I>
  auto buffers() {
    return buffers_.template layer<I>();
  }
  template <std::size_t I>
  auto buffers() const {
    return buffers_.template layer<I>();
  }

 protected:
  /// Parameters are 0, buffers as the layers want them at first.
  explicit Model(const Sequence& sequence) : theta_{sequence}, buffers_{sequence} { sequence.initialize_buffers(buffers_.flat().data()); }

  const Sequence& sequence() const { return theta_.sequence(); }

 private:
  LayeredVector<Scalar, Sequence> theta_;
  LayeredVector<Scalar, Sequence, Part::buffers> buffers_;
};

}  // namespace chainrule::detail
