#pragma once

#include <algorithm>
#include <chainrule/core/random.hpp>
#include <chainrule/core/weighting.hpp>
#include <chainrule/data/dataset.hpp>
#include <chainrule/data/detail/gather_samples.hpp>
#include <numeric>
#include <span>
#include <vector>

namespace chainrule {

/// How Batches orders the samples, and what it does with a short last batch.
struct BatchOptions {
  bool shuffle = true;     ///< draw a new order for each epoch; false: keep the data's order, which needs no copies of normal numbers
  Seed seed = {};          ///< the order of epoch e depends on the seed and e alone
  bool drop_last = false;  ///< leave out the last batch of an epoch where it has fewer than batch_size samples
  /// The mean weight of the data set, by which the loss of each batch is divided (core/weighting.hpp). 0: that of the data's weights. With
  /// a ClassWeighted loss, net.mean_weight(weighted(y, w)) gives the one that Trainer uses, where y and w are of all samples.
  double mean_weight = 0;
};

/// A data set cut into batches of `batch_size` samples; the last batch of an epoch may be shorter.
/// @code{.cpp}
/// Batches batches{DataView{data}, 32};
/// for (int epoch = 0; epoch < 10; ++epoch) {
///   batches.start_epoch(epoch);
///   for (auto [x, y] : batches) net.backward(x, y, work, dJ);  // y is what net.loss and net.backward take, weights included
/// }
/// @endcode
/// Shuffled samples are copied into one buffer, allocated by the constructor; x and y are views, valid until the next batch. Features below
/// the smallest normal number (1.2e-38 for float) are copied as 0, and where there are such numbers, all batches are copied: passes over
/// them would take up to 150 times as long. The data must outlive the batches. The constructor throws ShapeError unless 1 <= batch_size <=
/// number of samples, ValueError where the weights of all samples are 0.
template <class Scalar, class Targets>
class Batches {
 public:
  using View = DataView<Scalar, Targets>;  ///< the view of the data
  /// The inputs and targets of one batch, as views.
  struct Batch {
    ConstMatrixView<Scalar> x;           ///< inputs x samples
    WeightedTargets<Scalar, Targets> y;  ///< targets, with weights where the data has weights, and the data's mean weight
  };

  /// Allocates the buffer for one batch, and starts epoch 0.
  Batches(const View& data, Index batch_size, BatchOptions options = {})
      : data_{data},
        batch_size_{checked(data.size(), batch_size)},
        options_{options},
        copies_{options.shuffle || detail::any_subnormal(data.features)},
        order_(static_cast<std::size_t>(data.size())) {
    if (data.weights.size() != 0 && options.mean_weight == 0) {
      const double total = detail::pairwise_sum<double>(data.size(), [&](Index j) { return static_cast<double>(data.weights[j]); });
      options_.mean_weight = detail::checked_mean_weight("batches", total, data.size());
    }
    if (copies_) {
      features_.resize(data.features.rows(), batch_size);
      if constexpr (has_labels)
        targets_.resize(static_cast<std::size_t>(batch_size));
      else
        targets_.resize(data.targets.rows(), batch_size);
      weights_.resize(data.weights.size() == 0 ? 0 : batch_size);
    }
    start_epoch(0);
  }

  Index batch_size() const { return batch_size_; }  ///< number of samples per batch; the last batch may have fewer
  /// The number of samples per epoch: all, or a multiple of batch_size where a short last batch is dropped.
  Index samples() const { return options_.drop_last ? data_.size() / batch_size_ * batch_size_ : data_.size(); }
  Index batches() const { return (samples() + batch_size_ - 1) / batch_size_; }  ///< number of batches per epoch
  /// The indices of the samples in the order of the current epoch.
  const std::vector<Index>& order() const { return order_; }

  /// Puts the samples in the order of this epoch, which does not depend on the epochs before.
  void start_epoch(Index epoch) {
    std::iota(order_.begin(), order_.end(), Index{0});
    if (!options_.shuffle) return;
    Random random{derived_seed(options_.seed, static_cast<std::uint64_t>(epoch))};
    shuffle(order_.begin(), order_.end(), random);
  }

  /// Returns batch number `index` of the current epoch, counted from 0. Throws ValueError if there is no such batch, and StateError if
  /// these batches were moved to another object.
  Batch operator[](Index index) {
    if (static_cast<Index>(order_.size()) != data_.size())
      detail::raise<StateError>("batches: these batches were moved to another object; use that one, or assign to this one first");
    if (index < 0 || index >= batches())
      detail::raise<ValueError>("batches: there is no batch ", index, ", because an epoch has ", batches(), ", counted from 0");
    const Index first = index * batch_size_;
    const Index count = (std::min)(batch_size_, samples() - first);
    if (!copies_) return view_of_data(first, count);
    const auto indices = std::span<const Index>(order_.data() + first, static_cast<std::size_t>(count));
    detail::gather_samples(data_, indices, features_, targets_, weights_);
    return {detail::const_view<Scalar>(features_.leftCols(count)),
            {detail::target_view<Scalar>(first_targets(count)), {weights_.data(), weights_.size() != 0 ? count : 0}, options_.mean_weight}};
  }

  /// Iterates over the batches of the current epoch. A batch is gathered when the iterator is dereferenced.
  class Iterator {
   public:
    /// Points to batch number `index`.
    Iterator(Batches& batches, Index index) : batches_{&batches}, index_{index} {}
    Batch operator*() const { return (*batches_)[index_]; }  ///< the batch, valid until another one is accessed
    /// Moves to the next batch.
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    bool operator==(const Iterator& other) const { return index_ == other.index_; }  ///< whether both point to the same batch

   private:
    Batches* batches_;
    Index index_;
  };
  Iterator begin() { return {*this, 0}; }        ///< the first batch of the current epoch
  Iterator end() { return {*this, batches()}; }  ///< one past the last batch

 private:
  static constexpr bool has_labels = !std::is_same_v<Targets, ConstMatrixView<Scalar>>;

  static auto owned_targets() {
    if constexpr (has_labels)
      return std::vector<typename Targets::value_type>{};
    else
      return Matrix<Scalar>{};
  }

  static Index checked(Index samples, Index batch_size) {
    if (batch_size < 1) detail::raise<ShapeError>("batches: the batch size must be at least 1, got ", batch_size);
    if (batch_size > samples)
      detail::raise<ShapeError>("batches: the batch size is ", batch_size, ", but there are only ", samples, " samples");
    return batch_size;
  }

  auto first_targets(Index count) const {
    if constexpr (has_labels)
      return Targets(targets_.data(), static_cast<std::size_t>(count));
    else
      return targets_.leftCols(count);
  }

  /// A batch of the unshuffled data, which is viewed without a copy.
  Batch view_of_data(Index first, Index count) const {
    return {detail::columns_of(data_.features, first, count),
            {detail::columns_of(data_.targets, first, count), detail::weights_of(data_, first, count), options_.mean_weight}};
  }

  View data_;
  Index batch_size_;
  BatchOptions options_;
  bool copies_;
  std::vector<Index> order_;
  Matrix<Scalar> features_;
  decltype(owned_targets()) targets_;
  Vector<Scalar> weights_;
};

/// Deduces the template arguments from the constructor's arguments.
template <class Scalar, class Targets>
Batches(const Dataset<Scalar, Targets>&, Index, BatchOptions = {}) -> Batches<Scalar, detail::TargetsViewOf<Scalar, Targets>>;

}  // namespace chainrule
