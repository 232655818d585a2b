#pragma once

#include <chainrule/core/jet.hpp>
#include <chainrule/core/types.hpp>
#include <span>

namespace chainrule::detail {

/// Gives the library's own trainers and reports what users of a Network do not call.
struct NetworkAccess {
  /// The layers with the places of their parameters.
  template <class Net>
  static const auto& sequence(const Net& net) {
    return net.sequence();
  }

  /// The first of all parameters.
  template <class Net>
  static const auto* theta(const Net& net) {
    return net.theta();
  }

  /// The caches of a workspace, to write to.
  template <class Work>
  static auto& caches(Work& work) {
    return work.caches_;
  }
  /// The deltas of a workspace, to write to.
  template <class Work>
  static auto& deltas(Work& work) {
    return work.deltas_;
  }

  /// Whether some of this memory belongs to what a DerivativeWorkspace or JetWorkspace has beside a Workspace and gives users views on.
  template <class Memory, class Work>
  static bool holds(const Work& work, Memory memory) {
    if constexpr (requires { work.holds(memory); })
      return work.max_batch() > 0 && work.holds(memory);
    else
      return false;
  }
  /// The parts of a DerivativeWorkspace, in the first n columns.
  template <class Work>
  static auto by_x(Work& work, Index n) {
    return work.by_x_.first(n);
  }
  template <class Work>
  static auto prediction(Work& work, Index n) {
    return work.prediction_.first(n);
  }

  /// The parts of a JetWorkspace.
  template <class Work>
  static auto dJ_dvalue(Work& work, Index samples) {
    return work.dJ_dvalue_.first(samples);
  }
  template <class Work>
  static Index max_columns(const Work& work) {
    return work.max_columns_;
  }
  template <class Work>
  static std::span<const SecondDerivativeTerm> terms_of_laplacian(const Work& work) {
    return work.terms_of_laplacian_;
  }
  template <class Work>
  static const auto& directions(const Work& work) {
    return work.directions_;
  }
  template <class Work>
  static auto& points(Work& work) {
    return work.points_;
  }
  template <class Work>
  static auto& points_gradient(Work& work) {
    return work.points_gradient_;
  }
  template <class Work>
  static auto& jet(Work& work) {
    return work.jet_;
  }
  template <class Work>
  static auto& jet_gradient(Work& work) {
    return work.jet_gradient_;
  }
  template <class Work>
  static auto& jet_caches(Work& work) {
    return work.jet_caches_;
  }
  template <class Work>
  static auto& jet_deltas(Work& work) {
    return work.jet_deltas_;
  }

  /// Returns a view on x after the checks of a prediction.
  template <class Net, class X, class Work>
  static auto checked_input(const char* who, const Net& net, const X& x, const Work& work) {
    return net.checked_input(who, x, work, net.predicting());
  }
  /// The forward pass of a training step, without checks of x: x has passed check_data, and its batch fits the workspace.
  template <class Net, class X, class Work>
  static auto forward_of_checked(const Net& net, const X& x, Work& work) {
    return net.forward_of_checked(x, work);
  }
  /// The forward pass of a training step for one of the shards of a batch, whose layers merge their statistics with those of the other
  /// shards. x has passed check_data.
  template <class Net, class X, class Work, class Shards>
  static void forward_of_shard(const Net& net, const X& x, Work& work, Shards& shards) {
    net.forward_of_shard(x, work, shards);
  }
  /// A prediction without checks.
  template <class Net, class X, class Work>
  static void run_predict(const Net& net, const X& x, Work& work) {
    net.run_predict(x, work);
  }
  /// A prediction for one sample from the output of the first layer, which first_output(a) writes to a.
  template <bool applies_link, class Net, class Work, class FirstOutput>
  static auto predict_after_first(const Net& net, const char* who, Work& work, const FirstOutput& first_output) {
    return net.template predict_after_first<applies_link>(who, work, first_output);
  }
  /// Remembers that the workspace holds the pass forward_jet of this network and this x.
  template <class Net, class X, class Work>
  static void set_jet_pass(const Net& net, const X& x, Work& work) {
    work.set_jet_pass(net.identity(), x);
  }
  /// The number of samples of the last pass, if it was forward_jet; else 0.
  template <class Work>
  static Index jet_samples(const Work& work) {
    return work.jet_samples();
  }
  /// Forgets the last pass.
  template <class Work>
  static void forget_pass(Work& work) {
    work.set_cached_samples(0);
  }
  /// Returns a view on x after the checks of a backward pass.
  template <class Net, class X, class Work>
  static auto checked_backward_input(const char* who, const Net& net, const X& x, const Work& work, typename Net::Gradients& gradients) {
    return net.checked_backward_input(who, x, work, gradients);
  }

