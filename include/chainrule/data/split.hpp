#pragma once
// Samples divided for training and testing, or into k folds. The same seed gives the same parts with every compiler.
//
// @code{.cpp}
// auto [train, test] = stratified_split(data, {.test_share = 0.2, .seed = Seed{1}});
// for (const Fold& fold : stratified_k_fold(data, 5)) trainer.fit(select(data, fold.train), {.validation = select(data, fold.validation)});
// @endcode

#include <algorithm>
#include <chainrule/core/random.hpp>
#include <chainrule/data/select.hpp>
#include <cmath>
#include <map>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

namespace chainrule {

/// How samples are divided in two.
struct SplitOptions {
  double test_share = 0.2;  ///< how much of the samples is for testing, rounded to whole samples
  Seed seed = {};           ///< which samples those are
  bool shuffle = true;      ///< else both parts keep the order, and the last samples are for testing
};

/// How samples are divided into k folds.
struct FoldOptions {
  Seed seed = {};       ///< which samples are in which fold
  bool shuffle = true;  ///< else samples that follow each other are in the same fold
};

/// Numbers of samples, each of them in one of the two.
struct IndexSplit {
  std::vector<Index> train;  ///< in the order in which select takes them
  std::vector<Index> test;   ///< likewise
};
/// One of k ways to divide samples: each is for validation in one fold.
struct Fold {
  std::vector<Index> train;       ///< all other samples
  std::vector<Index> validation;  ///< the samples of this fold
};

/// Data divided in two.
template <class Data>
struct Split {
  Data train;  ///< to learn from
  Data test;   ///< to be judged by
};

namespace detail {

/// Samples that are to be divided alike: all of them, or those of one class. In ascending order.
struct Group {
  std::string name = {};
  std::vector<Index> samples = {};
  Index size() const { return static_cast<Index>(samples.size()); }
};
using Groups = std::vector<Group>;

inline Groups one_group(Index samples) {
  Groups groups(1);
  groups[0].samples.resize(static_cast<std::size_t>(std::max(samples, Index{0})));
  std::iota(groups[0].samples.begin(), groups[0].samples.end(), Index{0});
  return groups;
}

/// A group for each class, in the order of labels.
template <class Label>
Groups groups_of(std::span<const Label> labels, const std::vector<std::string>& names = {}) {
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

inline Index size_of(const Groups& groups) {
  Index size = 0;
  for (const Group& group : groups) size += group.size();
  return size;
}

inline std::vector<Index> test_sizes(const char* who, const Groups& groups, double share) {
  if (!(share > 0 && share < 1)) raise<ValueError>(who, ": the share of samples for testing must be between 0 and 1, got ", share);
  const Index samples = size_of(groups);
  const Index all = static_cast<Index>(std::llround(share * static_cast<double>(samples)));
  if (all < 1 || all >= samples)
    raise<ValueError>(who, ": with ", samples, " samples and a share of ", share, " for testing, ", all < 1 ? "none" : "all",
                      " would be for it");

  // each group's share rounded down, and one more where most was lost by that; first where it leaves some to learn from
  std::vector<Index> sizes;
  std::vector<std::pair<double, std::size_t>> lost;
  Index left = all;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const double size = share * static_cast<double>(groups[g].size());
    sizes.push_back(static_cast<Index>(std::floor(size)));
    left -= sizes.back();
    lost.emplace_back(groups[g].size() > 1 ? size - std::floor(size) : -1.0, g);
  }
  std::sort(lost.begin(), lost.end(),
            [](const auto& a, const auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
  for (std::size_t i = 0; left > 0 && i < lost.size(); ++i, --left) ++sizes[lost[i].second];
  return sizes;
}

inline IndexSplit split_groups(const char* who, Groups groups, const SplitOptions& options) {
  const std::vector<Index> sizes = test_sizes(who, groups, options.test_share);
  Random random{options.seed};
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

inline std::vector<Fold> fold_groups(const char* who, Groups groups, Index k, const FoldOptions& options) {
  const Index samples = size_of(groups);
  if (k < 2 || k > samples) raise<ValueError>(who, ": the number of folds must be from 2 to ", samples, ", that of samples, but is ", k);
  for (const Group& group : groups)
    if (group.size() < k)
      raise<ValueError>(who, ": ", group.name, " has ", group.size(), " samples, too few for one in each of ", k, " folds");

  std::vector<Index> fold_of(static_cast<std::size_t>(samples));
  Random random{options.seed};
  Index next = 0;  // the fold that gets the first of the samples that are over
  for (Group& group : groups) {
    if (options.shuffle) chainrule::shuffle(group.samples.begin(), group.samples.end(), random);
    auto sample = group.samples.begin();
    const Index over = group.size() % k;
    for (Index fold = 0; fold < k; ++fold) {
      const bool has_one_more = (fold - next + k) % k < over;
      for (Index i = 0; i < group.size() / k + (has_one_more ? 1 : 0); ++i) fold_of[static_cast<std::size_t>(*sample++)] = fold;
    }
    next = (next + over) % k;
  }
  std::vector<Fold> folds(static_cast<std::size_t>(k));
  for (Index i = 0; i < samples; ++i)
    for (Index fold = 0; fold < k; ++fold) {
      Fold& parts = folds[static_cast<std::size_t>(fold)];
      (fold == fold_of[static_cast<std::size_t>(i)] ? parts.validation : parts.train).push_back(i);
    }
  return folds;
}

/// The groups of a data set's classes.
template <class Scalar, class Targets>
Groups classes_of(const Dataset<Scalar, Targets>& data) {
  static_assert(LabelVector<Targets>,
                "chainrule: stratified parts keep each class's share, so the targets must be integer labels; for numbers there are split "
                "and k_fold");
  if constexpr (LabelVector<Targets>) return groups_of(DataView(data).targets, data.target_names);
}

}  // namespace detail

/// Divides the numbers 0, ..., samples - 1 for training and testing. Throws ValueError unless 0 < test_share < 1 and neither part is
/// empty.
inline IndexSplit split_indices(Index samples, const SplitOptions& options = {}) {
  return detail::split_groups("split", detail::one_group(samples), options);
}

/// The same by labels, so that the share of each class is kept to within one sample.
template <detail::LabelVector Y>
IndexSplit stratified_split_indices(const Y& labels, const SplitOptions& options = {}) {
  return detail::split_groups("stratified_split", detail::groups_of(detail::target_view<float>(labels)), options);
}

/// The parts as data sets.
template <class Scalar, class Targets>
Split<Dataset<Scalar, Targets>> split(const Dataset<Scalar, Targets>& data, const SplitOptions& options = {}) {
  const IndexSplit parts = split_indices(data.size(), options);
  return {select(data, parts.train), select(data, parts.test)};
}
/// The same by labels.
template <class Scalar, class Targets>
Split<Dataset<Scalar, Targets>> stratified_split(const Dataset<Scalar, Targets>& data, const SplitOptions& options = {}) {
  const IndexSplit parts = detail::split_groups("stratified_split", detail::classes_of(data), options);
  return {select(data, parts.train), select(data, parts.test)};
}

/// Divides the numbers 0, ..., samples - 1 into k folds whose sizes differ by one at most. Each is the validation part once, with all
/// others to train on; both in ascending order. Throws ValueError unless 2 <= k <= samples.
inline std::vector<Fold> k_fold(Index samples, Index k, const FoldOptions& options = {}) {
  return detail::fold_groups("k_fold", detail::one_group(samples), k, options);
}

/// The same by labels, so that the share of each class is kept to within one sample. Throws ValueError also where a class has fewer
/// than k samples.
template <detail::LabelVector Y>
std::vector<Fold> stratified_k_fold(const Y& labels, Index k, const FoldOptions& options = {}) {
  return detail::fold_groups("stratified_k_fold", detail::groups_of(detail::target_view<float>(labels)), k, options);
}

/// The samples of a data set in folds: select(data, fold.train), select(data, fold.validation).
template <class Scalar, class Targets>
std::vector<Fold> k_fold(const Dataset<Scalar, Targets>& data, Index k, const FoldOptions& options = {}) {
  return k_fold(data.size(), k, options);
}
/// The same by labels.
template <class Scalar, class Targets>
std::vector<Fold> stratified_k_fold(const Dataset<Scalar, Targets>& data, Index k, const FoldOptions& options = {}) {
  return detail::fold_groups("stratified_k_fold", detail::classes_of(data), k, options);
}

}  // namespace chainrule
