// Sparse inputs and embeddings as one writes them by hand, built with -O3 -march=native as Eigen's users would.

#include <Eigen/Core>
#include <algorithm>
#include <memory>

#include "sparse.hpp"

namespace bench {
namespace {

using Matrix = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic>;
using Vector = Eigen::Matrix<Scalar, Eigen::Dynamic, 1>;

struct Net {
  Eigen::Map<const Matrix> W1, W2, W3;
  Eigen::Map<const Vector> b1, b2, b3;
  Vector z, a1, a2;

  explicit Net(const Scalar* theta)
      : W1(theta, 256, 768),
        W2(theta + 769 * 256, 32, 256),
        W3(theta + 769 * 256 + 257 * 32, 1, 32),
        b1(theta + 768 * 256, 256),
        b2(theta + 769 * 256 + 256 * 32, 32),
        b3(theta + 769 * 256 + 257 * 32 + 32, 1),
        z(256),
        a1(256),
        a2(32) {}
};

}  // namespace

[[gnu::visibility("default")]] SparseByHand eigen_sparse(const Scalar* theta) {
  const auto net = std::make_shared<Net>(theta);
  return {[net](const std::vector<int>& active) {
            net->z = net->b1;
            for (const int k : active) net->z += net->W1.col(k);
          },
          [net](int from, int to) { net->z += net->W1.col(to) - net->W1.col(from); },
          [net] {
            net->a1 = net->z.cwiseMax(Scalar{0});
            net->a2 = net->b2;
            net->a2.noalias() += net->W2 * net->a1;
            net->a2 = net->a2.cwiseMax(Scalar{0});
            return net->b3[0] + net->W3.row(0).transpose().dot(net->a2);
          }};
}

[[gnu::visibility("default")]] EmbeddingByHand gather_by_hand(int inputs, int batch, const std::vector<Categories>& rows) {
  // calls of_number(row) for each row of numbers, then of_category(row, first parameter, size) for each row of categories
  const auto for_each_row = [inputs, rows](const auto& of_number, const auto& of_category) {
    std::size_t next = 0;
    for (int i = 0; i < inputs; ++i)
      if (next < rows.size() && rows[next].row == i)
        ++next;
      else
        of_number(i);
    int first = 0;
    for (const auto& of : rows) {
      of_category(of.row, first, of.size);
      first += of.size * of.count;
    }
  };
  int parameters = 0;
  for (const auto& of : rows) parameters += of.size * of.count;
  return {[=](const Scalar* theta, const Scalar* x, Scalar* a) {
            for (int j = 0; j < batch; ++j, x += inputs)
              for_each_row(
                  [&](int i) { *a++ = x[i]; },
                  [&](int row, int first, int size) { a = std::copy_n(theta + first + static_cast<int>(x[row]) * size, size, a); });
          },
          [=](const Scalar* x, const Scalar* delta, Scalar* gradient) {
            std::fill_n(gradient, parameters, Scalar{0});
            for (int j = 0; j < batch; ++j, x += inputs)
              for_each_row([&](int) { ++delta; },
                           [&](int row, int first, int size) {
                             Scalar* const to = gradient + first + static_cast<int>(x[row]) * size;
                             for (int i = 0; i < size; ++i) to[i] += *delta++;
                           });
          }};
}

}  // namespace bench