  /// Throws unless `input`, a view on x, can be that of the last forward pass in the workspace.
  template <class Net, class X, class Input, class Work>
  static void check_input_of_last_forward(const char* who, const Net& net, const X& x, const Input& input, const Work& work) {
    net.check_input_of_last_forward(who, x, input, work);
  }
  /// Sets the last delta of the workspace to dJ/dy_hat, from targets of the loss or, where Y is a FromOutside, a gradient.
  template <class Y, class Net, class Source, class Work>
  static void set_last_delta(const Net& net, const Source& source, Index samples, Work& work) {
    net.template set_last_delta<Y>(source, samples, work);
  }
  /// The backward pass from dJ/dy_hat in the last delta of the workspace, without checks.
  template <class Net, class X, class Work>
  static void backward_from_deltas(const char* who, const Net& net, const X& x, Work& work, typename Net::Gradients& gradients) {
    net.backward_from_deltas(who, x, work, gradients);
  }

  /// The backward pass of net.backward(x, y, work, gradients), with the same bits, which calls layer_done(begin, end) after each layer with
  /// parameters, from the last to the first: dJ/dtheta is complete in [begin, end). Layers before the first one that learns are left out.
  template <class Net, class X, class Y, class Work, class LayerDone>
  static void backward_by_layer(const Net& net, const X& x, const Y& y, Work& work, typename Net::Gradients& gradients,
                                const LayerDone& layer_done) {
    net.backward_by_layer(x, y, work, gradients, layer_done);
  }

  /// A view on the raw outputs of so many samples in the workspace.
  template <class Net, class Work>
  static auto output_of(const Net& net, const Work& work, Index samples) {
    return net.output_of(work, samples);
  }
  /// Calls f, and throws StateError where another pass has used the workspace meanwhile.
  template <class Work, class F>
  static void in_one_pass(const char* who, Work& work, const F& f) {
    const typename decltype(work.last_pass_)::Mark mark{};
    work.last_pass_.begin(mark);
    f();
    work.last_pass_.end(who, mark);
  }
  /// Returns the mark by which a workspace knows the network of its forward pass.
  template <class Net>
  static auto identity(const Net& net) {
    return net.identity();
  }

  /// Backward and theta <- theta - rate dJ/dtheta in one pass over the layers: the bits of `net.backward` and a step of plain SGD, but
  /// sooner, because dJ/dW(l) is used while it is in the processor's cache. `scratch` then holds no gradient.
  template <class Net, class X, class Y, class Work>
  static void backward_and_step(Net& net, const X& x, const Y& y, Work& work, typename Net::Gradients& scratch,
                                typename Net::ScalarType rate) {
    net.backward_and_step(x, y, work, scratch, rate);
  }

  /// Throws what the passes would throw for x and y, however many samples they have: shapes, NaN, impossible targets. `who` begins the
  /// message.
  template <class Net, class X, class Y>
  static void check_data(const char* who, const Net& net, const X& x, const Y& y) {
    net.check_data(who, x, y);
  }
};

}  // namespace chainrule::detail
