#pragma once
/// \file
/// Everything of chainrule that needs Eigen alone.
/// \namespace chainrule
/// What programs use. Activations, losses, layers, initializers and optimizers are whatever keeps the contract of its family: a concept.

// Types, errors, random numbers and the contracts of each family.
#include <chainrule/core/category_row.hpp>
#include <chainrule/core/chunks.hpp>
#include <chainrule/core/concepts.hpp>
#include <chainrule/core/description.hpp>
#include <chainrule/core/error.hpp>
#include <chainrule/core/formula.hpp>
#include <chainrule/core/forward_context.hpp>
#include <chainrule/core/from_outside.hpp>
#include <chainrule/core/frozen_parameters.hpp>
#include <chainrule/core/hyperparameter.hpp>
#include <chainrule/core/jet.hpp>
#include <chainrule/core/layered_vector.hpp>
#include <chainrule/core/network_base.hpp>
#include <chainrule/core/optimizer_state.hpp>
#include <chainrule/core/parameter_group.hpp>
#include <chainrule/core/quantization.hpp>
#include <chainrule/core/random.hpp>
#include <chainrule/core/shape_preserving_layer.hpp>
#include <chainrule/core/shard_reduction.hpp>
#include <chainrule/core/targets.hpp>
#include <chainrule/core/tensor_shape.hpp>
#include <chainrule/core/types.hpp>
#include <chainrule/core/version.hpp>
#include <chainrule/core/view.hpp>
#include <chainrule/core/weighting.hpp>

// Initializers.
#include <chainrule/initializers/he.hpp>
#include <chainrule/initializers/lecun.hpp>
#include <chainrule/initializers/siren.hpp>
#include <chainrule/initializers/xavier.hpp>
#include <chainrule/initializers/zeros.hpp>

// Activations.
#include <chainrule/activations/elementwise_activation.hpp>
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

// Layers.
#include <chainrule/layers/activate.hpp>
#include <chainrule/layers/batch_norm.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/layers/dropout.hpp>
#include <chainrule/layers/embedding.hpp>
#include <chainrule/layers/fake_quantize.hpp>
#include <chainrule/layers/fake_quantized_dense.hpp>
#include <chainrule/layers/layer_norm.hpp>
#include <chainrule/layers/normalization_layer.hpp>
#include <chainrule/layers/normalize.hpp>
#include <chainrule/layers/parallel.hpp>
#include <chainrule/layers/prelu.hpp>
#include <chainrule/layers/residual.hpp>
#include <chainrule/layers/sample_gradients.hpp>
#include <chainrule/layers/sequential.hpp>

// How matrix products are computed.
#include <chainrule/core/product_precision.hpp>
#include <chainrule/precision/bfloat16.hpp>

// Losses.
#include <chainrule/losses/binary_cross_entropy.hpp>
#include <chainrule/losses/binary_focal.hpp>
#include <chainrule/losses/class_weighted.hpp>
#include <chainrule/losses/gaussian_nll.hpp>
#include <chainrule/losses/heads.hpp>
#include <chainrule/losses/hinge.hpp>
#include <chainrule/losses/huber.hpp>
#include <chainrule/losses/kl_divergence.hpp>
#include <chainrule/losses/log_cosh.hpp>
#include <chainrule/losses/mean_absolute_error.hpp>
#include <chainrule/losses/mean_over_elements.hpp>
#include <chainrule/losses/mean_squared_error.hpp>
#include <chainrule/losses/pinball.hpp>
#include <chainrule/losses/poisson_nll.hpp>
#include <chainrule/losses/softmax_cross_entropy.hpp>
#include <chainrule/losses/softmax_focal.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/losses/sum_of_losses.hpp>

// The network, what a pass keeps, dJ/dtheta, derivatives of the outputs by the inputs, and predictions for sparse inputs.
#include <chainrule/derivatives/by_parameters.hpp>
#include <chainrule/derivatives/first_order.hpp>
#include <chainrule/derivatives/jet_workspace.hpp>
#include <chainrule/derivatives/second_order.hpp>
#include <chainrule/derivatives/sobolev_loss.hpp>
#include <chainrule/derivatives/workspace.hpp>
#include <chainrule/gradients.hpp>
#include <chainrule/network.hpp>
#include <chainrule/sparse_input.hpp>
#include <chainrule/workspace.hpp>

// Networks whose layers are known only at run time.
#include <chainrule/any/any_activation.hpp>
#include <chainrule/any/any_layer.hpp>
#include <chainrule/any/any_layers.hpp>
#include <chainrule/any/any_loss.hpp>
#include <chainrule/any/any_network.hpp>
#include <chainrule/any/from_description.hpp>
#include <chainrule/any/known.hpp>

// Optimizers and what acts on a gradient before a step.
#include <chainrule/optimizers/adadelta.hpp>
#include <chainrule/optimizers/adagrad.hpp>
#include <chainrule/optimizers/adam.hpp>
#include <chainrule/optimizers/adamw.hpp>
#include <chainrule/optimizers/blend.hpp>
#include <chainrule/optimizers/clip.hpp>
#include <chainrule/optimizers/descend.hpp>
#include <chainrule/optimizers/elementwise_step.hpp>
#include <chainrule/optimizers/lion.hpp>
#include <chainrule/optimizers/nadam.hpp>
#include <chainrule/optimizers/parameter_groups.hpp>
#include <chainrule/optimizers/penalty.hpp>
#include <chainrule/optimizers/rmsprop.hpp>
#include <chainrule/optimizers/rprop.hpp>
#include <chainrule/optimizers/sgd.hpp>

