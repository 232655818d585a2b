// Saves and loads a network of about 100 MB, and prints the time and the memory that this takes beyond the network itself.
//     g++ -std=c++20 -O2 -I include -isystem /usr/include/eigen3 tests/integration/large_file.cpp -o build/large_file -pthread &&
//     build/large_file
#include <sys/resource.h>

#include <chainrule/chainrule.hpp>
#include <chainrule/io/model_file.hpp>
#include <chrono>
#include <cstdio>
namespace cr = chainrule;

using Net =
    cr::Network<float, cr::SoftmaxCrossEntropy, cr::Dense<4096, 4096, cr::ReLU>, cr::Dense<4096, 2048, cr::ReLU>, cr::Dense<2048, 100>>;

double peak_megabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

template <class F>
void measure(const char* what, double file, const F& f) {
  const double before = peak_megabytes();
  const auto start = std::chrono::steady_clock::now();
  f();
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  const double more = peak_megabytes() - before;
  std::printf("%-34s %6.3f s, %4.0f MiB more at most, %.2f of the file\n", what, seconds.count(), more, more / file);
}

int main(int argc, char** argv) {
  const std::string path = argc > 1 ? argv[1] : "large.safetensors";
  const bool loads = argc > 2;
  Net net{cr::Seed{1}};
  const double file = static_cast<double>(net.parameters().size()) * 4 / 1024 / 1024;
  std::printf("%td parameters, a file of %.1f MiB\n", net.parameters().size(), file);
  if (!loads) {
    measure("save", file, [&] { cr::save(net, path); });
    return std::system(("\"" + std::string(argv[0]) + "\" \"" + path + "\" load").c_str());  // a new process, whose peak memory starts anew
  }
  measure("load into a network", file, [&] { cr::load(net, path); });
  measure("load_network, the network included", file, [&] { cr::load_network<float>(path); });
  return std::remove(path.c_str());
}
