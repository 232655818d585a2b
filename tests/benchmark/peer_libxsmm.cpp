// The loop written by hand on LIBXSMM, which compiles a kernel for each product while the program runs. Its kernels multiply by no factor
// and read only the second matrix transposed, so delta is scaled and W is transposed beforehand. A large first matrix is cut into blocks of
// 128 x 256 numbers, which stay in the cache while the kernel goes through the columns of the second one.

#include <algorithm>
#include <stdexcept>

#include "hand_loop.hpp"
#include "peers.hpp"

// The last one, because it undefines a macro that headers of the standard library in C++20 need.
#include <libxsmm.h>

namespace bench {
namespace {

class LibxsmmProducts {
 public:
  LibxsmmProducts(const Row& row, int samples) {
    for (std::size_t l = 0; l + 1 < row.widths.size(); ++l) {
      const int in = row.widths[l], out = row.widths[l + 1];
      forward_.push_back(product(out, samples, in, 0));
      outer_.push_back(product(out, in, samples, LIBXSMM_GEMM_FLAG_TRANS_B));
      backward_.push_back(l > 0 ? product(in, samples, out, LIBXSMM_GEMM_FLAG_BETA_0) : Product{});
      transpose_.push_back(l > 0 ? libxsmm_dispatch_meltw_unary(LIBXSMM_MELTW_TYPE_UNARY_TRANSFORM_NORM_TO_NORMT,
                                                                libxsmm_create_meltw_unary_shape(out, in, out, in, type, type, type),
                                                                LIBXSMM_MELTW_FLAG_UNARY_NONE)
                                 : nullptr);
      if (l > 0 && !transpose_[l]) throw std::runtime_error("LIBXSMM has no kernel for a transpose");
      W_transposed_.emplace_back(l > 0 ? in : 0, out);
      scaled_.emplace_back(out, samples);
    }
  }

  template <class A, class Z>
  void affine(std::size_t l, const Matrix& W, const A& a, const Vector& b, Z& z) const {
    z.colwise() = b;
    call(forward_[l], W.data(), a.data(), z.data());
  }

  void transposed(std::size_t l, const Matrix& W, const Matrix& delta, Matrix& result) {
    libxsmm_meltw_unary_param arguments{};
    arguments.in.primary = const_cast<Scalar*>(W.data());
    arguments.out.primary = W_transposed_[l].data();
    transpose_[l](&arguments);
    call(backward_[l], W_transposed_[l].data(), delta.data(), result.data());
  }

  template <class A>
  void add_outer(std::size_t l, Scalar factor, const Matrix& delta, const A& a, Matrix& W) {
    scaled_[l] = factor * delta;
    call(outer_[l], scaled_[l].data(), a.data(), W.data());
  }

 private:
  static constexpr libxsmm_datatype type = sizeof(Scalar) == sizeof(float) ? LIBXSMM_DATATYPE_F32 : LIBXSMM_DATATYPE_F64;

  // The product of one block, and where the blocks of a, b and c begin.
  struct Block {
    libxsmm_gemmfunction kernel;
    int a, b, c;
  };
  using Product = std::vector<Block>;

  // The blocks of c += a b or, by the flags, of c = a b or c += a b^T. c is m x n, and a is m x k.
  static Product product(int m, int n, int k, int flags) {
    constexpr int rows = 128, depth = 256;
    const bool b_transposed = (flags & LIBXSMM_GEMM_FLAG_TRANS_B) != 0;
    const int ldb = b_transposed ? n : k;
    Product blocks;
    for (int j = 0; j < k; j += depth) {
      for (int i = 0; i < m; i += rows) {
        const auto shape = libxsmm_create_gemm_shape(std::min(rows, m - i), n, std::min(depth, k - j), m, ldb, m, type, type, type, type);
        const int adds = j > 0 ? flags & ~LIBXSMM_GEMM_FLAG_BETA_0 : flags;
        const auto kernel = libxsmm_dispatch_gemm(shape, static_cast<libxsmm_bitfield>(adds), LIBXSMM_GEMM_PREFETCH_NONE);
        if (!kernel) throw std::runtime_error("LIBXSMM has no kernel for a product");
        blocks.push_back({kernel, i + j * m, b_transposed ? j * ldb : j, i});
      }
    }
    return blocks;
  }

  static void call(const Product& blocks, const Scalar* a, const Scalar* b, Scalar* c) {
    for (const Block& block : blocks) {
      libxsmm_gemm_param arguments{};
      arguments.a.primary = const_cast<Scalar*>(a + block.a);
      arguments.b.primary = const_cast<Scalar*>(b + block.b);
      arguments.c.primary = c + block.c;
      block.kernel(&arguments);
    }
  }

  std::vector<Product> forward_, backward_, outer_;
  std::vector<libxsmm_meltwfunction_unary> transpose_;
  std::vector<Matrix> W_transposed_, scaled_;
};

}  // namespace

[[gnu::visibility("default")]] std::unique_ptr<Learner> make_libxsmm(const Problem& problem, int threads) try {
  if (problem.row.batch < threads) return nullptr;
  return std::make_unique<HandLoop<LibxsmmProducts>>(problem, threads);
} catch (const std::runtime_error&) {
  return nullptr;
}

}  // namespace bench