// Learning rates that change.
#include <chainrule/schedules/constant.hpp>
#include <chainrule/schedules/cosine.hpp>
#include <chainrule/schedules/exponential.hpp>
#include <chainrule/schedules/one_cycle.hpp>
#include <chainrule/schedules/reduce_on_plateau.hpp>
#include <chainrule/schedules/schedule.hpp>
#include <chainrule/schedules/step_decay.hpp>
#include <chainrule/schedules/warm_up.hpp>

// Data sets, batches, files of data.
#include <chainrule/data/affine_scaler.hpp>
#include <chainrule/data/batches.hpp>
#include <chainrule/data/csv.hpp>
#include <chainrule/data/csv_options.hpp>
#include <chainrule/data/data_part.hpp>
#include <chainrule/data/dataset.hpp>
#include <chainrule/data/idx.hpp>
#include <chainrule/data/mean_imputer.hpp>
#include <chainrule/data/min_max_scaler.hpp>
#include <chainrule/data/npy.hpp>
#include <chainrule/data/one_hot.hpp>
#include <chainrule/data/preprocessing.hpp>
#include <chainrule/data/preprocessing_options.hpp>
#include <chainrule/data/split.hpp>
#include <chainrule/data/standardizer.hpp>
#include <chainrule/data/subset.hpp>
#include <chainrule/data/table.hpp>
#include <chainrule/data/write_csv.hpp>

// The trainer and its observers.
#include <chainrule/training/average_weights.hpp>
#include <chainrule/training/divergence.hpp>
#include <chainrule/training/early_stopping.hpp>
#include <chainrule/training/fit_options.hpp>
#include <chainrule/training/history.hpp>
#include <chainrule/training/interrupt.hpp>
#include <chainrule/training/progress.hpp>
#include <chainrule/training/progress_bar.hpp>
#include <chainrule/training/recompute_statistics.hpp>
#include <chainrule/training/save_checkpoints.hpp>
#include <chainrule/training/stochastic_weight_average.hpp>
#include <chainrule/training/trainer.hpp>
#include <chainrule/training/weight_average.hpp>

// Choosing: cross-validation, search of hyperparameters, learning rates, importance of features.
#include <chainrule/selection/candidate.hpp>
#include <chainrule/selection/cross_validate.hpp>
#include <chainrule/selection/cross_validation.hpp>
#include <chainrule/selection/find_learning_rate.hpp>
#include <chainrule/selection/learner.hpp>
#include <chainrule/selection/permutation_importance.hpp>
#include <chainrule/selection/search.hpp>
#include <chainrule/selection/selection_progress.hpp>

// Minimizers that look at all samples in each step.
#include <chainrule/minimize/lbfgs.hpp>
#include <chainrule/minimize/levenberg_marquardt.hpp>
#include <chainrule/minimize/minimize.hpp>
#include <chainrule/minimize/minimize_function.hpp>
#include <chainrule/minimize/objective.hpp>
#include <chainrule/minimize/residuals.hpp>

// Metrics.
#include <chainrule/metrics/accuracy.hpp>
#include <chainrule/metrics/average_precision.hpp>
#include <chainrule/metrics/best_threshold.hpp>
#include <chainrule/metrics/brier_score.hpp>
#include <chainrule/metrics/calibration.hpp>
#include <chainrule/metrics/class_scores.hpp>
#include <chainrule/metrics/confusion_matrix.hpp>
#include <chainrule/metrics/log_loss.hpp>
#include <chainrule/metrics/precision_recall.hpp>
#include <chainrule/metrics/regression.hpp>
#include <chainrule/metrics/roc_auc.hpp>

// Looking inside a network.
#include <chainrule/inspect/check_gradient.hpp>
#include <chainrule/inspect/flow_report.hpp>
#include <chainrule/inspect/gradient_flow.hpp>
#include <chainrule/inspect/gradient_flow_recorder.hpp>
#include <chainrule/inspect/layer_values.hpp>
#include <chainrule/inspect/summary.hpp>

// How sure predictions are.
#include <chainrule/uncertainty/conformal.hpp>
#include <chainrule/uncertainty/ensemble.hpp>
#include <chainrule/uncertainty/monte_carlo_dropout.hpp>
#include <chainrule/uncertainty/predictive_spread.hpp>
#include <chainrule/uncertainty/temperature.hpp>

// Networks in integers.
#include <chainrule/quantization/prepare_for_quantization.hpp>
#include <chainrule/quantization/quantization_report.hpp>
#include <chainrule/quantization/quantize.hpp>
#include <chainrule/quantization/quantized_layer.hpp>
#include <chainrule/quantization/quantized_network.hpp>

// Threads.
#include <chainrule/threads/team.hpp>
#include <chainrule/threads/thread_team.hpp>

// Training on several machines (its MPI needs more than Eigen).
#include <chainrule/parallel/ranks.hpp>
#include <chainrule/parallel/shard_sum.hpp>

// Checkpoints and source code (model files and ONNX need more than Eigen: io/model.hpp, io/model_file.hpp, io/onnx.hpp).
#include <chainrule/io/archive.hpp>
#include <chainrule/io/checkpoint.hpp>
#include <chainrule/io/export_quantized_source.hpp>
#include <chainrule/io/export_source.hpp>
