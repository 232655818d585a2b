#include <chainrule/data/csv.hpp>
#include <chainrule/data/mean_imputer.hpp>
#include <cstring>
#include <fstream>
#include <sstream>

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using namespace chainrule;
using namespace std::string_literals;  // std::string literals, so that CHECK is compiled for one type
using Names = std::vector<std::string>;
using Labelled = Dataset<float>;
using Regression = RegressionDataset<float>;

namespace {

// All tests read float, so that the reader is compiled once.
Labelled labelled(std::string_view text, const CsvOptions& options = {.target = -1}) { return parse_csv<Labelled>(text, options, "t.csv"); }
Regression regression(std::string_view text, const CsvOptions& options = {.target = -1}) {
  return parse_csv<Regression>(text, options, "t.csv");
}

/// Writes a matrix as text, its columns separated by "|".
std::string written(const Matrix<float>& m) {
  std::string text;
  for (Index j = 0; j < m.cols(); ++j) {
    if (j > 0) text += "|";
    for (Index i = 0; i < m.rows(); ++i) text += (i > 0 ? " " : "") + detail::text_of(m(i, j));
  }
  return text;
}

/// Returns the features of a table whose last column is the label, as text.
std::string features(std::string_view text, CsvOptions options = {}) {
  options.target = -1;
  return written(labelled(text, options).features);
}

/// Returns the message of the error, or an empty text where there is none.
std::string complaint(std::string_view text, const CsvOptions& options = {.target = -1}) {
  try {
    labelled(text, options);
  } catch (const ValueError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a row is a sample, and the names in the target column become labels") {
  const Labelled data = labelled("length,width,kind\n1,2,wasp\n3,4,bee\n5,6,wasp\n", {.target = "kind"});
  CHECK(written(data.features) == "1 2|3 4|5 6"s);
  CHECK(data.targets == std::vector<int>{1, 0, 1});
  CHECK(data.target_names == Names{"bee", "wasp"});
  CHECK(data.feature_names == Names{"length", "width"});
  CHECK(data.weights.size() == 0);
}

TEST_CASE("the target may be any column, by name or number") {
  const std::string text = "a,b,c\n1,2,3\n4,5,6\n";
  for (const CsvColumn& column : {CsvColumn("b"), CsvColumn(1), CsvColumn(-2)}) {
    const Regression data = regression(text, {.target = column});
    CHECK(written(data.features) == "1 3|4 6"s);
    CHECK(written(data.targets) == "2|5"s);
    CHECK(data.target_names == Names{"b"});
  }
}

TEST_CASE("several targets keep the order of the options, and ignored columns may hold anything") {
  const Regression data = regression("a,b,c,d\n1,2,x,3\n4,5,,6\n", {.target = {"d", "a"}, .ignore = "c"});
  CHECK(written(data.features) == "2|5"s);
  CHECK(written(data.targets) == "3 1|6 4"s);
  CHECK(data.target_names == Names{"d", "a"});
}

TEST_CASE("a file without a header has no column names") {
  const Labelled data = labelled("1;2;b\n3;4;a", {.header = false, .separator = ';', .target = -1});
  CHECK(written(data.features) == "1 2|3 4"s);
  CHECK(data.feature_names.empty());
  CHECK(data.target_names == Names{"a", "b"});
  CHECK(regression("1,2", {.header = false, .target = 0}).target_names.empty());
}

TEST_CASE("a matrix is a table without a target") {
  CHECK(written(parse_csv<Matrix<float>>("a,id,b\n1,x7,2\n3,x8,4\n", {.ignore = {"id"}})) == "1 2|3 4"s);
}

TEST_CASE("class names that are whole numbers are sorted by value, and equal values are one class") {
  const Labelled data = labelled("x,y\n0,10\n0,9\n0,-1\n0,9.0\n0,+10\n0,009\n");
  CHECK(data.target_names == Names{"-1", "9", "10"});
  CHECK(data.targets == std::vector<int>{2, 1, 0, 1, 2, 1});
  CHECK(labelled("x,y\n0,10\n0,9\n0,b\n").target_names == Names{"10", "9", "b"});  // sorted as text, because b is not a number
}

TEST_CASE("known classes keep their labels, even if they do not occur") {
  const CsvOptions options{.target = "y", .classes = {"wasp", "ant", "bee"}};
  const Labelled data = labelled("x,y\n0,bee\n0,wasp\n", options);
  CHECK(data.targets == std::vector<int>{2, 0});
  CHECK(data.target_names == Names{"wasp", "ant", "bee"});
  CHECK(complaint("x,y\n0,bee\n0,fly\n", options) ==
        "t.csv, line 3, column 2 (y): expected one of the classes \"wasp\", \"ant\", \"bee\", but found \"fly\""s);
}

TEST_CASE("cells in quotes hold separators, line breaks, quotes and blanks") {
  const Labelled data =
      labelled("\"a,\n1\",\"say \"\"hi\"\"\"\n\"1\", \" b, \"\"c\"\" \r\n\" \n2,\"\"\"\"\r\n", {.target = 1, .missing_words = {}});
  CHECK(data.feature_names == Names{"a,\n1"});
  CHECK(written(data.features) == "1|2"s);
  CHECK(data.target_names == Names{" b, \"c\" \r\n", "\""});
}

TEST_CASE("quotes inside a cell that does not begin with one are part of it") {
  CHECK(labelled("x,size\n1,5\" pipe\n").target_names == Names{"5\" pipe"});
}

TEST_CASE("lines may end with LF, CRLF or CR, and the last line without") {
  CHECK(features("a,y\n1,0\n2,0") == "1|2"s);
  CHECK(features("a,y\r\n1,0\r\n2,0\r\n") == "1|2"s);
  CHECK(features("a,y\r1,0\r2,0\r") == "1|2"s);
  CHECK(features("a,y\n1,0\n2,0\n\n \r\n\n") == "1|2"s);  // blank lines at the end are no rows
  CHECK(features("\xef\xbb\xbf"
                 "a,y\n1,0\n2,0\n") == "1|2"s);
  CHECK(labelled("\xef\xbb\xbf"
                 "a,y\n1,0\n")
            .feature_names == Names{"a"});  // without the byte order mark
}

TEST_CASE("blanks around names and values are removed") {
  const Labelled data = labelled("a , b,\ty \n 1 , +2 ,\tone\n");
  CHECK(data.feature_names == Names{"a", "b"});
  CHECK(written(data.features) == "1 2"s);
  CHECK(data.target_names == Names{"one"});
  CHECK(features("a\ty\n1 \t 0\n\t0\n", {.separator = '\t', .missing = Missing::drop_row}) == "1"s);  // a tab separates here
}

TEST_CASE("a missing value is an error, drops its row or becomes NaN") {
  const std::string text = "a,b,y\n1,2,0\n?,4,1\n5,NA,1\n6,,0\n";
  CHECK(
      complaint(text) ==
      "t.csv, line 3, column 1 (a): expected a number, but the value is missing, \"?\"; .missing = Missing::drop_row leaves out such rows, "
      "Missing::nan reads NaN, which a MeanImputer can replace by the mean"s);
  CHECK(features(text, {.missing = Missing::drop_row}) == "1 2"s);
  CHECK(features(text, {.missing = Missing::nan}) == "1 2|nan 4|5 nan|6 nan"s);
  CHECK(features("a,y\n-999,0\n1,0\n", {.missing = Missing::drop_row, .missing_words = {"-999"}}) == "1"s);
  CHECK(features("a,b,y\n1,,0\n2,,0\n", {.ignore = "b"}) == "1|2"s);
}

TEST_CASE("a customer becomes the same numbers in every file, with the means of the file to learn from") {
  const CsvOptions options{.missing = Missing::nan};
  const auto read = [&](std::string_view text) { return parse_csv<Matrix<float>>(text, options); };
  const MeanImputer<float> imputer(read("a,b\n1,10\n3,\n"));
  CHECK(written(imputer.transform(read("a,b\n,7\n"))) == "2 7"s);
  CHECK(written(imputer.transform(read("a,b\n50,50\n,7\n,\n"))) == "50 50|2 7|2 10"s);
}

TEST_CASE("a missing target cannot be replaced by a mean") {
  const std::string text = "a,y\n1,2\n3,nan\n";
  CHECK(complaint(text, {.target = "y", .missing = Missing::nan}) ==
        "t.csv, line 3, column 2 (y): expected a target, but the value is missing, \"nan\"; "
        ".missing = Missing::drop_row leaves out such rows"s);
  CHECK_THROWS_SAYING(regression(text, {.target = "y", .missing = Missing::nan}), ValueError, "expected a target");
  CHECK(written(regression(text, {.target = "y", .missing = Missing::drop_row}).targets) == "2"s);
}

TEST_CASE("a table in which every row has a missing value is an error where such rows are left out") {
  CHECK(complaint("a,b,y\n1,,0\n,2,0\n", {.target = -1, .missing = Missing::drop_row}) ==
        "t.csv: no row is left, because every row has a missing value"s);
}

TEST_CASE("a column of words for no and yes is read as 0 and 1") {
  CHECK(written(regression("x,y\nfalse,Yes\nTrue,no\nFALSE,YES\n").targets) == "1|0|1"s);
  CHECK(written(regression("x,y\nfalse,Yes\nTrue,no\nFALSE,YES\n").features) == "0|1|0"s);
  CHECK(written(regression("a,b,c,y\ny,F,on,1\nN,t,OFF,0\n", {.target = {1, 2}}).targets) == "0 1|1 0"s);
  CHECK(complaint("a,y\nyes,0\n1,0\n") ==
        "t.csv, line 3, column 1 (a): expected \"no\" or \"yes\", as in the rows above, but found \"1\""s);
  CHECK(complaint("a,y\nyes,0\ntrue,0\n") ==
        "t.csv, line 3, column 1 (a): expected \"no\" or \"yes\", as in the rows above, but found \"true\""s);
  CHECK(complaint("a,y\n1,0\nyes,0\n").starts_with("t.csv, line 3, column 1 (a): expected a number, but found \"yes\""));
}

TEST_CASE("no is class 0 and yes class 1, however they are written") {
  for (const char* names : {"No Yes", "no Yes", "false TRUE", "n Y", "0 1", "Off on"}) {
    const std::string both = names, no = both.substr(0, both.find(' ')), yes = both.substr(no.size() + 1);
    const Labelled data = labelled("x,y\n0," + yes + "\n0," + no + "\n0," + yes + "\n");
    CHECK(data.targets == std::vector<int>{1, 0, 1});
    CHECK(data.target_names == Names{no, yes});
  }
  CHECK(labelled("x,y\n0,true\n0,YES\n").target_names == Names{"YES", "true"});  // no pair
}

TEST_CASE("known classes may have the name of a missing value, but no name twice") {
  const CsvOptions options{.target = "y", .classes = {"NA", "b"}, .missing = Missing::drop_row};
  const Labelled data = labelled("x,y\n1,b\nNA,b\n2,NA\n", options);
  CHECK(data.targets == std::vector<int>{1, 0});
  CHECK(complaint("x,y\n1,b\n", {.target = "y", .classes = {"b", "a", "b"}}) == "t.csv: .classes has \"b\" twice"s);
}

TEST_CASE("text where a number is expected is an error with line and column") {
  const std::string remedy =
      "; leave out the column with .ignore, add this text to .also_missing if it stands for a missing value, or take read_table and "
      "Preprocessing for features that are words";
  CHECK(complaint("a,b,y\n1,2,0\n3,x4,0\n") == "t.csv, line 3, column 2 (b): expected a number, but found \"x4\""s + remedy);
  CHECK(complaint("1,2,0\n3,4 5,0\n", {.header = false, .target = -1}) ==
        "t.csv, line 2, column 2: expected a number, but found \"4 5\""s + remedy);
  CHECK(complaint("a,y\n\"1\n2\",0\n") == "t.csv, line 2, column 1 (a): expected a number, but found \"1?2\""s + remedy);
  CHECK(complaint("a,b,y\n\"1\",\"2\n\",0\n") == "t.csv, line 2, column 2 (b): expected a number, but found \"2?\""s + remedy);
  CHECK(complaint("a,y\n1,\"\n\"\nx,0\n") ==
        "t.csv, line 4, column 1 (a): expected a number, but found \"x\""s + remedy);  // line breaks in quotes count
  CHECK(complaint("a,y\n1e39,0\n") == "t.csv, line 2, column 1 (a): expected a number of at most 3.4028235e+38, but found \"1e39\""s);
  CHECK(complaint("a,y\ninf,0\n") == "t.csv, line 2, column 1 (a): expected a number, but found \"inf\""s + remedy);
  CHECK(complaint("a,y\n" + std::string(50, 'z') + ",0\n") ==
        "t.csv, line 2, column 1 (a): expected a number, but found \"" + std::string(40, 'z') + "...\"" + remedy);
  const std::string umlauts = "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f";  // two bytes each
  CHECK(complaint("\x1b[1m,y\nz" + umlauts + umlauts + umlauts + umlauts + umlauts + umlauts + ",0\n") ==
        "t.csv, line 2, column 1 (?[1m): expected a number, but found \"z" + umlauts + umlauts + umlauts + umlauts + umlauts.substr(0, 6) +
            "...\"" + remedy);
  CHECK_THROWS_SAYING(regression("a,y\n1,high\n"), ValueError, "t.csv, line 2, column 2 (y): expected a number, but found \"high\"");
}

TEST_CASE("numbers that are not whole are an error as class names") {
  CHECK(complaint("a,y\n1,2\n1,0.5\n") ==
        "t.csv, line 3, column 2 (y): expected a class name, text or a whole number, but found \"0.5\"; read numbers to predict "
        "as a RegressionDataset"s);
}

TEST_CASE("rows of different lengths are an error") {
  CHECK(complaint("a,b,y\n1,2,0\n3,4\n") == "t.csv, line 3: expected 3 values, as in the first row, but found 2"s);
  CHECK(complaint("1,2\n3,4,5\n", {.header = false, .target = -1}) ==
        "t.csv, line 2: expected 2 values, as in the first row, but found 3"s);
  CHECK(complaint("a,b\n1,2,3,\"\"\"\"\n") == "t.csv, line 2: expected 2 values, as in the first row, but found 4"s);
  CHECK(complaint(std::string((1 << 20) + 5, ',')) == "t.csv, line 1: expected at most 1048576 columns, but found 1048582"s);
  CHECK(complaint("a,y\n1,0\n\n2,0\n") == "t.csv, line 3: expected a row, but the line is blank and rows follow"s);
  CHECK(complaint("a;y\n1;0\n") == "t.csv: no column is left as a feature; the table has 1 column, with \",\" as separator"s);
}

TEST_CASE("a quote that is not closed, or is followed by text, is an error") {
  CHECK(complaint("a,y\n1,0\n2,\"b\n3,1\n") ==
        "t.csv, line 3, column 2 (y): expected a closing quote, but the quote that begins here is never closed"s);
  CHECK(complaint("a,y\n1,\"b\"c\n") == "t.csv, line 2, column 2 (y): expected a separator after the closing quote, but found \"c\""s);
}

TEST_CASE("a file without rows is an error") {
  CHECK(complaint("") == "t.csv is empty"s);
  CHECK(complaint("\xef\xbb\xbf\n\n") == "t.csv is empty"s);
  CHECK(complaint("a,y\n") == "t.csv has a header, but no row below it"s);
  CHECK(complaint("\x1f\x8b\x08rest") ==
        "t.csv is compressed by gzip; unpack it, or read it with gunzip_file of <chainrule/data/gzip.hpp>"s);
  CHECK(complaint("\xff\xfe"
                  "a") == "t.csv: expected text in UTF-8, but this is UTF-16; save it as UTF-8"s);
}

TEST_CASE("columns that do not exist, or are named twice, are an error") {
  const std::string text = "a,b,y\n1,2,0\n";
  CHECK(complaint(text, {.target = "z"}) == "t.csv: there is no column \"z\"; there are \"a\", \"b\", \"y\""s);
  CHECK(complaint(text, {.target = 3}) == "t.csv: there is no column 3; the 3 columns are 0 to 2, or -1 to -3 from the end"s);
  CHECK(complaint(text, {.target = -4}) == "t.csv: there is no column -4; the 3 columns are 0 to 2, or -1 to -3 from the end"s);
  CHECK(complaint(text, {.header = false, .target = "y"}) ==
        "t.csv: a file without a header has no column named \"y\"; give the number of the column, counted from 0"s);
  CHECK(complaint(text, {.target = "y", .ignore = 2}) == "t.csv: column 2 is named twice in .target and .ignore"s);
  CHECK(complaint(text, {.target = "y", .ignore = {0, 1}}) ==
        "t.csv: no column is left as a feature; the table has 3 columns, with \",\" as separator"s);
  CHECK(complaint("a,b,a,y\n1,2,3,0\n") ==
        "t.csv, line 1: expected different column names, but columns 1 and 3 are both \"a\"; for a file without a header, set .header = "
        "false"s);
}

TEST_CASE("impossible options are an error") {
  CHECK(complaint("a,y\n1,0\n", {}) ==
        "t.csv: which column is the target? Say {.target = \"its name\"}, or {.target = -1} for the last one"s);
  CHECK(complaint("a,y\n1,0\n", {.target = {0, 1}}) ==
        "t.csv: class labels are one column, but .target names 2; read numbers as a RegressionDataset"s);
  for (const char separator : {'"', '\n', '\r', '\0', '.', '-', '+', '0', 'e', 'Z'})
    CHECK(complaint("a,y\n1,0\n", {.separator = separator, .target = -1})
              .starts_with("t.csv: the separator must not be a letter, digit, point, sign, quote or line break, but is \""));
  CHECK_THROWS_SAYING(parse_csv<Matrix<float>>("a,y\n1,0\n", {.target = "y"}), ValueError, "the text: a matrix holds features alone");
}

TEST_CASE("a table is read from a stream or a file, whose name is in the error messages") {
  const chainrule_test::TemporaryFolder folder;
  const std::string text = "a,y\n" + std::string(5000, ' ') + "1,2\n";
  std::istringstream stream(text);
  CHECK(written(parse_csv<Regression>(stream, {.target = "y"}).targets) == "2"s);
  CHECK(written(read_csv<Regression>(folder.file("a.csv", text), {.target = "y"}).targets) == "2"s);
  CHECK_THROWS_SAYING(read_csv<Regression>(folder.file("b.csv", "a,y\n1,?\n"), {.target = "y"}), ValueError, "b.csv, line 2, column 2 (y)");
  CHECK_THROWS_SAYING(read_csv<Regression>(folder.path("c.csv"), {.target = "y"}), ValueError, "read_csv: cannot read \"", "c.csv\"");
  CHECK_THROWS_SAYING(read_csv<Regression>(folder.path(""), {.target = "y"}), ValueError, "read_csv: cannot read \"", "irectory");
}

TEST_CASE("numbers have a decimal comma where the options say so") {
  const CsvOptions options{.separator = ';', .decimal = ',', .target = "y"};
  CHECK(written(regression("a;b;y\n1,5;-2;0,25\n,5;1e3;-7,0\n", options).features) == "1.5 -2|0.5 1000"s);
  CHECK(written(regression("a;b;y\n1,5;-2;0,25\n,5;1e3;-7,0\n", options).targets) == "0.25|-7"s);
  CHECK(complaint("a;y\n1.234,5;0\n", options).starts_with("t.csv, line 2, column 1 (a): expected a number, but found \"1.234,5\""));
  CHECK(complaint("a;y\n1.5;0\n", options).starts_with("t.csv, line 2, column 1 (a): expected a number, but found \"1.5\""));
  const Labelled data = labelled("a;y\n1;10,0\n1;9\n", options);
  CHECK(data.target_names == Names{"9", "10.0"});
  CHECK(complaint("a,y\n1,0\n", {.decimal = ',', .target = "y"}) ==
        "t.csv: a comma cannot be both .separator and .decimal; files with decimal commas mostly have .separator = ';'"s);
  CHECK(complaint("a,y\n1,0\n", {.decimal = ';', .target = "y"}) == "t.csv: .decimal must be a point or a comma, but is \";\""s);
}

TEST_CASE("any number of blanks and tabs separates cells where the separator is a blank") {
  const CsvOptions options{.separator = ' ', .target = "y", .missing = Missing::nan};
  CHECK(features("  a  b\ty \n 1\t 2   0  \n\n", options) == "1 2"s);
  CHECK(features("a \"b c\" y\r\n1 \"2\"\t 0\r\n3 \"\" 1", options) == "1 2|3 nan"s);
  CHECK(complaint("a b y\n1  0\n", options) == "t.csv, line 2: expected 3 values, as in the first row, but found 2"s);
  CHECK(complaint("a y\n1 0\n  \t\n2 0\n", options) == "t.csv, line 3: expected a row, but the line is blank and rows follow"s);
  CHECK(complaint("  \n \t \n", options) == "t.csv is empty"s);
}

TEST_CASE("lines before the header are left out where the options say how many") {
  const CsvOptions options{.skip_lines = 2, .target = "y"};
  CHECK(features("\xef\xbb\xbfmade by \"us\r\n\r\na,y\r\n1,0\r\n", options) == "1"s);
  CHECK(complaint("a,y\n1,0\n", options) == "t.csv has no row below the lines to skip"s);
  CHECK(complaint("one\ntwo\na,y\n1,x,0\n", options) == "t.csv, line 4: expected 2 values, as in the first row, but found 3"s);
  CHECK(complaint("a,y\n1,0\n", {.skip_lines = -1, .target = "y"}) == "t.csv: .skip_lines must be at least 0, but is -1"s);
}

TEST_CASE("columns without name and values at the end of the lines are left out") {
  CHECK(features("a,y,,\n1,0,,\n2,1,,\n") == "1|2"s);
  CHECK(labelled("a,y,\n1,0,\n2,1,\n", {.target = -1}).target_names == Names{"0", "1"});  // -1 is the last one that is left
  CHECK(
      complaint("a,y,\n1,0,\n2,1,5\n") ==
      "t.csv, line 3, column 3: expected nothing, because the column has no name and no value in its first row, but found \"5\"; give the "
      "column a name"s);
  CHECK(written(labelled("a,y,\n1,0,7\n2,1,5\n", {.target = "y"}).features) == "1 7|2 5"s);
}

TEST_CASE("a column that numbers the rows and has no name is an error, because it is no feature") {
  CHECK(complaint(",a,y\n0,5,0\n1,6,1\n") ==
        "t.csv: column 1 numbers the rows and is named \"\", as an index that pandas has written, which is no feature; leave it out with "
        ".ignore = 0, or give it another name if it is one"s);
  CHECK(complaint("Unnamed: 0,a,y\n7,5,0\n3,6,1\n").starts_with("t.csv: column 1 numbers the rows and is named \"Unnamed: 0\""));
  CHECK(features(",a,y\n0,5,0\n1,6,1\n", {.ignore = 0}) == "5|6"s);
  CHECK(features(",a,y\n0,5,0\n0,6,1\n") == "0 5|0 6"s);
  CHECK(features(",a,y\n0.5,5,0\n1,6,1\n") == "0.5 5|1 6"s);
  CHECK(features("n,a,y\n0,5,0\n1,6,1\n") == "0 5|1 6"s);
}

TEST_CASE("the usual words for missing values are those of pandas, and more can be added") {
  std::string text = "a,y\n";
  for (const std::string& word : usual_missing_words()) text += word + ",0\n";
  CHECK(usual_missing_words().size() == 20);
  CHECK(features(text + "1,0\n", {.missing = Missing::drop_row}) == "1"s);
  CHECK(features("a,y\n-1,0\nnone,0\nNA,0\n", {.missing = Missing::drop_row, .also_missing = {"none"}}) == "-1"s);
  CHECK(complaint("a,y\nnone,0\n", {.target = "y", .missing = Missing::drop_row})
            .starts_with("t.csv, line 2, column 1 (a): expected a number"));
}

TEST_CASE("a part of a table has what the whole table has in these rows") {
  const auto check = [](std::string_view text, const CsvOptions& options = {.target = -1}) {
    const Labelled whole = labelled(text, options);
    for (const Index of : {1, 2, 3, 8})
      for (Index number = 0; number < of; ++number) {
        const Labelled part = parse_csv<Labelled>(text, options, DataPart{number, of}, "t.csv");
        const SampleRange range = DataPart{number, of}.range_of(whole.features.cols());
        CHECK(part.features.rows() == whole.features.rows());
        CHECK(written(part.features) == written(whole.features.middleCols(range.first, range.count)));
        const auto first = whole.targets.begin() + range.first;
        CHECK(part.targets == std::vector<int>(first, first + range.count));
        CHECK(part.target_names == whole.target_names);
        CHECK(part.feature_names == whole.feature_names);
      }
  };
  check("a,\"b\n\"\"c\"\"\",kind\n1,yes,\"x\r\ny, \"\"z\"\"\"\n2,No,w\r\n\"3\",YES,\"x\r\ny, \"\"z\"\"\"\r4,no,b\n5,yes,a");
  check("a,b,y\n1,?,7\n?,2,7.0\n3,4,10\n5,6,\n7,8,7.0\n9,10,7\n11,12,10\n", {.target = "y", .missing = Missing::drop_row});
  check("a,b,y\n?,1,u\n?,2,v\non,3,u\nOff,4,v\n?,5,u\n", {.target = "y", .missing = Missing::nan});
  check("1;2,5;8,0\n3;4,5;7,0\n5;6,5;8\n",
        {.header = false, .separator = ';', .decimal = ',', .target = -1, .classes = {"8", "7.0", "8.0"}});
  check("Unnamed: 0,a,y\n1,5,0\n2,6,1\n1,7,0\n2,8,1\n");  // no index, although the numbers of each half are different

  const std::string numbers = "a,y,b,z\n1,2,3,4\n5,6,7,8\n9,10,11,12\n";
  const DataPart last{1, 2};
  const auto part = parse_csv<Regression>(numbers, {.target = {"z", "y"}}, last);
  CHECK(written(part.features) == "5 7|9 11"s);
  CHECK(written(part.targets) == "8 6|12 10"s);
  CHECK(parse_csv<Regression>(numbers, {.target = {"z", "y"}}, DataPart{0, 8}).targets.rows() == 2);
  const chainrule_test::TemporaryFolder folder;
  const std::string path = folder.path("numbers.csv");
  std::ofstream(path, std::ios::binary) << numbers;
  CHECK(written(read_csv<Matrix<float>>(path, {}, last)) == "5 6 7 8|9 10 11 12"s);
}

TEST_CASE("errors of a part are those of its own rows, of the layout, and of what is taken from all rows") {
  const auto part = [](std::string_view text, Index number, const CsvOptions& options = {.target = -1}) {
    return parse_csv<Labelled>(text, options, DataPart{number, 2}, "t.csv");
  };
  const std::string bad_number = "a,y\n1,0\n2,1\n3,0\nx,1\n";
  CHECK(written(part(bad_number, 0).features) == "1|2"s);
  CHECK_THROWS_SAYING(part(bad_number, 1), ValueError, "t.csv, line 5, column 1 (a): expected a number, but found \"x\"");
  CHECK_THROWS_SAYING(part("a,y\nno,0\n2,1\n", 1), ValueError, "line 3, column 1 (a): expected \"no\" or \"yes\", as in the rows above");
  for (const Index number : {0, 1}) {
    CHECK_THROWS_SAYING(part("a,y\n1,0\n2,1\n3\n", number), ValueError, "line 4: expected 2 values, as in the first row, but found 1");
    CHECK_THROWS_SAYING(part("a,y\n1,0\n2,\"1\n", number), ValueError, "line 3, column 2 (y): expected a closing quote");
    CHECK_THROWS_SAYING(part("a,y\n1,0\n2,0.5\n", number), ValueError, "expected a class name, text or a whole number, but found \"0.5\"");
    CHECK_THROWS_SAYING(part("a,y\n1,0\n2,1\n", number, {.target = -1, .classes = {"0"}}), ValueError, "expected one of the classes \"0\"");
    CHECK_THROWS_SAYING(part(",a,y\n0,5,0\n1,6,1\n", number), ValueError, "column 1 numbers the rows");
    CHECK_THROWS_SAYING(part("a,y\n?,0\n?,1\n", number, {.target = -1, .missing = Missing::drop_row}), ValueError, "no row is left");
  }
  CHECK_THROWS_SAYING(part(bad_number, 2), ValueError, "there is no part 2 of 2");
}
