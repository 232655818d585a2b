#pragma once
// Divides samples into a training and a test part, or into k folds for cross-validation. The same seed gives the same parts with every
// compiler.
//
// @code{.cpp}
// auto [train, test] = stratified_split(data, {.test_share = 0.2, .seed = Seed{1}});
// for (const Fold& fold : stratified_k_fold(data, 5)) {
//   const auto validation = subset(data, fold.validation);
//   trainer.fit(subset(data, fold.train), {.validation = validation});
// }
// @endcode

#include <algorithm>
#include <chainrule/core/random.hpp>
#include <chainrule/data/subset.hpp>
#include <cmath>
#include <concepts>
#include <map>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

namespace chainrule {

/// How samples are divided into a training and a test part.
struct SplitOptions {
  double test_share = 0.2;  ///< fraction of the samples in the test part, between 0 and 1; rounded to whole samples
  Seed seed = {};           ///< decides which samples these are
  bool shuffle = true;      ///< false: both parts keep the order of the data, and the last samples are the test part
};

/// How samples are divided into k folds.
struct FoldOptions {
  Seed seed = {};       ///< decides which samples are in which fold
  bool shuffle = true;  ///< false: each fold is a run of consecutive samples
};

/// Indices of samples, each in one of two parts. subset(data, indices) takes the samples.
struct IndexSplit {
  std::vector<Index> train;  ///< indices of the training part
  std::vector<Index> test;   ///< indices of the test part
};
/// Indices of samples for one round of cross-validation. Over all k folds each sample is in the validation part once.
struct Fold {
  std::vector<Index> train;       ///< indices of the training part, ascending
  std::vector<Index> validation;  ///< indices of the validation part, ascending
};

/// A data set divided into a training and a test part.
template <class Data>
struct Split {
  Data train;  ///< the training part
  Data test;   ///< the test part
};

namespace detail {

/// Samples that are divided in the same proportions: all samples, or those of one class. `samples` are indices in ascending order.
struct Group {
  std::string name = {};
  std::vector<Index> samples = {};
  Index size() const { return static_cast<Index>(samples.size()); }
};
using Groups = std::vector<Group>;

/// Puts all samples into one group. Throws ShapeError, which begins with `who`, for more samples than memory can hold.
inline Groups one_group(const char* who, Index samples) {
  Groups groups(1);
  const Index size = (std::max)(samples, Index{0});
  allocate_or_refuse(who, size, 1, [&] { groups[0].samples.resize(static_cast<std::size_t>(size)); });
  std::iota(groups[0].samples.begin(), groups[0].samples.end(), Index{0});
  return groups;
}

/// Makes a group for each class, in the order of labels. `names` are the names of classes 0, 1, ... for error messages.
template <class Label>
Groups group_by_label(std::span<const Label> labels, const std::vector<std::string>& names = {}) {
  std::map<Label, Group> classes;
  for (std::size_t i = 0; i < labels.size(); ++i) classes[labels[i]].samples.push_back(static_cast<Index>(i));
  Groups groups;
  for (auto& [label, group] : classes) {
    const bool has_name = std::cmp_greater_equal(+label, 0) && std::cmp_less(+label, names.size());
    group.name = has_name ? text_of("class ", label, " (", names[static_cast<std::size_t>(label)], ")") : text_of("class ", label);
    groups.push_back(std::move(group));
  }
  return groups;
}

/// Makes a group for each class of a data set.
template <class Scalar, class Targets>
Groups group_by_label(const Dataset<Scalar, Targets>& data) {
  static_assert(LabelVector<Targets>,
                "chainrule: stratified parts keep each class's share, so the targets must be integer labels; for numbers there are split "
                "and k_fold");
  if constexpr (LabelVector<Targets>) return group_by_label(DataView(data).targets, data.target_names);
}

inline Index count_samples(const Groups& groups) {
  Index size = 0;
  for (const Group& group : groups) size += group.size();
  return size;
}

/// Returns how many samples of each group are for testing. Each group's number is its own share, rounded down or up (largest remainder
/// method), so that the sum is the share of all samples, rounded; but every group keeps a sample for training, which makes the sum smaller
/// where many small groups would be for testing as a whole.
template <class Real>
std::vector<Index> test_sizes(const char* who, const Groups& groups, Real share) {
  if (!(share > 0 && share < 1)) raise<ValueError>(who, ": the share of samples for testing must be between 0 and 1, got ", share);
  const Index samples = count_samples(groups);
  const Index total = static_cast<Index>(std::llround(share * static_cast<double>(samples)));
  if (total < 1 || total >= samples)
    raise<ValueError>(who, ": with ", samples, " samples and a share of ", share, " for testing, ",
                      total < 1 ? "no sample" : "every sample", " would be for testing");

  // Round each group's share down, then add one where the remainder is largest and a sample is left for training.
  std::vector<Index> sizes;
  std::vector<std::pair<double, std::size_t>> remainders;
  Index left = total;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const double size = share * static_cast<double>(groups[g].size());
    sizes.push_back((std::min)(static_cast<Index>(std::floor(size)), groups[g].size() - 1));
    left -= sizes.back();
    if (size > std::floor(size) && sizes.back() + 1 < groups[g].size()) remainders.emplace_back(size - std::floor(size), g);
  }
  std::sort(remainders.begin(), remainders.end(),
            [](const auto& a, const auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
  for (std::size_t i = 0; left > 0 && i < remainders.size(); ++i, --left) ++sizes[remainders[i].second];
  if (left == total)
    raise<ValueError>(who, ": no class has more than one sample for testing and training, so every sample would be for training");
  return sizes;
}

template <class Options>
IndexSplit split_groups(const char* who, Groups groups, const Options& options) {
  const std::vector<Index> sizes = test_sizes(who, groups, options.test_share);
  Random random{derived_seed(options.seed, detail::split_stream)};
  IndexSplit parts;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    std::vector<Index>& samples = groups[g].samples;
    if (options.shuffle) chainrule::shuffle(samples.begin(), samples.end(), random);
    const auto middle = samples.end() - sizes[g];
    parts.train.insert(parts.train.end(), samples.begin(), middle);
    parts.test.insert(parts.test.end(), middle, samples.end());
  }
  for (std::vector<Index>* part : {&parts.train, &parts.test})
    if (options.shuffle)
      chainrule::shuffle(part->begin(), part->end(), random);
    else
      std::sort(part->begin(), part->end());
  return parts;
}

template <class Options>
std::vector<Fold> fold_groups(const char* who, Groups groups, Index k, const Options& options) {
  const Index samples = count_samples(groups);
  if (k < 2 || k > samples)
    raise<ValueError>(who, ": the number of folds must be from 2 to ", samples, ", the number of samples, but is ", k);
  for (const Group& group : groups)
    if (group.size() < k)
      raise<ValueError>(who, ": ", group.name, " has ", group.size(), " samples, too few for one in each of ", k, " folds");

  std::vector<Index> fold_of(static_cast<std::size_t>(samples));
  Random random{derived_seed(options.seed, detail::folds_stream)};
  Index next = 0;  // the fold that gets the first sample of a group beyond an equal share, so that sizes of folds differ by at most 1
  for (Group& group : groups) {
    if (options.shuffle) chainrule::shuffle(group.samples.begin(), group.samples.end(), random);
    auto sample = group.samples.begin();
    const Index remainder = group.size() % k;
    for (Index fold = 0; fold < k; ++fold) {
      const bool has_one_more = (fold - next + k) % k < remainder;
      for (Index i = 0; i < group.size() / k + (has_one_more ? 1 : 0); ++i) fold_of[static_cast<std::size_t>(*sample++)] = fold;
    }
    next = (next + remainder) % k;
  }
  std::vector<Fold> folds(static_cast<std::size_t>(k));
  for (Index i = 0; i < samples; ++i)
    for (Index fold = 0; fold < k; ++fold) {
      Fold& parts = folds[static_cast<std::size_t>(fold)];
      (fold == fold_of[static_cast<std::size_t>(i)] ? parts.validation : parts.train).push_back(i);
    }
  return folds;
}

}  // namespace detail

/// Divides the indices 0, ..., samples - 1 into a training and a test part. Throws ValueError unless 0 < test_share < 1 and neither part
/// is empty.
template <std::derived_from<SplitOptions> Options = SplitOptions>  // a template, so that only programs that split compile the split
IndexSplit split_indices(Index samples, const Options& options = {}) {
  return detail::split_groups("split", detail::one_group("split", samples), options);
}

/// Divides the indices of labels into a training and a test part, each with the same share of every class, to within one sample. Every
/// class keeps a sample in the training part, and the test part is smaller than test_share where that needs it. Throws ValueError as
/// split_indices does, and where no class has two samples.
template <detail::LabelVector Y>
IndexSplit stratified_split_indices(const Y& labels, const SplitOptions& options = {}) {
  return detail::split_groups("stratified_split", detail::group_by_label(detail::target_view<float>(labels)), options);
}

/// Divides a data set into a training and a test part. Throws ValueError unless 0 < test_share < 1 and neither part is empty.
template <class Scalar, class Targets>
Split<Dataset<Scalar, Targets>> split(const Dataset<Scalar, Targets>& data, const SplitOptions& options = {}) {
  const IndexSplit parts = split_indices(data.size(), options);
  return {subset(data, parts.train), subset(data, parts.test)};
}
/// Divides a data set with class labels into a training and a test part, each with the same share of every class, to within one sample.
/// Every class keeps a sample in the training part, and the test part is smaller than test_share where that needs it. Throws ValueError as
/// split does, and where no class has two samples.
template <class Scalar, class Targets>
Split<Dataset<Scalar, Targets>> stratified_split(const Dataset<Scalar, Targets>& data, const SplitOptions& options = {}) {
  const IndexSplit parts = detail::split_groups("stratified_split", detail::group_by_label(data), options);
  return {subset(data, parts.train), subset(data, parts.test)};
}

/// Divides the indices 0, ..., samples - 1 into k folds whose sizes differ by at most one. Throws ValueError unless 2 <= k <= samples.
template <std::derived_from<FoldOptions> Options = FoldOptions>
std::vector<Fold> k_fold(Index samples, Index k, const Options& options = {}) {
  return detail::fold_groups("k_fold", detail::one_group("k_fold", samples), k, options);
}

/// Divides the indices of labels into k folds, each with the same share of every class, to within one sample. Throws ValueError unless
/// 2 <= k <= number of labels, and where a class has fewer than k samples.
template <detail::LabelVector Y>
std::vector<Fold> stratified_k_fold(const Y& labels, Index k, const FoldOptions& options = {}) {
  return detail::fold_groups("stratified_k_fold", detail::group_by_label(detail::target_view<float>(labels)), k, options);
}

/// Divides a data set into k folds whose sizes differ by at most one; subset(data, fold.train) takes the samples. Throws ValueError
/// unless 2 <= k <= number of samples.
template <class Scalar, class Targets>
std::vector<Fold> k_fold(const Dataset<Scalar, Targets>& data, Index k, const FoldOptions& options = {}) {
  return k_fold(data.size(), k, options);
}
/// Divides a data set with class labels into k folds, each with the same share of every class, to within one sample. Throws ValueError
/// unless 2 <= k <= number of samples, and where a class has fewer than k samples.
template <class Scalar, class Targets>
std::vector<Fold> stratified_k_fold(const Dataset<Scalar, Targets>& data, Index k, const FoldOptions& options = {}) {
  return detail::fold_groups("stratified_k_fold", detail::group_by_label(data), k, options);
}

}  // namespace chainrule
