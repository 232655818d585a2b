#include <chainrule/io/checkpoint.hpp>

#include <chainrule/activations/leaky_relu.hpp>
#include <chainrule/layers/batch_norm.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/layers/residual.hpp>
#include <chainrule/losses/mean_squared_error.hpp>
#include <chainrule/losses/softmax_cross_entropy.hpp>
#include <chainrule/network.hpp>
#include <chainrule/optimizers/adadelta.hpp>
#include <chainrule/optimizers/adagrad.hpp>
#include <chainrule/optimizers/adam.hpp>
#include <chainrule/optimizers/adamw.hpp>
#include <chainrule/optimizers/lion.hpp>
#include <chainrule/optimizers/nadam.hpp>
#include <chainrule/optimizers/rmsprop.hpp>
#include <chainrule/optimizers/rprop.hpp>
#include <chainrule/optimizers/sgd.hpp>

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using namespace chainrule;
using chainrule_test::TemporaryFolder;

namespace {

using Net = Network<float, SoftmaxCrossEntropy, Dense<1, 2, LeakyReLU>, BatchNorm<>, Dense<2, 2>>;

/// A network, an optimizer's state and the other values of a training loop. No two of the numbers are equal.
struct Training {
  explicit Training(float first) : net{Seed{1}}, state{net, 2} {
    net.parameters().setLinSpaced(first, first + 1);
    net.buffers().setConstant(first);
    state.flat().setLinSpaced(-first, first);
    state.steps = static_cast<std::uint64_t>(first);
    epoch = static_cast<int>(2 * first);
    losses.assign(static_cast<std::size_t>(first), 0.5);
  }
  Net net;
  OptimizerState<float> state;
  int epoch;
  std::vector<double> losses;
};

bool same(const Training& a, const Training& b) {
  return a.net.parameters() == b.net.parameters() && a.net.buffers() == b.net.buffers() && a.state.flat() == b.state.flat() &&
         a.state.steps == b.state.steps && a.epoch == b.epoch && a.losses == b.losses;
}

void save(const std::string& path, const Training& t) { save_checkpoint(path, t.net, t.state, t.epoch, t.losses); }
void load(const std::string& path, Training& t) { load_checkpoint(path, t.net, t.state, t.epoch, t.losses); }

/// The bytes with a correct checksum.
std::string resealed(std::string bytes) {
  bytes.resize(bytes.size() - detail::checksum_size);
  detail::finish_checksummed_file(bytes, detail::checkpoint_format);
  return bytes;
}

}  // namespace

TEST_CASE("load_checkpoint reads what save_checkpoint wrote, and no other file in the folder changes") {
  const TemporaryFolder folder;
  const std::string path = folder.path("run.checkpoint");
  const Training saved(3);
  save(path, Training(7));
  const std::string of_another = folder.path("run.checkpoint.part");
  save(of_another, Training(4));
  save(path, saved);
  CHECK(folder.files() == 2);
  Training other(5);
  load(of_another, other);
  CHECK(same(other, Training(4)));
  Training loaded(5);
  load(path, loaded);
  CHECK(same(loaded, saved));
  CHECK(loaded.losses == std::vector<double>{0.5, 0.5, 0.5});
}

TEST_CASE("a checkpoint keeps which parameters are frozen, in the network and in the optimizer's state") {
  const TemporaryFolder folder;
  const std::string path = folder.path("run.checkpoint");
  Training saved(3), loaded(5), nothing(4);
  saved.net.freeze("0.weight");
  saved.net.freeze(2);
  save(path, saved);
  loaded.net.freeze("0.bias");
  load(path, loaded);
  CHECK((same(loaded, saved) && *loaded.net.frozen() == *saved.net.frozen() && loaded.state.frozen() == loaded.net.frozen()));
  save(path, nothing);
  load(path, loaded);
  CHECK((same(loaded, nothing) && loaded.net.frozen() == nullptr && loaded.state.frozen() == nullptr));
}

