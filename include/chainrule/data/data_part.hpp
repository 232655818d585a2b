#pragma once

#include <chainrule/core/detail/require_cpp20.hpp>
#include <chainrule/core/error.hpp>
#include <chainrule/core/types.hpp>

namespace chainrule {

/// A range of samples.
struct SampleRange {
  Index first;  ///< the first sample of the range
  Index count;  ///< the number of samples
};

/// One of several almost equal parts of a data set, each a range of its samples: part 1 of 4 of 10 samples is samples 2, 3 and 4. Readers
/// of files take it, and keep no more than this part in memory (read_csv goes through the whole text); Ranks::part is that of a process.
struct DataPart {
  Index number = 0;  ///< the number of this part, counted from 0
  Index of = 1;      ///< the number of parts

  /// The range of this part in a data set of `samples` samples: those from floor(number samples/of) up to, but not including, floor((number
  /// + 1) samples/of). Throws ValueError unless 0 <= number < of.
  SampleRange range_of(Index samples) const {
    if (of < 1 || number < 0 || number >= of)
      detail::raise<ValueError>("DataPart: there is no part ", number, " of ", of, "; parts are counted from 0");
    const auto begin = [&](Index i) { return samples / of * i + samples % of * i / of; };  // floor(i samples/of), without overflow
    return {begin(number), begin(number + 1) - begin(number)};
  }
};

}  // namespace chainrule
