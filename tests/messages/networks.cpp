#include <chainrule/chainrule.hpp>

#include "page.hpp"

using namespace chainrule;

void messages::networks(Page& page) {
  page.section("Making a network");

  page.mistake("", [] { Dense<Dynamic, Dynamic> layer{0, 10}; });
  page.mistake("", [] { Dense<4, 2> layer{3, 2}; });
  page.mistake("", [] {
    auto net = make_network<float, SquaredError>(Seed{1}, Dense<Dynamic, Dynamic, ReLU>{64, 32}, Dense<Dynamic, Dynamic>{64, 10});
  });
  page.mistake("For two classes with one output use `BinaryCrossEntropy`.", [] {
    auto net = make_network<float, SoftmaxCrossEntropy>(Seed{1}, Dense<Dynamic, Dynamic>{64, 1});
  });
  page.mistake("", [] { auto net = make_network<float, SquaredError>(Seed{1}, Residual{Dense<Dynamic, Dynamic>{8, 4}}); });
  page.mistake("", [] { Dropout<> layer{1.0}; });
  page.mistake("", [] { LeakyReLU f{-0.1}; });
  page.mistake("", [] { BatchNorm<> layer{0.0}; });
  page.mistake("", [] { ClassWeighted<SoftmaxCrossEntropy> loss{0, 0}; });
  page.mistake("", [] { ThreadTeam team{0}; });

  page.section("Making a network whose layers are known at run time");

  page.mistake("", [] { AnyNetwork<float> net{Seed{1}, SquaredError{}, {}}; });
  page.mistake("", [] { AnyNetwork<float> net{Seed{1}, SquaredError{}, {Dropout<>{}, Dense<4, 2>{}}}; });
  page.mistake("", [] { AnyNetwork<float> net{Seed{1}, SquaredError{}, {Dense<64, 32, ReLU>{}, Dense<64, 10>{}}}; });
  page.mistake("", [] { AnyNetwork<float> net{Seed{1}, BinaryCrossEntropy{}, {Dense<4, 1, Sigmoid>{}}}; });
  page.mistake("", [] {
    AnyNetwork<float> net{Seed{1}, SquaredError{}, {Dense<4, 8>{}, Dense<8, 2>{}}};
    net.tensor("2.weight");
  });

  page.section("Layers that need data first");
  const Eigen::MatrixXf x = Eigen::MatrixXf::Ones(4, 6);

  page.mistake("", [&] {
    Network<float, SquaredError, Dense<4, 8>, BatchNorm<>, Dense<8, 1>> net{Seed{1}};
    net.predict(x);
  });
  page.mistake("", [&] {
    Network<float, SquaredError, Dense<4, 8>, BatchNorm<>, Dense<8, 1>> net{Seed{1}};
    auto work = net.make_workspace(6);
    net.forward(x.col(0), work);
  });
  page.mistake("", [&] {
    Network<float, SquaredError, Normalize<4>, Dense<4, 1>> net{Seed{1}};
    net.predict(x);
  });
  page.mistake("", [&] {
    Network<float, SquaredError, Normalize<4>, Dense<4, 1>> net{Seed{1}};
    net.buffers<0>().set(Standardizer<float>(x.topRows(3)));
  });
}
