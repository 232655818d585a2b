#include "networks_from_descriptions.hpp"

namespace chainrule {

template AnyLayer<float> make_layer<float>(const Description&);
template AnyLayers<float> make_layers<float>(const std::vector<Description>&);
template AnyLoss<float> make_loss<float>(const Description&);

}  // namespace chainrule
