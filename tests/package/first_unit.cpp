// One of two translation units that include all headers and are linked into one program, which fails if a function is not inline, or if
// the second unit, which may be compiled for another instruction set, sees objects of the library differently.
#include "two_units.hpp"

using namespace two_units;

int main() {
  if (layouts_here() != layouts_in_the_second_unit()) return 1;

  Net net{chainrule::Seed{42}}, other = net;
  const Eigen::Vector4f x{1, 2, 3, 4};
  auto work = net.make_workspace<1>();
  auto dJ = net.make_gradients();
  for (int step = 0; step < 3; ++step) {
    step_here(net, work, dJ, x);
    step_in_the_second_unit(other, work, dJ, x);
  }
  if (!net.parameters().isApprox(other.parameters(), 1e-6f)) return 2;
  return net.predict(x)[1] > Net{chainrule::Seed{42}}.predict(x)[1] ? 0 : 3;
}
