#pragma once
// A page of mistakes: the source code of each mistake, which is also run, and the message of the library.

#include <algorithm>
#include <chainrule/core/error.hpp>
#include <chainrule/training/divergence.hpp>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace messages {

inline std::string file_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

/// A ```cpp block with these lines, without their common indentation.
inline std::string code_block(const std::vector<std::string>& lines) {
  std::size_t indentation = std::string::npos;
  for (const std::string& line : lines) indentation = std::min(indentation, line.find_first_not_of(' '));
  std::string block = "```cpp\n";
  for (const std::string& line : lines) block += (line.empty() ? "" : line.substr(indentation)) + "\n";
  return block + "```\n";
}

class Page {
 public:
  void heading(const std::string& title) { text_ += "\n## " + title + "\n"; }

  /// Begins a section: its title, and the code from the calling line to the first mistake, which all mistakes of the section share.
  void section(const std::string& title, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    heading(title);
    file_ = file;
    source_ = lines_of(file_text(file));
    std::vector<std::string> common;
    for (std::size_t i = static_cast<std::size_t>(line); source_.at(i).find("page.mistake(") == std::string::npos; ++i)
      if (!source_[i].empty()) common.push_back(source_[i]);
    if (!common.empty()) text_ += "\n" + code_block(common);
  }

  /// Shows the body of the lambda `wrong`, which stands in the calling line, runs it, and shows the error that it throws. `remedy` says
  /// what to do if the message does not say so itself.
  template <class F>
  void mistake(std::string_view remedy, const F& wrong, int line = __builtin_LINE()) {
    std::size_t begin = static_cast<std::size_t>(line) - 1;  // compilers differ: the first or the last line of the call
    while (source_.at(begin).find("page.mistake(") == std::string::npos) --begin;
    const std::vector<std::string> body = body_of_lambda(begin);
    text_ += "\n" + code_block(body) + "> " + message_of(wrong, file_ + ":" + std::to_string(begin + 1)) + "\n";
    if (!remedy.empty()) text_ += "\n" + std::string(remedy) + "\n";
    ++count_;
  }

  /// Shows a program that must not compile, the compiler's message, and a corrected program.
  void compile_error(const std::vector<std::string>& wrong, const std::vector<std::string>& right, const std::string& sentence) {
    text_ += "\n" + code_block(wrong) + "> `" + sentence + "`\n\nCorrect:\n\n" + code_block(right);
    ++count_;
  }

  void paragraph(const std::string& words) { text_ += "\n" + words + "\n"; }

  const std::string& text() const { return text_; }
  int count() const { return count_; }

 private:
  /// The lines between the braces of the first lambda from this line on.
  std::vector<std::string> body_of_lambda(std::size_t line) const {
    std::string code;
    for (std::size_t i = line; i < source_.size(); ++i) code += source_[i] + "\n";
    const std::size_t begin = code.find("] {") + 3;
    std::size_t end = begin;
    for (int open = 1; open > 0; ++end) open += code.at(end) == '{' ? 1 : code[end] == '}' ? -1 : 0;
    std::vector<std::string> body = lines_of(code.substr(begin, end - 1 - begin));
    const auto is_blank = [](const std::string& one) { return one.find_first_not_of(' ') == std::string::npos; };
    std::erase_if(body, is_blank);
    for (std::string& one : body) one.erase(one.find_last_not_of(' ') + 1);
    return body;
  }

  /// Runs `wrong`, and quotes the type and the message of the exception that it throws.
  template <class F>
  static std::string message_of(const F& wrong, const std::string& place) {
    const auto quoted = [](const std::string& type, const std::exception& error) {
      const std::vector<std::string> lines = lines_of(error.what());
      std::string text = "**" + type + "** `" + lines.at(0) + "`";
      if (lines.size() > 1) text += "\n> ```text";
      for (std::size_t i = 1; i < lines.size(); ++i) text += "\n> " + lines[i];
      return text + (lines.size() > 1 ? "\n> ```" : "");
    };
    try {
      wrong();
    } catch (const chainrule::ShapeError& error) {
      return quoted("ShapeError", error);
    } catch (const chainrule::ValueError& error) {
      return quoted("ValueError", error);
    } catch (const chainrule::StateError& error) {
      return quoted("StateError", error);
    } catch (const chainrule::DivergenceError& error) {
      return quoted("DivergenceError", error);
    }
    throw std::logic_error(place + ": this mistake throws no exception");
  }

  std::string text_;
  std::string file_;
  std::vector<std::string> source_;
  int count_ = 0;
};

void networks(Page& page);
void passes(Page& page);
void targets(Page& page);
void derivatives(Page& page);
void data(Page& page);
void files_of_data(Page& page);
void training(Page& page);
void model_files(Page& page);

}  // namespace messages
