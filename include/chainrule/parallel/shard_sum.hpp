#pragma once

#include <algorithm>
#include <array>
#include <chainrule/core/detail/layer_list.hpp>
#include <chainrule/core/detail/network_access.hpp>
#include <chainrule/core/detail/pairwise_sum.hpp>
#include <chainrule/core/detail/scope_exit.hpp>
#include <chainrule/parallel/ranks.hpp>
#include <cstdint>
#include <deque>
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
///   sum.backward_and_add(net, x, y, work, dJ, J, 1.0 / double(ranks.shards()));  // its share of the samples of the batch
/// }
/// J = float(sum.total(net, dJ));
/// rule.step(net.parameters(), dJ, state);
/// @endcode
///
///     J = sum over shards of share J_s,  dJ/dtheta = sum over shards of share dJ_s/dtheta
///
/// BatchNorm takes its statistics from each shard, also with RankOptions::sync_batch_norm, which is for Trainer::fit alone; its running
/// statistics are updated by the mean over the shards, so that they are the same on all ranks. With RankOptions::bucket_bytes, the sums of
/// the last layers begin while the backward pass of this rank's last shard computes the layers before them. The constructor allocates
/// log2(shards of this rank) + 2 vectors of the size of theta.
template <class Net>
class ShardSum {
  using Scalar = typename Net::ScalarType;

 public:
  /// Allocates everything. Keeps a reference to the ranks.
  ShardSum(const Net& net, Ranks& ranks)
      : ranks_{ranks}, buffers_{net.buffers().size()}, parameters_{net.parameters().size()}, buffers_before_(buffers_) {
    std::size_t depth = 1;
    for (Index shards = ranks.shards_here(); shards > 1; shards /= 2) ++depth;
    partial_.resize(depth + 1);
    for (Partial& one : partial_) one.numbers.setZero(buffers_ + parameters_);
    make_buckets(net);
  }
  ShardSum(const ShardSum&) = delete;
  ShardSum& operator=(const ShardSum&) = delete;

  /// The ranks that add their shards.
  Ranks& ranks() const { return ranks_; }

  /// Makes the backward pass of the next shard, net.backward(x, y, work, dJ), and adds the shard, as `add` does. Where it is the last one
  /// of this rank, sums over ranks begin during the pass; see RankOptions::bucket_bytes. Throws StateError for more than
  /// ranks.shards_here() shards, and after a pass or a sum that has failed.
  template <class X, class Y, class Work>
  void backward_and_add(Net& net, const X& x, const Y& y, Work& work, typename Net::Gradients& dJ, double J, double share) {
    check_has_next();
    if (buckets_.empty() || added_ + 1 < ranks_.shards_here()) {
      net.backward(x, y, work, dJ);
    } else {
      detail::NetworkAccess::backward_by_layer(net, x, y, work, dJ, [&](Index begin, Index) {
        has_failed_ = true;  // unless the pass returns
        put_parameters(dJ, share, begin);
        begin_sums();
        for (Bucket& bucket : buckets_) bucket.sum.advance();
      });
      has_failed_ = false;
    }
    add(net, work, dJ, J, share);
  }

  /// Adds the next shard after its forward and backward pass: J and dJ/dtheta times its share of the batch's samples, and its change of the
  /// network's running statistics, which stay as they are until `total`. Throws StateError for more than ranks.shards_here() shards, and
  /// after a pass or a sum that has failed.
  template <class Work>
  void add(Net& net, const Work& work, const typename Net::Gradients& dJ, double J, double share) {
    check_has_next();
    put_parameters(dJ, share, 0);
    if (buffers_ > 0) {
      buffers_before_ = net.buffers();
      net.update_statistics(work);
      put(0, net.buffers() - buffers_before_);
      net.buffers() = buffers_before_;
    }
    put_tail(detail::rounded(share * J), 1);
  }
  /// Adds the next shard where it has no samples, or where its loss is not finite: then J is this loss.
  void add_nothing(double J = 0) {
    check_has_next();
    put(0, Vector<Scalar>::Zero(buffers_ + parameters_));
    put_tail(J, 0);
  }