TEST_CASE("a checkpoint that was cut short or changed anywhere is an error, and nothing is loaded") {
  const TemporaryFolder folder;
  save(folder.path("whole"), Training(3));
  const std::string whole = detail::read_file("test", folder.path("whole"));
  const Training before(5);
  Training t(5);
  const std::string fingerprint = detail::fingerprint_of(t.net, t.state);
  const auto fails = [&](const std::string& bytes) {
    try {
      detail::read_or_restore(detail::values_of_checkpoint(bytes, "f", fingerprint), "f",
                              [&](Archive& archive) { detail::archive_training(archive, t.net, t.state, t.epoch, t.losses); });
      return false;
    } catch (const ValueError& error) {
      return std::string_view(error.what()).starts_with("f") && same(t, before);
    }
  };
  std::size_t wrong = 0;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    std::string bytes = whole.substr(0, size);
    wrong += !fails(bytes);
    if (size >= detail::checkpoint_format.header_size() + detail::checksum_size) wrong += !fails(resealed(bytes));
  }
  for (std::size_t place = 0; place < whole.size(); ++place)
    for (const int flip : {0x01, 0x80, 0xff}) {
      std::string bytes = whole;
      bytes[place] = static_cast<char>(bytes[place] ^ flip);
      wrong += !fails(bytes);
    }
  CHECK(wrong == 0);
  CHECK(fails(whole + '\0'));
  CHECK(fails(resealed(whole + std::string(8, '\0'))));

  // a changed value with a correct checksum is an error, or loads other values; anything else is a fault
  std::size_t accepted = 0;
  for (std::size_t place = detail::checkpoint_format.header_size(); place + detail::checksum_size < whole.size(); ++place) {
    std::string bytes = whole;
    bytes[place] = static_cast<char>(bytes[place] ^ 0x41);
    Training again(5);
    std::swap(t, again);
    accepted += !fails(resealed(bytes));
  }
  CHECK(accepted > 100);
  CHECK(accepted < whole.size());
}

TEST_CASE("errors say what is wrong with a checkpoint") {
  const TemporaryFolder folder;
  const std::string path = folder.path("run");
  Training t(3);
  CHECK_THROWS_SAYING(load(path, t), ValueError, "load_checkpoint: cannot read \"", "No such file");
  const auto refused = [&](const std::string& bytes) { load(folder.file("run", bytes), t); };
  CHECK_THROWS_SAYING(refused(""), ValueError, "run is cut short: expected at least 44 bytes, but found 0");
  CHECK_THROWS_SAYING(refused("PK"), ValueError, "run: expected to begin with \"chainrule checkpoint\", but found something else");
  CHECK_THROWS_SAYING(refused("\x89HDF\r\n\x1a\n"), ValueError, "\"chainrule checkpoint\", but it is an HDF5 file");
  save(path, t);
  const std::string whole = detail::read_file("test", path);
  CHECK_THROWS_SAYING(refused(whole.substr(0, 100)), ValueError, "run is cut short: expected ", " bytes, but found 100");
  std::string bytes = whole;
  std::swap(bytes[20], bytes[23]);
  std::swap(bytes[21], bytes[22]);
  CHECK_THROWS_SAYING(refused(bytes), ValueError, "expected numbers in this machine's byte order, but found the opposite order");
  bytes = whole;
  bytes[24] = bytes[24] == 3 ? 4 : bytes[24];
  bytes[27] = bytes[27] == 3 ? 4 : bytes[27];
  CHECK_THROWS_SAYING(refused(bytes), ValueError, "expected version 3 of the format, but found 4; a newer chainrule");
  bytes = whole;
  bytes[60] = static_cast<char>(bytes[60] ^ 1);
  CHECK_THROWS_SAYING(refused(bytes), ValueError, "run is damaged: expected the checksum ");
  CHECK_THROWS_SAYING(save(folder.path("no/run"), t), ValueError, "save_checkpoint: cannot write \"", "No such file");
}

