#include <chainrule/io/safetensors.hpp>
#include <cstdio>

int main() {
  namespace cr = chainrule;
  const std::vector<float> ones{1, 1};
  const auto file = cr::parse_safetensors(cr::to_safetensors(std::vector<cr::TensorToWrite>{{"ones", {2}, ones}}));
  std::printf("%zu tensor, %s\n", file.tensors().size(), file.tensors()[0].name.c_str());
}
