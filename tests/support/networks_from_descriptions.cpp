#include "networks_from_descriptions.hpp"

#if __has_include(<nlohmann/json.hpp>)
#include <chainrule/io/model_file.hpp>
#endif

namespace chainrule {

template AnyLayer<float> make_layer<float>(const Description&);
template AnyLayers<float> make_layers<float>(const std::vector<Description>&);
template AnyLoss<float> make_loss<float>(const Description&);
#if __has_include(<nlohmann/json.hpp>)  // for package/load_network.cpp, which includes its declaration alone
template AnyNetwork<float> load_network<float>(const std::string&, const LoadOptions&, LoadReport*);
#endif

}  // namespace chainrule
