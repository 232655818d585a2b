#pragma once
// The error of a training that meets a number that is not finite: where the number is, why it may be there, and what to try.

#include <algorithm>
#include <chainrule/core/detail/checks.hpp>
#include <chainrule/core/detail/compatibility.hpp>
#include <chainrule/core/detail/layer_list.hpp>
#include <chainrule/core/error.hpp>
#include <chainrule/core/tensor_shape.hpp>
#include <cmath>
#include <cstdint>
#include <string>

namespace chainrule {

/// Thrown by a training whose loss, gradient or parameters became NaN or infinite. The network has the parameters of the last finite step.
class DivergenceError : public Error {
  using Error::Error;
};

namespace detail {

/// Says which of `numbers`, a vector of theta's shape, is the first that is not finite: "layer<1>.weight(3, 0), which is nan". Empty if all
/// are finite.
template <class Layers, class Scalar>
std::string first_not_finite(const Layers& layers, const Scalar* numbers) {
  std::string found;
  std::size_t index = 0;
  const auto look = [&](const auto& layer) {
    for (const TensorShape& tensor : layer.tensors()) {
      for (Index i = 0; i < tensor.size() && found.empty(); ++i)
        if (!is_finite(numbers[i]))
          found = text_of("layer<", index, ">.", std::string_view(tensor.name), "(", i % tensor.rows, ", ", i / tensor.rows, "), which is ",
                          numbers[i]);
      numbers += tensor.size();
    }
    ++index;
  };
  for_each_layer(layers, look);
  return found;
}

/// Says which activation of the last forward pass is the first that is not finite: "; the first number that is not finite is in the output
/// of layer<2> (Dense), unit 5 of sample 3 of the batch, which is inf". Empty if all are finite.
template <class Layers, class Work>
std::string first_activation_not_finite(const Layers& layers, const Work& work) {
  std::string found;
  std::size_t index = 0;
  const auto look = [&](const auto& layer, const auto& a) {
    for (Index j = 0; j < a.cols() && found.empty(); ++j)
      for (Index k = 0; k < a.rows() && found.empty(); ++k)
        if (!is_finite(a(k, j)))
          found = text_of("; the first number that is not finite is in the output of layer<", index, "> (", layer.name, "), unit ", k,
                          " of sample ", j, " of the batch, which is ", a(k, j));
    ++index;
  };
  for_each_index(layers, [&](auto i) { look(element(layers, i), element(work.caches(), i).output.first(work.cached_samples())); });
  return found;
}

/// The largest |number| of a matrix or vector of finite numbers.
template <class Numbers>
double largest_magnitude(const Numbers& numbers) {
  double largest = 0;
  for (Index j = 0; j < numbers.cols(); ++j)
    for (Index i = 0; i < numbers.rows(); ++i) largest = (std::max)(largest, std::abs(static_cast<double>(numbers(i, j))));
  return largest;
}

/// The numbers of a training that diverged, by which cause_of tells why. Each `largest` is the largest absolute value of finite numbers.
struct Circumstances {
  enum class Stage { loss, gradient, step };  ///< part of a step: computing the loss, the gradient, or the new parameters
  Stage stage = Stage::loss;                  ///< the first part that gave a number that is not finite
  std::string parameter_not_finite{};         ///< name of the first parameter that was not finite before the step; empty if there was none
  std::uint64_t steps = 0;                    ///< number of steps that the optimizer has made before this one
  double learning_rate = 0;                   ///< learning rate of this step
  double limit = 0;                           ///< the largest number of the network's scalar type
  double largest_input = 0;                   ///< among the inputs of the batch
  double largest_target = 0;                  ///< among the targets of the batch; 0 for labels
  double largest_weight = 0;                  ///< among the weights of the batch's samples; 0 without weights
  double largest_output = 0;                  ///< among the outputs of the network, before the loss's link
  bool outputs_are_finite = false;            ///< whether all outputs of the network are finite
  double largest_parameter = 0;               ///< among the parameters before this step
  double largest_parameter_at_start = 0;      ///< among the parameters before the first step of this fit
  double largest_gradient = 0;                ///< among the entries of dJ/dtheta, where the stage is step
};

/// Says why a training may have diverged and what to try, by what was looked at, as a sentence without its full stop.
inline std::string cause_of(const Circumstances& at) {
  using Stage = Circumstances::Stage;
  const auto number = [](double value) { return printed(value, 3, 'g'); };
  if (!at.parameter_not_finite.empty())
    return text_of("The parameters were not finite before this step, first ", at.parameter_not_finite, ": initialize or load them again");
  const double huge = std::sqrt(at.limit) / 1000;  // sums of a million squares of such numbers overflow
  if (at.largest_input > huge)
    return text_of("The inputs of this batch are as large as ", number(at.largest_input),
                   ", so that sums of their products overflow: correct or scale them (Standardizer)");
  if (at.largest_target > huge)
    return text_of("The targets of this batch are as large as ", number(at.largest_target),
                   ", so that sums of their squares overflow: correct or scale them (Standardizer)");
  if (at.largest_weight > huge)
    return text_of("The weights of the samples of this batch are as large as ", number(at.largest_weight),
                   ", so that sums of their products overflow: divide all weights by the largest");

  const std::string inputs = text_of("inputs (here up to ", number(at.largest_input), ")");
  const std::string scale = at.largest_target > 0 ? text_of(inputs, " and targets (up to ", number(at.largest_target), "; Standardizer)")
                                                  : inputs + " (Standardizer)";
  const std::string rate = text_of("the learning rate, ", at.learning_rate, " here, is too large");
  const std::string try_less = text_of(": try a tenth of it, a warm-up, or .clip_norm = 1; else scale the ", scale);
  if (at.stage == Stage::step) {
    if (at.learning_rate * (std::max)(at.largest_gradient, 1.0) > huge)
      return text_of("With a gradient of up to ", number(at.largest_gradient), ", ", rate, try_less);
    return text_of("The learning rate, ", at.learning_rate, ", and the gradient, up to ", number(at.largest_gradient),
                   ", are not too large for a step, so the optimizer divides by 0 or its moments overflow: check its epsilon and state");
  }
  const std::string overflows =
      text_of(at.stage == Stage::loss ? "the loss" : "the gradient", " is not finite at outputs of up to ", number(at.largest_output));
  if (at.steps == 0) {
    const std::string start = "No step has been made yet, so the learning rate is not the cause: ";
    if (at.largest_parameter > huge)
      return text_of(start, "the parameters are as large as ", number(at.largest_parameter), "; initialize them smaller");
    if (at.stage == Stage::gradient)
      return text_of(start, "at outputs of up to ", number(at.largest_output),
                     ", the derivative of a layer or of the loss overflows or is undefined; check_gradient finds it if it is one of yours, "
                     "else scale the ",
                     scale);
    if (at.outputs_are_finite) return text_of(start, overflows, "; scale the ", scale, ", or initialize the last layer smaller");
    return text_of(start, "parameters of up to ", number(at.largest_parameter), " let the activations grow from layer to layer; scale the ",
                   scale, ", or initialize the layers smaller");
  }
  if (at.largest_parameter > 2 * (std::max)(at.largest_parameter_at_start, 1.0))
    return text_of("The parameters have grown from at most ", number(at.largest_parameter_at_start), " to ", number(at.largest_parameter),
                   ", so ", rate, try_less);
  return text_of("The parameters, at most ", number(at.largest_parameter), ", have hardly grown, so the learning rate, ", at.learning_rate,
                 ", is an unlikely cause", at.outputs_are_finite ? ", but " + overflows : "",
                 ": look for outliers in this batch, scale the ", scale, ", or try .clip_norm = 1");
}

/// Throws DivergenceError. `what`: the fault, "the loss is nan" and where; `place`: epoch, batch and step.
[[noreturn]] inline void raise_divergence(const std::string& place, const std::string& what, const Circumstances& at) {
  raise<DivergenceError>("training stopped in ", place, ": ", what, ". ", cause_of(at), ". The parameters are ",
                         at.steps == 0 ? "as they were before the training" : "those of the last finite step");
}

/// Calls train(), and returns the message of the DivergenceError that ended it, or an empty text where none did.
template <class Train>
std::string divergence_of(const Train& train) {
#if defined(__cpp_exceptions)
  try {
    train();
  } catch (const DivergenceError& error) {
    return error.what();
  }
#else
  train();
#endif
  return {};
}

}  // namespace detail
}  // namespace chainrule
