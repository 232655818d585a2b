#pragma once
// Brings the layers of a network into the form that is quantized: a scaling of the inputs, then Dense layers with an activation, and
// activations alone. An overload of quantized_form on a layer's type adds it.

#include <chainrule/any/any_activation.hpp>
#include <chainrule/any/any_layers.hpp>
#include <chainrule/io/detail/forms.hpp>
#include <chainrule/io/detail/numbers_in_order.hpp>
#include <chainrule/kernels/elementwise.hpp>
#include <concepts>
#include <functional>
#include <limits>
#include <optional>

namespace chainrule::detail {

/// An activation as what is left of it in integers: limits and slopes, which are folded into a Dense, or else any function.
struct FoldedActivation {
  static constexpr double infinity = std::numeric_limits<double>::infinity();
  double low = -infinity, high = infinity;
  std::vector<double> slopes;                                            // for z < 0: of each unit, or of all; empty where it is 1
  std::function<void(Index size, const double* z, double* a)> function;  // a = f(z); empty where limits and slopes are enough

  bool is_identity() const { return low == -infinity && high == infinity && slopes.empty() && !function; }

  /// a = f(z), units x samples, in place.
  void apply(Matrix<double>& z) const {
    if (function) return function(z.size(), z.data(), z.data());
    for (Index j = 0; j < z.cols(); ++j)
      for (Index i = 0; i < z.rows(); ++i) {
        double& a = z(i, j);
        if (a < 0 && !slopes.empty()) a *= slopes[slopes.size() == 1 ? 0 : static_cast<std::size_t>(i)];
        a = (std::min)((std::max)(a, low), high);
      }
  }
};

inline FoldedActivation folded_activation(const Identity&) { return {}; }
inline FoldedActivation folded_activation(const ReLU&) { return {.low = 0, .slopes = {}, .function = {}}; }
inline FoldedActivation folded_activation(const HardTanh& f) { return {.low = f.low(), .high = f.high(), .slopes = {}, .function = {}}; }
inline FoldedActivation folded_activation(const LeakyReLU& f) { return {.slopes = {f.slope()}, .function = {}}; }

/// The activation f in its folded form; for each that has no overload, the function itself.
template <class F>
FoldedActivation fold_activation(const F& f) {
  if constexpr (requires { folded_activation(Exactly<F>{f}); })
    return folded_activation(Exactly<F>{f});
  else
    return {.slopes = {}, .function = [f](Index size, const double* z, double* a) { kernels::activate(f, size, z, a); }};
}
template <std::same_as<Description> D>  // a template, so that only programs that quantize compile every activation for it
FoldedActivation fold_activation(const D& f) {
  FoldedActivation folded;
  if (!visit_activation(f, [&](const auto& known) { folded = fold_activation(known); }))
    raise<ValueError>("quantize: the activation ", in_quotes(f.kind),
                      " is known to no file, so an AnyNetwork cannot show it to quantize; use a Network of the same layers");
  return folded;
}
template <class Scalar, bool from_output>
FoldedActivation fold_activation(const AnyActivation<Scalar, from_output>& f) {
  return fold_activation(f.describe());
}

/// The name of an activation, whether its type is known or only its description.
template <class F>
std::string kind_of(const F& f) {
  return std::string(f.name);
}
inline std::string kind_of(const Description& f) { return f.kind; }
/// An activation's description, whether its type is known or only its description.
template <class F>
Description described(const F& f) {
  if constexpr (std::is_same_v<F, Description>)
    return f;
  else
    return describe(f);
}

/// From the smallest to the largest number.
struct RangeOfNumbers {
  double low = 0, high = 0;
};

/// A Dense with its activation, or an activation alone, in double.
struct FoldedLayer {
  std::string name;
  Index inputs = 0, outputs = 0;
  Matrix<double> weight;  // outputs x inputs; empty for an activation alone
  Vector<double> bias;
  FoldedActivation activation;
  Description activation_kind;                      // the activation, or the PReLU with its slopes; empty for none
  std::optional<RangeOfNumbers> range_of_z, range;  // ranges that a FakeQuantize has learned
  std::optional<bool> scale_per_output;             // set for a FakeQuantizedDense

  bool is_dense() const { return weight.size() > 0; }
};

/// The layers of a network in the order of their computation, with scalings folded into the weights beside them. A template, so that only
/// programs that quantize compile its products.
template <class Real>
class FoldedLayersOf {
 public:
  /// The inputs of the first layer are (x - shift) * scale; both are empty where they are x.
  Vector<Real> shift, scale;
  std::vector<FoldedLayer> layers;
  std::optional<RangeOfNumbers> range_of_inputs;  // after shift and scale

