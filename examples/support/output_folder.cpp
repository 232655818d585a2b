#include "output_folder.hpp"

#include <cmath>
#include <cstdio>
#include <fstream>
#include <limits>
#include <stdexcept>

#include "gnuplot.hpp"

namespace examples {

OutputFolder::OutputFolder(Flags& flags) { flags.add("--out", folder_, "Folder for the files that this example writes"); }

std::string OutputFolder::path(const std::string& file) const { return in_existing_folder(std::filesystem::path(folder_) / file); }

std::string OutputFolder::in_existing_folder(const std::filesystem::path& file) {
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path());
  return file.string();
}

std::string OutputFolder::write_table(const std::string& name, const std::vector<std::string>& columns,
                                      const std::vector<std::vector<double>>& rows) const {
  const std::string where = path(name + ".csv");
  std::ofstream file(where);
  file.precision(std::numeric_limits<double>::max_digits10);
  const char* between = "";
  for (const std::string& column : columns) {
    file << between << column;
    between = ",";
  }
  file << '\n';
  for (const std::vector<double>& row : rows) {
    if (row.size() != columns.size()) throw std::logic_error(name + ": each row of the table must have one number per column");
    between = "";
    for (const double number : row) {
      file << between;
      if (!std::isnan(number)) file << number;
      between = ",";
    }
    file << '\n';
  }
  if (!file.flush()) throw std::runtime_error("cannot write \"" + where + "\"");
  std::printf("numbers: %s\n", where.c_str());
  return where;
}

void OutputFolder::paint(const std::string& name, int width, int height, const std::string& script) const {
  const std::string png = path(name + ".png");
  const std::string svg = path(name + ".svg");
  if (paint_png(png, width, height, script) && paint_svg(svg, width, height, script))
    std::printf("picture: %s\n         %s\n", png.c_str(), svg.c_str());
  else
    std::printf("no picture, because gnuplot is not installed (on Debian: apt-get install gnuplot-nox)\n");
}

}  // namespace examples
