// chainrule with extents in types. This slow file is compiled once for each CHAINRULE_BENCHMARK_PART, in parallel; part p holds the rows
// whose number is p - 1 modulo CHAINRULE_BENCHMARK_PARTS.

#include <array>
#include <utility>

#include "ours.hpp"
#include "rows.hpp"

namespace bench {
namespace {

template <Activation A, Loss L, int... Widths>
std::unique_ptr<Learner> make(NetOf<A, L, Widths...>, const Problem& problem, int threads) {
  constexpr std::array widths{Widths...};
  return [&]<std::size_t... I>(std::index_sequence<I...>)->std::unique_ptr<Learner> {
    constexpr std::size_t last = sizeof...(I) - 1;
    using Net = cr::Network<Scalar, LossOf<L>,
                            cr::Dense<widths[I], widths[I + 1], std::conditional_t<I == last, cr::Identity, ActivationOf<A>>>...>;
    return std::make_unique<Ours<Net, widths.front(), widths.back()>>(Net{cr::Seed{1}}, problem, threads);
  }
  (std::make_index_sequence<widths.size() - 1>{});
}

}  // namespace

template <int Part>
std::unique_ptr<Learner> make_fixed_part(const Problem& problem, int threads);

template <>
std::unique_ptr<Learner> make_fixed_part<CHAINRULE_BENCHMARK_PART>(const Problem& problem, int threads) {
  std::unique_ptr<Learner> learner;
  for_each_net([&]<std::size_t N, class Net>() {
    if constexpr (N % CHAINRULE_BENCHMARK_PARTS + 1 == CHAINRULE_BENCHMARK_PART)
      if (Net::value().same_net(problem.row)) learner = make(Net{}, problem, threads);
  });
  return learner;
}

}  // namespace bench
