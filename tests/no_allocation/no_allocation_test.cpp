// After construction and make_workspace, a training step allocates nothing; and readers of files take little more memory than the file.
// These tests replace malloc itself to count allocations, because Eigen calls malloc directly, so that a counter in operator new would miss
// its allocations.

#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chainrule/chainrule.hpp>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/kernels_compiled_once.hpp"
#include "support/quantized_nets.hpp"
#include "support/temporary_folder.hpp"

namespace {
std::atomic<long> allocations{0};
std::atomic<std::size_t> bytes_in_use{0};
std::size_t max_bytes_in_use = 0;

/// Counts the memory of one allocation.
void* counted(void* memory) {
  ++allocations;
  bytes_in_use += malloc_usable_size(memory);
  max_bytes_in_use = std::max(max_bytes_in_use, bytes_in_use.load());
  return memory;
}
}  // namespace

// glibc's own names of the functions replaced below
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void __libc_free(void* memory);

void* malloc(std::size_t size) { return counted(__libc_malloc(size)); }
void* calloc(std::size_t count, std::size_t size) { return counted(__libc_calloc(count, size)); }
void* realloc(void* memory, std::size_t size) {
  const std::size_t before = malloc_usable_size(memory);
  void* const moved = counted(__libc_realloc(memory, size));  // counts old and new together, as when the memory is copied
  bytes_in_use -= before;
  return moved;
}
void* aligned_alloc(std::size_t alignment, std::size_t size) { return counted(__libc_memalign(alignment, size)); }
int posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
  *memory = counted(__libc_memalign(alignment, size));
  return *memory == nullptr ? ENOMEM : 0;
}
void free(void* memory) {
  bytes_in_use -= malloc_usable_size(memory);
  __libc_free(memory);
}
}

namespace cr = chainrule;

namespace {

/// Number of allocations that `work` makes.
template <class Work>
long allocations_of(const Work& work) {
  const long before = allocations;
  work();
  return allocations - before;
}

/// Number of allocations in training steps on batches of several sizes from max_batch down to 1.
template <class Net, class Y>
long allocations_of_training(Net& net, cr::Index max_batch, const Y& targets, const cr::ProductPrecision& precision = {}) {
  using Scalar = typename Net::ScalarType;
  auto work = net.make_workspace(max_batch, precision);
  auto gradients = net.make_gradients();
  const cr::SGD sgd{.learning_rate = 0.01};
  auto state = sgd.make_state(net);
  cr::Matrix<Scalar> x = cr::Matrix<Scalar>::Random(net.inputs(), max_batch);
  cr::Matrix<Scalar> input_gradient(net.inputs(), max_batch);
  const cr::Matrix<Scalar> output_gradient = cr::Matrix<Scalar>::Random(net.outputs(), max_batch);
  Net target = net;
  return allocations_of([&] {
    for (cr::Index n = max_batch; n >= 1; n -= n > 4 ? n / 3 : 1) {
      const auto batch = x.leftCols(n);
      const auto y = targets(n);
      net.forward(batch, work);
      net.loss(y, work);
      net.backward(batch, y, work, gradients);
      net.backward(batch, y, work, gradients, input_gradient.leftCols(n));
      net.backward(batch, cr::from_outside(output_gradient.leftCols(n)), work, gradients);
      net.input_gradient(batch, y, work, input_gradient.leftCols(n));
      cr::blend(target, net, 0.01);
      sgd.step(net.parameters(), gradients);
      cr::descend(net, batch, y, work, gradients, sgd, state);
      net.predict(batch, work);
      net.predict_raw(batch, work);
    }
  });
}

}  // namespace

TEST_CASE("the counter counts allocations by malloc, new and Eigen") {
  void* volatile memory = nullptr;  // volatile, so that the compiler does not remove the pair of calls
  CHECK(allocations_of([&] {
          memory = std::malloc(10);
          std::free(memory);
        }) == 1);
  CHECK(allocations_of([&] {
          memory = ::operator new(10);
          ::operator delete(memory);
        }) == 1);
  CHECK(allocations_of([] {
          std::vector<double> v(1000, 1.0);
          CHECK(v[3] == 1.0);
        }) >= 1);
  CHECK(allocations_of([] {
          Eigen::VectorXf v = Eigen::VectorXf::Ones(1000);
          CHECK(v[3] == 1.0f);
        }) >= 1);
}

