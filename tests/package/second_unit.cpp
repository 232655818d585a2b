// The second of two translation units that include all headers; first_unit.cpp has main().
#include <all_headers.hpp>

namespace cr = chainrule;

using Net = cr::Network<float, cr::SoftmaxCrossEntropy, cr::Dense<4, 8, cr::ReLU>, cr::Dense<8, 3>>;

float in_the_second_unit(const Net& net, const Eigen::Vector4f& x);
float in_the_second_unit(const Net& net, const Eigen::Vector4f& x) { return net.predict(x)[0]; }
