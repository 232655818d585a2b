#pragma once

#include <array>
#include <chainrule/core/detail/pairwise_sum.hpp>
#include <chainrule/parallel/ranks.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace chainrule {

/// The sum of J and dJ/dtheta over the shards of a batch, for a training loop of your own on several ranks. The shards are added in one
/// binary tree, whatever rank has them, so that the result has the same bits for any number of ranks:
/// @code{.cpp}
/// ShardSum sum{net, ranks};
/// for (Index s = 0; s < ranks.shards_here(); ++s) {              // x and y: the samples of shard ranks.first_shard() + s
///   work.set_step(state.steps * std::uint64_t(ranks.shards()) + std::uint64_t(ranks.first_shard() + s));  // Dropout's masks are its own
///   net.forward(x, work);
///   J = net.loss(y, work);
///   net.backward(x, y, work, dJ);
///   sum.add(net, work, dJ, J, 1.0 / double(ranks.shards()));     // its share of the samples of the batch
/// }
/// J = float(sum.total(net, dJ));
/// rule.step(net.parameters(), dJ, state);
/// @endcode
///
///     J = sum over shards of share J_s,  dJ/dtheta = sum over shards of share dJ_s/dtheta
///
/// BatchNorm takes its statistics from each shard; its running statistics are updated by the mean over the shards, so that they are the
/// same on all ranks. The constructor allocates log2(shards of this rank) + 2 vectors of the size of theta.
template <class Net>
class ShardSum {
  using Scalar = typename Net::ScalarType;

 public:
  /// Allocates everything. Keeps a reference to the ranks.
  ShardSum(const Net& net, Ranks& ranks)
      : ranks_{ranks}, parameters_{net.parameters().size()}, buffers_before_(net.buffers().size()), buffers_after_(net.buffers().size()) {
    std::size_t depth = 1;
    for (Index shards = ranks.shards_here(); shards > 1; shards /= 2) ++depth;
    partial_.resize(depth + 1);
    for (Partial& one : partial_) one.numbers.setZero(parameters_ + net.buffers().size());
  }

  /// The ranks that add their shards.
  Ranks& ranks() const { return ranks_; }

  /// Adds the next shard after its forward and backward pass: J and dJ/dtheta times its share of the batch's samples, and its change of the
  /// network's running statistics, which stay as they are until `total`. Throws StateError for more than ranks.shards_here() shards.
  template <class Work>
  void add(Net& net, const Work& work, const typename Net::Gradients& dJ, double J, double share) {
    Partial& next = next_partial();
    next.numbers.head(parameters_) = static_cast<Scalar>(share) * dJ.flat();
    if (buffers_before_.size() > 0) {
      buffers_before_ = net.buffers();
      net.update_statistics(work);
      buffers_after_ = net.buffers();
      net.buffers() = buffers_before_;
      next.numbers.tail(buffers_before_.size()) = buffers_after_ - buffers_before_;
    }
    next.tail[loss] = detail::rounded(share * J);
    next.tail[shards_added] = 1;
    merge();
  }
  /// Adds the next shard where it has no samples, or where its loss is not finite: then J is this loss.
  void add_nothing(double J = 0) {
    Partial& next = next_partial();
    next.numbers.setZero();
    next.tail[loss] = J;
    next.tail[shards_added] = 0;
    merge();
  }

  /// Waits for the shards of all ranks, sets dJ to the sum of their gradients, updates the network's running statistics, and returns the
  /// sum of their J. Throws StateError before all shards of this rank were added, and where the ranks are not in the same step; RankError
  /// where a rank does not take part.
  double total(Net& net, typename Net::Gradients& dJ) {
    if (added_ != ranks_.shards_here())
      detail::raise<StateError>("ShardSum: ", added_, " of the ", ranks_.shards_here(), " shards of this rank were added");
    added_ = 0;
    depth_ = 0;
    Partial& sum = partial_.front();
    sum.tail[stops] = stop_reason_.empty() ? 0 : 1;
    sum.tail[step] = static_cast<double>(steps_);
    ranks_.sum_numbers(sum.numbers.data(), static_cast<Index>(sum.numbers.size()), sum.tail.data(), static_cast<Index>(sum.tail.size()));
    if (sum.tail[step] != static_cast<double>(steps_) * static_cast<double>(ranks_.ranks()))
      detail::raise<StateError>("ShardSum: rank ", ranks_.rank(), " is in its step ", steps_, ", but other ranks are in another one");
    ++steps_;
    dJ.flat() = sum.numbers.head(parameters_);
    const double shards = sum.tail[shards_added];
    if (buffers_before_.size() > 0 && shards > 0) net.buffers() += sum.numbers.tail(buffers_before_.size()) / static_cast<Scalar>(shards);
    return sum.tail[loss];
  }

  /// Lets all ranks know with the next total(), and with all later ones, that this one wants to stop.
  void ask_to_stop(std::string_view reason) { stop_reason_ = reason; }
  /// The reason of the first rank that had asked to stop before the last total(); empty where none had. All ranks call it.
  std::string stop_reason() { return partial_.front().tail[stops] > 0 ? ranks_.first_text(stop_reason_) : std::string(); }

 private:
  enum TailEntry : std::size_t { loss, shards_added, stops, step, tail_size };
  // The sum of 2^k neighbouring shards.
  struct Partial {
    Vector<Scalar> numbers;  // dJ/dtheta, and the changes of the buffers
    std::array<double, tail_size> tail{};
  };

  Partial& next_partial() {
    if (added_ == ranks_.shards_here())
      detail::raise<StateError>("ShardSum: all ", added_, " shards of this rank were added already; call total");
    return partial_[depth_];
  }
  // Adds sums of equally many shards, the earlier one first, as carries of a binary counter.
  void merge() {
    ++depth_;
    for (Index pairs = added_++; pairs % 2 != 0; pairs /= 2) {
      --depth_;
      Partial &to = partial_[depth_ - 1], &from = partial_[depth_];
      to.numbers += from.numbers;
      for (const std::size_t i : {loss, shards_added}) to.tail[i] += from.tail[i];
    }
  }

  Ranks& ranks_;
  Index parameters_;
  std::vector<Partial> partial_;
  Vector<Scalar> buffers_before_, buffers_after_;
  std::size_t depth_ = 0;
  Index added_ = 0;
  std::uint64_t steps_ = 0;
  std::string stop_reason_;
};

}  // namespace chainrule