namespace {

/// Number of allocations in all derivatives of a network without BatchNorm by theta.
template <class Net>
long allocations_of_derivatives_by_parameters(const Net& net) {
  using Scalar = typename Net::ScalarType;
  const cr::Index batch = 3, parameters = net.parameters().size();
  const cr::Matrix<Scalar> x = cr::Matrix<Scalar>::Random(net.inputs(), batch);
  const std::vector<int> labels{1, 0, 1};
  cr::Matrix<Scalar> J(parameters, net.outputs() * batch), G(parameters, batch);
  cr::Vector<Scalar> norms(batch);
  auto work = net.make_derivative_workspace(batch, 1);
  auto hessian_work = net.make_hessian_vector_workspace(batch);
  auto gradients = net.make_gradients(), Hv = net.make_gradients();
  return allocations_of([&] {
    net.parameter_jacobian(x, work, J);
    net.forward(x, work);
    net.sample_gradients(x, labels, work, G);
    net.sample_gradient_norms(x, labels, work, norms);
    net.backward_clipped(x, labels, work, gradients, 0.01);
    net.hessian_vector_product(x, labels, gradients, hessian_work, Hv);
  });
}

/// Number of allocations in all derivatives by x of a network.
template <class Net>
long allocations_of_derivatives(const Net& net) {
  using Scalar = typename Net::ScalarType;
  const cr::Index inputs = net.inputs(), outputs = net.outputs(), batch = 3;
  const cr::Matrix<Scalar> x = cr::Matrix<Scalar>::Random(inputs, batch), v = cr::Matrix<Scalar>::Random(outputs, batch);
  cr::Matrix<Scalar> J(outputs, inputs * batch), along(outputs, batch), by_x(inputs, batch), H(inputs, inputs * batch);
  auto work = net.make_derivative_workspace(batch);
  auto jet_work = net.make_jet_workspace(batch, {x, {{{0, 0}, {1, 2}}}});
  auto gradients = net.make_gradients();
  return allocations_of([&] {
    net.vjp(x, v, work, by_x);
    net.jvp(x, x, work, along);
    net.jacobian(x, work, J);
    net.of_prediction().vjp(x, v, work, by_x);
    net.of_prediction().jvp(x, x, work, along);
    net.of_prediction().jacobian(x, work, J);
    net.hessian(x, 1, jet_work, H);
    net.laplacian(x, jet_work, along);
    net.forward_jet(x, jet_work);
    jet_work.dJ_dvalue() = jet_work.second(0);
    jet_work.dJ_dsecond(0) = jet_work.first(1);
    net.backward_jet(x, jet_work, gradients);
  });
}

}  // namespace

TEST_CASE("derivatives by x and by theta allocate nothing after set-up, with all kinds of layers") {
  using namespace cr;
  Network<double, SoftmaxCrossEntropy, Normalize<6>, Dense<6, 40, Tanh>, LayerNorm<>,
          Residual<Dense<40, 50, GELU>, Dropout<>, BatchNorm<>, Dense<50, 40>>, PReLU<>,
          Parallel<ParallelSum<Dense<40, 20>, Dense<40, 20, Tanh>>, Sequential<Dense<40, 6>, LayerNorm<>>>, Activate<Sigmoid>, Dense<26, 2>>
      net{Seed{1}};
  net.buffers().setOnes();
  CHECK(allocations_of_derivatives(net) == 0);
  AnyNetwork<float> any{Seed{1}, SoftmaxCrossEntropy{}, {Dense<6, 40, Tanh>{}, LayerNorm<>{}, Dense<40, 2>{}}};
  CHECK(allocations_of_derivatives(any) == 0);
  CHECK(allocations_of_derivatives_by_parameters(any) == 0);
}

TEST_CASE("training allocates nothing after set-up: fixed net, labels") {
  cr::Network<float, cr::SoftmaxCrossEntropy, cr::Dense<20, 30, cr::ReLU>, cr::Dense<30, 10>> net{cr::Seed{1}};
  const std::vector<int> labels(64, 3);
  CHECK(allocations_of_training(net, 64, [&](cr::Index n) { return std::span<const int>(labels.data(), std::size_t(n)); }) == 0);
}

