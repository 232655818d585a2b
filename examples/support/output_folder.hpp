#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "flags.hpp"

namespace examples {

/// The folder that an example writes its files to, set by the flag --out. The default is a folder of the build.
class OutputFolder {
 public:
  explicit OutputFolder(Flags& flags);
  OutputFolder(const OutputFolder&) = delete;  // the flag refers to folder_
  OutputFolder& operator=(const OutputFolder&) = delete;

  /// The path of a file in the folder. Creates the folder if it does not exist.
  std::string path(const std::string& file) const;

  /// Writes NAME.csv: a line of column names, then the rows, each with one number per column (NaN becomes an empty cell). Prints and
  /// returns its path. Throws std::runtime_error if it cannot be written.
  std::string write_table(const std::string& name, const std::vector<std::string>& columns,
                          const std::vector<std::vector<double>>& rows) const;

  /// Draws NAME.png and NAME.svg with a gnuplot script, with the size in pixels. Prints their paths, or that gnuplot is missing.
  void paint(const std::string& name, int width, int height, const std::string& script) const;

 protected:
  /// Returns the path as text. Creates its folder if it does not exist.
  static std::string in_existing_folder(const std::filesystem::path& file);

 private:
  std::string folder_ = CHAINRULE_EXAMPLE_OUTPUT;
};

}  // namespace examples
