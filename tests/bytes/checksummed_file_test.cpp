#include <chainrule/bytes/checksummed_file.hpp>

#include "support/catch.hpp"

using namespace chainrule;

namespace {

constexpr detail::ChecksummedFormat format{"a test", 3};

std::string file_of(const std::string& contents) {
  std::string bytes = "what was here before";
  detail::begin_checksummed_file(bytes, format);
  bytes += contents;
  detail::finish_checksummed_file(bytes, format);
  return bytes;
}

}  // namespace

TEST_CASE("a checksummed file returns its contents, and any changed bit is an error") {
  const std::string whole = file_of("contents");
  CHECK(whole.size() == 6 + 4 + 4 + 8 + 8 + 8);
  CHECK(detail::checked_contents(whole, "f", format) == "contents");
  CHECK(detail::checked_contents(file_of(""), "f", format).empty());
  for (std::size_t place = 0; place < whole.size(); ++place)
    for (int bit = 0; bit < 8; ++bit) {
      std::string bytes = whole;
      bytes[place] = static_cast<char>(bytes[place] ^ (1 << bit));
      CHECK_THROWS_AS(detail::checked_contents(bytes, "f", format), ValueError);
    }
}

TEST_CASE("a checksummed file of another version is an error that names both versions") {
  const std::string whole = file_of("contents");
  CHECK_THROWS_SAYING(detail::checked_contents(whole, "f", {"a test", 2}), ValueError,
                      "f: expected version 2 of the format, but found 3; a newer");
  CHECK_THROWS_SAYING(detail::checked_contents("PK\x03\x04 a/data.pkl", "f", format), ValueError,
                      "f: expected to begin with \"a test\", but it is an archive of torch.save");
  CHECK_THROWS_SAYING(detail::checked_contents(whole, "f", {"a test", 4}), ValueError, "f: expected version 4 of the format, but found 3");
}
