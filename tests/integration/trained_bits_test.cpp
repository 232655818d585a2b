// Checks that trained parameters, gradients of losses and metrics have the same bits as in earlier versions, with every compiler, all
// flags, every instruction set with fused multiply-adds, any number of threads and any plan of a product. A change of a hash below means
// that the results of users change.

#include <algorithm>
#include <chainrule/chainrule.hpp>
#include <cstdint>
#include <cstring>
#include <vector>

#include "../examples/playground/self_test.hpp"
#include "support/catch.hpp"

using namespace chainrule;

namespace {

/// FNV-1a hash of the bits of some numbers.
template <class Scalar>
std::uint64_t hash_of(ConstVectorView<Scalar> numbers) {
  using Bits = std::conditional_t<sizeof(Scalar) == 4, std::uint32_t, std::uint64_t>;
  std::uint64_t hash = 14695981039346656037u;
  for (const Scalar number : numbers) {
    Bits bits;
    std::memcpy(&bits, &number, sizeof bits);
    for (std::size_t byte = 0; byte < sizeof bits; ++byte) hash = (hash ^ ((bits >> (8 * byte)) & 0xff)) * 1099511628211u;
  }
  return hash;
}

/// Numbers in [0, 1), always the same.
class Draws {
 public:
  template <class Scalar>
  Scalar draw() {
    random_ = random_ * 1664525 + 1013904223;
    return static_cast<Scalar>(random_ >> 9) / Scalar{8388608};
  }
  /// A number with more digits than a float has, so that its products are rounded in double.
  double draw_long() {
    const double rest = draw<double>() / 8388608;
    return draw<double>() + rest;
  }

