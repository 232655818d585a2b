#pragma once
// Lists the library's activations, losses and layers, so that files can name them. Each is listed as a type: a file calls it by its own
// `name`, and its constructor takes its own `hyperparameters()`, so there is no table in which two entries could be swapped. Each must have
// a form in ONNX and as source code, an overload of onnx_form and of source_form in io/detail, without which the exporters do not compile.

#include <chainrule/activations/elu.hpp>
#include <chainrule/activations/gelu.hpp>
#include <chainrule/activations/hard_sigmoid.hpp>
#include <chainrule/activations/hard_swish.hpp>
#include <chainrule/activations/hard_tanh.hpp>
#include <chainrule/activations/identity.hpp>
#include <chainrule/activations/leaky_relu.hpp>
#include <chainrule/activations/mish.hpp>
#include <chainrule/activations/relu.hpp>
#include <chainrule/activations/selu.hpp>
#include <chainrule/activations/sigmoid.hpp>
#include <chainrule/activations/silu.hpp>
#include <chainrule/activations/sine.hpp>
#include <chainrule/activations/softplus.hpp>
#include <chainrule/activations/softsign.hpp>
#include <chainrule/activations/tanh.hpp>
#include <chainrule/layers/batch_norm.hpp>
#include <chainrule/layers/dropout.hpp>
#include <chainrule/layers/fake_quantize.hpp>
#include <chainrule/layers/fake_quantized_dense.hpp>
#include <chainrule/layers/layer_norm.hpp>
#include <chainrule/layers/normalize.hpp>
#include <chainrule/layers/prelu.hpp>
#include <chainrule/losses/binary_cross_entropy.hpp>
#include <chainrule/losses/binary_focal.hpp>
#include <chainrule/losses/gaussian_nll.hpp>
#include <chainrule/losses/hinge.hpp>
#include <chainrule/losses/huber.hpp>
#include <chainrule/losses/kl_divergence.hpp>
#include <chainrule/losses/log_cosh.hpp>
#include <chainrule/losses/mean_absolute_error.hpp>
#include <chainrule/losses/mean_squared_error.hpp>
#include <chainrule/losses/pinball.hpp>
#include <chainrule/losses/poisson_nll.hpp>
#include <chainrule/losses/softmax_cross_entropy.hpp>
#include <chainrule/losses/softmax_focal.hpp>
#include <chainrule/losses/squared_error.hpp>

namespace chainrule {

/// A list of types.
template <class... T>
struct Types {};

/// The activations. The layers that have one, Dense and Activate, are made with each of these.
using Activations = Types<ELU, GELU, GELUTanh, HardSigmoid, HardSwish, HardTanh, Identity, LeakyReLU, Mish, ReLU, SELU, Sigmoid, SiLU, Sine,
                          Softplus, Softsign, Tanh>;
/// The losses. ClassWeighted is made with each of these.
using Losses = Types<BinaryCrossEntropy, BinaryFocal, GaussianNLL, Hinge, Huber, KLDivergence, LogCosh, MeanAbsoluteError, MeanSquaredError,
                     Pinball, PoissonNLL, SoftmaxCrossEntropy, SoftmaxFocal, SquaredError>;
/// Layers of as many outputs as inputs, with no other type inside.
using SameShapeLayers = Types<BatchNorm<Dynamic>, Dropout<Dynamic>, LayerNorm<Dynamic>, Normalize<Dynamic>, PReLU<Slopes::shared, Dynamic>,
                              PReLU<Slopes::per_unit, Dynamic>>;
/// Layers of quantisation-aware training. They have no form in ONNX and source code, which quantized networks have.
using FakeQuantizeLayers = Types<FakeQuantize<Dynamic>, FakeQuantizedDense<Dynamic, Dynamic, WeightScales::per_output>,
                                 FakeQuantizedDense<Dynamic, Dynamic, WeightScales::per_tensor>>;

}  // namespace chainrule
