// Uses typed networks, networks of run-time layers, files and training, for the warnings that other projects ask for: no header may cause
// one.

#include <chainrule/chainrule.hpp>
#include <chainrule/io/model_file.hpp>
#include <sstream>

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using namespace chainrule;

namespace {

/// Trains a network for an epoch on threads, with observers, and returns the loss.
template <class Net, class Rule>
double trained(Net& net, Rule rule) {
  const Dataset<float> data{Eigen::MatrixXf::Random(4, 6), {0, 1, 2, 0, 1, 2}};
  Trainer trainer{net, rule};
  const FitOptions<float, Labels<int>> options{
      .epochs = 1, .batch_size = 3, .validation = data, .threads = 2, .schedule = Cosine{1}, .clip_norm = 1, .l2 = 1e-3};
  return trainer.fit(data, options, EarlyStopping{}, ProgressBar{})["validation_loss"].back();
}

}  // namespace

TEST_CASE("networks of types and of values train, are saved, loaded, printed and exported") {
  const chainrule_test::TemporaryFolder folder;
  const std::string path = folder.path("net.safetensors");
  Network<float, SoftmaxCrossEntropy, Normalize<4>, Dense<4, 8, Tanh>, BatchNorm<>, Dropout<>, PReLU<>, Residual<Dense<8, 8, GELU>>,
          Dense<8, 3>>
      net{Seed{1}};
  const Eigen::MatrixXf x = Eigen::MatrixXf::Random(4, 5);
  net.buffers<0>().set(Standardizer<float>(x));
  CHECK(detail::is_finite(trained(net, Adam{.learning_rate = 0.01})));
  save(net, path);
  AnyNetwork<float> any = load_network<float>(path);
  CHECK(any.predict(x) == net.predict(x));
  CHECK(detail::is_finite(trained(any, SGD{.learning_rate = 0.01})));
  CHECK(load(net, path).numbers > 0);
  std::ostringstream out;
  out << net << net.layer<1>() << net.buffers<0>();
  CHECK(out.str().size() + to_source(net).size() > 100);
  write_npy(folder.path("x.npy"), x);
  CHECK(read_npy<float>(folder.path("x.npy")) == x);
}
