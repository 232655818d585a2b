#include <chainrule/activations/leaky_relu.hpp>
#include <chainrule/activations/sigmoid.hpp>
#include <chainrule/any/any_network.hpp>
#include <chainrule/inspect/summary.hpp>
#include <chainrule/layers/batch_norm.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/layers/parallel.hpp>
#include <chainrule/layers/residual.hpp>
#include <chainrule/layers/sequential.hpp>
#include <chainrule/losses/heads.hpp>
#include <chainrule/losses/softmax_cross_entropy.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/network.hpp>
#include <sstream>

#include "support/catch.hpp"

using namespace chainrule;

TEST_CASE("summary of a net of fixed extents") {
  const Network<float, SoftmaxCrossEntropy, Dense<64, 32, LeakyReLU>, Dense<32, 10>> net{Seed{42}};
  CHECK(summary(net) ==
        "layer  kind   shape     activation  parameters\n"
        "0      Dense  64 -> 32  LeakyReLU        2,080\n"
        "1      Dense  32 -> 10  Identity           330\n"
        "total: 2,410 parameters of float; loss: SoftmaxCrossEntropy\n");
}

TEST_CASE("summary shows the layers inside others indented, with their parameters, and the heads of the loss; run-time nets alike") {
  using Any = Dense<Dynamic, Dynamic>;
  using Branches = std::vector<AnyLayer<double>>;
  const Sequential<Any, BatchNorm<>> chain{Any{3, 2}, BatchNorm<>{}};
  const Heads<Head<SquaredError>, Head<SoftmaxCrossEntropy>> heads{Head<SquaredError>{1}, Head<SoftmaxCrossEntropy>{4, 0.5}};
  auto fixed =
      make_network<double>(Seed{1}, heads, Parallel{Dense<Dynamic, Dynamic, Sigmoid>{3, 4}, chain}, Residual{Any{6, 6}}, Any{6, 5});
  AnyNetwork<double> any{
      Seed{1}, heads, {Parallel<Branches>{Branches{Dense<Dynamic, Dynamic, Sigmoid>{3, 4}, chain}}, Residual{Any{6, 6}}, Any{6, 5}}};
  fixed.freeze("0.1.0");
  any.freeze("0.1.0");
  CHECK(summary(fixed) ==
        "layer  kind                          shape   activation  parameters\n"
        "0      Parallel (partly frozen)      3 -> 6                      28\n"
        "0.0      Dense                       3 -> 4  Sigmoid             16\n"
        "0.1      Sequential (partly frozen)  3 -> 2                      12\n"
        "0.1.0      Dense (frozen)            3 -> 2  Identity             8\n"
        "0.1.1      BatchNorm                 2 -> 2                       4\n"
        "1      Residual                      6 -> 6                      42\n"
        "1.0      Dense                       6 -> 6  Identity            42\n"
        "2      Dense                         6 -> 5  Identity            35\n"
        "total: 105 parameters, 97 of them trainable, of double; loss: Heads\n"
        "  output 0: SquaredError, weight 1\n"
        "  outputs 1 to 4: SoftmaxCrossEntropy, weight 0.5\n");
  CHECK(summary(any) == summary(fixed));
}

TEST_CASE("summary says what is frozen and counts trainable parameters") {
  Network<float, SoftmaxCrossEntropy, Dense<64, 32, LeakyReLU>, Dense<32, 10>> net{Seed{42}};
  net.freeze<0>();
  net.freeze("1.bias");
  CHECK(summary(net) ==
        "layer  kind                   shape     activation  parameters\n"
        "0      Dense (frozen)         64 -> 32  LeakyReLU        2,080\n"
        "1      Dense (partly frozen)  32 -> 10  Identity           330\n"
        "total: 2,410 parameters, 320 of them trainable, of float; loss: SoftmaxCrossEntropy\n");
}

TEST_CASE("summary of a net of run-time extents") {
  const auto net = make_network<double, SquaredError>(Seed{42}, Dense<Dynamic, Dynamic, Sigmoid>{1000, 1200}, Dense<Dynamic, 1>{1200, 1});
  CHECK(summary(net) ==
        "layer  kind   shape         activation  parameters\n"
        "0      Dense  1000 -> 1200  Sigmoid      1,201,200\n"
        "1      Dense  1200 -> 1     Identity         1,201\n"
        "total: 1,202,401 parameters of double; loss: SquaredError\n");
}

TEST_CASE("summary of a net of one small layer in long double") {
  const Network<long double, SquaredError, Dense<1, 1>> net{Seed{42}};
  CHECK(summary(net) ==
        "layer  kind   shape   activation  parameters\n"
        "0      Dense  1 -> 1  Identity             2\n"
        "total: 2 parameters of long double; loss: SquaredError\n");
}

TEST_CASE("with_separators separates thousands") {
  CHECK(detail::with_separators(0) == "0");
  CHECK(detail::with_separators(999) == "999");
  CHECK(detail::with_separators(1000) == "1,000");
  CHECK(detail::with_separators(999999) == "999,999");
  CHECK(detail::with_separators(1000000) == "1,000,000");
  CHECK(detail::with_separators(12345678901) == "12,345,678,901");
}

TEST_CASE("a network, its parameters and its buffers are printed") {
  Network<float, SquaredError, Dense<2, 3>, BatchNorm<>> net{Seed{1}};
  net.layer<0>().weight << 1, 2, 3, 4, 5, 6;
  net.layer<0>().bias << 7, 8, 9;
  std::ostringstream out;
  out << net << net.layer<0>() << net.layer<1>() << net.buffers<1>();
  CHECK(out.str() == summary(net) +
                         "weight (3 x 2):\n1 2\n3 4\n5 6\nbias (3 x 1):\n7\n8\n9\n"
                         "weight (3 x 1):\n1\n1\n1\nbias (3 x 1):\n0\n0\n0\n"
                         "running_mean (3 x 1):\n0\n0\n0\nrunning_variance (3 x 1):\n1\n1\n1\nbatches: 0\n");
}
