// chainrule with extents known only at run time, and the list of rows.

#include <utility>

#include "ours.hpp"
#include "rows.hpp"

namespace bench {
namespace {

template <Activation A, Loss L, std::size_t Layers>
std::unique_ptr<Learner> make(const Problem& problem, int threads) {
  return [&]<std::size_t... I>(std::index_sequence<I...>)->std::unique_ptr<Learner> {
    const auto& widths = problem.row.widths;
    using Net = cr::Network<Scalar, LossOf<L>,
                            cr::Dense<cr::Dynamic, cr::Dynamic, std::conditional_t<I + 1 == Layers, cr::Identity, ActivationOf<A>>>...>;
    return std::make_unique<Ours<Net, cr::Dynamic, cr::Dynamic>>(Net{cr::Seed{1}, {widths[I], widths[I + 1]}...}, problem, threads);
  }
  (std::make_index_sequence<Layers>{});
}

template <bool Predicts, Activation A, Loss L, int Batch, int... Widths>
bool same_type(RowOf<Predicts, A, L, Batch, Widths...>, const Row& row) {
  return row.activation == A && row.loss == L && row.widths.size() == sizeof...(Widths);
}
template <bool Predicts, Activation A, Loss L, int Batch, int... Widths>
std::unique_ptr<Learner> make_like(RowOf<Predicts, A, L, Batch, Widths...>, const Problem& problem, int threads) {
  return make<A, L, sizeof...(Widths) - 1>(problem, threads);
}

}  // namespace

// Makes a net for the rows of the table, and for any other extents if a row has the same activation, loss and number of layers.
std::unique_ptr<Learner> make_dynamic(const Problem& problem, int threads) {
  std::unique_ptr<Learner> learner;
  [&]<class... R>(std::tuple<R...>*) {
    ((same_type(R{}, problem.row) && !learner ? void(learner = make_like(R{}, problem, threads)) : void()), ...);
  }(static_cast<Rows*>(nullptr));
  return learner;
}

std::vector<Row> all_rows() {
  return []<class... R>(std::tuple<R...>*) { return std::vector<Row>{R::value()...}; }(static_cast<Rows*>(nullptr));
}

template <int Part>
std::unique_ptr<Learner> make_fixed_part(const Problem& problem, int threads);

std::unique_ptr<Learner> make_fixed(const Problem& problem, int threads) {
  std::unique_ptr<Learner> learner;
  [&]<int... Part>(std::integer_sequence<int, Part...>) {
    ((learner ? void() : void(learner = make_fixed_part<Part + 1>(problem, threads))), ...);
  }
  (std::make_integer_sequence<int, CHAINRULE_BENCHMARK_PARTS>{});
  return learner;
}

}  // namespace bench
