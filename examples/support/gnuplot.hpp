#pragma once
// Pictures through gnuplot where it is installed. Nothing here needs it.

#include <csignal>
#include <cstdio>
#include <string>

namespace examples {

/// A text as gnuplot takes it: in single quotes, in which only they themselves mean something.
inline std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) result.append(c == '\'' ? 2 : 1, c);
  return result + "'";
}

/// Has gnuplot carry out a script. Whether gnuplot is there and did it.
inline bool run_gnuplot(const std::string& script) {
#if __has_include(<unistd.h>)
  const auto before = std::signal(SIGPIPE, SIG_IGN);  // which writing to a gnuplot that is not there would send
  std::FILE* gnuplot = popen("gnuplot >/dev/null 2>&1", "w");
  if (gnuplot != nullptr) std::fwrite(script.data(), 1, script.size(), gnuplot);
  const bool done = gnuplot != nullptr && pclose(gnuplot) == 0;
  std::signal(SIGPIPE, before);
  return done;
#else
  return false;
#endif
}

/// Has gnuplot paint a PNG file: the script says what, after the lines here, which say where.
inline bool paint_png(const std::string& path, int width, int height, const std::string& script) {
  const std::string size = std::to_string(width) + "," + std::to_string(height);
  return run_gnuplot("set terminal png size " + size + "\n" +  // the plainer one of two, for a gnuplot without cairo
                     "if (strstrt(GPVAL_TERMINALS, 'pngcairo')) set terminal pngcairo size " + size + "\n" +  //
                     "set output " + quoted(path) + "\n" + script);
}

/// The same as an SVG file.
inline bool paint_svg(const std::string& path, int width, int height, const std::string& script) {
  return run_gnuplot("set terminal svg size " + std::to_string(width) + "," + std::to_string(height) + " background rgb 'white'\n" +
                     "set output " + quoted(path) + "\n" + script);
}

}  // namespace examples
