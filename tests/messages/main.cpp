// Prints the page tests/messages/README.md: what compiler and program say to mistakes. Files that the mistakes need lie in the working
// folder, which should be empty.

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <regex>

#include "page.hpp"

namespace {

namespace fs = std::filesystem;

/// Every text that begins with "chainrule: " in the headers: what static_assert says. Pieces that stand one after the other are joined.
std::vector<std::string> sentences_of_headers() {
  std::vector<std::string> sentences;
  const std::regex text("\"(chainrule: (?:[^\"\\\\]|\\\\.|\"\\s*\")*)\""), seam("\"\\s*\""), escaped("\\\\(.)");
  for (const auto& entry : fs::recursive_directory_iterator(CHAINRULE_SOURCE_DIR "/include/chainrule")) {
    if (entry.path().extension() != ".hpp") continue;
    const std::string code = messages::file_text(entry.path().string());
    for (std::sregex_iterator i(code.begin(), code.end(), text), end; i != end; ++i)
      sentences.push_back(std::regex_replace(std::regex_replace((*i)[1].str(), seam, ""), escaped, "$1"));
  }
  return sentences;
}

/// A program of tests/must_not_compile: what it expects the compiler to say, and its lines below the includes, wrong and right.
struct WrongProgram {
  explicit WrongProgram(const fs::path& file) {
    std::vector<std::string>* only = nullptr;
    for (const std::string& line : messages::lines_of(messages::file_text(file.string()))) {
      if (line.starts_with("// expect: ")) {
        const std::regex gap("\\.\\*");
        const std::string words = line.substr(11);
        for (std::sregex_token_iterator i(words.begin(), words.end(), gap, -1), end; i != end; ++i)
          if (const std::string part = *i; part == ">")
            expected.back() += part;
          else
            expected.push_back(part);
      } else if (line == "#ifdef MUST_NOT_COMPILE" || line == "#else" || line == "#endif") {
        only = line == "#else" ? &right : line == "#endif" ? nullptr : &wrong_lines;
        if (only == &wrong_lines) all.push_back("");  // where they will be
      } else if (only != nullptr) {
        only->push_back(line);
      } else if (!line.starts_with('#') && !line.starts_with("namespace cr") && !(line.empty() && all.empty())) {
        all.push_back(line);
      }
    }
  }

  /// The whole program, main()'s body alone where there is nothing else.
  std::vector<std::string> wrong() const {
    std::vector<std::string> lines;
    bool is_body = false;
    for (const std::string& line : all) {
      if (line.empty() && is_body) lines.insert(lines.end(), wrong_lines.begin(), wrong_lines.end());
      if (line.empty() || line == "int main() {" || (is_body && line == "}")) {
        is_body = is_body || line == "int main() {";
        continue;
      }
      lines.push_back(is_body ? line : "  " + line);
    }
    return lines;
  }

  std::vector<std::string> expected, all, wrong_lines, right;
};

/// From tests/must_not_compile, which proves that the compiler does say so.
void compiler(messages::Page& page) {
  page.heading("Mistakes that the compiler answers");
  page.paragraph("The sentence stands among the compiler's own lines, behind `static assertion failed`. `cr` is `chainrule`.");
  const std::vector<std::string> sentences = sentences_of_headers();
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(CHAINRULE_SOURCE_DIR "/tests/must_not_compile"))
    if (entry.path().extension() == ".cpp") files.push_back(entry.path());
  std::sort(files.begin(), files.end());

  for (const fs::path& file : files) {
    const WrongProgram program(file);
    std::string answer;
    for (const std::string& sentence : sentences) {
      if (sentence.find(program.expected.at(0)) == std::string::npos || sentence == answer) continue;
      if (!answer.empty()) throw std::runtime_error(file.string() + ": which one is expected?\n" + answer + "\n" + sentence);
      answer = sentence;
    }
    if (answer.empty()) throw std::runtime_error(file.string() + ": no static_assert says \"" + program.expected[0] + "\"");
    for (std::size_t i = 1; i < program.expected.size(); ++i) answer += (i == 1 ? " ... " : " ") + program.expected[i];
    page.compiler_says(program.wrong(), program.right, answer);
  }
}

}  // namespace

int main() try {
  messages::Page page;
  messages::networks(page);
  messages::passes(page);
  messages::targets(page);
  messages::data(page);
  messages::files_of_data(page);
  messages::training(page);
  messages::model_files(page);
  const int thrown = page.count();
  compiler(page);
  std::printf(
      "# Mistakes, and what they are answered with\n"
      "\n"
      "Every mistake here was made by a program, and its answer taken down: `tests/messages/run` does so, and a test compares. Search "
      "this\n"
      "page for a message that you have got. %d are thrown when the program runs, each a `chainrule::Error`, before anything has\n"
      "changed; %d are said by the compiler. One column is one sample, rows and columns count from 0, and `layer<0>` is the first layer.\n"
      "%s",
      thrown, page.count() - thrown, page.text().c_str());
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
