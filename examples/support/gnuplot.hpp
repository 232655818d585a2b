#pragma once
// Draws pictures with the program gnuplot, if it is installed.

#include <csignal>
#include <cstdio>
#include <string>

namespace examples {

/// A text as a gnuplot string in single quotes, where only single quotes need to be escaped.
inline std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) result.append(c == '\'' ? 2 : 1, c);
  return result + "'";
}

/// Runs a gnuplot script. Returns false if gnuplot is not installed or fails.
inline bool run_gnuplot(const std::string& script) {
#if __has_include(<unistd.h>)
  const auto before = std::signal(SIGPIPE, SIG_IGN);  // sent if gnuplot is missing and the pipe is closed
  std::FILE* gnuplot = popen("gnuplot >/dev/null 2>&1", "w");
  if (gnuplot != nullptr) std::fwrite(script.data(), 1, script.size(), gnuplot);
  const bool done = gnuplot != nullptr && pclose(gnuplot) == 0;
  std::signal(SIGPIPE, before);
  return done;
#else
  return false;
#endif
}

/// Draws a PNG file of the given size in pixels with a gnuplot script, which must not set terminal and output. Returns false if gnuplot is
/// not installed or fails.
inline bool paint_png(const std::string& path, int width, int height, const std::string& script) {
  const std::string size = std::to_string(width) + "," + std::to_string(height);
  return run_gnuplot("set terminal png size " + size + "\n" +                                                 // for a gnuplot without cairo
                     "if (strstrt(GPVAL_TERMINALS, 'pngcairo')) set terminal pngcairo size " + size + "\n" +  //
                     "set output " + quoted(path) + "\n" + script);
}

/// Draws an SVG file like paint_png.
inline bool paint_svg(const std::string& path, int width, int height, const std::string& script) {
  return run_gnuplot("set terminal svg size " + std::to_string(width) + "," + std::to_string(height) + " background rgb 'white'\n" +
                     "set output " + quoted(path) + "\n" + script);
}

}  // namespace examples
