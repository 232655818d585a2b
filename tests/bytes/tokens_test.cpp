#include <chainrule/bytes/tokens.hpp>

#include "support/catch.hpp"

using namespace chainrule;
using detail::TokenReader;
using detail::TokenWriter;

TEST_CASE("words and numbers are written to a line and read back to the same bits") {
  TokenWriter writer;
  writer.add_word("scale");
  writer.add_number(Index{2});
  writer.add_numbers(Vector<float>{{1 / 3.0f, -1e-30f}});
  writer.add_number(0.1);
  CHECK(writer.text() == "scale 2 0.33333334 -1e-30 0.1");

  TokenReader reader("test", writer.text());
  reader.take_word("scale");
  CHECK(reader.take_count("features") == 2);
  const bool equal = reader.take_numbers<float>(2) == Vector<float>{{1 / 3.0f, -1e-30f}};
  CHECK(equal);
  CHECK(reader.take_number<double>() == 0.1);
  CHECK_NOTHROW(reader.expect_end());
}

TEST_CASE("a token of another kind is an error with what was expected and found") {
  CHECK_THROWS_SAYING(TokenReader("test", "a").take_word("b"), ValueError, "test expected the word \"b\", but found \"a\"");
  CHECK_THROWS_SAYING(TokenReader("test", "nan").take_number<float>(), ValueError, "test expected a number, but found \"nan\"");
  CHECK_THROWS_SAYING(TokenReader("test", "").take_number<float>(), ValueError, "test expected a number, but found \"\"");
  CHECK_THROWS_SAYING(TokenReader("test", "3 1").take_count("features"), ValueError,
                      "test expected the number of features, but found \"3\"");
  CHECK_THROWS_SAYING(TokenReader("test", "-1").take_numbers<float>(1, 0.0f), ValueError,
                      "test expected a number of at least 0, but found -1");
  CHECK_THROWS_SAYING(TokenReader("test", "\033[2J" + std::string(50, 'x')).expect_end(), ValueError,
                      "but found \"?[2Jxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...\"");
  CHECK_THROWS_SAYING(TokenReader("test", " x").expect_end(), ValueError, "test expected the end of the text, but found \"x\"");
}

TEST_CASE("any text is one token in quotes, and is read back") {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  detail::TokenWriter writer;
  for (const std::string& text : {std::string(), std::string("a b"), std::string("\"\\\""), std::string("\xc3\xa4\n"), all})
    writer.add_text(text);
  writer.add_word("end");
  CHECK(writer.text().starts_with("\"\" \"a b\" \"\\\"\\\\\\\"\" \"\xc3\xa4\\x0a\" \"\\x00\\x01"));
  detail::TokenReader reader("test", writer.text());
  CHECK(reader.take_text().empty());
  CHECK(reader.take_text() == "a b");
  CHECK(reader.take_text() == "\"\\\"");
  CHECK(reader.take_text() == "\xc3\xa4\n");
  CHECK(reader.take_text() == all);
  reader.take_word("end");
  reader.expect_end();
  for (const char* broken : {"", "a", "\"", "\"a", "\"\\", "\"\\\"", "\"\\x", "\"\\x1\"", "\"\\xzz\"", "\"\\x-1\"", "\"\\n\""})
    CHECK_THROWS_AS(detail::TokenReader("test", broken).take_text(), ValueError);
}