TEST_CASE("training allocates nothing after set-up: large fixed net, whose products are above Eigen's limit for buffers on the stack") {
  cr::Network<float, cr::SoftmaxCrossEntropy, cr::Dense<784, 500, cr::Sigmoid>, cr::Dense<500, 10>> net{cr::Seed{1}};
  const std::vector<int> labels(200, 3);
  const auto some_labels = [&](cr::Index n) { return std::span<const int>(labels.data(), std::size_t(n)); };
  CHECK(allocations_of_training(net, 200, some_labels) == 0);
  CHECK(allocations_of_training(net, 200, some_labels, cr::bfloat16) == 0);
}

TEST_CASE("training allocates nothing after set-up: dynamic net in double, probabilities") {
  using namespace cr;
  auto net =
      make_network<double, BinaryCrossEntropy>(Seed{1}, Dense<Dynamic, Dynamic, Tanh>{300, 200},
                                               Dense<Dynamic, Dynamic, LeakyReLU>{200, 50, LeakyReLU{0.2}}, Dense<Dynamic, Dynamic>{50, 3});
  const Matrix<double> y = Matrix<double>::Constant(3, 100, 0.25);
  CHECK(allocations_of_training(net, 100, [&](Index n) { return y.leftCols(n); }) == 0);
}

TEST_CASE("training allocates nothing after set-up: squared errors in long double") {
  cr::Network<long double, cr::MeanSquaredError, cr::Dense<7, 9, cr::Tanh>, cr::Dense<9, 2, cr::Sigmoid>> net{cr::Seed{1}};
  const cr::Matrix<long double> y = cr::Matrix<long double>::Constant(2, 10, 0.25L);
  CHECK(allocations_of_training(net, 10, [&](cr::Index n) { return y.leftCols(n); }) == 0);
}

TEST_CASE("training allocates nothing after set-up: AnyNetwork") {
  cr::AnyNetwork<float> net{cr::Seed{1},
                            cr::SoftmaxCrossEntropy{},
                            {cr::Dense<16, 33, cr::GELU>{}, cr::Dropout<>{}, cr::FakeQuantize<>{}, cr::FakeQuantizedDense<33, 5>{}}};
  net.buffers().setOnes();
  const std::vector<int> labels(20, 4);
  const auto some_labels = [&](cr::Index n) { return std::span(labels.data(), static_cast<std::size_t>(n)); };
  CHECK(allocations_of_training(net, 20, some_labels) == 0);
  net.freeze("0.weight");
  CHECK(allocations_of_training(net, 20, some_labels) == 0);
}

TEST_CASE("training allocates nothing after set-up: Embedding and a Dense without bias") {
  cr::AnyNetwork<float> net{cr::Seed{1},
                            cr::SoftmaxCrossEntropy{},
                            {cr::Embedding<cr::Dynamic>{2, {{.row = 1, .categories = 9, .size = 3}}}, cr::DenseWithoutBias<4, 5>{}}};
  const std::vector<int> labels(300, 4);
  const cr::Matrix<float> x = cr::Matrix<float>::Constant(2, 300, 7);
  auto work = net.make_workspace(300);
  auto dJ = net.make_gradients();
  cr::OptimizerState<float> state(net.parameters(), 0);
  CHECK(allocations_of([&] {
          net.forward(x, work);
          net.backward(x, labels, work, dJ);
          cr::descend(net, x, labels, work, dJ, cr::SGD{0.1}, state);
          net.predict(x, work);
        }) == 0);
}

TEST_CASE("a SparseInput allocates nothing after set-up, nor does its assignment") {
  using Layer = cr::Dense<cr::Dynamic, cr::Dynamic>;
  const cr::Network<float, cr::SquaredError, Layer, Layer> net(cr::Seed{1}, Layer{300, 20}, Layer{20, 2});
  const std::vector<int> active{5, 299};
  auto work = net.make_workspace(1);
  cr::SparseInput position(net), before(net);
  CHECK(allocations_of([&] {
          position.refresh(active);
          before = position;
          position.remove(5);
          position.add(6);
          position.predict(work);
          position = before;
          position.refresh();
        }) == 0);
}

TEST_CASE("a small net with fixed extents allocates nothing at all") {
  CHECK(allocations_of([] {
          cr::Network<float, cr::SquaredError, cr::Dense<3, 8, cr::Tanh>, cr::Dense<8, 2>> net{cr::Seed{1}};
          auto work = net.make_workspace<4>();
          auto gradients = net.make_gradients();
          const Eigen::Matrix<float, 3, 4> x = Eigen::Matrix<float, 3, 4>::Constant(0.5f);
          const Eigen::Matrix<float, 2, 4> y = Eigen::Matrix<float, 2, 4>::Constant(0.1f);
          for (int step = 0; step < 10; ++step) {
            net.forward(x, work);
            net.loss(y, work);
            net.backward(x, y, work, gradients);
            cr::SGD{.learning_rate = 0.1}.step(net.parameters(), gradients);
          }
          const Eigen::Vector3f sample{1, 2, 3};
          const Eigen::Vector2f y_hat = net.predict(sample);
          if (!(y_hat[0] == y_hat[0])) std::abort();
        }) == 0);
}

