#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "flags.hpp"

namespace examples {

/// Where an example writes its files, which its flag --out says: in its build folder if it does not.
class OutputFolder {
 public:
  explicit OutputFolder(Flags& flags);
  OutputFolder(const OutputFolder&) = delete;  // the flag writes into it
  OutputFolder& operator=(const OutputFolder&) = delete;

  /// A file in that folder, which is made where it is missing.
  std::string path(const std::string& file) const;

  /// NAME.csv: a line of names, then the rows, each with a number for every name (NaN: an empty cell). Says where it is. Returns its path.
  /// Throws std::runtime_error where it cannot be written.
  std::string write_table(const std::string& name, const std::vector<std::string>& columns,
                          const std::vector<std::vector<double>>& rows) const;

  /// NAME.png and NAME.svg through gnuplot: the script says what to plot, in so many pixels. Says where they are, or that gnuplot is
  /// missing.
  void paint(const std::string& name, int width, int height, const std::string& script) const;

 protected:
  /// The file, whose folder is made where it is missing.
  static std::string in_existing_folder(const std::filesystem::path& file);

 private:
  std::string folder_ = CHAINRULE_EXAMPLE_OUTPUT;
};

}  // namespace examples
