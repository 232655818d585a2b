#pragma once

#include <functional>
#include <vector>

#include "problem.hpp"

namespace bench {

/// Functions that do by hand with Eigen what SparseInput does with a net 768-256-32-1 of ReLU layers with a linear last layer.
struct SparseByHand {
  std::function<void(const std::vector<int>& active)> refresh;
  std::function<void(int from, int to)> move;  ///< one input less and one more
  std::function<Scalar()> predict;
};
/// theta: the weights and biases of each layer, one after the other.
SparseByHand eigen_sparse(const Scalar* theta);

/// A row of x that holds categories, and the size of their embeddings.
struct Categories {
  int row, count, size;
};
/// Functions that do by hand what Embedding does, for a batch x, a = the outputs and delta = dJ/da; all columns lie one after the other.
struct EmbeddingByHand {
  std::function<void(const Scalar* theta, const Scalar* x, Scalar* a)> forward;
  std::function<void(const Scalar* x, const Scalar* delta, Scalar* gradient)> backward;
};
EmbeddingByHand gather_by_hand(int inputs, int batch, const std::vector<Categories>& rows);

}  // namespace bench
