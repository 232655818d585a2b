#include <chainrule/activations/relu.hpp>
#include <chainrule/io/model_file.hpp>

#include "fuzz.hpp"

namespace {

using Net = chainrule::Network<float, chainrule::SquaredError, chainrule::Dense<2, 2, chainrule::ReLU>, chainrule::BatchNorm<>>;

// Loads the bytes as a model file: completely, or not at all.
void load_all(const std::string& bytes) {
  Net net{chainrule::Seed{1}};
  const auto theta = net.parameters().eval();
  bool loaded = false;
  chainrule_fuzz::attempt([&] {
    chainrule::detail::load_from(chainrule::parse_safetensors(bytes), net, {.convert = true});
    loaded = true;
  });
  chainrule_fuzz::require(loaded || net.parameters() == theta);
  const auto any = chainrule::parse_network<float>(chainrule::parse_safetensors(bytes), {.convert = true});
  chainrule_fuzz::attempt([&] { any.predict(chainrule::Vector<float>::Ones(any.inputs()).eval()); });
}

}  // namespace

/// Reads the bytes as a model file; and, because they are rarely one, as the description of layers and of a loss in a model file.
void chainrule_fuzz::read(std::string_view bytes) {
  attempt([&] { load_all(std::string(bytes)); });
  attempt([&] { chainrule::make_layers<float>(chainrule::detail::DescriptionReader("layers").list(bytes)); });
  chainrule::make_loss<float>(chainrule::detail::DescriptionReader("loss").one(bytes));
}
