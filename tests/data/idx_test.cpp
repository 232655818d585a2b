#include <chainrule/data/idx.hpp>

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using namespace chainrule;
using namespace std::string_literals;

namespace {

// two images of 2 x 3 pixels
const std::string images =
    "\0\0\x08\x03"
    "\0\0\0\x02"
    "\0\0\0\x02"
    "\0\0\0\x03"
    "\x00\x33\x66\x99\xcc\xff"
    "\x01\x02\x03\x04\x05\x06"s;
const std::string labels =
    "\0\0\x08\x01"
    "\0\0\0\x02"
    "\x07\x00"s;

template <class Scalar>
bool equal(const Matrix<Scalar>& a, const Matrix<Scalar>& b) {
  return a.rows() == b.rows() && a.cols() == b.cols() && a == b;
}

/// Returns the message of the error, or an empty text where there is none.
std::string complaint(const std::string& bytes) {
  try {
    parse_idx_images<float>(bytes, {}, "t.idx");
  } catch (const ValueError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("an IDX image becomes a column of its pixels, row by row, scaled to 0 to 1") {
  const Matrix<float> x = parse_idx_images<float>(images);
  CHECK(equal<float>(x.leftCols(1), Matrix<float>{{0}, {0.2f}, {0.4f}, {0.6f}, {0.8f}, {1}}));
  CHECK(equal(parse_idx_images<float>(images, {.unit_range = false}),
              Matrix<float>{{0, 1}, {0x33, 2}, {0x66, 3}, {0x99, 4}, {0xcc, 5}, {0xff, 6}}));
}

TEST_CASE("IDX labels become integers") { CHECK(parse_idx_labels(labels) == std::vector<int>{7, 0}); }

TEST_CASE("IDX images and labels from two files become a data set") {
  const chainrule_test::TemporaryFolder folder;
  const auto data = read_idx<float>(folder.file("x", images), folder.file("y", labels));
  CHECK((data.size() == 2 && data.features.rows() == 6));
  CHECK(data.targets == std::vector<int>{7, 0});
  const std::string three = folder.file("z",
                                        "\0\0\x08\x01"
                                        "\0\0\0\x03"
                                        "\x07\x00\x01"s);
  CHECK_THROWS_SAYING(read_idx<float>(folder.path("x"), three), ValueError, "z: expected 2 labels, one for each image of ",
                      "x, but found 3");
  CHECK_THROWS_SAYING(read_idx_labels(folder.path("no")), ValueError, "read_idx_labels: cannot read \"", "No such file");
  CHECK_THROWS_SAYING(read_idx_images<float>(folder.path("")), ValueError, "read_idx_images: cannot read \"", "irectory");
}

TEST_CASE("an IDX file may hold big-endian numbers of any type, which are not scaled") {
  const auto two = [](const std::string& type, const std::string& numbers) {
    return parse_idx_images<float>("\0\0"s + type +
                                   "\x02"
                                   "\0\0\0\x02"
                                   "\0\0\0\x01"s +
                                   numbers);
  };
  CHECK(equal(two("\x09", "\xff\x7f"), Matrix<float>{{-1, 127}}));
  CHECK(equal(two("\x0b", "\xff\xfe\x01\x00"s), Matrix<float>{{-2, 256}}));
  CHECK(equal(two("\x0c", "\xff\xff\xff\xfd\x00\x01\x00\x00"s), Matrix<float>{{-3, 65536}}));
  CHECK(equal(two("\x0d", "\x3f\x80\x00\x00\xc0\x20\x00\x00"s), Matrix<float>{{1, -2.5f}}));
  CHECK(equal(two("\x0e", "\x3f\xf0\x00\x00\x00\x00\x00\x00\xc0\x04\x00\x00\x00\x00\x00\x00"s), Matrix<float>{{1, -2.5f}}));
  CHECK_THROWS_SAYING(two("\x0e", "\x3f\xf0\x00\x00\x00\x00\x00\x00\x7f\xe0\x00\x00\x00\x00\x00\x00"s), ValueError,
                      "expected numbers of at most 3.4028235e+38, but number 0 of sample 1 is 8.98846567431158e+307");
}

TEST_CASE("a file that is not IDX is an error that shows its first bytes") {
  CHECK(complaint("\x89PNG\r\n") ==
        "t.idx is not an IDX file: expected to begin with 0x0000, a type from 0x08 to 0x0e and the number of extents "
        "(0x00000803 for images, 0x00000801 for labels), but found 0x89504e47"s);
  for (const std::string& bytes : {"\0\0\x07\x03"s, "\0\0\x0a\x03"s, "\0\0\x0f\x03"s, "\0\x01\x08\x03"s, "\0\0\x08\0"s, "\0\0"s}) {
    const std::string found = "but found " + detail::as_hexadecimal(bytes);
    CHECK_THROWS_SAYING(parse_idx_labels(bytes, "t.idx"), ValueError, "t.idx is not an IDX file", found.c_str());
  }
  CHECK(complaint("") == "t.idx is empty"s);
  CHECK(complaint("\x1f\x8b\x08") == "t.idx is compressed by gzip; unpack it, or read it with gunzip_file of <chainrule/data/gzip.hpp>"s);
}

TEST_CASE("an IDX file that is too short or too long is an error with the expected and found size") {
  for (std::size_t size = 4; size < 16; ++size)
    CHECK(complaint(images.substr(0, size)) == "t.idx is cut short: expected a header of 16 bytes, but found " + std::to_string(size));
  CHECK(complaint(images.substr(0, 27)) ==
        "t.idx is cut short: expected 12 bytes after the header, for 2 x 2 x 3 numbers of 1 byte, but found 11"s);
  CHECK(complaint(images + "!") == "t.idx is too long: expected 12 bytes after the header, for 2 x 2 x 3 numbers of 1 byte, but found 13"s);
}

TEST_CASE("an IDX header with impossible extents is an error before anything is allocated") {
  CHECK(complaint("\0\0\x0e\x02\xff\xff\xff\xff\xff\xff\xff\xff"s) ==
        "t.idx: the header says that there are 4294967295 x 4294967295 numbers, more than any file can hold"s);
  CHECK(complaint("\0\0\x08\x02\xff\xff\xff\xff\xff\xff\xff\xff"s) ==
        "t.idx is cut short: expected 18446744065119617025 bytes after the header, for 4294967295 x 4294967295 "
        "numbers of 1 byte, but found 0"s);
  CHECK(complaint("\0\0\x08\x03\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0"s) ==
        "t.idx is empty: it holds 4294967295 x 4294967295 x 0 numbers"s);
}

TEST_CASE("IDX labels read as images, or images as labels, are an error") {
  CHECK(complaint(labels) == "t.idx: expected images, with two extents or more, but found 2 single numbers"s);
  CHECK_THROWS_SAYING(parse_idx_labels(images, "t.idx"), ValueError, "t.idx: expected one label per sample, but found 2 x 2 x 3 numbers");
  CHECK_THROWS_SAYING(parse_idx_labels("\0\0\x0d\x01"
                                       "\0\0\0\x01"
                                       "\x40\x20\0\0"s,
                                       "t.idx"),
                      ValueError, "t.idx: expected labels that are whole numbers, but the label of sample 0 is 2.5");
  CHECK(parse_idx_labels("\0\0\x0d\x01"
                         "\0\0\0\x01"
                         "\x40\x40\0\0"s) == std::vector<int>{3});
}

TEST_CASE("a part of IDX files has the images and labels of that part") {
  const chainrule_test::TemporaryFolder folder;
  const std::string x = folder.file("x", images), y = folder.file("y", labels);
  const Dataset<float> all = read_idx<float>(x, y), second = read_idx<float>(x, y, {}, {1, 2});
  CHECK(equal<float>(second.features, all.features.rightCols(1)));
  CHECK(second.targets == std::vector<int>{0});
  folder.file("y",
              "\0\0\x0b\x01"
              "\0\0\0\x02"
              "\0\0\0\x07"s);
  CHECK(read_idx_labels(y, {1, 2}) == std::vector<int>{7});
  folder.file("x", images.substr(0, images.size() - 1));
  CHECK_THROWS_SAYING(read_idx<float>(x, y, {}, {0, 2}), ValueError, "x is cut short: expected 12 bytes after the header");
}
