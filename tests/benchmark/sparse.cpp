// Microseconds for what touches only a few columns of a weight: SparseInput beside the dense prediction, and Embedding, each beside the
// same by hand.

#include "sparse.hpp"

#include <algorithm>
#include <chainrule/activations/relu.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/layers/embedding.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/network.hpp>
#include <chainrule/sparse_input.hpp>
#include <cmath>
#include <cstdio>
#include <utility>

#include "stopwatch.hpp"

namespace {

using namespace bench;
namespace cr = chainrule;
using Matrix = cr::Matrix<Scalar>;

constexpr int pieces = 32, squares = 24;

// Each of 32 pieces is on one of 24 squares of its own; one after the other moves to the next square.
struct Walk {
  std::vector<int> active;
  std::size_t next = 0;

  Walk() {
    for (int piece = 0; piece < pieces; ++piece) active.push_back(piece * squares + 7 * piece % squares);
  }
  template <class F>
  void step(const F& move) {
    int& at = active[next];
    const int from = at, first = from / squares * squares;
    at = first + (from - first + 1) % squares;
    next = (next + 1) % pieces;
    move(from, at);
  }
};

void row(const char* name, double ours, double by_hand, double dense) {
  std::printf("%-28s %8.2f %12.2f", name, ours, by_hand / ours);
  if (dense > 0) std::printf(" %10.3f", ours / dense);
  std::printf("\n");
}

void sparse_input() {
  using Net = cr::Network<Scalar, cr::SquaredError, cr::Dense<768, 256, cr::ReLU>, cr::Dense<256, 32, cr::ReLU>, cr::Dense<32, 1>>;
  const Net net{cr::Seed{1}};
  auto work = net.make_workspace(1);
  const SparseByHand by_hand = eigen_sparse(net.parameters().data());
  cr::SparseInput sparse(net);
  Walk ours, theirs;
  Matrix x = Matrix::Zero(768, 1);
  for (const int k : ours.active) x(k, 0) = 1;
  sparse.refresh(ours.active);
  by_hand.refresh(theirs.active);
  const Scalar y = net.predict(x, work)(0, 0);
  const double difference = std::max(std::abs(sparse.predict(work)(0, 0) - y), std::abs(by_hand.predict() - y));
  Scalar sum = 0;  // so that the compiler keeps every prediction
  const auto times = microseconds({[&] { sum += net.predict(x, work)(0, 0); },
                                   [&] {
                                     ours.step([&](int from, int to) {
                                       sparse.remove(from);
                                       sparse.add(to);
                                     });
                                     sum += sparse.predict(work)(0, 0);
                                   },
                                   [&] {
                                     theirs.step(by_hand.move);
                                     sum += by_hand.predict();
                                   },
                                   [&] {
                                     sparse.refresh(ours.active);
                                     sum += sparse.predict(work)(0, 0);
                                   },
                                   [&] {
                                     by_hand.refresh(theirs.active);
                                     sum += by_hand.predict();
                                   }});
  std::printf("%-28s %8s %12s %10s\n", "768-256-32-1, 32 inputs are 1", "us", "by hand/us", "us/dense");
  std::printf("%-28s %8.2f\n", "dense: predict", times[0]);
  row("remove, add, predict", times[1], times[2], times[0]);
  row("refresh, predict", times[3], times[4], times[0]);
  std::printf("largest difference %.0e%s\n", difference, std::isfinite(sum) ? "" : ", and a prediction is not finite");
}

void embedding() {
  using Layer =
      cr::Embedding<13, cr::CategoryRow{.row = 2, .categories = 1000, .size = 16}, cr::CategoryRow{.row = 5, .categories = 100, .size = 8},
                    cr::CategoryRow{.row = 9, .categories = 10, .size = 4}>;
  constexpr int batch = 64;
  const Layer layer;
  cr::Random random{cr::Seed{1}};
  std::vector<Scalar> theta(Layer::parameters_at_compile_time), ours(theta.size()), theirs(theta.size());
  layer.initialize(theta.data(), random);
  Matrix x = Matrix::Random(13, batch), delta = Matrix::Random(layer.outputs(), batch), a(layer.outputs(), batch);
  for (const cr::CategoryRow& of : layer.category_rows())
    for (int j = 0; j < batch; ++j) x(of.row, j) = std::floor(static_cast<Scalar>(random.uniform() * static_cast<double>(of.categories)));
  Layer::Cache<Scalar, cr::Dynamic> cache(layer, batch);
  const EmbeddingByHand by_hand = gather_by_hand(13, batch, {{2, 1000, 16}, {5, 100, 8}, {9, 10, 4}});
  const auto x_view = cr::detail::matrix_view(std::as_const(x).data(), 13, batch);
  cr::MatrixView<Scalar>* const no_dJ_dx = nullptr;
  const auto delta_view = cr::detail::matrix_view(delta.data(), delta.rows(), batch);
  const auto times =
      microseconds({[&] { layer.forward(theta.data(), x_view, cache); }, [&] { by_hand.forward(theta.data(), x.data(), a.data()); },
                    [&] { layer.backward(theta.data(), x_view, cache, delta_view, ours.data(), no_dJ_dx); },
                    [&] { by_hand.backward(x.data(), delta.data(), theirs.data()); }});
  std::printf("\n%-28s %8s %12s\n", "Embedding, batch 64", "us", "by hand/us");
  row("forward", times[0], times[1], 0);
  row("backward", times[2], times[3], 0);
  std::printf("%s\n", cache.output.first(batch) == a && ours == theirs ? "the same bits" : "other bits by hand");
}

}  // namespace

int main() {
  std::printf("%s, %s\n\n", CHAINRULE_BENCHMARK_TITLE, sizeof(Scalar) == 4 ? "float" : "double");
  sparse_input();
  embedding();
}
