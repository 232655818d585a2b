#pragma once
// Training as the page controls it: the points, divided into those for training and those for the test, the net, and the rule that makes
// its steps.

#include <algorithm>
#include <chainrule/core/error.hpp>
#include <chainrule/optimizers/adam.hpp>
#include <chainrule/optimizers/penalty.hpp>
#include <chainrule/optimizers/rmsprop.hpp>
#include <chainrule/optimizers/sgd.hpp>
#include <optional>
#include <string>
#include <variant>

#include "data_sets.hpp"
#include "net.hpp"

namespace playground {

// The numbers of these are those of the page's lists (settings.js).
enum class ThirdInput { none, product, square_of_x1, square_of_x2 };
enum class Rule { sgd, momentum, rmsprop, adam };
enum class Penalty { none, l1, l2 };

struct TrainingChoice {
  Rule rule = Rule::adam;
  double learning_rate = 0.01;
  Penalty penalty = Penalty::none;
  double strength = 0.001;
  int batch = 10;
};

/// J, and the share of points whose class is predicted right, of the training and of the test points; NaN where there are no points.
struct Results {
  double train_loss, test_loss, train_accuracy, test_accuracy;
};

using Matrix = cr::Matrix<float>;

class Trainer {
 public:
  /// Takes these points, in an order drawn from the seed; the last ones, `test_share` of them, are for the test.
  void set_points(std::vector<Point> points, double test_share, cr::Seed seed) {
    cr::Random random{seed};
    cr::shuffle(points.begin(), points.end(), random);
    points_ = std::move(points);
    train_count_ = static_cast<Index>(points_.size()) - static_cast<Index>(test_share * static_cast<double>(points_.size()));
    begin_epoch(epoch_);
  }

  /// Makes a new net with weights drawn from its seed.
  void set_net(const NetChoice& choice, ThirdInput third) {
    net_.emplace(make_net<float>(choice));
    work_.emplace(net_->make_workspace(workspace_size));
    dJ_.emplace(net_->make_gradients());
    choice_ = choice;
    third_ = third;
    use(training_);
    steps_ = 0;
    begin_epoch(0);
  }

  /// Trains with this rule from now on; its moments are 0. ValueError, and the rule from before, where a number is out of its range.
  void use(const TrainingChoice& choice) {
    const double rate = choice.learning_rate;
    AnyRule rule = cr::Adam{.learning_rate = rate};
    if (choice.rule == Rule::sgd) rule = cr::SGD{.learning_rate = rate};
    if (choice.rule == Rule::momentum) rule = cr::SGD{.learning_rate = rate, .momentum = 0.9};
    if (choice.rule == Rule::rmsprop) rule = cr::RMSprop{.learning_rate = rate};
    if (choice.batch < 1 || choice.batch > workspace_size)
      throw cr::ValueError("the batch size must be 1 to " + std::to_string(workspace_size) + ", but is " + std::to_string(choice.batch));
    auto state = std::visit([&](const auto& r) { return r.make_state(*net_); }, rule);
    training_ = choice;
    rule_ = rule;
    state_.emplace(std::move(state));
  }

  /// One step of the rule on the next batch: predict, calculate the loss's gradient by the chain rule, step in the opposite direction.
  void step() {
    if (train_count_ == 0) throw cr::ValueError("there are no points to train on: paint some");
    const Index count = std::min<Index>(training_.batch, train_count_ - next_);
    Matrix x(net_->inputs(), count), y(1, count);
    for (Index j = 0; j < count; ++j) write(points_[order_[static_cast<std::size_t>(next_ + j)]], x, y, j);
    net_->forward(x, *work_);
    net_->backward(x, y, *work_, *dJ_);
    if (training_.penalty == Penalty::l1) cr::L1{training_.strength}.add_gradient(net_->parameters(), *dJ_, state_->segments());
    if (training_.penalty == Penalty::l2) cr::L2{training_.strength}.add_gradient(net_->parameters(), *dJ_, state_->segments());
    std::visit([&](const auto& rule) { rule.step(net_->parameters(), *dJ_, *state_); }, rule_);
    ++steps_;
    next_ += count;
    if (next_ == train_count_) begin_epoch(epoch_ + 1);
  }

  Results results() {
    const auto [train_loss, train_accuracy] = of_points(0, train_count_);
    const auto [test_loss, test_accuracy] = of_points(train_count_, static_cast<Index>(points_.size()));
    return {train_loss, test_loss, train_accuracy, test_accuracy};
  }

  /// Returns what each unit computes over the plane: for each input, each hidden unit and the output, side x side numbers, row by row from
  /// the top.
  const std::vector<float>& surface(Index side) {
    const Index units = net_->inputs() + count_units(), pixels = side * side;
    surface_.resize(static_cast<std::size_t>(units * pixels));
    const auto coordinate = [side](Index i) { return plane * ((2 * static_cast<double>(i) + 1) / static_cast<double>(side) - 1); };
    Matrix x, y;
    for (Index first = 0; first < pixels; first += workspace_size) {
      const Index count = std::min<Index>(workspace_size, pixels - first);
      x.resize(net_->inputs(), count), y.resize(1, count);
      for (Index j = 0; j < count; ++j) write({.x1 = coordinate((first + j) % side), .x2 = -coordinate((first + j) / side)}, x, y, j);
      net_->forward(x, *work_);
      float* unit = surface_.data() + first;
      const auto copy = [&](const auto& rows) {
        for (Index i = 0; i < rows.rows(); ++i, unit += pixels)
          for (Index j = 0; j < count; ++j) unit[j] = rows(i, j);
      };
      copy(x);
      for (Index l = 0; l < layers() - 1; ++l) copy(work_->activation(l));
      y = work_->activation(layers() - 1);
      net_->loss_function().link(cr::detail::mutable_view<float>(y));
      copy(y);
    }
    return surface_;
  }