  /// Begins a layer of the network, or one inside of it.
  void begin(std::string_view kind) { name_ = text_of("layer<", is_inside_ ? number_ - 1 : number_++, ">, ", kind); }

  /// Calls visit, which adds the layers inside of the layer that has begun.
  template <class F>
  void add_inside(const F& visit) {
    const bool was_inside = is_inside_;
    is_inside_ = true;
    visit();
    is_inside_ = was_inside;
  }

  /// Throws ValueError for a layer that integers cannot compute; `why` ends the sentence.
  [[noreturn]] void refuse(std::string_view why) const { raise<ValueError>("quantize: ", name_, ": ", why); }

  /// Appends z = W a + b.
  void add_dense(Matrix<Real> weight, Vector<Real> bias) {
    if (factor_.size() > 0 && !layers.empty()) {
      bias += weight * term_;
      weight = weight * factor_.asDiagonal();
      factor_.resize(0);
    } else {
      close_inputs();
    }
    layers.push_back({name_, weight.cols(), weight.rows(), std::move(weight), std::move(bias), {}, {}, {}, {}, {}});
  }
  /// Appends z = W a + b of weights that were rounded in training. They can take in no scaling, which would change their rounding.
  void add_rounded_dense(Matrix<Real> weight, Vector<Real> bias, bool scale_per_output) {
    if (factor_.size() > 0 && !layers.empty()) refuse_rescaling();
    add_dense(std::move(weight), std::move(bias));
    layers.back().scale_per_output = scale_per_output;
  }

  /// Sets the range of what is computed so far: of the inputs, of z or of an output.
  void add_range(const RangeOfNumbers& range) {
    if (factor_.size() > 0 && !layers.empty()) refuse_rescaling();
    close_inputs();
    if (layers.empty()) {
      range_of_inputs = range;
    } else {
      layers.back().range = range;
      if (layers.back().activation.is_identity()) layers.back().range_of_z = range;
    }
  }

  /// Appends a = (x - shift) * scale + bias, which the weights before or after it take in.
  void add_scaling(const Vector<Real>& x_shift, const Vector<Real>& x_scale, const Vector<Real>& bias) {
    if (!layers.empty() && layers.back().scale_per_output && layers.back().activation.is_identity()) refuse_rescaling();
    const Vector<Real> term = bias - x_shift.cwiseProduct(x_scale);
    if (!layers.empty() && layers.back().is_dense() && layers.back().activation.is_identity() && factor_.size() == 0) {
      FoldedLayer& dense = layers.back();
      dense.weight = x_scale.asDiagonal() * dense.weight;
      dense.bias = x_scale.cwiseProduct(dense.bias) + term;
      dense.name += " and " + name_;
    } else if (layers.empty() && factor_.size() == 0 && bias.isZero(0)) {
      first_shift_ = x_shift;
      factor_ = x_scale;
      term_ = term;
    } else if (factor_.size() == 0) {
      factor_ = x_scale;
      term_ = term;
    } else {
      first_shift_.resize(0);
      term_ = x_scale.cwiseProduct(term_) + term;
      factor_ = x_scale.cwiseProduct(factor_);
    }
  }

  /// Appends a = f(z).
  void add_activation(std::string_view kind, FoldedActivation f, Index units, Description of) {
    if (f.is_identity()) return;
    if (factor_.size() > 0 && !layers.empty()) refuse_scaling();
    close_inputs();
    if (!layers.empty() && layers.back().is_dense() && layers.back().activation.is_identity()) {
      layers.back().activation = std::move(f);
      layers.back().activation_kind = std::move(of);
      layers.back().range.reset();
      append(layers.back().name, text_of(" ", kind));
      return;
    }
    if (f.slopes.size() > 1) refuse("a slope for each unit needs a Dense before it; use PReLU<> with one slope, or add a Dense");
    layers.push_back({text_of(name_, name_.ends_with(kind) ? "" : " ", name_.ends_with(kind) ? "" : kind),
                      units,
                      units,
                      {},
                      {},
                      std::move(f),
                      std::move(of),
                      {},
                      {},
                      {}});
  }

