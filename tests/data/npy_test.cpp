#include <chainrule/data/npy.hpp>
#include <cmath>

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using namespace chainrule;
using namespace std::string_literals;

namespace {

bool equal(const Matrix<float>& a, const Matrix<float>& b) { return a.rows() == b.rows() && a.cols() == b.cols() && a == b; }

/// The bytes of a .npy file of version 1 with this header.
std::string npy(const std::string& header, const std::string& numbers) {
  return "\x93NUMPY\x01\x00"s + static_cast<char>(header.size()) + '\0' + header + numbers;
}

/// The bytes of a .npy file of version 1 with this number type and shape, in C order.
std::string npy(const std::string& type, const std::string& shape, const std::string& numbers) {
  return npy("{'descr': '" + type + "', 'fortran_order': False, 'shape': " + shape + ", }\n", numbers);
}

/// Returns the message of the error, or an empty text where there is none.
std::string complaint(const std::string& bytes) {
  try {
    parse_npy<float>(bytes, "t.npy");
  } catch (const ValueError& error) {
    return error.what();
  }
  return "";
}

/// The bytes 1 to 6: as u1 in shape (2, 3), the samples 1, 2, 3 and 4, 5, 6.
const std::string six = "\x01\x02\x03\x04\x05\x06";

}  // namespace

TEST_CASE("a row of a NumPy array becomes a column") {
  const Matrix<float> expected{{1, 4}, {2, 5}, {3, 6}};
  CHECK(equal(parse_npy<float>(npy("|u1", "(2, 3)", six)), expected));
  CHECK(equal(parse_npy<float>(npy("{'descr': '|u1', 'fortran_order': True, 'shape': (3, 2), }\n", six)), expected.transpose()));
  CHECK(equal(parse_npy<float>(npy("|u1", "(6,)", six)), Matrix<float>{{1, 2, 3, 4, 5, 6}}));  // one feature
}

TEST_CASE("a .npy file may hold numbers of any type in either byte order") {
  const auto two = [](const char* type, const std::string& numbers) { return parse_npy<float>(npy(type, "(2,)", numbers)); };
  CHECK(equal(two("<f4", "\x00\x00\x80\x3f\x00\x00\x20\xc0"s), Matrix<float>{{1, -2.5f}}));
  CHECK(equal(two(">f4", "\x3f\x80\x00\x00\xc0\x20\x00\x00"s), Matrix<float>{{1, -2.5f}}));
  CHECK(equal(two("<f8", "\0\0\0\0\0\0\xf0\x3f\0\0\0\0\0\0\x04\xc0"s), Matrix<float>{{1, -2.5f}}));
  CHECK(equal(two(">f8", "\x3f\xf0\0\0\0\0\0\0\xc0\x04\0\0\0\0\0\0"s), Matrix<float>{{1, -2.5f}}));
  CHECK(equal(two("|i1", "\xff\x7f"), Matrix<float>{{-1, 127}}));
  CHECK(equal(two("<u2", "\x01\x02\xff\xff"), Matrix<float>{{513, 65535}}));
  CHECK(equal(two(">i2", "\x01\x02\xff\xff"), Matrix<float>{{258, -1}}));
  CHECK(equal(two("<i4", "\x01\0\0\0\xfe\xff\xff\xff"s), Matrix<float>{{1, -2}}));
  CHECK(equal(two("<u4", "\x01\0\0\0\0\0\0\x80"s), Matrix<float>{{1, 2147483648.0f}}));
  CHECK(equal(two("<i8", "\x01\0\0\0\0\0\0\0\xfe\xff\xff\xff\xff\xff\xff\xff"s), Matrix<float>{{1, -2}}));
  CHECK(equal(two("<u8", "\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x80"s), Matrix<float>{{1, 9223372036854775808.0f}}));
  CHECK(equal(two("|b1", "\0\x01"s), Matrix<float>{{0, 1}}));
  CHECK(std::isnan(two("<f4", "\x00\x00\xc0\x7f\x00\x00\x00\x00"s)(0, 0)));  // NaN is kept; the caller decides what to do with it
}

TEST_CASE("labels in a .npy file are whole numbers of any type") {
  CHECK(parse_npy_labels(npy("|u1", "(3,)", "\x02\x00\x01"s)) == std::vector<int>{2, 0, 1});
  CHECK(parse_npy_labels(npy("<i2", "(2, 1)", "\xff\xff\x01\x00"s)) == std::vector<int>{-1, 1});
  CHECK(parse_npy_labels(npy("<f4", "(1,)", "\x00\x00\x40\x40"s)) == std::vector<int>{3});
  CHECK_THROWS_SAYING(parse_npy_labels(npy("<f4", "(1,)", "\x00\x00\x20\x40"s), "t.npy"), ValueError,
                      "t.npy: expected labels that are whole numbers, but the label of sample 0 is 2.5");
  CHECK_THROWS_SAYING(parse_npy_labels(npy("<f4", "(1,)", "\x00\x00\xc0\x7f"s)), ValueError, "sample 0 is nan");
  CHECK_THROWS_SAYING(parse_npy_labels(npy("<u4", "(1,)", "\x00\x00\x00\x80"s)), ValueError, "sample 0 is 2147483648");
  CHECK_THROWS_SAYING(parse_npy_labels(npy("|u1", "(3, 2)", six), "t.npy"), ValueError, "t.npy: expected one label per sample",
                      "found 3 x 2 numbers");
}

