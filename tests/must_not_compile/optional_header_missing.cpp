// expect: are in <chainrule/io/model_file.hpp>, which chainrule.hpp does not include
// errors: 2
#include <chainrule/chainrule.hpp>
#ifndef MUST_NOT_COMPILE
#include <chainrule/io/model_file.hpp>
#endif
namespace cr = chainrule;

using Net = cr::Network<float, cr::SquaredError, cr::Dense<4, 8, cr::Tanh>, cr::Dense<8, 2>>;

int main() {
  Net net{cr::Seed{42}};
#ifdef MUST_NOT_COMPILE
  save(net, "net.safetensors");
  load(net, "net.safetensors");
  const auto any = cr::load_network<float>("net.safetensors");
#else
  // after #include <chainrule/io/model_file.hpp>
  save(net, "net.safetensors");
  load(net, "net.safetensors");
  const auto any = cr::load_network<float>("net.safetensors");
#endif
  return any.inputs() == 4 ? 0 : 1;
}