  /// Ends the network. Throws ValueError for a scaling that no Dense after it can take in, and for a network without Dense and activation.
  void end() {
    if (layers.empty()) raise<ValueError>("quantize: the network has no Dense and no activation, so there is nothing to quantize");
    if (factor_.size() > 0) refuse_scaling();
  }

 private:
  void close_inputs() {
    if (factor_.size() == 0) return;
    for (Index i = 0; i < factor_.size(); ++i)
      if (factor_[i] == 0) refuse(text_of("input ", i, " is multiplied by 0 before it; remove this input"));
    scale = factor_;
    shift = first_shift_.size() > 0 ? first_shift_ : (-term_.cwiseQuotient(factor_)).eval();
    factor_.resize(0);
  }

  [[noreturn]] void refuse_rescaling() const {
    refuse(
        "a BatchNorm or Normalize beside a FakeQuantizedDense would change the rounding of its weights; train the network without rounding "
        "first, and let prepare_for_quantization fold its scalings into weights");
  }

  [[noreturn]] void refuse_scaling() const {
    raise<ValueError>("quantize: up to ", name_,
                      ", a BatchNorm or Normalize has no Dense beside it that could take it in, because there is an activation before and "
                      "after it; put it before the activation, as Dense, BatchNorm, Activate");
  }

