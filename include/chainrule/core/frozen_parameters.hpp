#pragma once

#include <algorithm>
#include <chainrule/core/error.hpp>
#include <chainrule/core/types.hpp>
#include <vector>

namespace chainrule {

/// The parameters of a network that are frozen: ranges of theta that a training leaves as they are. See NetworkBase::freeze.
class FrozenParameters {
 public:
  /// A range [begin, end) of theta.
  struct Range {
    Index begin;                                    ///< the first entry of theta in it
    Index end;                                      ///< the first one after it
    bool operator==(const Range&) const = default;  ///< whether both are the same range
  };

  /// The frozen ranges in theta's order. None is empty, and there is a gap between any two.
  const std::vector<Range>& ranges() const { return ranges_; }
  /// The number of frozen parameters.
  Index size() const {
    Index sum = 0;
    for (const Range& range : ranges_) sum += range.end - range.begin;
    return sum;
  }
  /// Whether all of [begin, end) is frozen; false for an empty range.
  bool contains(Index begin, Index end) const {
    const auto range = first_that_ends_after(begin);
    return begin < end && range != ranges_.end() && range->begin <= begin && end <= range->end;
  }
  /// Whether some of [begin, end) is frozen.
  bool overlaps(Index begin, Index end) const {
    const auto range = first_that_ends_after(begin);
    return range != ranges_.end() && range->begin < end;
  }

  /// Calls f(begin, end) for each part of [begin, end) that is not frozen, in theta's order.
  template <class F>
  void for_each_learning(Index begin, Index end, const F& f) const {
    for (auto range = first_that_ends_after(begin); range != ranges_.end() && range->begin < end; ++range) {
      if (begin < range->begin) f(begin, range->begin);
      begin = range->end;
    }
    if (begin < end) f(begin, end);
  }

  /// Freezes [begin, end).
  void add(Index begin, Index end) {
    if (begin >= end) return;
    std::vector<Range> all;
    for (const Range& range : ranges_) {
      if (range.end < begin || range.begin > end) {
        all.push_back(range);
      } else {
        begin = (std::min)(begin, range.begin);
        end = (std::max)(end, range.end);
      }
    }
    all.insert(std::find_if(all.begin(), all.end(), [&](const Range& range) { return range.begin > begin; }), Range{begin, end});
    ranges_ = std::move(all);
  }
  /// Lets [begin, end) learn.
  void remove(Index begin, Index end) {
    std::vector<Range> all;
    for (const Range& range : ranges_) {
      if (const Range before{range.begin, (std::min)(range.end, begin)}; before.begin < before.end) all.push_back(before);
      if (const Range after{(std::max)(range.begin, end), range.end}; after.begin < after.end) all.push_back(after);
    }
    ranges_ = std::move(all);
  }

  bool operator==(const FrozenParameters&) const = default;  ///< whether both freeze the same parameters

 private:
  std::vector<Range>::const_iterator first_that_ends_after(Index begin) const {
    return std::find_if(ranges_.begin(), ranges_.end(), [&](const Range& range) { return range.end > begin; });
  }

  std::vector<Range> ranges_;
};

namespace detail {

/// The frozen parameters, as the layers of a sequence see them: theta(first) is the first parameter of the sequence. Without `all`, no
/// parameter is frozen.
struct FrozenSlice {
  const FrozenParameters* all = nullptr;
  Index first = 0;

  /// The frozen parameters, as a layer sees them whose parameters begin at `offset` of the sequence.
  FrozenSlice from(Index offset) const { return {all, first + offset}; }
  /// Whether all parameters [begin, end) of the sequence are frozen; false where there are none.
  bool contains(Index begin, Index end) const { return all != nullptr && all->contains(first + begin, first + end); }
  /// Whether some of the parameters [begin, end) of the sequence are frozen.
  bool overlaps(Index begin, Index end) const { return all != nullptr && all->overlaps(first + begin, first + end); }
};

}  // namespace detail
}  // namespace chainrule