TEST_CASE("a checkpoint of another network or optimizer names the first difference") {
  const TemporaryFolder folder;
  const std::string path = folder.path("run");
  const auto check = [&](auto& net, Index moments, const char* expected, const char* found) {
    OptimizerState state(net, moments);
    const auto theta = net.parameters().eval();
    CHECK_THROWS_SAYING(load_checkpoint(path, net, state), ValueError, "run is of another network or training", expected, found);
    CHECK(net.parameters() == theta);
  };
  using Right = Network<float, SoftmaxCrossEntropy, Dense<2, 3, LeakyReLU>, Dense<3, 2>>;
  Right net{Seed{1}};
  save_checkpoint(path, net, OptimizerState(net, 2));
  check(net, 3, "expected \"moments: 3 of 17 numbers\"", "found \"moments: 2 of 17 numbers\"");
  Network<double, SoftmaxCrossEntropy, Dense<2, 3, LeakyReLU>, Dense<3, 2>> in_double{Seed{1}};
  check(in_double, 2, "expected \"scalar: 53 binary digits in 8 bytes\"", "found \"scalar: 24 binary digits in 4 bytes\"");
  Network<float, SoftmaxCrossEntropy, Dense<2, 3>, Dense<3, 2>> linear{Seed{1}};
  check(linear, 2, "expected \"layer<0>.activation: Identity\"", "found \"layer<0>.activation: LeakyReLU\"");
  Network<float, MeanSquaredError, Dense<2, 3, LeakyReLU>, Dense<3, 2>> squares{Seed{1}};
  check(squares, 2, "expected \"loss: MeanSquaredError\"", "found \"loss: SoftmaxCrossEntropy\"");
  Network<float, SoftmaxCrossEntropy, Dense<2, 3, LeakyReLU>, Residual<Dense<3, 3>>, Dense<3, 2>> longer{Seed{1}};
  check(longer, 2, "expected \"layer<1>: Residual 3 -> 3\"", "found \"layer<1>: Dense 3 -> 2\"");
  CHECK_THAT(detail::fingerprint_of(longer),
             chainrule_test::ContainsSubstring("layer<1>.0: Dense 3 -> 3\nlayer<1>.0.activation: Identity\n"));

  Right fits{Seed{2}};
  OptimizerState state(fits, 2);
  load_checkpoint(path, fits, state);
  CHECK(fits.parameters() == net.parameters());
  int more = 4;
  CHECK_THROWS_SAYING(load_checkpoint(path, fits, state, more), ValueError, "run: expected 8 more bytes, but found 0");
  CHECK(more == 4);
}

TEST_CASE("a checkpoint that was saved with its optimizer is loaded only for the same optimizer with the same hyperparameters") {
  const TemporaryFolder folder;
  const std::string path = folder.path("run");
  Training t(3);
  const RMSprop rule{.momentum = 0.9};  // two moments, as with .centered
  int epoch = 5;
  save_checkpoint(path, t.net, t.state, rule, epoch);
  const Training before(4);
  Training other(4);
  const auto refuses = [&](const auto& another, const char* expected, const char* found) {
    CHECK_THROWS_SAYING(load_checkpoint(path, other.net, other.state, another, epoch), ValueError, expected, found);
    CHECK(same(other, before));
  };
  refuses(RMSprop{.centered = true}, "expected \"optimizer.momentum: 0\"", "found \"optimizer.momentum: 0.9\"");
  refuses(RMSprop{.learning_rate = 0.1, .momentum = 0.9}, "expected \"optimizer.learning_rate: 0.1\"", "learning_rate: 0.01\"");
  refuses(RMSprop{.momentum = 0.9, .decay_biases = true}, "expected \"optimizer.decay_biases: yes\"", "decay_biases: no\"");
  refuses(Adam{}, "expected \"optimizer: Adam\"", "found \"optimizer: RMSprop\"");
  epoch = 0;
  load_checkpoint(path, other.net, other.state, rule, epoch);
  CHECK(epoch == 5);
  CHECK(other.state.flat() == t.state.flat());
  CHECK_THROWS_SAYING(load_checkpoint(path, other.net, other.state, epoch), ValueError,
                      "expected no such line, but found \"optimizer: RMSprop\"");
}

namespace {

struct Anything {
  template <class T>
  operator T() const;
};
/// How many members an aggregate has.
template <class Rule, class... Values>
constexpr std::size_t members() {
  if constexpr (requires { Rule{Values{}..., Anything{}}; })
    return members<Rule, Values..., Anything>();
  else
    return sizeof...(Values);
}

}  // namespace

TEMPLATE_TEST_CASE("an optimizer lists all of its members as hyperparameters", "", Adadelta, Adagrad, Adam, AdamW, Lion, NAdam, RMSprop,
                   Rprop, SGD) {
  CHECK(std::tuple_size_v<decltype(TestType{}.hyperparameters())> == members<TestType>());
}
