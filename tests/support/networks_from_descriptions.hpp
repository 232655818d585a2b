#pragma once
// Declares that the functions which make float networks from descriptions are compiled in networks_from_descriptions.cpp. They contain
// every layer, activation and loss of the library, which takes too long to compile in each test that uses them.

#include <chainrule/any/from_description.hpp>

namespace chainrule {

extern template AnyLayer<float> make_layer<float>(const Description&);
extern template AnyLayers<float> make_layers<float>(const std::vector<Description>&);
extern template AnyLoss<float> make_loss<float>(const Description&);

}  // namespace chainrule