TEST_CASE("versions 2 and 3 of .npy store the length of the header in 4 bytes") {
  const std::string header = "{\"shape\":(1L,),\"fortran_order\":False,\"descr\":\"|u1\"}";
  for (const char version : {'\x02', '\x03'})
    CHECK(equal(parse_npy<float>("\x93NUMPY"s + version + '\0' + static_cast<char>(header.size()) + "\0\0\0"s + header + "\x07"),
                Matrix<float>{{7}}));
  CHECK(complaint("\x93NUMPY\x04\x00\x00\x00\x00\x00"s) == "t.npy: expected version 1, 2 or 3 of the format, but found 4"s);
}

TEST_CASE("to_npy writes what NumPy writes") {
  const std::string header =
      "\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }                                           "
      "               \n"s;
  CHECK(to_npy(Matrix<float>{{1, -2.5f}}) == header + "\x00\x00\x80\x3f\x00\x00\x20\xc0"s);
  if constexpr (sizeof(long double) > sizeof(double))
    CHECK_THROWS_SAYING(to_npy(Matrix<long double>{{0, 1e400L}}), ValueError, "to_npy: entry (0, 1) is too large for f8");
  CHECK(to_npy(std::vector<int>{1, -2}).starts_with("\x93NUMPY\x01\x00\x76\x00{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }"s));
}