namespace {

/// Counts the allocations between the ends of consecutive batches of an epoch.
struct CountPerStep {
  long steps = 0;
  long allocated = 0;
  long last = 0;
  void batch_ended(const cr::Progress& run) {
    if (run.batch > 1) {
      ++steps;
      allocated += allocations - last;
    }
    last = allocations;
  }
};

}  // namespace

TEST_CASE("fit allocates nothing per step, with all kinds of layers, AdamW, clipping, penalties, a schedule, weights and observers") {
  cr::Network<float, cr::ClassWeighted<cr::SoftmaxCrossEntropy>, cr::Normalize<20>, cr::Dense<20, 300>, cr::BatchNorm<>,
              cr::Activate<cr::ReLU>, cr::Dropout<>, cr::Residual<cr::LayerNorm<>, cr::Dense<300, 300, cr::SiLU>>, cr::PReLU<>,
              cr::Parallel<cr::Dense<300, 20>, cr::Sequential<cr::Dense<300, 10>, cr::BatchNorm<>>>, cr::Dense<30, 3>>
      net{cr::Seed{1}, {1, 2, 3}};
  cr::Dataset<float> data{Eigen::MatrixXf::Random(20, 1000), std::vector<int>(1000, 1), Eigen::VectorXf::Ones(1000)};
  data.targets[0] = 0;
  net.buffers<0>().set(cr::Standardizer<float>(data.features));
  cr::Trainer trainer{net, cr::AdamW{.learning_rate = 1e-3}};
  std::FILE* file = std::tmpfile();
  CountPerStep count;
  trainer.fit(data,
              {.epochs = 2,
               .batch_size = 64,
               .validation = data,
               .schedule = cr::WarmUp<cr::Cosine>{.length = 1, .then = cr::Cosine{.period = 2}},
               .clip_norm = 1,
               .clip_value = 0.5,
               .l1 = 1e-6,
               .l2 = 1e-6},
              cr::ProgressBar{.style = cr::ProgressBar::Style::bar, .output = file}, cr::EarlyStopping{}, cr::AverageWeights{},
              cr::Interrupt{}, count);
  std::fclose(file);
  CHECK(count.steps == 2 * 15);
  CHECK(count.allocated == 0);
}

TEST_CASE("fit with a checkpoint allocates nothing in steps without a file, and at most 40 times for a file") {
  cr::Network<float, cr::SoftmaxCrossEntropy, cr::Dense<20, 30, cr::ReLU>, cr::Dense<30, 3>> net{cr::Seed{1}};
  const cr::Dataset<float> data{Eigen::MatrixXf::Random(20, 640), std::vector<int>(640, 1)};
  const auto folder = chainrule_test::TemporaryFolder::in_memory();
  for (const cr::Index every_steps : {0, 1}) {
    CountPerStep count;
    cr::Trainer{net, cr::Adam{}}.fit(data, {.epochs = 2, .batch_size = 64}, count,
                                     cr::Checkpoint{.path = folder.path(std::to_string(every_steps)), .every_steps = every_steps});
    CHECK(count.steps == 2 * 9);
    CHECK(count.allocated <= every_steps * count.steps * 40);
  }
}

namespace {

/// Rank 0 of several, each of which always has the numbers of this one.
class EqualRanks final : public cr::Ranks {
 public:
  explicit EqualRanks(cr::Index ranks, bool sync_batch_norm = false)
      : Ranks(0, ranks, {.shards = 8, .bucket_bytes = 1, .sync_batch_norm = sync_batch_norm}) {}

 protected:
  void begin_exchange(cr::Index, cr::Index, std::span<const std::byte> out, std::span<std::byte> in) override {
    std::copy_n(out.begin(), std::min(out.size(), in.size()), in.begin());
  }
  bool is_complete(cr::Index) override { return true; }
  void wait_for(cr::Index) override {}
  void abandon(cr::Index) noexcept override {}
  void begin() override {}
  void give_up(const std::string&) noexcept override {}
};

}  // namespace

