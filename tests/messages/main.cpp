// Prints the page tests/messages/README.md: mistakes with the messages of the library or the compiler. Writes files that the mistakes need
// to the working folder, which should be empty.

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <regex>

#include "page.hpp"

namespace {

namespace fs = std::filesystem;

/// The messages of all static_asserts in the headers: string literals that begin with "chainrule: ", with adjacent literals joined.
std::vector<std::string> sentences_of_headers() {
  std::vector<std::string> sentences;
  const std::regex text("\"(chainrule: (?:[^\"\\\\]|\\\\.|\"\\s*\")*)\""), seam("\"\\s*\""), escaped("\\\\(.)");
  const std::regex comment("= delete;  // (chainrule: [^\n]*)");  // compilers quote the line of a deleted function
  for (const auto& entry : fs::recursive_directory_iterator(CHAINRULE_SOURCE_DIR "/include/chainrule")) {
    if (entry.path().extension() != ".hpp") continue;
    const std::string code = messages::file_text(entry.path().string());
    for (std::sregex_iterator i(code.begin(), code.end(), text), end; i != end; ++i)
      sentences.push_back(std::regex_replace(std::regex_replace((*i)[1].str(), seam, ""), escaped, "$1"));
    for (std::sregex_iterator i(code.begin(), code.end(), comment), end; i != end; ++i) sentences.push_back((*i)[1].str());
  }
  return sentences;
}

/// A program of tests/must_not_compile: the message that it expects, and its lines below the includes, in the wrong and the right version.
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
        if (only == &wrong_lines) all.push_back("");  // an empty line marks where they belong
      } else if (only != nullptr) {
        only->push_back(line);
      } else if (!line.starts_with('#') && !line.starts_with("// errors: ") && !line.starts_with("namespace cr") &&
                 !(line.empty() && all.empty())) {
        all.push_back(line);
      }
    }
  }

  /// The lines of the wrong program, without the line "int main() {" and the brace that closes it.
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

/// Adds the programs of tests/must_not_compile, whose tests check that the compiler prints the messages.
void compile_errors(messages::Page& page) {
  page.heading("Compile errors");
  page.paragraph("The compiler prints each sentence after `static assertion failed`, among lines of its own. `cr` is `chainrule`.");
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
      if (!answer.empty()) throw std::runtime_error(file.string() + ": two messages match \"expect\":\n" + answer + "\n" + sentence);
      answer = sentence;
    }
    if (answer.empty()) throw std::runtime_error(file.string() + ": no static_assert has the message \"" + program.expected[0] + "\"");
    for (std::size_t i = 1; i < program.expected.size(); ++i) answer += (i == 1 ? " ... " : " ") + program.expected[i];
    page.compile_error(program.wrong(), program.right, answer);
  }
}

}  // namespace

int main() try {
  messages::Page page;
  messages::networks(page);
  messages::passes(page);
  messages::targets(page);
  messages::derivatives(page);
  messages::data(page);
  messages::files_of_data(page);
  messages::training(page);
  messages::model_files(page);
  const int thrown = page.count();
  compile_errors(page);
  std::printf(
      "# Mistakes and their messages\n"
      "\n"
      "Search this page for a message that you have got. A program makes each mistake and writes the page (`tests/messages/run`); a test\n"
      "checks that it is up to date. %d mistakes throw an exception at run time, a `chainrule::Error`, before anything has changed; %d "
      "are\n"
      "compile errors. One column is one sample, rows and columns count from 0, and `layer<0>` is the first layer.\n"
      "%s",
      thrown, page.count() - thrown, page.text().c_str());
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
