#pragma once
// Sentences on data and options with which a training works, but probably not well. They are made once in a training, before its first
// step and after its first epoch, and cost its steps nothing.

#include <algorithm>
#include <chainrule/core/category_row.hpp>
#include <chainrule/core/detail/compatibility.hpp>
#include <chainrule/core/detail/layer_list.hpp>
#include <chainrule/core/weighting.hpp>
#include <chainrule/data/dataset.hpp>
#include <chainrule/detail/argument_checks.hpp>
#include <chainrule/layers/detail/ranges.hpp>
#include <chainrule/parallel/ranks.hpp>
#include <chainrule/training/divergence.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace chainrule::detail {

/// A number as notes print it, with three digits.
inline std::string in_note(double number) { return printed(number, 3, 'g'); }

/// Says which features are large, so that the products of a layer with small weights are large too: those with a root mean square above 10.
/// Empty if there are none, or where the first layer brings them to a scale of its own. Looks at no more than 1000 samples, which are
/// spread over all.
template <class Net, class Scalar>
std::string note_on_features(const Net& net, const ConstMatrixView<Scalar>& x) {
  const auto& first = element(net.layers(), Constant<0>{});
  if (takes_any_scale(first)) return {};
  std::vector<bool> is_category_row(static_cast<std::size_t>(x.rows()));
  for (const CategoryRow& of : category_rows_of(first)) is_category_row[static_cast<std::size_t>(of.row)] = true;

  const Index stride = (x.cols() + 999) / 1000;
  std::vector<double> squares(is_category_row.size());
  double lowest = std::numeric_limits<double>::infinity(), highest = -lowest;
  bool are_whole = true;
  for (Index j = 0; j < x.cols(); j += stride)
    for (std::size_t i = 0; i < squares.size(); ++i) {
      if (is_category_row[i]) continue;
      const double value = static_cast<double>(x(static_cast<Index>(i), j));
      squares[i] += value * value;
      lowest = (std::min)(lowest, value);
      highest = (std::max)(highest, value);
      are_whole = are_whole && value == std::floor(value);
    }
  const auto samples = static_cast<double>((x.cols() + stride - 1) / stride);
  const auto numeric = std::count(is_category_row.begin(), is_category_row.end(), false);
  const auto large = std::count_if(squares.begin(), squares.end(), [&](double square) { return square > 100 * samples; });
  const auto worst = std::max_element(squares.begin(), squares.end());
  if (large == 0) return {};
  if (are_whole && lowest >= 0 && highest > 127 && highest <= 255 && numeric >= 16)
    return text_of("the features are whole numbers from ", lowest, " to ", highest,
                   ", as pixels are, but networks learn best from numbers of ",
                   "about 1: divide them by 255, or begin the network with Normalize");
  const std::string which =
      large == 1 ? text_of("feature ", worst - squares.begin(), " is large, with")
                 : text_of(large, " of ", numeric, " features are large, most of all feature ", worst - squares.begin(), ", with");
  return text_of(which, " a root mean square of ", in_note(std::sqrt(*worst / samples)),
                 ", but networks learn best from numbers of about 1: scale them (Standardizer), or begin the network with Normalize");
}

/// Says which targets lie outside of what the last layer can give, as those above 1 do for a sigmoid. Empty if none does, and for losses
/// that work on logits, after which the last layer gives any number.
template <class Net, class Scalar>
std::string note_on_targets(const Net& net, const ConstMatrixView<Scalar>& y) {
  if (works_on_logits(net.loss_function())) return {};
  const auto& last = last_of(net.layers());
  const std::array<double, 2> range = output_range_of<Scalar>(last);
  const double lowest = range[0], highest = range[1];
  if (!is_finite(lowest) && !is_finite(highest)) return {};
  Index outside = 0;
  double farthest = 0, example = 0;
  for (Index j = 0; j < y.cols(); ++j)
    for (Index i = 0; i < y.rows(); ++i) {
      const double target = static_cast<double>(y(i, j)), distance = (std::max)(lowest - target, target - highest);
      if (!(distance > 0.01)) continue;
      ++outside;
      if (distance <= farthest) continue;
      farthest = distance;
      example = target;
    }
  if (outside == 0) return {};
  const std::string_view name = last.activation_name();
  const std::string may_be = !is_finite(highest)  ? text_of("at least ", in_note(lowest))
                             : !is_finite(lowest) ? text_of("at most ", in_note(highest))
                                                  : text_of("from ", in_note(lowest), " to ", in_note(highest));
  return text_of(outside, " of ", y.size(), " targets, such as ", in_note(example),
                 ", cannot be reached, because outputs of the last layer (", name.empty() ? std::string_view(last.name) : name, ") are ",
                 may_be, ": scale the targets (MinMaxScaler), or end the network without this activation");
}

