#include <chainrule/core/detail/sequence.hpp>
#include <chainrule/core/shape_preserving_layer.hpp>

#include "support/catch.hpp"

using namespace chainrule;
using detail::Sequence;

namespace {

/// Records the arguments of a layer's passes.
struct Told {
  int backward = 0;              // how often backward was called
  bool asked_for_dJ_dx = false;  // the last time
  Seed seed{};
  const float* buffers = nullptr;
};

/// A layer a = 2 x that records the arguments of its passes. Its parameters and buffers, if it has any, do not change a.
template <int Parameters, int Buffers, int N = 2>
class Spy : public SameShape<N> {
 public:
  static constexpr std::string_view name = "Spy";
  static constexpr Index parameters_at_compile_time = Parameters;
  static constexpr Index buffers_at_compile_time = Buffers;
  explicit Spy(Told& told) : SameShape<N>("Spy", 2), told_{&told} {}

  std::array<TensorShape, 1> tensors() const { return {{{"numbers", Parameters, 1}}}; }
  std::array<TensorShape, 1> buffer_tensors() const { return {{{"kept", Buffers, 1}}}; }
  template <class Scalar>
  Scalar* parameters(Scalar* theta) const {
    return theta;
  }
  template <class Scalar>
  Scalar* buffers(Scalar* numbers) const {
    return numbers;
  }
  template <class Scalar>
  void initialize(Scalar* theta, Random& random) const {
    for (int i = 0; i < Parameters; ++i) theta[i] = static_cast<Scalar>(random.below(1000));
  }
  template <class Scalar>
  void initialize_buffers(Scalar* numbers) const {
    for (int i = 0; i < Buffers; ++i) numbers[i] = 7;
  }
  template <class Scalar>
  void check_pass(const ForwardContext<Scalar>& pass, Index samples) const {
    if (samples > 4) detail::raise<ShapeError>("Spy with buffers from ", pass.buffers[0], " sees ", samples, " samples");
  }
  Index fewest_training_samples() const { return 1 + Buffers; }

  template <class Scalar, int MaxBatch>
  struct Cache {
    Cache(const Spy& layer, Index max_batch) : output(layer.outputs(), max_batch) {}
    BatchStorage<Scalar, N, MaxBatch> output;
  };
  template <class Scalar, int MaxBatch>
  void forward(const Scalar*, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache, const ForwardContext<Scalar>& pass) const {
    told_->seed = pass.seed;
    told_->buffers = pass.buffers;
    cache.output.first(x.cols()) = 2 * x;
  }
  template <class Scalar, int MaxBatch>
  void backward(const Scalar*, ConstMatrixView<Scalar>, Cache<Scalar, MaxBatch>&, MatrixView<Scalar> delta, Scalar* gradient,
                MatrixView<Scalar>* input_gradient) const {
    ++told_->backward;
    told_->asked_for_dJ_dx = input_gradient != nullptr;
    for (int i = 0; i < Parameters; ++i) gradient[i] = delta(0, 0);
    if (input_gradient != nullptr) *input_gradient = 2 * delta;
  }
  template <class Scalar, int MaxBatch>
  void update_statistics(Scalar* numbers, const Cache<Scalar, MaxBatch>&, Index samples) const {
    for (int i = 0; i < Buffers; ++i) numbers[i] += static_cast<Scalar>(samples);
  }

 private:
  Told* told_;
};

/// Four layers with 0, 3, 0 and 1 parameters, and with 1, 0, 2 and 0 buffers.
struct Four {
  std::array<Told, 4> told;
  Sequence<Spy<0, 1>, Spy<3, 0>, Spy<0, 2>, Spy<1, 0>> sequence{
      {Spy<0, 1>{told[0]}, Spy<3, 0>{told[1]}, Spy<0, 2>{told[2]}, Spy<1, 0>{told[3]}}};
  std::array<float, 4> theta{};
  std::array<float, 3> buffers{};
  std::array<float, 4> gradient{};
  std::array<float, 2> x{1, 10};
  ConstMatrixView<float> x_view = detail::matrix_view(static_cast<const float*>(x.data()), 2, 1);
  decltype(sequence.make_caches<float, Dynamic>(1)) caches = sequence.make_caches<float, Dynamic>(1);
  decltype(sequence.make_deltas<float, Dynamic>(1)) deltas = sequence.make_deltas<float, Dynamic>(1);
};

}  // namespace

