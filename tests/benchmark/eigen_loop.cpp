// The loop written by hand, on Eigen alone.

#include "hand_loop.hpp"
#include "peers.hpp"

namespace bench {
namespace {

struct EigenProducts {
  EigenProducts(const Row&, int) {}

  template <class A, class Z>
  void affine(std::size_t, const Matrix& W, const A& a, const Vector& b, Z& z) const {
    if constexpr (Z::IsVectorAtCompileTime) {  // for one sample Eigen's matrix-vector products are faster
      z = b;
      z.noalias() += W * a;
    } else {
      z.noalias() = W * a;
      z.colwise() += b;
    }
  }

  void transposed(std::size_t, const Matrix& W, const Matrix& delta, Matrix& result) const { result.noalias() = W.transpose() * delta; }

  template <class A>
  void add_outer(std::size_t, Scalar factor, const Matrix& delta, const A& a, Matrix& W) const {
    W.noalias() += factor * delta * a.transpose();
  }
};

}  // namespace

[[gnu::visibility("default")]] std::unique_ptr<Learner> make_eigen_loop(const Problem& problem, int threads) {
  if (problem.row.batch < threads) return nullptr;
  return std::make_unique<HandLoop<EigenProducts>>(problem, threads);
}

}  // namespace bench