  std::string name_;
  Index number_ = 0;  // number of the next layer of the network
  bool is_inside_ = false;
  Vector<Real> factor_, term_;  // a scaling that is not folded yet, a factor + term; empty where there is none
  Vector<Real> first_shift_;    // the shift of a Normalize of the inputs, exactly
};
using FoldedLayers = FoldedLayersOf<double>;

template <class L, class Scalar>
void fold_layer(const L& layer, FoldedLayers& folded, NumbersInOrder<Scalar>& numbers);

template <IsDense L, class Scalar>
bool quantized_form(Exactly<L> dense, FoldedLayers& folded, NumbersInOrder<Scalar>& numbers) {
  const auto parameters = numbers.parameters_of(dense.object);
  Vector<double> bias = Vector<double>::Zero(dense->outputs());
  if constexpr (L::has_bias) bias = parameters.bias.template cast<double>();
  folded.add_dense(parameters.weight.template cast<double>(), std::move(bias));
  folded.add_activation(kind_of(dense->activation()), fold_activation(dense->activation()), dense->outputs(),
                        described(dense->activation()));
  return true;
}
template <IsActivate L, class Scalar>
bool quantized_form(Exactly<L> layer, FoldedLayers& folded, NumbersInOrder<Scalar>&) {
  folded.add_activation(kind_of(layer->activation()), fold_activation(layer->activation()), layer->outputs(),
                        described(layer->activation()));
  return true;
}
template <DropoutUnits N, class Scalar>
bool quantized_form(Exactly<Dropout<N>>, FoldedLayers&, NumbersInOrder<Scalar>&) {
  return true;  // in predicting it does nothing
}
template <int N, class Scalar>
bool quantized_form(Exactly<Normalize<N>> layer, FoldedLayers& folded, NumbersInOrder<Scalar>& numbers) {
  const auto buffers = numbers.buffers_of(layer.object);
  folded.add_scaling(buffers.shift.template cast<double>(), buffers.scale.template cast<double>(), Vector<double>::Zero(layer->outputs()));
  return true;
}
template <int N, class Scalar>
bool quantized_form(Exactly<BatchNorm<N>> layer, FoldedLayers& folded, NumbersInOrder<Scalar>& numbers) {
  const auto parameters = numbers.parameters_of(layer.object);
  const auto statistics = numbers.buffers_of(layer.object);
  const auto variance = statistics.running_variance.template cast<double>();
  const Vector<double> factor =
      parameters.weight.template cast<double>().cwiseQuotient((variance.array() + layer->epsilon()).sqrt().matrix());
  folded.add_scaling(statistics.running_mean.template cast<double>(), factor, parameters.bias.template cast<double>());
  return true;
}
template <Slopes slopes, int N, class Scalar>
bool quantized_form(Exactly<PReLU<slopes, N>> layer, FoldedLayers& folded, NumbersInOrder<Scalar>& numbers) {
  const auto slope = numbers.parameters_of(layer.object).slope;
  FoldedActivation f;
  for (Index i = 0; i < slope.size(); ++i) f.slopes.push_back(static_cast<double>(slope(i)));
  folded.add_activation(layer->name, std::move(f), layer->outputs(), describe(*layer.operator->()));
  return true;
}
template <int N, class Scalar>
bool quantized_form(Exactly<FakeQuantize<N>> layer, FoldedLayers& folded, NumbersInOrder<Scalar>& numbers) {
  const auto learned = numbers.buffers_of(layer.object);
  folded.add_range({static_cast<double>(learned.low), static_cast<double>(learned.high)});
  return true;
}
template <int In, int Out, WeightScales scales, class Scalar>
bool quantized_form(Exactly<FakeQuantizedDense<In, Out, scales>> dense, FoldedLayers& folded, NumbersInOrder<Scalar>& numbers) {
  const auto parameters = numbers.parameters_of(dense.object);
  folded.add_rounded_dense(parameters.weight.template cast<double>(), parameters.bias.template cast<double>(),
                           scales == WeightScales::per_output);
  return true;
}
template <IsSequential L, class Scalar>
bool quantized_form(Exactly<L> layers, FoldedLayers& folded, NumbersInOrder<Scalar>& numbers) {
  folded.add_inside([&] { for_each_layer(layers->layers(), [&](const auto& layer) { fold_layer(layer, folded, numbers); }); });
  return true;
}
template <int N, class Scalar>
bool quantized_form(Exactly<LayerNorm<N>>, FoldedLayers& folded, NumbersInOrder<Scalar>&) {
  folded.refuse(
      "a LayerNorm divides by a number that differs from sample to sample, which integers cannot fold into weights; train the network "
      "with BatchNorm instead, or export it in floating point");
}
template <IsEmbedding L, class Scalar>
bool quantized_form(Exactly<L>, FoldedLayers& folded, NumbersInOrder<Scalar>&) {
  folded.refuse("an Embedding takes categories, which are no quantities to round; give them as one_hot inputs to a Dense instead");
}
template <class L, class Scalar>
requires(IsResidual<L> || IsParallel<L> || IsParallelSum<L>) bool quantized_form(Exactly<L>, FoldedLayers& folded,
                                                                                 NumbersInOrder<Scalar>&) {
  folded.refuse(
      "layers side by side have no form in integers; quantize a network whose layers follow one another, or export this one in "
      "floating point");
}

/// The forms of layers in integers.
struct QuantizedLayerForm {
  using Result = bool;
  template <class L, class Scalar>
  static auto write(Exactly<L> layer, FoldedLayers& folded, NumbersInOrder<Scalar>& numbers)
      -> decltype(quantized_form(layer, folded, numbers)) {
    return quantized_form(layer, folded, numbers);
  }
  template <class F>
  static bool visit(const Description& of, const F& f) {
    return visit_layer(of, f);
  }
  [[noreturn]] static void refuse(std::string_view name) {
    raise<ValueError>("quantize: the layer ", name, " has no form in integers; quantize a network of Dense layers and activations");
  }
};
static_assert(have_forms<QuantizedLayerForm, FoldedLayers, NumbersInOrder<float>>(SameShapeLayers{}) &&
              have_forms<QuantizedLayerForm, FoldedLayers, NumbersInOrder<float>>(FakeQuantizeLayers{}) &&
              have_forms<QuantizedLayerForm, FoldedLayers, NumbersInOrder<float>>(DescribedLayers{}));

template <class Scalar>
void fold_described(const Description& layer, FoldedLayers& folded, NumbersInOrder<Scalar>& numbers) {
  folded.begin(layer.kind);
  write_form_of<QuantizedLayerForm>(layer, folded, numbers);
}
/// Adds a layer with the next of the numbers. Throws ValueError for one that has no form in integers.
template <class L, class Scalar>
void fold_layer(const L& layer, FoldedLayers& folded, NumbersInOrder<Scalar>& numbers) {
  if constexpr (std::is_same_v<L, Description>) {
    fold_described(layer, folded, numbers);
  } else if constexpr (requires { layer.operator->()->describe(); }) {  // an AnyLayer
    fold_described(layer.describe(), folded, numbers);
  } else {
    folded.begin(layer.name);
    write_form<QuantizedLayerForm>(layer, folded, numbers);
  }
}

/// The layers of a network, folded.
template <class Net>
FoldedLayers fold_layers(const Net& net) {
  FoldedLayers folded;
  NumbersInOrder<typename Net::ScalarType> numbers(net);
  for_each_layer(net.layers(), [&](const auto& layer) { fold_layer(layer, folded, numbers); });
  folded.end();
  return folded;
}

}  // namespace chainrule::detail