  /// Waits for the shards of all ranks, sets dJ to the sum of their gradients, updates the network's running statistics, and returns the
  /// sum of their J. Throws StateError before all shards of this rank were added, and where the ranks are not in the same step; RankError
  /// where a rank does not take part. Where it throws, dJ and the network stay as they were.
  double total(Net& net, typename Net::Gradients& dJ) {
    if (added_ != ranks_.shards_here())
      detail::raise<StateError>("ShardSum: ", added_, " of the ", ranks_.shards_here(), " shards of this rank were added");
    check_not_failed();
    Partial& sum = partial_.front();
    sum.tail[stops] = stop_reason_.empty() ? 0 : 1;
    sum.tail[step] = static_cast<double>(steps_);
    has_failed_ = true;  // unless the sums are complete
    sum_over_ranks(sum);
    has_failed_ = false;
    added_ = 0;
    depth_ = 0;
    put_from_ = parameters_;
    begun_ = 0;
    if (sum.tail[step] != static_cast<double>(steps_) * static_cast<double>(ranks_.ranks()))
      detail::raise<StateError>("ShardSum: rank ", ranks_.rank(), " is in its step ", steps_, ", but other ranks are in another one");
    ++steps_;
    dJ.flat() = sum.numbers.tail(parameters_);
    const double shards = sum.tail[shards_added];
    if (buffers_ > 0 && shards > 0) net.buffers() += sum.numbers.head(buffers_) / static_cast<Scalar>(shards);
    return sum.tail[loss];
  }

  /// Tells all ranks, in the next total() and all later ones, that this rank wants to stop.
  void ask_to_stop(std::string_view reason) { stop_reason_ = reason; }
  /// The reason of the first rank that had asked to stop before the last total(); empty where none had. All ranks call it.
  std::string stop_reason() { return partial_.front().tail[stops] > 0 ? ranks_.first_text(stop_reason_) : std::string(); }

 private:
  enum TailEntry : std::size_t { loss, shards_added, stops, step, tail_size };
  // The sum of 2^k neighbouring shards.
  struct Partial {
    Vector<Scalar> numbers;  // the changes of the buffers, and dJ/dtheta
    std::array<double, tail_size> tail{};
  };
  // Whole layers whose dJ/dtheta is summed over the ranks while the backward pass goes on.
  struct Bucket {
    Bucket(Ranks& ranks, Index first, Index after) : channel{ranks}, begin{first}, end{after} {}
    Ranks::Channel channel;
    Ranks::TreeSum<Scalar> sum = {};
    Index begin, end;  // in theta
  };

  // Divides theta into buckets, from its end. The first layers, which the backward pass reaches last, are in no bucket: total sums them.
  void make_buckets(const Net& net) {
    rest_ = put_from_ = parameters_;
    if (ranks_.ranks() == 1 || ranks_.bucket_bytes() == 0) return;
    constexpr Index most_buckets = 16;
    const Index fewest =
        (std::max)(ranks_.bucket_bytes() / static_cast<Index>(sizeof(Scalar)), (parameters_ + most_buckets - 1) / most_buckets);
    const auto& sequence = detail::NetworkAccess::sequence(net);
    for (std::size_t i = detail::size_of(net.layers()); i-- > 0;)
      if (const Index begin = sequence.parameter_offset(i); begin > 0 && rest_ - begin >= fewest && ranks_.has_free_channel()) {
        buckets_.emplace_back(ranks_, begin, rest_);
        rest_ = begin;
      }
  }