 private:
  std::uint32_t random_ = 1;
};

/// Hash of the parameters after training on random samples, with inputs in [-1, 1) and targets that are distributions; of the running
/// statistics, too, if there are any.
template <class Net, class Rule>
std::uint64_t trained(Net net, Rule rule, Index batch, int steps) {
  using Scalar = typename Net::ScalarType;
  Random weights{Seed{7}};  // so that the hashes do not depend on how a network draws from its seed
  detail::NetworkAccess::sequence(net).initialize(net.parameters().data(), weights);
  auto work = net.make_workspace(batch);
  auto gradient = net.make_gradients();
  auto state = rule.make_state(net);
  Draws random;
  Matrix<Scalar> x(net.inputs(), batch), y(net.outputs(), batch);
  for (int step = 0; step < steps; ++step) {
    for (Scalar& number : x.reshaped()) number = 2 * random.draw<Scalar>() - 1;
    for (Scalar& number : y.reshaped()) number = random.draw<Scalar>();
    for (Index j = 0; j < batch; ++j) {  // in this order, because Eigen's sums depend on the flags
      Scalar sum = 0;
      for (Index i = 0; i < y.rows(); ++i) sum += y(i, j);
      for (Index i = 0; i < y.rows(); ++i) y(i, j) /= sum;
    }
    net.forward(x, work);
    net.backward(x, y, work, gradient);
    rule.step(net.parameters(), gradient, state);
    net.update_statistics(work);
  }
  const auto buffers = std::as_const(net).buffers();
  const std::uint64_t of_buffers = buffers.size() > 0 ? hash_of<Scalar>({buffers.data(), buffers.size()}) : 0;
  return hash_of<Scalar>(std::as_const(net).parameters()) ^ of_buffers;
}

template <class Scalar>
using WideTanh = Network<Scalar, SquaredError, Dense<23, 64, Tanh>, Dense<64, 64, Tanh>, Dense<64, 4>>;
template <class Scalar>
using SmallTanh = Network<Scalar, SquaredError, Dense<5, 8, Tanh>, Dense<8, 12, Tanh>, Dense<12, 1>>;
template <class Scalar>
using Classes = Network<Scalar, SoftmaxCrossEntropy, Dense<37, 211, Sigmoid>, Dense<211, 97, ReLU>, Dense<97, 10>>;
// 300 samples and 40 classes are more than one block of a sum and a short column of softmax have.
template <class Scalar>
using OtherLayers = Network<Scalar, SoftmaxCrossEntropy, Dense<7, 19>, BatchNorm<>, PReLU<>,
                            Residual<Dense<19, 19, Tanh>, LayerNorm<>, Dropout<>>, PReLU<Slopes::per_unit>, Dense<19, 40>>;

/// Adds the hashes of a wide and of a small network.
template <class Wide, class Small>
void add_hashes(std::vector<std::uint64_t>& found, const Wide& wide, const Small& small) {
  found.push_back(trained(wide, SGD{.learning_rate = 0.05}, 61, 5));
  found.push_back(trained(small, SGD{.learning_rate = 0.05}, 7, 5));
  found.push_back(trained(small, SGD{.learning_rate = 0.05}, 1, 5));
}

/// Networks with this activation. Activation and extents are run-time values, so that most networks have one type.
template <class Scalar, bool from_output>
void of_any_activation(std::vector<std::uint64_t>& found, const AnyActivation<Scalar, from_output>& f) {
  using Hidden = Dense<Dynamic, Dynamic, AnyActivation<Scalar, from_output>>;
  const auto network = [&f](Index in, Index first, Index second, Index out) {
    return make_network<Scalar, SquaredError>(Seed{7}, Hidden{in, first, f}, Hidden{first, second, f},
                                              Dense<Dynamic, Dynamic>{second, out});
  };
  add_hashes(found, network(23, 64, 64, 4), network(5, 8, 12, 1));
}
template <class Scalar, class F>
void of_activation(std::vector<std::uint64_t>& found) {
  of_any_activation(found, AnyActivation<Scalar, DerivativeFromOutput<F>>(F{}));
}

template <class Scalar>
std::vector<std::uint64_t> all_hashes() {
  std::vector<std::uint64_t> found;
  of_activation<Scalar, Sigmoid>(found);
  of_activation<Scalar, Tanh>(found);
  of_activation<Scalar, ReLU>(found);
  of_activation<Scalar, LeakyReLU>(found);
  of_activation<Scalar, ELU>(found);
  of_activation<Scalar, SELU>(found);
  of_activation<Scalar, Softplus>(found);
  of_activation<Scalar, SiLU>(found);
  of_activation<Scalar, GELU>(found);
  of_activation<Scalar, GELUTanh>(found);
  of_activation<Scalar, Mish>(found);
  of_activation<Scalar, Softsign>(found);
  of_activation<Scalar, HardTanh>(found);
  of_activation<Scalar, HardSigmoid>(found);
  const WideTanh<Scalar> net{Seed{7}};
  std::vector<std::uint64_t> of_fixed_extents;
  add_hashes(of_fixed_extents, net, SmallTanh<Scalar>{Seed{7}});
  CHECK(std::equal(of_fixed_extents.begin(), of_fixed_extents.end(), found.begin() + 3));
  found.push_back(trained(net, SGD{.momentum = 0.9, .weight_decay = 0.01}, 16, 8));
  found.push_back(trained(net, SGD{.momentum = 0.9, .nesterov = true}, 16, 8));
  found.push_back(trained(net, Adam{}, 16, 8));
  found.push_back(trained(net, Adam{.weight_decay = 0.01, .amsgrad = true}, 16, 8));
  found.push_back(trained(net, AdamW{}, 16, 8));
  found.push_back(trained(net, NAdam{}, 16, 8));
  found.push_back(trained(net, RMSprop{}, 16, 8));
  found.push_back(trained(net, RMSprop{.momentum = 0.5, .centered = true}, 16, 8));
  found.push_back(trained(net, Adagrad{}, 16, 8));
  found.push_back(trained(net, Adadelta{}, 16, 8));
  found.push_back(trained(net, Rprop{}, 16, 8));
  found.push_back(trained(net, Lion{}, 16, 8));
  found.push_back(trained(Classes<Scalar>{Seed{7}}, SGD{.learning_rate = 0.1}, 50, 5));
  found.push_back(trained(OtherLayers<Scalar>{Seed{7}}, SGD{.learning_rate = 0.05}, 300, 5));
  return found;
}

// clang-format off
constexpr std::uint64_t in_float[] = {
    0xdd2be2639c092055u, 0xd461408b5e237b31u, 0xaff8256daccc11cfu,  // Sigmoid
    0xd2a0c9670eb68063u, 0xccc6182780762786u, 0x47c4c83881167fc0u,  // Tanh
    0x85d7c623766b29d4u, 0x764f03bffc20ff57u, 0x683d1d06f6f9e540u,  // ReLU
    0x39acb11eac94bd9bu, 0xf4033cf542e44fceu, 0x6126d07b09adbee0u,  // LeakyReLU
    0x1715fccedab754cau, 0x14cbf3ca0571b38au, 0x870b2406051cdce1u,  // ELU
    0x7b98cb54a0a82064u, 0x88010868d8c9c372u, 0x2582b96921cd44a3u,  // SELU
    0xd819a09029fb5696u, 0x22c55c20084508e0u, 0xb20086acd504c4b5u,  // Softplus
    0xb0c88ced512e87d8u, 0xf17b2b0fe1e74eefu, 0x4cd67c1d92dedb43u,  // SiLU
    0xd9fff758d15e803au, 0xb61f4a0d5585a936u, 0x70735d406925af11u,  // GELU
    0xb4ab687dace3b29eu, 0x1a0b58d20cd165fau, 0xfc42d36a4e4d6476u,  // GELUTanh
    0xe4150c585ed437f3u, 0xc22fde2e481fb004u, 0xd795377c1bb81924u,  // Mish
    0x463c58dac55446c4u, 0x6270872b99797f81u, 0x211fffb08f16e4f7u,  // Softsign
    0x8ec149207b8aea8bu, 0xca93e82f65f09597u, 0x69e092f3de0fc2d4u,  // HardTanh
    0x1de8475728d41ef3u, 0x6fa5b027e31358c3u, 0x69063e671d4893e0u,  // HardSigmoid
    0xd196e788135eb961u,  // SGD with momentum and decay
    0xeb10cf0faf18896du,  // SGD with Nesterov momentum
    0x9fc0880b4aadc992u,  // Adam
    0x762f943751fd437bu,  // Adam with decay and AMSGrad
    0x05f76846d69abe96u,  // AdamW
    0xd10153d4a28a1354u,  // NAdam
    0xf8b91ffc050f390bu,  // RMSprop
    0x69b77b74b4b3e577u,  // RMSprop, centered, with momentum
    0x8bcb757d65316e2fu,  // Adagrad
    0xdc0ec2859cad0083u,  // Adadelta
    0x71e1acbcbc247a77u,  // Rprop
    0x37d81e19973fb8f6u,  // Lion
    0x8923ef4b1a2f3162u,  // softmax and cross-entropy
    0x13d94b89eb485ebfu,  // BatchNorm, LayerNorm, Dropout, PReLU and Residual
};
constexpr std::uint64_t in_double[] = {
    0x79b9004e1c104483u, 0x415f79a69740378du, 0xd8f60135d927875eu,  // Sigmoid
    0x368f83ff915d4f2eu, 0x12a7ad25551e204bu, 0x50d7f3cf827dfaacu,  // Tanh
    0x89ec084c90361d9du, 0x531d5b0f901b95f5u, 0xaabc307539a70497u,  // ReLU
    0x711d918ed6ed2bccu, 0x785fbaa64918c2d6u, 0x9fcfa552ab14354cu,  // LeakyReLU
    0xbcf5d194b26c2f46u, 0xdb9e9777b8696d5bu, 0x4e71fc8dc1733f1fu,  // ELU
    0x397ede7758190616u, 0x0846faae38bcd470u, 0x5dd953672ab7a235u,  // SELU
    0x361fa5cd9991493cu, 0x2bba621a0730d6f1u, 0xbfb3b2d73d79455du,  // Softplus
    0xe328f7e7a6d70815u, 0xc4bb26f74a598938u, 0x220179c1cedfc816u,  // SiLU
    0x086ca15c90cf2c65u, 0xc88f15837c37dd79u, 0x0924684fab93d89du,  // GELU
    0x5a90fbad9473e963u, 0x27c2ab19c93b043du, 0xe582e958c8c1862du,  // GELUTanh
    0xf33b0050d656db04u, 0xc56034e1036e6612u, 0xfd28d3d780e36b32u,  // Mish
    0xf27255ca7d2b5003u, 0xfaaaa52cb355a5d9u, 0xb95a36f924cc1d43u,  // Softsign
    0x07de90fc013b4bc2u, 0x99f79fa692749d40u, 0xe14ed1d910936df7u,  // HardTanh
    0xd1ebe62846035325u, 0xb26c69499dfa500eu, 0xe69654d994cf36c8u,  // HardSigmoid
    0xcd6e5ec3ec82beb7u,  // SGD with momentum and decay
    0x3e7a1cd174909a44u,  // SGD with Nesterov momentum
    0x60ad88e8645c50ebu,  // Adam
    0xf916834a40adf5eau,  // Adam with decay and AMSGrad
    0xdfd9482b53726281u,  // AdamW
    0xe7d5b6cd2c56bdd6u,  // NAdam
    0x987b43610b5d299eu,  // RMSprop
    0xccf8017eed27af98u,  // RMSprop, centered, with momentum
    0xc0260121d9df6b59u,  // Adagrad
    0xfba2bded47ffb18cu,  // Adadelta
    0x4ed9fe866164b334u,  // Rprop
    0x988a5de409966538u,  // Lion
    0x5fe3021cf52fcab9u,  // softmax and cross-entropy
    0xb6f3b408449c0dd1u,  // BatchNorm, LayerNorm, Dropout, PReLU and Residual
};
// clang-format on

/// Hash of dJ/dy_hat of a loss in double, and of J where it does not contain a logarithm of the system's library.
template <class L>
std::uint64_t of_loss(const L& loss, bool with_value = true, Index target_rows = 40) {
  Draws random;
  Matrix<double> z(40, 77), y(target_rows, 77), dJ(40, 77);
  for (double& number : z.reshaped()) number = 4 * random.draw_long() - 2;
  for (double& number : y.reshaped()) number = random.draw_long();
  const ConstMatrixView<double> outputs = detail::const_view<double>(z), targets = detail::const_view<double>(y);
  loss.gradient(outputs, targets, detail::mutable_view<double>(dJ));
  Vector<double> numbers(dJ.size() + 1);
  numbers << dJ.reshaped(), with_value ? loss.value(outputs, targets) : 0;
  return hash_of<double>({numbers.data(), numbers.size()});
}

/// Hash of penalties, a clipped gradient and metrics in double.
std::uint64_t of_penalties_and_metrics() {
  Draws random;
  Matrix<double> x(3, 1001), y(3, 1001);
  for (double& number : x.reshaped()) number = random.draw_long();
  for (double& number : y.reshaped()) number = random.draw_long();
  std::vector<int> labels;
  for (Index j = 0; j < 1001; ++j) labels.push_back(static_cast<int>(3 * random.draw<double>()));
  const Vector<double> theta = x.reshaped();
  Vector<double> gradient = y.reshaped();
  const Segment all[] = {{0, 3003, true}};
  L1{0.3}.add_gradient(theta, gradient, all);
  L2{0.3}.add_gradient(theta, gradient, all);
  const double norm = clip_by_norm(gradient, 0.7);
  Vector<double> numbers(3003 + 11);
  numbers << gradient, norm, L1{0.3}.value(theta, all), L2{0.3}.value(theta, all), mse(x, y), mae(x, y), rmse(x, y), r2(x, y),
      accuracy(x, labels), macro_f1(x, labels), ConfusionMatrix(x, labels).f1(ClassAverage::weighted), roc_auc(x, labels);
  return hash_of<double>({numbers.data(), numbers.size()});
}

/// Whether products of this program are rounded before they are added to, in which case its bits are its own.
bool has_fused_multiply_add() {
#if CHAINRULE_DISPATCH == 0 && !defined(__FMA__) && !defined(__aarch64__)
  return false;
#elif CHAINRULE_DISPATCH >= 2
  return kernels::best_instruction_set() != kernels::InstructionSet::baseline;
#else
  return true;
#endif
}

template <class Scalar, std::size_t size>
void check(const std::uint64_t (&expected)[size]) {
  const std::vector<std::uint64_t> found = all_hashes<Scalar>();
  REQUIRE(found.size() == size);
  for (std::size_t i = 0; i < size; ++i) {
    CAPTURE(i);
    CHECK(found[i] == expected[i]);
  }
}

}  // namespace

