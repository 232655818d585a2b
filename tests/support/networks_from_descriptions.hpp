#pragma once
// What makes networks of float from descriptions is compiled once for all tests, in networks_from_descriptions.cpp: it is every layer,
// activation and loss of the library.

#include <chainrule/any/from_description.hpp>

namespace chainrule {

extern template AnyLayer<float> make_layer<float>(const Description&, int);
extern template AnyLayers<float> make_layers<float>(const std::vector<Description>&, int);
extern template AnyLoss<float> make_loss<float>(const Description&);

}  // namespace chainrule
