// The loop written by hand on OpenBLAS, which shares each product among its own threads.

#include "hand_loop.hpp"
#include "peers.hpp"

// Declared here, because the package with the library has no header.
extern "C" {
void cblas_sgemm(int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha, const float* a, int lda, const float* b,
                 int ldb, float beta, float* c, int ldc);
void cblas_dgemm(int order, int transpose_a, int transpose_b, int m, int n, int k, double alpha, const double* a, int lda, const double* b,
                 int ldb, double beta, double* c, int ldc);
void cblas_sgemv(int order, int transpose, int m, int n, float alpha, const float* a, int lda, const float* x, int incx, float beta,
                 float* y, int incy);
void cblas_dgemv(int order, int transpose, int m, int n, double alpha, const double* a, int lda, const double* x, int incx, double beta,
                 double* y, int incy);
}

namespace bench {
namespace {

template <class T>
constexpr auto gemm_function = cblas_sgemm;
template <>
constexpr auto gemm_function<double> = cblas_dgemm;
template <class T>
constexpr auto gemv_function = cblas_sgemv;
template <>
constexpr auto gemv_function<double> = cblas_dgemv;

class OpenBlasProducts {
 public:
  OpenBlasProducts(const Row&, int) {}

  template <class A, class Z>
  void affine(std::size_t, const Matrix& W, const A& a, const Vector& b, Z& z) const {
    z.colwise() = b;
    if (a.cols() == 1)
      gemv(plain, W, a.data(), 1, z.data());
    else
      gemm(plain, W, plain, a, 1, 1, z);
  }

  void transposed(std::size_t, const Matrix& W, const Matrix& delta, Matrix& result) const {
    if (delta.cols() == 1)
      gemv(transpose, W, delta.data(), 0, result.data());
    else
      gemm(transpose, W, plain, delta, 1, 0, result);
  }

  template <class A>
  void add_outer(std::size_t, Scalar factor, const Matrix& delta, const A& a, Matrix& W) const {
    gemm(plain, delta, transpose, a, factor, 1, W);
  }

 private:
  static constexpr int column_major = 102, plain = 111, transpose = 112;

  // c = alpha op(a) op(b) + beta c
  template <class B, class C>
  static void gemm(int op_a, const Matrix& a, int op_b, const B& b, Scalar alpha, Scalar beta, C& c) {
    const auto rows = [](const auto& of) { return static_cast<int>(of.rows()); };
    const auto depth = static_cast<int>(op_a == plain ? a.cols() : a.rows());
    gemm_function<Scalar>(column_major, op_a, op_b, rows(c), static_cast<int>(c.cols()), depth, alpha, a.data(), rows(a), b.data(), rows(b),
                          beta, c.data(), rows(c));
  }

  // y = op(a) x + beta y
  static void gemv(int op, const Matrix& a, const Scalar* x, Scalar beta, Scalar* y) {
    const auto rows = static_cast<int>(a.rows()), cols = static_cast<int>(a.cols());
    gemv_function<Scalar>(column_major, op, rows, cols, 1, a.data(), rows, x, 1, beta, y, 1);
  }
};

}  // namespace

[[gnu::visibility("default")]] std::unique_ptr<Learner> make_openblas(const Problem& problem) {
  return std::make_unique<HandLoop<OpenBlasProducts>>(problem, 1);
}

}  // namespace bench
