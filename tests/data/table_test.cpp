#include <chainrule/data/table.hpp>
#include <optional>

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using namespace chainrule;
using namespace std::string_literals;  // std::string literals, so that CHECK is compiled for one type
using Names = std::vector<std::string>;

namespace {

/// Writes a table as text: cells separated by blanks, rows by "|", "?" for a missing value.
std::string written(const Table& table) {
  std::string text;
  for (Index i = 0; i < table.size(); ++i) {
    if (i > 0) text += "|";
    for (Index j = 0; j < table.columns(); ++j) text += (j > 0 ? " " : "") + (table.is_missing(i, j) ? "?" : std::string(table.text(i, j)));
  }
  return text;
}

Table parsed(std::string_view text, const TableOptions& options = {}) { return parse_table(text, options, "t.csv"); }

std::string complaint(std::string_view text, const TableOptions& options = {}) {
  try {
    parsed(text, options);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("A table keeps the texts of a file as they are, and knows which values are missing") {
  const Table table = parsed("\xef\xbb\xbfname,size\r\n\"Smith, \"\"J\"\"\",007\r\nNA, 1.50 \r\n");
  CHECK(table.names() == Names{"name", "size"});
  CHECK(written(table) == "Smith, \"J\" 007|? 1.50"s);
  CHECK(table.text(1, 0) == "NA");  // the text that stands for a missing value
  CHECK(table.place(1, 1) == "t.csv, line 3, column 2 (size)"s);
  CHECK(table.notes().empty());
  CHECK(table.column("size") == 1);
  CHECK(table.has("name"));
  CHECK_THROWS_SAYING(table.column("Size"), ValueError, "t.csv: there is no column \"Size\"; there are \"name\", \"size\"");
  CHECK_THROWS_SAYING(table.text(2, 0), ShapeError, "t.csv: there is no cell in row 2, column 0; there are 2 rows and 2 columns");
  CHECK_THROWS_SAYING(table.is_missing(0, -1), ShapeError, "there is no cell in row 0, column -1");
}

TEST_CASE("A table is read with the separators, decimal points and missing words of its file") {
  const Table table =
      parsed("made 2024\na \t b\n1,5   none\n", {.separator = ' ', .decimal = ',', .skip_lines = 1, .also_missing = {"none"}});
  CHECK(written(table) == "1,5 ?"s);
  CHECK(table.decimal() == ',');
  CHECK(parsed("1;x\n2;y\n", {.header = false, .separator = ';'}).names() == Names{"0", "1"});
  CHECK(parsed("1,x\n", {.header = false, .names = {"a", "b"}}).names() == Names{"a", "b"});
  CHECK(complaint("1,x\n", {.header = false, .names = {"a"}}) == "t.csv: .names has 1 names, but the file has 2 columns"s);
  CHECK(complaint("a\n1\n", {.names = {"a"}}) == "t.csv: .names are those of a file without a header; set .header = false"s);
  CHECK(complaint("a,b\n1,2\n", {.decimal = ','}).starts_with("t.csv: a comma cannot be both .separator and .decimal"));
}

TEST_CASE("An index is recognised, left out and said") {
  const Table table = parsed(",a\n3,x\n1,y\n2,x\n");  // the order of a shuffled part
  CHECK(written(table) == "x|y|x"s);
  CHECK(table.notes() ==
        Names{"t.csv: column 1 is an index: it is named \"\", and holds a different whole number in each row, and is left out"});
  CHECK(table.place(1, 0) == "t.csv, line 3, column 2 (a)"s);
  CHECK(written(parsed("Unnamed: 0,a\n0,x\n1,y\n")) == "x|y"s);
  CHECK(written(parsed(",a\n0,x\n1,y\n", {.keep_index = true})) == "0 x|1 y"s);
  for (const char* no_index : {",a\n0,x\n0,y\n", ",a\n0,x\n1.5,y\n", ",a\n0,x\n,y\n", ",a\n-1,x\n0,y\n", "n,a\n0,x\n1,y\n", ",a\n0,x\n"})
    CHECK(parsed(no_index).columns() == 2);
}

TEST_CASE("Columns that are empty or repeat another one are left out and said") {
  const Table table = parsed("a,b,a,,c,,\n1,x,1,,?,,\n2,y,2,NA,?,,\n");
  CHECK(table.names() == Names{"a", "b", "c"});
  CHECK(written(table) == "1 x ?|2 y ?"s);  // c has a name
  CHECK(table.notes() == Names{"t.csv: column 3 has the name and the values of column 1 (a), and is left out",
                               "t.csv: column 4 has no name and no value, and is left out",
                               "t.csv: column 6 has no name and no value, and is left out",
                               "t.csv: column 7 has no name and no value, and is left out"});
  CHECK(
      complaint("a,b,a\n1,x,1\n2,y,3\n") ==
      "t.csv: expected different column names, but columns 1 and 3 are both \"a\" and hold different values; for a file without a header, "
      "set .header = false"s);
  CHECK(complaint("a,\n1,\n2,5\n").starts_with("t.csv, line 3, column 2: expected nothing, because the column has no name"));
  CHECK(complaint(",\n1,2\n").empty() == false);
  CHECK(complaint(",,\n,,\n") == "t.csv: the header has no names; set .header = false for a file without one"s);
  CHECK(complaint(",\n0,\n1,\n").starts_with("t.csv: no column is left: t.csv: column 1 is an index"));
}

TEST_CASE("What is no table is an error with its line") {
  CHECK(complaint("") == "t.csv is empty"s);
  CHECK(complaint("a,b\n") == "t.csv has a header, but no row below it"s);
  CHECK(complaint("a,b\n1\n") == "t.csv, line 2: expected 2 values, as in the first row, but found 1"s);
  CHECK(complaint("a,b\n1,\"x\n").starts_with("t.csv, line 2, column 2 (b): expected a closing quote"));
  CHECK(complaint("\x1f\x8b\x08").find("compressed by gzip") != std::string::npos);
  const chainrule_test::TemporaryFolder folder;
  CHECK(written(read_table(folder.file("a.csv", "a\n1\n"))) == "1"s);
  CHECK_THROWS_SAYING(read_table(folder.path("b.csv")), ValueError, "read_table: cannot read \"");
}

TEST_CASE("A table can be made of rows in memory") {
  const Table table({"age", "city"}, {{"42", "Bern"}, {"", "Basel"}});
  CHECK(written(table) == "42 Bern|? Basel"s);
  CHECK(table.place(1, 0) == "the table, row 2, column 1 (age)"s);
  CHECK_THROWS_SAYING(Table({"a", "a"}, {}), ValueError, "the table: there are two columns \"a\"");
  CHECK_THROWS_SAYING(Table({"a", "b"}, {{"1", "2"}, {"1"}}), ShapeError, "the table: row 2 has 1 texts, but there are 2 columns");
  CHECK(Table().size() == 0);
  CHECK(Table({"a"}, {{"1,5"}}, {.decimal = ','}).options().separator == ';');
}

TEST_CASE("Parts of a table share its texts and keep their lines") {
  std::optional<Table> table = parsed("kind,n\na,0\nb,1\na,2\nb,3\na,4\na,5\nb,6\nb,7\n?,8\n");
  CHECK_THROWS_SAYING(stratified_split(*table, "kind"), ValueError,
                      "t.csv, line 10, column 1 (kind): expected a class, but the value is missing");
  const Table whole = drop_missing(*table, {"kind"});
  const auto [train, test] = stratified_split(whole, "kind", {.test_share = 0.25, .seed = Seed{3}});
  const auto [first, last] = split(whole, {.test_share = 0.25, .shuffle = false});
  const auto folds = stratified_k_fold(whole, "kind", 2);
  table.reset();
  CHECK(whole.size() == 8);
  CHECK(test.size() == 2);
  CHECK(test.text(0, 0) != test.text(1, 0));
  CHECK(written(last) == "b 6|b 7"s);
  CHECK(last.place(0, 1) == "t.csv, line 8, column 2 (n)"s);
  CHECK(written(subset(whole, {7, 0, 7})) == "b 7|a 0|b 7"s);
  CHECK(written(whole.part(DataPart{1, 3})) == "a 2|b 3|a 4"s);
  CHECK(folds[0].validation.size() == 4);
  CHECK_THROWS_SAYING(subset(whole, {8}), ValueError, "subset: there is no row 8; the 8 rows of t.csv are counted from 0");
  CHECK_THROWS_SAYING(drop_missing(whole, {"x"}), ValueError, "there is no column \"x\"");
}