TEST_CASE("a written .npy file is read back to the same numbers") {
  const chainrule_test::TemporaryFolder folder;
  const Matrix<float> m{{1, 2, 1e-45f}, {1 / 3.0f, -3e38f, 0}};
  write_npy(folder.path("m"), m);
  CHECK(equal(read_npy<float>(folder.path("m")), m));
  write_npy(folder.path("m"), m.leftCols(2));
  CHECK(equal(read_npy<float>(folder.path("m")), m.leftCols(2)));
  write_npy(folder.path("m"), std::vector<int>{3, -1, 2'000'000'000});
  CHECK(read_npy_labels(folder.path("m")) == std::vector<int>{3, -1, 2'000'000'000});
  CHECK_THROWS_SAYING(write_npy(folder.path("no/m"), m), ValueError, "write_npy: cannot write \"", "No such file");
  CHECK_THROWS_SAYING(read_npy<float>(folder.path("no")), ValueError, "read_npy: cannot read \"", "No such file");
}

TEST_CASE("a number type that cannot be read is an error that names it") {
  CHECK(complaint(npy("<c8", "(1,)", "12345678")) ==
        "t.npy: expected numbers of type f4, f8, i1 to i8, u1 to u8 or b1, but found \"<c8\" (complex numbers); in Python, "
        "a.astype('float32') converts"s);
  for (const char* type : {"|O", "<U1", "<f2", "<f16", "<M8[s]", "<i3", "=f4", "|f4", "f4", ""}) {
    const std::string found = "but found \"" + std::string(type) + "\"";
    CHECK_THROWS_SAYING(parse_npy<float>(npy(type, "(1,)", "12345678")), ValueError, "expected numbers of type", found.c_str());
  }
  CHECK_THROWS_SAYING(parse_npy<float>(npy("{'descr': [('a', '<i4')], 'fortran_order': False, 'shape': (1,), }", "1234")), ValueError,
                      "expected an array of numbers, but found an array of records, \"[('a', '<i4')], ");
}

TEST_CASE("an array without extents, or with more than two, is an error") {
  CHECK(complaint(npy("|u1", "(1, 2, 3)", six)) ==
        "t.npy: expected an array of one or two extents, samples or samples x features, but found 3, 1 x 2 x 3; in Python, "
        "a.reshape(len(a), -1) makes two of them"s);
  CHECK_THROWS_SAYING(parse_npy<float>(npy("|u1", "()", "1")), ValueError, "but found 0, a single number");
  CHECK_THROWS_SAYING(parse_npy<float>(npy("|u1", "(1,2,3,4,5,6,7,8,9,)", six)), ValueError,
                      "but found 9, 1 x 2 x 3 x 4 x 5 x 6 x 7 x 8 x ...;");
  std::string many = "(";
  for (int i = 0; i < 65; ++i) many += "1,";
  CHECK_THROWS_SAYING(parse_npy<float>(npy("|u1", many + ")", "1")), ValueError, "expected at most 64 extents in the header");
}

TEST_CASE("a file that is not .npy is an error that shows its first bytes") {
  CHECK(complaint("\x89PNG\r\n\x1a\n") == "t.npy is not a .npy file: expected to begin with 0x934e554d5059, but found 0x89504e470d0a"s);
  CHECK(complaint("\x93NUM") == "t.npy is not a .npy file: expected to begin with 0x934e554d5059, but found 0x934e554d"s);
  CHECK(complaint("PK\x03\x04") == "t.npy is an archive of arrays (.npz); unzip it, and read the .npy files in it"s);
  CHECK(complaint("") == "t.npy is empty"s);
}

TEST_CASE("a .npy file that is too short or too long is an error with the expected and found size") {
  const std::string whole = npy("|u1", "(2, 3)", six);
  const std::string start = std::to_string(whole.size() - 6);
  CHECK(complaint(whole.substr(0, 9)) == "t.npy is cut short: expected a header of at least 10 bytes, but found 9"s);
  CHECK(complaint(whole.substr(0, 20)) == "t.npy is cut short: expected a header of " + start + " bytes, but found 20");
  CHECK(complaint(whole.substr(0, whole.size() - 1)) ==
        "t.npy is cut short: expected 6 bytes after the header, for 2 x 3 numbers of 1 byte, but found 5"s);
  CHECK(complaint(whole + "!") == "t.npy is too long: expected 6 bytes after the header, for 2 x 3 numbers of 1 byte, but found 7"s);
  CHECK(complaint(npy("<f8", "(4294967296, 4294967296)", "")) ==
        "t.npy: the header says that there are 4294967296 x 4294967296 numbers, more than any file can hold"s);
  CHECK(complaint(npy("<f8", "(1000000000000, 1)", "")) ==
        "t.npy is cut short: expected 8000000000000 bytes after the header, for 1000000000000 x 1 numbers of 8 bytes, but found 0"s);
  CHECK(complaint(npy("<f8", "(0, 3)", "")) == "t.npy is empty: it holds 0 x 3 numbers"s);
}

TEST_CASE("a broken .npy header is an error that shows where it is broken") {
  const auto refused = [](const char* header, const char* says) {
    CHECK_THROWS_SAYING(parse_npy<float>(npy(header, "1")), ValueError, "the input: expected ", says);
  };
  refused("", "{ in the header, but found \"\"");
  refused("{'descr': '|u1', 'fortran_order': False}", "all of 'descr', 'fortran_order' and 'shape' in the header");
  refused("{'descr: }", "a quoted text in the header, but found \"'descr: }\"");
  refused("{'colour': 1}", "'descr', 'fortran_order' or 'shape' in the header, but found \"colour\"");
  refused("{'descr' '|u1'}", ": in the header, but found \"'|u1'}\"");
  refused("{'descr': '|u1' 'fortran_order': False}", "a comma in the header, but found \"'fortran_order': False}\"");
  refused("{'fortran_order': 0}", "False in the header, but found \"0}\"");
  refused("{'shape': (1 2)}", "a comma in the header, but found \"2)}\"");
  refused("{'shape': (-1,)}", "an extent in the header, but found \"-1,)}\"");
  refused("{'shape': (99999999999999999999,)}", "an extent in the header");
  refused("{'shape': (1,", "an extent in the header, but found \"\"");
  refused("{'descr': '|u1', 'fortran_order': False, 'shape': (1,)} x", "the end in the header, but found \"x\"");
}

TEST_CASE("a part of a .npy file has the samples of that part, in C and in Fortran order") {
  const chainrule_test::TemporaryFolder folder;
  for (const Index samples : {10, 40'000}) {  // a file that is shorter than the longest header, and one that is longer
    Matrix<float> m(3, samples);
    std::vector<int> labels;
    for (Index j = 0; j < samples; ++j) {
      m.col(j) << static_cast<float>(j), static_cast<float>(-j), 0.5f;
      labels.push_back(static_cast<int>(j % 1000));
    }
    const std::string path = folder.path("m.npy"), labels_path = folder.path("labels.npy");
    write_npy(path, m);
    write_npy(labels_path, labels);
    std::string fortran;
    const Matrix<float> transposed = m.transpose();
    for (const float number : transposed.reshaped()) detail::append_bytes(fortran, number);
    const std::string fortran_path =
        folder.file("f.npy", npy("{'descr': '<f4', 'fortran_order': True, 'shape': (" + std::to_string(samples) + ", 3), }\n", fortran));
    for (Index number = 0; number < 4; ++number) {
      const DataPart part{number, 4};
      const auto [first, count] = part.range_of(samples);
      CHECK(equal(read_npy<float>(path, part), m.middleCols(first, count)));
      CHECK(equal(read_npy<float>(fortran_path, part), m.middleCols(first, count)));
      CHECK(read_npy_labels(labels_path, part) == std::vector<int>(labels.begin() + first, labels.begin() + first + count));
    }
    CHECK(read_npy<float>(path, {0, samples + 1}).cols() == 0);
    folder.file("m.npy", to_npy(m) + "x");
    CHECK_THROWS_SAYING(read_npy<float>(path, {0, 2}), ValueError, "is too long");
  }
  CHECK_THROWS_SAYING(read_npy<float>(folder.path("none.npy"), {0, 2}), ValueError, "read_npy: cannot read", "No such file");
  CHECK_THROWS_SAYING(read_npy<float>(folder.path("f.npy"), {2, 2}), ValueError, "there is no part 2 of 2");
}
