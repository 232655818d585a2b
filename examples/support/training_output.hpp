#pragma once
// The files that an example with a training run writes.

#include <chainrule/training/history.hpp>
#include <cstdio>
#include <filesystem>
#include <string>

#include "flags.hpp"
#include "gnuplot.hpp"
#include "output_folder.hpp"

namespace examples {

/// An OutputFolder that also writes learning curves, to a file that the flag --history can change.
class TrainingOutput : public OutputFolder {
 public:
  TrainingOutput(Flags& flags, const std::string& name) : OutputFolder{flags}, history_name_{name + "_history.csv"} {
    flags.add("--history", history_, "CSV file for the learning curves (default: " + history_name_ + " in the output folder)");
  }

  /// Writes a table of loss and metrics after each epoch and, with gnuplot, a picture of it. Prints their paths.
  void write_learning_curves(const chainrule::History& history) const {
    const std::string table = history_.empty() ? path(history_name_) : in_existing_folder(history_);
    history.write_csv(table);
    const std::string picture = std::filesystem::path(table).replace_extension(".png").string();
    if (paint_png(picture, 900, 500, learning_curves(history, table)))
      std::printf("learning curves: %s\n                 %s\n", table.c_str(), picture.c_str());
    else
      std::printf("learning curves: %s (no picture, because gnuplot is not installed)\n", table.c_str());
  }

 private:
  // The gnuplot script: losses use the left axis, metrics the right one.
  static std::string learning_curves(const chainrule::History& history, const std::string& table) {
    std::string script =
        "set datafile separator ','\nset grid\nset key noenhanced outside bottom center horizontal\n"
        "set xlabel 'epoch'\nset ylabel 'loss'\nset ytics nomirror\n";
    std::string curves;
    int column = 4;  // after epoch, seconds and learning rate
    for (const std::string& name : history.names()) {
      const bool is_loss = name.find("loss") != std::string::npos;
      if (!is_loss) script += "set y2tics\nset y2label 'metrics'\n";
      curves += std::string(curves.empty() ? "plot " : ", ") + quoted(table) + " every ::1 using 1:" + std::to_string(column++) +
                (is_loss ? " axes x1y1" : " axes x1y2") + " with lines linewidth 2 title " + quoted(name);
    }
    return script + curves + "\n";
  }

  std::string history_;
  std::string history_name_;
};

}  // namespace examples
