#pragma once
// The rows of the table as types, because some of the libraries need the extents at compile time.

#include <tuple>
#include <type_traits>
#include <utility>

#include "problem.hpp"

namespace bench {

template <Activation A, Loss L, int... Widths>
struct NetOf {
  static Row value() { return {{Widths...}, A, L, 1}; }
};
template <bool Predicts, Activation A, Loss L, int Batch, int... Widths>
struct RowOf {
  using Net = NetOf<A, L, Widths...>;
  static Row value() { return {{Widths...}, A, L, Batch, Predicts}; }
};
template <Activation A, Loss L, int Batch, int... Widths>
using Train = RowOf<false, A, L, Batch, Widths...>;
template <Activation A, Loss L, int Batch, int... Widths>
using Predict = RowOf<true, A, L, Batch, Widths...>;

using enum Activation;
using enum Loss;

using Rows = std::tuple<Train<tanh, squared, 4, 2, 8, 1>,                              //
                        Train<relu, softmax, 16, 4, 16, 3>,                            //
                        Train<relu, softmax, 32, 784, 128, 10>,                        //
                        Train<relu, softmax, 128, 784, 128, 10>,                       //
                        Train<sigmoid, softmax, 100, 784, 500, 250, 10>,               //
                        Train<tanh, squared, 100, 28, 300, 300, 300, 300, 300, 1>,     //
                        Train<relu, squared, 256, 1024, 1024, 1024, 1024>,             //
                        Train<tanh, squared, 256, 23, 64, 64, 4>,                      //
                        Train<relu, softmax, 50, 100, 100, 100, 10>,                   // from here on, sizes that no kernel is tuned to
                        Train<sigmoid, squared, 61, 37, 211, 97, 5>,                   //
                        Train<tanh, squared, 64, 512, 512, 512>,                       //
                        Train<relu, softmax, 128, 2048, 4096, 1000>,                   //
                        Train<relu, squared, 8, 1024, 4096, 1024>,                     //
                        Train<tanh, squared, 1, 256, 256, 256, 16>,                    //
                        Train<sigmoid, softmax, 77, 129, 333, 65, 3>,                  //
                        Train<relu, softmax, 64, 3072, 512, 512, 10>,                  //
                        Train<relu, softmax, 200, 10, 40, 40, 40, 2>,                  //
                        Predict<tanh, squared, 1, 23, 64, 64, 4>,                      //
                        Predict<tanh, squared, 1, 1, 8, 8, 1>,                         //
                        Predict<relu, softmax, 1, 784, 128, 10>,                       //
                        Predict<tanh, squared, 1, 28, 300, 300, 300, 300, 300, 1>,     //
                        Predict<relu, softmax, 8, 784, 128, 10>,                       //
                        Predict<tanh, squared, 8, 28, 300, 300, 300, 300, 300, 1>,     //
                        Predict<relu, softmax, 1000, 784, 128, 10>,                    //
                        Predict<tanh, squared, 1000, 28, 300, 300, 300, 300, 300, 1>,  //
                        Predict<tanh, squared, 1000, 23, 64, 64, 4>>;

/// Calls visit.template operator()<I, Net>() for the net of each row I, skipping nets that an earlier row has.
template <class Visit>
void for_each_net(const Visit& visit) {
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    const auto once = [&]<std::size_t N>(std::integral_constant<std::size_t, N>) {
      using Net = typename std::tuple_element_t<N, Rows>::Net;
      constexpr bool is_first = ((I >= N || !std::is_same_v<typename std::tuple_element_t<I, Rows>::Net, Net>)&&...);
      if constexpr (is_first) visit.template operator()<N, Net>();
    };
    (once(std::integral_constant<std::size_t, I>{}), ...);
  }
  (std::make_index_sequence<std::tuple_size_v<Rows>>{});
}

}  // namespace bench