TEST_CASE("Sequence gives each layer a slice of theta and of the buffers, one after the other") {
  const Four four;
  STATIC_REQUIRE(decltype(four.sequence)::parameters_at_compile_time == 4);
  STATIC_REQUIRE(decltype(four.sequence)::buffers_at_compile_time == 3);
  std::array<Index, 5> parameters{};
  std::array<Index, 5> buffers{};
  for (std::size_t i = 0; i <= 4; ++i) {
    parameters[i] = four.sequence.parameter_offset(i);
    buffers[i] = four.sequence.buffer_offset(i);
  }
  CHECK(parameters == std::array<Index, 5>{0, 0, 3, 3, 4});
  CHECK(buffers == std::array<Index, 5>{0, 1, 1, 3, 3});
  CHECK(four.sequence.inputs() == 2);
  CHECK(four.sequence.outputs() == 2);
}

TEST_CASE("Sequence knows its numbers of parameters and buffers at compile time only if those of all layers are") {
  STATIC_REQUIRE(Sequence<Spy<3, 0>, Spy<Dynamic, 0>>::parameters_at_compile_time == Dynamic);
  STATIC_REQUIRE(Sequence<Spy<3, 0>, Spy<0, Dynamic>>::buffers_at_compile_time == Dynamic);
}

TEST_CASE("Sequence initializes layers from the first to the last, out of one sequence of random numbers") {
  Four four;
  Random random{Seed{1}};
  four.sequence.initialize(four.theta.data(), random);
  Random same{Seed{1}};
  for (const float parameter : four.theta) CHECK(parameter == static_cast<float>(same.below(1000)));
  four.sequence.initialize_buffers(four.buffers.data());
  CHECK(four.buffers == std::array<float, 3>{7, 7, 7});
}

TEST_CASE("forward: each layer reads the output of the layer before, and gets its own buffers and seed") {
  Four four;
  const ForwardContext<float> pass{.mode = Mode::train, .buffers = four.buffers.data(), .seed = Seed{42}};
  four.sequence.forward(four.theta.data(), four.x_view, four.caches, pass);
  CHECK(std::get<0>(four.caches).output.first(1)(1, 0) == 20);
  CHECK(std::get<3>(four.caches).output.first(1)(0, 0) == 16);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(four.told[i].buffers == four.buffers.data() + four.sequence.buffer_offset(i));
    CHECK(four.told[i].seed.value == derived_seed(Seed{42}, i).value);
  }
}

TEST_CASE("backward: from the last layer to the first with parameters, and to dJ/dx only if asked for") {
  Four four;
  four.sequence.forward(four.theta.data(), four.x_view, four.caches, ForwardContext<float>{});
  const auto backward = [&](MatrixView<float>* dJ_dx) {
    std::get<3>(four.deltas).first(1).setConstant(1);
    four.gradient.fill(-1);
    four.sequence.backward(four.theta.data(), four.x_view, four.caches, four.deltas, four.gradient.data(), dJ_dx);
    CHECK(four.gradient == std::array<float, 4>{4, 4, 4, 1});
  };
  CHECK(four.sequence.first_with_parameters() == 1);
  backward(nullptr);
  CHECK(four.told[0].backward == 0);
  CHECK_FALSE(four.told[1].asked_for_dJ_dx);
  CHECK(four.told[2].asked_for_dJ_dx);
  CHECK(four.told[3].asked_for_dJ_dx);

  std::array<float, 2> dJ_dx{};
  MatrixView<float> view = detail::matrix_view(dJ_dx.data(), 2, 1);
  backward(&view);
  CHECK(four.told[0].backward == 1);
  CHECK(four.told[0].asked_for_dJ_dx);
  CHECK(four.told[3].backward == 2);
  CHECK(dJ_dx == std::array<float, 2>{16, 16});
}