/// The notes on the features and targets of a training.
template <class Net, class Scalar, class Targets>
std::vector<std::string> notes_on_data(const Net& net, const DataView<Scalar, Targets>& data) {
  std::vector<std::string> notes;
  const auto add = [&notes](std::string note) {
    if (!note.empty()) notes.push_back(std::move(note));
  };
  add(note_on_features(net, data.features));
  if constexpr (std::is_same_v<Targets, ConstMatrixView<Scalar>>) add(note_on_targets(net, data.targets));
  return notes;
}

/// The loss of the first batch before the first step, beside that of the best constant prediction that is known without training: logits of
/// 0, or the mean of the targets.
class FirstLoss {
 public:
  /// Makes a training pass. Adds a note where the loss is far above that of the constant prediction: 4 times where the loss takes labels
  /// (for ten classes, 9.2 instead of 2.3), else 100 times (for a squared error, outputs 10 times as large as the deviation of the
  /// targets).
  template <class Net, class X, class Y, class Work>
  void measure(const Net& net, const X& x, const Y& y, Work& work, std::vector<std::string>& notes) {
    using Scalar = typename Net::ScalarType;
    const auto y_hat = net.forward(x, work);
    loss_ = static_cast<double>(net.loss(y, work));
    Matrix<Scalar> constant = Matrix<Scalar>::Zero(net.outputs(), x.cols());
    double largest_target = 0;
    if constexpr (requires { without_weights(y).rows(); }) {
      const auto& targets = without_weights(y);
      largest_target = largest_magnitude(targets);
      if (!works_on_logits(net.loss_function())) {
        if (targets.rows() != net.outputs()) return;
        constant.colwise() = targets.rowwise().mean();
      }
    } else if (!works_on_logits(net.loss_function())) {
      return;
    }
    of_constant_ = static_cast<double>(loss_value(net.loss_function(), const_view<Scalar>(constant), y));
    const double times = takes_labels<Scalar>(net.loss_function()) ? 4 : 100;
    if (!(of_constant_ > 0 && loss_ > times * of_constant_ && is_finite(loss_))) return;
    const double largest_input = largest_magnitude(x), largest_output = largest_magnitude(y_hat);
    const std::string remedy = largest_input > 10 && !takes_any_scale(element(net.layers(), Constant<0>{}))
                                   ? text_of("scale the features, here up to ", in_note(largest_input), " (Standardizer)")
                               : largest_target > 10 * largest_output
                                   ? text_of("scale the targets, here up to ", in_note(largest_target), " (Standardizer)")
                                   : text_of("initialize the network with smaller weights, because its outputs are as large as ",
                                             in_note(largest_output), ", or scale the targets if they are small (Standardizer)");
    notes.push_back(text_of("the loss of the first batch, ", in_note(loss_), ", is ", in_note(loss_ / of_constant_),
                            " times that of a constant prediction, ", in_note(of_constant_),
                            ", before the first step, so the learning rate is not the cause: ", remedy));
  }

  /// Takes the means of both losses over all ranks, whose batches differ. All ranks call it.
  void average(Ranks& ranks) {
    for (double* const loss : {&loss_, &of_constant_}) {
      ranks.sum(*loss);
      *loss /= static_cast<double>(ranks.ranks());
    }
  }

  /// Adds a note where the mean loss of the first epoch, without penalties, is far above both losses before its first step. Adds none where
  /// measure was not called, or where both are 0, as for a first batch whose samples have the weight 0.
  void compare(double mean_of_epoch, double learning_rate, std::vector<std::string>& notes) const {
    const double before = (std::max)(loss_, of_constant_);
    if (!(before > 0 && mean_of_epoch > 4 * before)) return;
    notes.push_back(text_of("the mean loss of the first epoch, ", in_note(mean_of_epoch), ", is far above ", in_note(before),
                            ", that before the first step, so the learning rate, ", learning_rate,
                            ", is probably too large: try a tenth of it"));
  }

 private:
  double loss_ = std::numeric_limits<double>::infinity();
  double of_constant_ = 0;
};

}  // namespace chainrule::detail