TEST_CASE("trained parameters in float have the stored bits") {
  if (has_fused_multiply_add()) check<float>(in_float);
}

TEST_CASE("trained parameters in double have the stored bits") {
  if (has_fused_multiply_add()) check<double>(in_double);
}

TEST_CASE("losses, penalties, clipping and metrics have the stored bits") {
  if (!has_fused_multiply_add()) return;
  CHECK(of_loss(SquaredError{}) == 0xeaab9d6a1ce23503u);
  CHECK(of_loss(MeanSquaredError{}) == 0x6112bc7c3ca2516cu);
  CHECK(of_loss(MeanAbsoluteError{}) == 0x621718a4f895649au);
  CHECK(of_loss(Huber{}) == 0x653c390586343f89u);
  CHECK(of_loss(LogCosh{}) == 0x1a249c3beddf39a8u);
  CHECK(of_loss(Hinge{}) == 0x3108c6ce09836bd4u);
  CHECK(of_loss(BinaryCrossEntropy{.label_smoothing = 0.1}) == 0x0d5de94258a82821u);
  CHECK(of_loss(SoftmaxCrossEntropy{.label_smoothing = 0.1}, false) == 0x10b191098226711bu);
  CHECK(of_loss(KLDivergence{}, false) == 0x4601118a892db5b9u);
  CHECK(of_loss(GaussianNLL{}, true, 20) == 0x26dd1773b1b8db90u);
  CHECK(of_loss(PoissonNLL{}) == 0xf63cc38e253c6d4fu);
  CHECK(of_penalties_and_metrics() == 0x19bc359ff60e22eau);
}

TEST_CASE("the self-test of the playground has the stored bits") {
  if (has_fused_multiply_add()) CHECK(playground::hash_of_training() == playground::stored_hash);
}