TEST_CASE("each layer may reject a pass, update its own buffers and need larger batches") {
  Four four;
  const ForwardContext<float> pass{.buffers = four.buffers.data()};
  four.buffers = {100, 200, 300};
  CHECK_NOTHROW(four.sequence.check_pass(pass, 4));
  CHECK_THROWS_SAYING(four.sequence.check_pass(pass, 5), ShapeError, "Spy with buffers from 100 sees 5 samples");
  four.sequence.update_statistics(four.buffers.data(), four.caches, 4);
  CHECK(four.buffers == std::array<float, 3>{104, 204, 304});
  CHECK(four.sequence.fewest_training_samples() == 3);
}

TEST_CASE("make_caches and make_deltas allocate for the batch, inside the object where all is fixed and small") {
  const Four four;
  const auto caches = four.sequence.make_caches<float, 8>(8);
  CHECK(std::get<3>(caches).output.first(8).cols() == 8);
  CHECK(sizeof(caches) >= 4 * 2 * 8 * sizeof(float));
  const auto deltas = four.sequence.make_deltas<float, 8>(8);
  CHECK(std::get<0>(deltas).first(8).rows() == 2);
}

TEST_CASE("SequenceOf a vector of layers makes the same passes as a Sequence") {
  std::array<Told, 2> told;
  using Layer = Spy<1, 2, Dynamic>;
  detail::SequenceOf<std::vector<Layer>> sequence{{Layer{told[0]}, Layer{told[1]}}};
  STATIC_REQUIRE(decltype(sequence)::parameters_at_compile_time == Dynamic);
  CHECK(sequence.parameter_offset(2) == 2);
  CHECK(sequence.buffer_offset(1) == 2);
  CHECK(sequence.first_with_parameters() == 0);
  CHECK(sequence.fewest_training_samples() == 3);

  std::array<float, 2> theta{}, gradient{}, x{1, 10}, dJ_dx{};
  std::array<float, 4> buffers{};
  const auto x_view = detail::matrix_view(static_cast<const float*>(x.data()), 2, 1);
  auto caches = sequence.make_caches<float, Dynamic>(1);
  auto deltas = sequence.make_deltas<float, Dynamic>(1);
  sequence.initialize_buffers(buffers.data());
  CHECK(buffers == std::array<float, 4>{7, 7, 7, 7});
  sequence.forward(theta.data(), x_view, caches, ForwardContext<float>{.buffers = buffers.data(), .seed = Seed{42}});
  CHECK(caches[1].output.first(1)(1, 0) == 40);
  CHECK(told[1].buffers == buffers.data() + 2);
  CHECK(told[1].seed.value == derived_seed(Seed{42}, 1).value);

  deltas[1].first(1).setConstant(1);
  MatrixView<float> dJ_dx_view = detail::matrix_view(dJ_dx.data(), 2, 1);
  sequence.backward(theta.data(), x_view, caches, deltas, gradient.data(), &dJ_dx_view);
  CHECK(gradient == std::array<float, 2>{2, 1});
  CHECK(dJ_dx == std::array<float, 2>{4, 4});
}

TEST_CASE("SequenceOf a vector computes nothing before the first layer with parameters") {
  std::array<Told, 2> told;
  using Layer = Spy<0, 0, Dynamic>;
  const detail::SequenceOf<std::vector<Layer>> sequence{{Layer{told[0]}, Layer{told[1]}}};
  CHECK(sequence.first_with_parameters() == 2);
  std::array<float, 2> x{1, 10};
  const auto x_view = detail::matrix_view(static_cast<const float*>(x.data()), 2, 1);
  auto caches = sequence.make_caches<float, Dynamic>(1);
  auto deltas = sequence.make_deltas<float, Dynamic>(1);
  float* no_parameters = nullptr;
  MatrixView<float>* no_dJ_dx = nullptr;
  sequence.backward(static_cast<const float*>(no_parameters), x_view, caches, deltas, no_parameters, no_dJ_dx);
  CHECK(told[1].backward == 0);
}
