#include <chainrule/training/weight_average.hpp>

#include "support/catch.hpp"
#include "support/fake_run.hpp"

using namespace chainrule;
using namespace chainrule_test;

TEST_CASE("A mean of parameters keeps changes that a float would lose, and is exchanged with the parameters and back") {
  FakeNet net;
  WeightAverage mean;
  mean.swap(net);  // nothing before the first add
  net.theta.setConstant(1);
  mean.reset(net.parameters());
  mean.add(net.parameters(), 1);
  CHECK(mean.numbers == std::vector<double>{1, 1, 1});
  net.theta.setConstant(1 + 0x1p-20f);
  for (int step = 0; step < 8; ++step) mean.add(net.parameters(), 0x1p-10);
  CHECK(mean.numbers[0] > 1 + 7 * 0x1p-30);
  CHECK(mean.numbers[0] < 1 + 8 * 0x1p-30);
  CHECK(mean.count == 9);
  net.theta.setConstant(3);
  mean.swap(net);
  CHECK((net.theta.array() == 1).all());
  CHECK(mean.numbers == std::vector<double>{3, 3, 3});
  mean.swap(net);
  CHECK((net.theta.array() == 3).all());
}
