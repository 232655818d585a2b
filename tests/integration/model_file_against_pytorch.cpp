// The C++ part of model_file_against_pytorch.py. `write FOLDER` saves a network with a layer of every kind that PyTorch has too, and its
// predictions. `check FOLDER` loads the file that PyTorch has written from it and compares every bit.
#include <chainrule/chainrule.hpp>
#include <chainrule/io/model_file.hpp>
#include <cstdio>
#include <string_view>
namespace cr = chainrule;

using Net = cr::Network<float, cr::MeanSquaredError, cr::Dense<6, 20, cr::ReLU>, cr::BatchNorm<>, cr::Activate<cr::GELU>, cr::Dropout<>,
                        cr::Dense<20, 12, cr::Tanh>, cr::LayerNorm<>, cr::PReLU<cr::Slopes::per_unit>, cr::Dense<12, 8>, cr::PReLU<>,
                        cr::Activate<cr::SiLU>, cr::Dense<8, 3>>;

Net trained() {
  Net net{cr::Seed{5}};
  cr::Random random{cr::Seed{6}};
  cr::Matrix<float> x(6, 64), y(3, 64);
  for (float& number : x.reshaped()) number = static_cast<float>(random.normal());
  for (float& number : y.reshaped()) number = static_cast<float>(random.normal());
  cr::Trainer trainer{net, cr::Adam{}};
  trainer.fit(cr::DataView{x, y}, {.epochs = 5, .batch_size = 16});
  return net;
}

int main(int argc, char** argv) {
  if (argc != 3) return std::fprintf(stderr, "usage: model_file_against_pytorch write|check FOLDER\n"), 2;
  const std::string folder = argv[2];
  const Net net = trained();
  if (std::string_view(argv[1]) == "write") {
    cr::Random random{cr::Seed{7}};
    cr::Matrix<float> x(6, 100);
    for (float& number : x.reshaped()) number = static_cast<float>(random.normal());
    const cr::Matrix<float> y_hat = net.predict(x);
    cr::save(net, folder + "/ours.safetensors");
    const auto numbers = [](const cr::Matrix<float>& m) { return std::span<const float>(m.data(), static_cast<std::size_t>(m.size())); };
    const std::vector<cr::TensorToWrite> data{{"x", {100, 6}, numbers(x)}, {"y_hat", {100, 3}, numbers(y_hat)}};  // a row is a sample
    cr::write_safetensors(folder + "/data.safetensors", data);
    return 0;
  }
  Net again{cr::Seed{0}};
  cr::load(again, folder + "/theirs.safetensors");
  const bool same = again.parameters() == net.parameters() && again.buffers() == net.buffers();
  std::printf("ours -> PyTorch -> ours: %td numbers, %s\n", net.parameters().size() + net.buffers().size(),
              same ? "the same bits" : "NOT the same");
  return same ? 0 : 1;
}