  void check_not_failed() const {
    if (has_failed_)
      detail::raise<StateError>(
          "ShardSum: an earlier backward pass or sum has failed, of which a part may be sent already; make a new one, in another call of "
          "Ranks::together");
  }
  void check_has_next() const {
    check_not_failed();
    if (added_ == ranks_.shards_here())
      detail::raise<StateError>("ShardSum: all ", added_, " shards of this rank were added already; call total");
  }

  // Stores numbers of the next shard, from index `first` on. Then adds partial sums of equally many shards, the earlier one first, as a
  // binary counter carries: shard 3 is added to shard 2, and their sum to that of shards 0 and 1.
  template <class Numbers>
  void put(Index first, const Numbers& numbers) {
    const auto part = [&](std::size_t depth) { return partial_[depth].numbers.segment(first, numbers.size()); };
    std::size_t depth = depth_;
    part(depth) = numbers;
    for (Index pairs = added_; pairs % 2 != 0; pairs /= 2, --depth) part(depth - 1) += part(depth);
  }
  // Puts share * dJ/dtheta for the parameters from `begin` up to those that were put before.
  void put_parameters(const typename Net::Gradients& dJ, double share, Index begin) {
    put(buffers_ + begin, static_cast<Scalar>(share) * dJ.flat().segment(begin, put_from_ - begin));
    put_from_ = begin;
  }
  // Puts the last numbers of a shard.
  void put_tail(double J, double shards) {
    partial_[depth_].tail = {J, shards};
    ++depth_;
    for (Index pairs = added_++; pairs % 2 != 0; pairs /= 2) {
      --depth_;
      for (const std::size_t i : {loss, shards_added}) partial_[depth_ - 1].tail[i] += partial_[depth_].tail[i];
    }
    if (added_ < ranks_.shards_here()) put_from_ = parameters_;
  }

  // Begins the sums of the buckets whose numbers are complete. Each sum advances before the next one begins, so that exchanges have the
  // same order on all ranks, also where begin_exchange waits for the other rank.
  void begin_sums() {
    for (; begun_ < buckets_.size() && buckets_[begun_].begin >= put_from_; ++begun_) {
      Bucket& bucket = buckets_[begun_];
      bucket.sum.begin(bucket.channel, partial_.front().numbers.data() + buffers_ + bucket.begin, bucket.end - bucket.begin);
      bucket.sum.advance();
    }
  }
  void sum_over_ranks(Partial& sum) {
    put_from_ = 0;
    begin_sums();
    bool is_done = false;
    const detail::ScopeExit on_failure([&] {
      if (is_done) return;
      ranks_.plain_channel().abandon();
      for (Bucket& bucket : buckets_) bucket.channel.abandon();
    });
    Ranks::TreeSum<Scalar> rest;
    rest.begin(ranks_.plain_channel(), sum.numbers.data(), buffers_ + rest_, sum.tail.data(), static_cast<Index>(sum.tail.size()));
    const auto advance_all = [&] {
      Ranks::TreeSum<Scalar>* first = nullptr;  // the first sum that is not complete
      for (Bucket& bucket : buckets_)
        if (!bucket.sum.advance() && first == nullptr) first = &bucket.sum;
      if (!rest.advance() && first == nullptr) first = &rest;
      return first;
    };
    while (auto* const first = advance_all()) first->wait_for_message();
    is_done = true;
  }

  Ranks& ranks_;
  Index buffers_, parameters_;
  std::vector<Partial> partial_;
  std::deque<Bucket> buckets_;  // from the last layers to the first; a Channel stays where it is
  Index rest_ = 0;              // the parameters before the buckets
  Vector<Scalar> buffers_before_;
  std::size_t depth_ = 0, begun_ = 0;  // begun_: the buckets whose sums have begun
  Index added_ = 0, put_from_ = 0;     // put_from_: the next shard's dJ/dtheta was put from here to its end
  std::uint64_t steps_ = 0;
  std::string stop_reason_;
  bool has_failed_ = false;
};

}  // namespace chainrule