TEST_CASE("steps on ranks allocate nothing after the first one") {
  cr::Network<float, cr::SoftmaxCrossEntropy, cr::Dense<20, 30, cr::ReLU>, cr::BatchNorm<>, cr::Dense<30, 3>> net{cr::Seed{1}};
  const cr::Dataset<float> data{Eigen::MatrixXf::Random(20, 640), std::vector<int>(640, 1), Eigen::VectorXf::Ones(640)};
  for (const bool sync_batch_norm : {false, true}) {
    EqualRanks one{1, sync_batch_norm};
    CountPerStep count;
    cr::Trainer{net, cr::Adam{}}.fit(data, {.epochs = 2, .batch_size = 64, .clip_norm = 1}, one, count);
    CHECK(count.steps == 2 * 9);
    CHECK(count.allocated == 0);
  }

  EqualRanks four{4};
  cr::detail::ShardsAtOnce<float> shards(four);
  const auto merge_twice = [&] {
    shards.run([](std::size_t, cr::ShardReduction<float>& reduction) {
      for (const cr::Index count : {9, 7}) {
        std::fill_n(reduction.numbers(count), count, 1.0);
        reduction.reduce(cr::detail::merge_sums<double>);
      }
    });
  };
  merge_twice();
  CHECK(allocations_of(merge_twice) == 0);

  cr::ShardSum sum{net, four};
  auto work = net.make_workspace(8);
  auto dJ = net.make_gradients();
  const std::vector<int> y(8, 1);
  Eigen::VectorXf long_vector = Eigen::VectorXf::Ones(10'001);
  const auto step = [&] {
    for (cr::Index s = 0; s < four.shards_here(); ++s) {
      net.forward(data.features.leftCols(8), work);
      const float J = net.loss(y, work);
      sum.backward_and_add(net, data.features.leftCols(8), y, work, dJ, static_cast<double>(J), 1.0 / 8);
    }
    sum.total(net, dJ);
    four.sum(long_vector);
  };
  step();
  CHECK(allocations_of(step) == 0);
}

TEST_CASE("losses of heads and sums of losses allocate nothing") {
  const cr::Heads<cr::Head<cr::SoftmaxCrossEntropy, 3>, cr::Head<cr::SumOfLosses<cr::MeanSquaredError, cr::Huber>, 2>> loss;
  const cr::Matrix<float> z = cr::Matrix<float>::Random(5, 300), y = cr::Matrix<float>::Constant(5, 300, 0.25f);
  cr::Matrix<float> dJ = z;
  const long before = allocations;
  const float J = loss.value(cr::detail::const_view<float>(z), cr::detail::const_view<float>(y));
  loss.gradient(cr::detail::const_view<float>(z), cr::detail::const_view<float>(y), cr::detail::mutable_view<float>(dJ));
  loss.link(cr::detail::mutable_view<float>(dJ));
  CHECK(allocations == before);
  CHECK(J > 0);
}

TEST_CASE("ensembles and Monte Carlo dropout predict without allocation after set-up") {
  using Net = cr::Network<float, cr::SoftmaxCrossEntropy, cr::Dense<20, 300, cr::ReLU>, cr::Dropout<>, cr::Dense<300, 3>>;
  const cr::Ensemble<Net> ensemble(3, cr::Seed{1}, [](cr::Index, cr::Seed seed) { return Net{seed}; });
  auto work = ensemble.make_workspace(64);
  cr::MonteCarloDropout dropout(ensemble.members()[0], 5, cr::Seed{1}, 64);
  const cr::Matrix<float> x = cr::Matrix<float>::Random(20, 64);
  CHECK(allocations_of([&] {
          for (const cr::Index n : {64, 7, 1}) {
            ensemble.predict(x.leftCols(n), work);
            dropout.predict(x.leftCols(n));
          }
        }) == 0);
}

TEST_CASE("a step allocates nothing with any optimizer") {
  cr::Network<float, cr::SquaredError, cr::Dense<30, 40, cr::Tanh>, cr::Dense<40, 2>> net{cr::Seed{1}};
  auto dJ = net.make_gradients();
  dJ.flat().setConstant(0.1f);
  const auto check = [&](const auto& rule) {
    auto state = rule.make_state(net);
    CHECK(allocations_of([&] {
            for (int step = 0; step < 3; ++step) rule.step(net.parameters(), dJ, state);
          }) == 0);
  };
  check(cr::SGD{.momentum = 0.9, .nesterov = true, .weight_decay = 1e-4});
  check(cr::Adagrad{});
  check(cr::RMSprop{.momentum = 0.5, .centered = true});
  check(cr::Adadelta{});
  check(cr::Adam{.amsgrad = true});
  check(cr::AdamW{});
  check(cr::NAdam{});
  check(cr::Lion{});
  check(cr::Rprop{});
}

namespace {

/// The largest amount of memory in use while `read` reads the text or refuses it with a ValueError, for each byte of the text.
template <class Read>
double memory_per_byte(const std::string& text, const Read& read) {
  const std::size_t before = max_bytes_in_use = bytes_in_use;
  try {
    read(std::string_view(text));
  } catch (const cr::ValueError&) {
  }
  return static_cast<double>(max_bytes_in_use - before) / static_cast<double>(text.size());
}

std::string repeated(std::size_t times, const std::string& text) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

}  // namespace

TEST_CASE("iterations of L-BFGS and Levenberg-Marquardt allocate nothing") {
  using namespace cr;
  RegressionDataset<float> data;
  data.features = Matrix<float>::Random(3, 600);
  data.targets = Matrix<float>::Random(2, 600);
  const AnyNetwork<float> net{Seed{1}, SquaredError{}, {Dense<Dynamic, Dynamic, Tanh>{3, 20}, Dense<Dynamic, Dynamic>{20, 2}}};
  auto J = objective(net, data, {.l2 = 1e-3});
  auto r = residuals(net, data);
  Vector<float> values(r.residuals());
  Matrix<float> jacobian(r.size(), r.residuals());
  auto lbfgs = LBFGS{.history = 3}.make_minimizer(J);
  auto levenberg_marquardt = LevenbergMarquardt{}.make_minimizer(J);
  CHECK(allocations_of([&] {
          lbfgs.start(net.parameters());
          levenberg_marquardt.start(net.parameters());
          for (int i = 0; i < 8; ++i) {
            lbfgs.iterate();
            levenberg_marquardt.iterate();
          }
          r(net.parameters(), values, jacobian);
        }) == 0);
}

TEST_CASE("a prediction in integers with a workspace allocates nothing") {
  const auto net = chainrule_test::quantized_net<std::int8_t>();
  auto work = net.make_workspace(8);
  const cr::Matrix<float> x = cr::Matrix<float>::Random(3, 8);
  const cr::Matrix<std::int8_t> q = net.quantize_input(x);
  CHECK(allocations_of([&] {
          net.predict(x, work);
          net.predict(x.leftCols(3), work);
          net.predict_quantized(q, work);
        }) == 0);
}

TEST_CASE("the CSV reader takes a small multiple of the text in memory, whatever the text is") {
  const auto read = [](std::string_view text) { cr::parse_csv<cr::Matrix<double>>(text, {.header = false, .missing = cr::Missing::nan}); };
  const auto read_header = [](std::string_view text) { cr::parse_csv<cr::Matrix<double>>(text, {}); };
  const auto read_labels = [](std::string_view text) { cr::parse_csv<cr::Dataset<double>>(text, {.header = false, .target = -1}); };
  constexpr std::size_t many = 600'000;  // between powers of two, where memory that grows by doubling is copied
  std::string names, classes;
  for (std::size_t i = 0; i < many / 3; ++i) {
    names += std::to_string(i) + ",";
    classes += "1," + std::to_string(i) + "\n";
  }
  CHECK(memory_per_byte(repeated(many, ","), read) < 42);
  CHECK(memory_per_byte(repeated(many, ","), read_header) < 42);
  CHECK(memory_per_byte(repeated(2 * many, ","), read) < 42);
  CHECK(memory_per_byte(repeated(many / 10, ",,,,,,,,,\n"), read) < 42);
  CHECK(memory_per_byte(repeated(many / 2, "1,"), read) < 42);
  CHECK(memory_per_byte(repeated(many / 20, "1,2,3,4,5,6,7,8,9,10\n"), read) < 42);
  CHECK(memory_per_byte(repeated(many / 8, "\"\"\"\","), read) < 42);
  CHECK(memory_per_byte(names + "x\n", read_header) < 42);
  CHECK(memory_per_byte(classes, read_labels) < 42);
  CHECK(memory_per_byte(repeated(many / 40, "0.123456,1.234567,12.34567,123.4567\n"), read) < 42);
}
