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

/// Has gnuplot paint a PNG file: the script says what, after the lines here, which say where. Whether gnuplot is there and did it.
inline bool paint_png(const std::string& path, int width, int height, const std::string& script) {
#if __has_include(<unistd.h>)
  const std::string size = std::to_string(width) + "," + std::to_string(height);
  const std::string text = "set terminal png size " + size + "\n" +  // the plainer one of two, for a gnuplot without cairo
                           "if (strstrt(GPVAL_TERMINALS, 'pngcairo')) set terminal pngcairo size " + size + "\n" +  //
                           "set output " + quoted(path) + "\n" + script;
  const auto before = std::signal(SIGPIPE, SIG_IGN);  // which writing to a gnuplot that is not there would send
  std::FILE* gnuplot = popen("gnuplot >/dev/null 2>&1", "w");
  if (gnuplot != nullptr) std::fwrite(text.data(), 1, text.size(), gnuplot);
  const bool done = gnuplot != nullptr && pclose(gnuplot) == 0;
  std::signal(SIGPIPE, before);
  return done;
#else
  return false;
#endif
}

}  // namespace examples
