#pragma once

#include <algorithm>
#include <chainrule/core/random.hpp>
#include <chainrule/core/weighting.hpp>
#include <chainrule/data/dataset.hpp>
#include <numeric>
#include <vector>

namespace chainrule {

/// In which order samples are taken, and what to do with those that are left.
struct BatchOptions {
  bool shuffle = true;     ///< another order in every epoch; else the data's own, and then nothing is copied
  Seed seed = {};          ///< the order of epoch e depends on it and on e alone
  bool drop_last = false;  ///< leave out the last batch of an epoch where it is short
};

/// A dataset cut into batches of `batch_size` samples, the last of which may be short:
/// @code{.cpp}
/// Batches batches{DataView{data}, 32};
/// for (int epoch = 0; epoch < 10; ++epoch) {
///   batches.start_epoch(epoch);
///   for (auto [x, y] : batches) net.backward(x, y, work, dJ);  // y as net.loss and net.backward take it, weights included
/// }
/// @endcode
/// Samples are gathered into one batch that is allocated here; x and y are views, valid until the next batch. Throws
/// ShapeError unless 1 <= batch_size <= the number of samples. The data must outlive it.
template <class Scalar, class Targets>
class Batches {
 public:
  using View = DataView<Scalar, Targets>;  ///< of the data it is cut from
  /// Some samples and their targets, as views.
  struct Batch {
    ConstMatrixView<Scalar> x;           ///< inputs x samples
    WeightedTargets<Scalar, Targets> y;  ///< targets, with weights where the data has them
  };

  /// Allocates room for one batch; puts the samples in the order of epoch 0.
  Batches(const View& data, Index batch_size, BatchOptions options = {})
      : data_{data}, batch_size_{checked(data.size(), batch_size)}, options_{options}, order_(static_cast<std::size_t>(data.size())) {
    if (options.shuffle) {
      features_.resize(data.features.rows(), batch_size);
      if constexpr (has_labels)
        targets_.resize(static_cast<std::size_t>(batch_size));
      else
        targets_.resize(data.targets.rows(), batch_size);
      weights_.resize(data.weights.size() == 0 ? 0 : batch_size);
    }
    start_epoch(0);
  }

  Index batch_size() const { return batch_size_; }  ///< samples of every batch but a short last one
  /// Samples that an epoch has, which is all unless the last, short batch is dropped.
  Index samples() const { return options_.drop_last ? data_.size() / batch_size_ * batch_size_ : data_.size(); }
  Index batches() const { return (samples() + batch_size_ - 1) / batch_size_; }  ///< how many an epoch has
  /// The samples of this epoch in their order.
  const std::vector<Index>& order() const { return order_; }

  /// Puts the samples in the order of this epoch, whatever came before.
  void start_epoch(Index epoch) {
    std::iota(order_.begin(), order_.end(), Index{0});
    if (!options_.shuffle) return;
    Random random{derived_seed(options_.seed, static_cast<std::uint64_t>(epoch))};
    shuffle(order_.begin(), order_.end(), random);
  }

  /// Batch number `index` of this epoch, from 0.
  Batch operator[](Index index) {
    const Index first = index * batch_size_;
    const Index count = std::min(batch_size_, samples() - first);
    if (!options_.shuffle) return part_of_data(first, count);
    const bool weighted = weights_.size() != 0;
    for (Index k = 0; k < count; ++k) {
      const Index i = order_[static_cast<std::size_t>(first + k)];
      const Scalar* column = data_.features.data() + i * data_.features.outerStride();
      std::copy_n(column, features_.rows(), features_.data() + k * features_.rows());
      if constexpr (has_labels)
        targets_[static_cast<std::size_t>(k)] = data_.targets[static_cast<std::size_t>(i)];
      else
        targets_.col(k) = data_.targets.col(i);
      if (weighted) weights_[k] = data_.weights[i];
    }
    return {detail::const_view<Scalar>(features_.leftCols(count)),
            {detail::target_view<Scalar>(first_targets(count)), {weights_.data(), weighted ? count : 0}}};
  }

  /// Goes from batch to batch; gathers one when it is asked for.
  class Iterator {
   public:
    /// At this batch.
    Iterator(Batches& batches, Index index) : batches_{&batches}, index_{index} {}
    Batch operator*() const { return (*batches_)[index_]; }  ///< the batch, valid until another one is asked for
    /// On to the next.
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    bool operator==(const Iterator& other) const { return index_ == other.index_; }  ///< whether both are at the same batch

   private:
    Batches* batches_;
    Index index_;
  };
  Iterator begin() { return {*this, 0}; }        ///< the first batch of the epoch
  Iterator end() { return {*this, batches()}; }  ///< behind the last one

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

  // unshuffled: views on the data itself
  Batch part_of_data(Index first, Index count) const {
    return {detail::columns_of(data_.features, first, count),
            {detail::columns_of(data_.targets, first, count), detail::weights_of(data_, first, count)}};
  }

  View data_;
  Index batch_size_;
  BatchOptions options_;
  std::vector<Index> order_;
  Matrix<Scalar> features_;
  decltype(owned_targets()) targets_;
  Vector<Scalar> weights_;
};

template <class Scalar, class Targets>
Batches(const Dataset<Scalar, Targets>&, Index, BatchOptions = {}) -> Batches<Scalar, detail::TargetsViewOf<Scalar, Targets>>;

}  // namespace chainrule
