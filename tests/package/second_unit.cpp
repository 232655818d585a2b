// The second of two translation units that include all headers; first_unit.cpp has main().
#include "two_units.hpp"

namespace two_units {

decltype(layouts_here()) layouts_in_the_second_unit() { return layouts_here(); }
void step_in_the_second_unit(Net& net, Net::Workspace<1>& work, Net::Gradients& dJ, const Eigen::Vector4f& x) {
  step_here(net, work, dJ, x);
}

}  // namespace two_units
