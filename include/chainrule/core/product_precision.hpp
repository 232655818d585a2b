#pragma once

#include <chainrule/core/error.hpp>
#include <chainrule/core/tensor_shape.hpp>
#include <chainrule/core/types.hpp>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>

namespace chainrule {

class Team;  // in threads/team.hpp

/// The matrix products of dense layers in another way than in the network's own Scalar. An object belongs to one workspace, has the memory
/// that its products need, and computes them for all dense layers, one after the other. The library has one, bfloat16
/// (precision/bfloat16.hpp); derive your own for another format, another library or a device, and give it to make_workspace as a
/// ProductPrecision.
///
/// Matrices are column-major; W, dJ/dW: Out x In, without gaps; x, z, delta and dX: one sample in each column. `team` shares the work, or
/// is null; the result must not depend on it.
template <class Scalar>
class DenseProducts {
 public:
  DenseProducts() = default;
  virtual ~DenseProducts() = default;
  /// A copy with memory of its own, for a copy of the workspace.
  virtual std::unique_ptr<DenseProducts> clone() const = 0;
  /// Whether it computes layers of this shape. Others are computed in Scalar.
  virtual bool takes(Index outputs, Index inputs) const = 0;
  /// z = W x + b        (Out x batch); a null b stands for 0.
  virtual void affine(const Scalar* w, const Scalar* b, ConstMatrixView<Scalar> x, MatrixView<Scalar> z, Team* team) = 0;
  /// The products of a backward pass, from delta = dJ/dz. Leaves out what is null.
  ///
  ///     dJ/dW = delta x^T        (Out x In)
  ///     dJ/dx = W^T delta        (In x batch)
  virtual void backward(const Scalar* w, ConstMatrixView<Scalar> x, ConstMatrixView<Scalar> delta, Scalar* dJ_dW, MatrixView<Scalar>* dJ_dx,
                        Team* team) = 0;
  /// dJ/dx = W^T delta unless it is null, then W <- W + factor delta x^T, with the bits of backward and of W + factor dJ/dW, rounded once.
  /// `scratch` is as large as W.
  virtual void backward_and_step(Scalar* w, ConstMatrixView<Scalar> x, ConstMatrixView<Scalar> delta, Scalar factor, Scalar* scratch,
                                 MatrixView<Scalar>* dJ_dx, Team* team) = 0;

 protected:
  DenseProducts(const DenseProducts&) = default;             ///< for derived classes
  DenseProducts& operator=(const DenseProducts&) = default;  ///< for derived classes
};

/// How a workspace computes the matrix products of dense layers. Without arguments: in the network's Scalar. `bfloat16` is the other one of
/// the library.
class ProductPrecision {
 public:
  /// Makes the products for a network with these parameters and for batches of up to max_batch samples, and allocates their memory. The
  /// parameters of an Embedding are not among them, because no product has them.
  using Make = std::unique_ptr<DenseProducts<float>> (*)(std::span<const TensorShape> parameters, Index max_batch);

  /// The products are computed in the network's Scalar.
  constexpr ProductPrecision() = default;
  /// Products of your own, for networks of float. `name` is for messages and checkpoints.
  constexpr ProductPrecision(std::string_view name, Make function) : name_{name}, make_{function} {}

  /// "bfloat16", or the name that you gave; empty for products in the network's Scalar.
  constexpr std::string_view name() const { return name_; }

  /// Throws ValueError for a network of Scalar numbers that cannot have these products. `who` begins the message.
  template <class Scalar>
  void check(const char* who) const {
    if (make_ != nullptr && !std::is_same_v<Scalar, float>)
      detail::raise<ValueError>(who, ": products in ", name_, " need a network of float, and this one has numbers of another type");
  }
  /// The products for a network of Scalar numbers with these parameters; null for products in Scalar. Throws ValueError as `check` does,
  /// and where the function gives none.
  template <class Scalar>
  std::unique_ptr<DenseProducts<Scalar>> make(const char* who, std::span<const TensorShape> parameters, Index max_batch) const {
    check<Scalar>(who);
    std::unique_ptr<DenseProducts<Scalar>> products;
    if constexpr (std::is_same_v<Scalar, float>)
      if (make_ != nullptr && (products = make_(parameters, max_batch)) == nullptr)
        detail::raise<ValueError>(who, ": the function of the precision ", name_, " has made no products; it returned a null pointer");
    return products;
  }

 private:
  std::string_view name_;
  Make make_ = nullptr;
};

}  // namespace chainrule
