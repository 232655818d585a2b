// The functions that the page calls (engine.js), compiled to WebAssembly by examples/run playground. Each that can fail returns whether it
// succeeded, and `message` says why it did not; the playground is then as before.
#include <Eigen/Core>
#include <exception>
#include <string>

#include "fused_multiply_add.hpp"

// Overloads of Eigen's multiply-add, declared before the library is included, which calls them.
namespace Eigen::internal {
inline Packet4f pmadd(const Packet4f& a, const Packet4f& b, const Packet4f& c) { return playground::fused_multiply_add(a, b, c); }
inline float pmadd(const float& a, const float& b, const float& c) { return playground::fused_multiply_add(a, b, c); }
}  // namespace Eigen::internal

#include "explain.hpp"
#include "self_test.hpp"
#include "trainer.hpp"

using namespace playground;

namespace {

Trainer trainer;
std::string last_message;
std::vector<Point> painted;
std::vector<double> numbers;  // result of the last call that returns numbers
int units[6];                 // sizes of the hidden layers, written by the page before it calls set_net

template <class F>
bool succeeds(const F& f) {
  try {
    f();
    return true;
  } catch (const std::exception& error) {
    last_message = error.what();
    return false;
  }
}

}  // namespace

#define CHAINRULE_PLAYGROUND_EXPORT extern "C" [[gnu::used, gnu::visibility("default")]]

CHAINRULE_PLAYGROUND_EXPORT const char* message() { return last_message.c_str(); }

/// 1 if the training of the self-test ends with the bits that are stored for the library on a processor.
CHAINRULE_PLAYGROUND_EXPORT int self_test() {
  bool same = false;
  return succeeds([&] { same = hash_of_training() == stored_hash; }) && same;
}

CHAINRULE_PLAYGROUND_EXPORT int set_data(int set, int count, double noise, double test_share, int seed) {
  return succeeds([&] {
    const cr::Seed of_data{static_cast<std::uint64_t>(seed)};
    const auto which = static_cast<DataSet>(set);
    trainer.set_points(which == DataSet::painted ? painted : draw_points(which, count, noise, of_data), test_share, of_data);
  });
}

CHAINRULE_PLAYGROUND_EXPORT void paint(double x1, double x2, double y) { painted.push_back({.x1 = x1, .x2 = x2, .y = y}); }
CHAINRULE_PLAYGROUND_EXPORT void clear_painted() { painted.clear(); }

CHAINRULE_PLAYGROUND_EXPORT int* hidden_units() { return units; }

CHAINRULE_PLAYGROUND_EXPORT int set_net(int third, int hidden, int activation, int loss, int seed) {
  return succeeds([&] {
    NetChoice choice{.inputs = third == 0 ? 2 : 3,
                     .hidden = {},
                     .activation = static_cast<Function>(activation),
                     .loss = static_cast<Loss>(loss),
                     .seed = static_cast<std::uint64_t>(seed)};
    for (int l = 0; l < hidden; ++l) choice.hidden.push_back(units[l]);
    trainer.set_net(choice, static_cast<ThirdInput>(third));
  });
}

CHAINRULE_PLAYGROUND_EXPORT int set_training(int rule, double learning_rate, int penalty, double strength, int batch) {
  return succeeds([&] {
    trainer.use({.rule = static_cast<Rule>(rule),
                 .learning_rate = learning_rate,
                 .penalty = static_cast<Penalty>(penalty),
                 .strength = strength,
                 .batch = batch});
  });
}

CHAINRULE_PLAYGROUND_EXPORT int step() {
  return succeeds([] { trainer.step(); });
}

CHAINRULE_PLAYGROUND_EXPORT double steps() { return static_cast<double>(trainer.steps()); }
CHAINRULE_PLAYGROUND_EXPORT double epochs() { return trainer.epochs(); }

/// J of the training and the test points, and the shares of right classes; four numbers.
CHAINRULE_PLAYGROUND_EXPORT const double* results() {
  const Results r = trainer.results();
  numbers = {r.train_loss, r.test_loss, r.train_accuracy, r.test_accuracy};
  return numbers.data();
}

CHAINRULE_PLAYGROUND_EXPORT const float* surface(int side) { return trainer.surface(side).data(); }
CHAINRULE_PLAYGROUND_EXPORT const float* weights() { return trainer.weights().data(); }

CHAINRULE_PLAYGROUND_EXPORT int point_count() { return static_cast<int>(trainer.points().size()); }
CHAINRULE_PLAYGROUND_EXPORT int train_count() { return static_cast<int>(trainer.train_count()); }

/// x1, x2 and y of each point; those for training come first.
CHAINRULE_PLAYGROUND_EXPORT const double* points() {
  numbers.clear();
  for (const Point& p : trainer.points()) numbers.insert(numbers.end(), {p.x1, p.x2, p.y});
  return numbers.data();
}

/// The numbers of explain.hpp, or a null pointer where there is no such sample or weight.
CHAINRULE_PLAYGROUND_EXPORT const double* explain_weight(int sample, int layer, int row, int column) {
  return succeeds([&] { numbers = explain(trainer, sample, layer, row, column); }) ? numbers.data() : nullptr;
}
