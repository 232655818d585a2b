#pragma once

#include <chainrule/core/types.hpp>
#include <cmath>
#include <cstdio>
#include <string>

namespace chainrule {

/// How far a cross-validation, a search or a permutation importance has come, after each part of its work.
struct SelectionProgress {
  Index done = 0;           ///< parts of the work that are done, those of an earlier run that the file remembers included
  Index total = 0;          ///< number of all parts
  double seconds = 0;       ///< time since the call began
  double seconds_left = 0;  ///< time that the other parts will take, if they take as long as those of this call
  std::string last;         ///< the part that was finished last, with its result
};

/// Prints the progress in a line on stderr, to be given as an option: `.progress = print_progress`.
/// @verbatim
/// 3/5  fold 2: validation_loss 0.09341, validation_accuracy 0.9721  1.2 s, 1 s left
/// @endverbatim
inline void print_progress(const SelectionProgress& progress) {
  std::fprintf(stderr, "%td/%td  %s  %.1f s, %.0f s left\n", progress.done, progress.total, progress.last.c_str(), progress.seconds,
               std::ceil(progress.seconds_left));
}

}  // namespace chainrule
