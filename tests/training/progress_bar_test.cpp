#include <chainrule/training/progress_bar.hpp>

#include "support/catch.hpp"

using namespace chainrule;

namespace {

/// The text that the bar writes to a file, which is not a terminal, in two epochs of four batches.
std::string written(ProgressBar bar, const char* reason = "", int seconds_in_epoch = 2) {
  std::FILE* file = std::tmpfile();
  REQUIRE(file != nullptr);
  bar.output = file;
  Progress run;
  run.epochs = 12;
  run.batches = 4;
  run.samples_per_epoch = 400;
  run.quantities = {{"loss"}, {"validation_accuracy"}};
  run.started = run.epoch_started = std::chrono::steady_clock::now() - std::chrono::seconds(seconds_in_epoch);
  for (run.epoch = 1; run.epoch <= 2; ++run.epoch) {
    for (run.batch = 1; run.batch <= 4; ++run.batch) {
      run.samples = 100 * run.batch;
      run.loss = 0.5;
      bar.last_drawn = {};  // long ago, so that the bar is drawn again
      bar.batch_ended(run);
    }
    run.quantities[0].value = 0.5;
    run.quantities[1].value = 0.98765;
    bar.epoch_ended(run);
  }
  if (*reason != '\0') run.stop(reason);
  bar.training_ended(run);
  std::rewind(file);
  std::string text(4096, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file));
  std::fclose(file);
  return text;
}

std::ptrdiff_t count(const std::string& text, char c) { return std::count(text.begin(), text.end(), c); }

}  // namespace

TEST_CASE("ProgressBar prints a plain line for each epoch if the output is not a terminal") {
  const std::string text = written({});
  CHECK(count(text, '\n') == 2);
  CHECK(count(text, '\r') == 0);
  CHECK_THAT(text, chainrule_test::ContainsSubstring("epoch  1/12  "));
  CHECK_THAT(text, chainrule_test::ContainsSubstring("  loss 0.5000  validation_accuracy 0.9877\n"));
  CHECK_THAT(text, chainrule_test::ContainsSubstring("samples/s"));
}

TEST_CASE("ProgressBar prints four significant digits of each quantity, however small") {
  const auto line = [](double value) {
    std::FILE* file = std::tmpfile();
    REQUIRE(file != nullptr);
    Progress run;
    run.epochs = run.epoch = 1;
    run.quantities = {{"loss", value}};
    ProgressBar{.output = file}.epoch_ended(run);
    std::rewind(file);
    std::string text(512, '\0');
    text.resize(std::fread(text.data(), 1, text.size(), file));
    std::fclose(file);
    return text.substr(text.find("loss"));
  };
  CHECK(line(1.23456e-7) == "loss 1.235e-07\n");
  CHECK(line(0.000081246) == "loss 8.125e-05\n");
  CHECK(line(0.01) == "loss 0.01000\n");
  CHECK(line(1) == "loss 1.000\n");
  CHECK(line(1234.56) == "loss 1235\n");
  CHECK(line(999.96) == "loss 1000\n");
  CHECK(line(-123456789) == "loss -1.235e+08\n");
  CHECK(line(0) == "loss 0.000\n");
}

TEST_CASE("ProgressBar redraws a bar in its line with loss, speed and the time left") {
  const std::string text = written({.style = ProgressBar::Style::bar});
  CHECK(count(text, '\n') == 2);
  CHECK_THAT(text, chainrule_test::ContainsSubstring("\r\033[Kepoch  1/12 [======>.................] loss 0.5"));
  CHECK_THAT(text, chainrule_test::ContainsSubstring("s left"));
}

TEST_CASE("ProgressBar says the time left from the first second of an epoch on") {
  CHECK(written({.style = ProgressBar::Style::bar}, "", 0).find("left") == std::string::npos);
}

// Each "\r\033[K" begins the row again; a row that is as wide as the terminal would start another one.
TEST_CASE("ProgressBar cuts the bar to the terminal's width, 80 without a terminal") {
  for (const Index columns : {0, 200, 60, 40, 10, 1}) {
    CAPTURE(columns);
    const std::string text = written({.style = ProgressBar::Style::bar, .columns = columns});
    std::size_t widest = 0;
    for (std::size_t begin = text.find("\033[K"); begin != std::string::npos; begin = text.find("\033[K", begin + 1)) {
      const std::size_t end = text.find_first_of("\r\n", begin);
      if (end != std::string::npos && text[end] == '\r') widest = std::max(widest, end - begin - 3);
    }
    CHECK(widest >= 1);
    CHECK(widest <= static_cast<std::size_t>(columns == 0 ? 79 : std::max<Index>(columns - 1, 1)));
    if (columns == 60) CHECK_THAT(text, chainrule_test::ContainsSubstring("] loss 0.5"));
  }
}

TEST_CASE("ProgressBar prints nothing or fewer lines on request") {
  CHECK(written({.style = ProgressBar::Style::silent}).empty());
  const std::string text = written({.every_epochs = 2});
  CHECK(count(text, '\n') == 1);
  CHECK_THAT(text, chainrule_test::ContainsSubstring("epoch  2/12"));
}

TEST_CASE("ProgressBar prints why a training was stopped") {
  CHECK_THAT(written({}, "interrupted"), chainrule_test::ContainsSubstring("stopped: interrupted\n"));
}

TEST_CASE("ProgressBar prints each note once, in a line of its own before that of the epoch") {
  std::FILE* file = std::tmpfile();
  REQUIRE(file != nullptr);
  ProgressBar bar{.output = file};
  Progress run;
  run.epochs = 2;
  run.notes = {"first"};
  bar.training_started(run);
  run.notes.push_back("second");
  for (run.epoch = 1; run.epoch <= 2; ++run.epoch) bar.epoch_ended(run);
  bar.training_started(run);
  std::rewind(file);
  std::string text(4096, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file));
  std::fclose(file);
  CHECK(text.starts_with("note: first\nnote: second\nepoch 1/2"));
  CHECK(text.ends_with("\nnote: first\nnote: second\n"));
  CHECK(count(text, '\n') == 6);
}

TEST_CASE("ProgressBar prints nothing without an output") {
  ProgressBar bar{.output = nullptr};
  Progress run;
  bar.batch_ended(run);
  bar.epoch_ended(run);
  bar.training_ended(run);
  CHECK(bar.output == nullptr);
}