  /// The weights of each layer, row by row, and then its biases, from the first layer to the last.
  const std::vector<float>& weights() {
    weights_.clear();
    for (Index l = 0; l < layers(); ++l) {
      const auto weight = net_->tensor(std::to_string(l) + ".weight"), bias = net_->tensor(std::to_string(l) + ".bias");
      for (Index i = 0; i < weight.rows(); ++i)
        for (Index j = 0; j < weight.cols(); ++j) weights_.push_back(weight(i, j));
      for (Index i = 0; i < weight.rows(); ++i) weights_.push_back(bias(i, 0));
    }
    return weights_;
  }

  /// The inputs of the net for a point: x1, x2 and the third one, if there is one.
  template <class Inputs>
  void write_inputs(const Point& p, Inputs&& inputs) const {
    using Scalar = typename std::decay_t<Inputs>::Scalar;
    inputs[0] = static_cast<Scalar>(p.x1);
    inputs[1] = static_cast<Scalar>(p.x2);
    if (third_ == ThirdInput::product) inputs[2] = static_cast<Scalar>(p.x1 * p.x2);
    if (third_ == ThirdInput::square_of_x1) inputs[2] = static_cast<Scalar>(p.x1 * p.x1);
    if (third_ == ThirdInput::square_of_x2) inputs[2] = static_cast<Scalar>(p.x2 * p.x2);
  }

  const cr::AnyNetwork<float>& net() const { return *net_; }
  const NetChoice& choice() const { return choice_; }
  const std::vector<Point>& points() const { return points_; }
  Index train_count() const { return train_count_; }
  Index layers() const { return static_cast<Index>(choice_.hidden.size()) + 1; }
  double epochs() const {
    return static_cast<double>(epoch_) + (train_count_ > 0 ? static_cast<double>(next_) / static_cast<double>(train_count_) : 0);
  }
  Index steps() const { return steps_; }

 private:
  static constexpr int workspace_size = 256;
  using AnyRule = std::variant<cr::SGD, cr::RMSprop, cr::Adam>;
  using Net = cr::AnyNetwork<float>;

  // Draws the order in which this epoch takes the training points.
  void begin_epoch(std::uint64_t epoch) {
    epoch_ = epoch;
    next_ = 0;
    order_.resize(static_cast<std::size_t>(train_count_));
    for (std::size_t i = 0; i < order_.size(); ++i) order_[i] = i;
    cr::Random random{cr::derived_seed(cr::Seed{choice_.seed}, epoch)};
    cr::shuffle(order_.begin(), order_.end(), random);
  }

  Index count_units() const {
    Index units = 1;
    for (const Index width : choice_.hidden) units += width;
    return units;
  }

  void write(const Point& p, Matrix& x, Matrix& y, Index column) const {
    write_inputs(p, x.col(column));
    y(0, column) = static_cast<float>(p.y);
  }

  // J and the share of right classes for the points from first to last.
  std::pair<double, double> of_points(Index first, Index last) {
    double loss = 0, right = 0;
    for (Index i = first; i < last; i += workspace_size) {
      const Index count = std::min<Index>(workspace_size, last - i);
      Matrix x(net_->inputs(), count), y(1, count);
      for (Index j = 0; j < count; ++j) write(points_[static_cast<std::size_t>(i + j)], x, y, j);
      net_->forward(x, *work_);
      loss += static_cast<double>(net_->loss(y, *work_)) * static_cast<double>(count);
      Matrix y_hat = work_->activation(layers() - 1);
      net_->loss_function().link(cr::detail::mutable_view<float>(y_hat));
      for (Index j = 0; j < count; ++j) right += (y_hat(0, j) > 0.5f) == (y(0, j) > 0.5f) ? 1 : 0;
    }
    const auto count = static_cast<double>(last - first);
    return {loss / count, right / count};
  }

  std::vector<Point> points_;
  Index train_count_ = 0;
  NetChoice choice_;
  ThirdInput third_ = ThirdInput::none;
  TrainingChoice training_;
  std::optional<Net> net_;
  std::optional<decltype(std::declval<const Net&>().make_workspace(1))> work_;
  std::optional<decltype(std::declval<const Net&>().make_gradients())> dJ_;
  AnyRule rule_;
  std::optional<cr::OptimizerState<float>> state_;
  std::vector<std::size_t> order_;
  std::uint64_t epoch_ = 0;
  Index next_ = 0, steps_ = 0;
  std::vector<float> surface_, weights_;
};

}  // namespace playground
