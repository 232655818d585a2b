// A program that includes only the declaration of load_network, and must find its code where that was compiled. Returns 0 if it loads the
// network of the file named.
#include <chainrule/io/load_network.hpp>
#include <cstdio>

int main(int, char** argv) {
  const chainrule::AnyNetwork<float> net = chainrule::load_network<float>(argv[1]);
  std::printf("%d inputs, %d outputs\n", static_cast<int>(net.inputs()), static_cast<int>(net.outputs()));
  return net.inputs() == 2 && net.outputs() == 2 ? 0 : 1;
}
