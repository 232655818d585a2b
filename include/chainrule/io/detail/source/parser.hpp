#pragma once
// Parses exported source code, for program.hpp to run it.

#include <algorithm>
#include <array>
#include <chainrule/bytes/decimal.hpp>
#include <chainrule/bytes/excerpt.hpp>
#include <chainrule/core/error.hpp>
#include <cmath>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace chainrule::detail {

/// Parses the part of C in which networks are written: constant arrays; functions of numbers, arrays and pointers to int; for, while, if
/// and return; assignments and arithmetic. Of the two forms of a multiply-add behind #if it takes the first, which is rounded once.
/// `Written` is float or double. Throws ValueError for anything else.
template <class Written>
class SourceParser {
 public:
  /// `code`: definitions of static constant arrays and static inline functions.
  explicit SourceParser(std::string_view code) : code_{code} {
    for (skip(); at_ < code_.size(); skip()) definition();
  }

  enum class Type { real, integer, array, pointer };  // pointer: to an int
  enum class Op {
    literal,
    variable,
    element,
    offset,
    pointed,
    address,  // things
    add,
    subtract,
    multiply,
    divide,
    negate,
    less,
    less_equal,
    equal,
    both,  // arithmetic and comparisons
    no,
    choose,
    to_real,
    to_integer,
    call,
    function_of_1,
    fma,
    ldexp,
    block,
    assign,
    array,
    loop,
    branch,
    give  // statements
  };
  struct Function;
  struct Node {
    Op op;
    Type type = Type::real;
    std::vector<Node> of = {};
    Written real = 0;
    long integer = 0;  // a literal, the place of a variable, or the size of an array
    Written* constants = nullptr;
    const Function* function = nullptr;
    Written (*math)(Written) = nullptr;
  };
  struct Function {
    std::vector<Type> parameters;
    Type result = Type::real;
    Node body{Op::block};
    std::size_t cells = 0;  // for parameters and variables
  };
  const Function& function(const std::string& name) const { return *functions_.at(name); }

 private:
  struct Variable {
    Type type;
    long place;
    Written* constants = nullptr;
    long columns = 0;  // if it is a constant matrix
  };
  using Names = std::map<std::string, Variable, std::less<>>;

  [[noreturn]] void refuse() const {
    raise<ValueError>("to_source: cannot run the source code that it wrote, at ", in_quotes(std::string(code_.substr(at_, 40))));
  }
  // Skips spaces, comments, lines that begin with #, and all from #else to #endif.
  void skip() {
    for (;;) {
      at_ = (std::min)(code_.find_first_not_of(" \n", at_), code_.size());
      if (code_.substr(at_, 2) == "/*")
        at_ = code_.find("*/", at_) + 2;
      else if (code_.substr(at_, 5) == "#else")
        at_ = code_.find("#endif", at_);
      else if (code_.substr(at_, 1) == "#")
        at_ = (std::min)(code_.find('\n', at_), code_.size());
      else
        return;
    }
  }
  static bool in_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_'; }
  std::string_view next_word() const {
    std::size_t end = at_;
    while (end < code_.size() && in_word(code_[end])) ++end;
    return code_.substr(at_, end - at_);
  }
  std::string word() {
    const std::string_view found = next_word();
    if (found.empty()) refuse();
    at_ += found.size();
    skip();
    return std::string(found);
  }
  // Reads the text if it is next: a word as a whole, and no operator of which it is the beginning.
  bool take(std::string_view text) {
    if (code_.substr(at_, text.size()) != text) return false;
    if (in_word(text[0]) && next_word() != text) return false;
    at_ += text.size();
    skip();
    return true;
  }
  void expect(std::string_view text) {
    if (!take(text)) refuse();
  }
  bool take_type(Type& type) {
    const std::size_t before = at_;
    take("const");
    if (take("int"))
      type = take("*") ? Type::pointer : Type::integer;
    else if (take("float") || take("double"))
      type = take("*") ? Type::array : Type::real;
    else {
      at_ = before;
      return false;
    }
    return true;
  }
  Node number() {
    std::size_t end = at_;
    while (end < code_.size() && (is_digit(code_[end]) || code_[end] == '.' || code_[end] == 'e' ||
                                  ((code_[end] == '+' || code_[end] == '-') && code_[end - 1] == 'e')))
      ++end;
    const std::string_view text = code_.substr(at_, end - at_);
    Node node{Op::literal};
    if (text.find_first_of(".e") == std::string_view::npos) {
      node.type = Type::integer;
      parse_number(text, node.integer);
    } else {
      parse_number(text, node.real);
    }
    at_ = end;
    take("f");
    skip();
    return node;
  }

  void definition() {
    expect("static");
    if (take("inline")) return function_definition();
    Type type{};
    if (!take_type(type)) refuse();
    const std::string name = word();
    long size = 1, columns = 0;
    while (take("[")) {
      columns = number().integer;
      size *= columns;
      expect("]");
    }
    expect("=");
    auto& numbers = constants_.emplace_back();
    for (long i = 0; i < size; ++i) {
      while (take("{") || take("}") || take(",")) {
      }
      const bool negative = take("-");
      const Written one = number().real;
      numbers.push_back(negative ? -one : one);
    }
    while (take("}")) {
    }
    expect(";");
    globals_[name] = {Type::array, 0, numbers.data(), columns};
  }
  void function_definition() {
    auto made = std::make_unique<Function>();
    if (!take("void") && !take_type(made->result)) refuse();
    const std::string name = word();
    scopes_.assign(1, {});
    cells_used_ = 0;
    cells_needed_ = 0;
    expect("(");
    do {
      Type type{};
      if (!take_type(type)) refuse();
      made->parameters.push_back(type);
      declare(word(), type);
    } while (take(","));
    expect(")");
    made->body = statement();
    made->cells = static_cast<std::size_t>(cells_needed_);
    functions_[name] = std::move(made);
  }
  long declare(const std::string& name, Type type) {
    scopes_.back()[name] = {type, cells_used_++};
    cells_needed_ = (std::max)(cells_needed_, cells_used_);
    return cells_used_ - 1;
  }
  const Variable& variable(const std::string& name) const {
    for (std::size_t i = scopes_.size(); i > 0; --i)
      if (const auto found = scopes_[i - 1].find(name); found != scopes_[i - 1].end()) return found->second;
    const auto found = globals_.find(name);
    if (found == globals_.end()) refuse();
    return found->second;
  }

  Node statement() {
    Node node{Op::block};
    Type type{};
    if (take("{")) {
      const long used = cells_used_;
      scopes_.emplace_back();
      while (!take("}")) node.of.push_back(statement());
      scopes_.pop_back();
      cells_used_ = used;
    } else if (take("for")) {  // (start; condition; step) body
      const long used = cells_used_;
      scopes_.emplace_back();
      node.op = Op::loop;
      expect("(");
      node.of.push_back(statement());
      node.of.push_back(expression());
      expect(";");
      Node step{Op::block};
      if (!take(")")) {
        step.of.push_back(assignment());
        expect(")");
      }
      Node body = statement();
      node.of.push_back(std::move(body));
      node.of.push_back(std::move(step));
      scopes_.pop_back();
      cells_used_ = used;
    } else if (take("while")) {
      node.op = Op::loop;
      node.of.push_back(Node{Op::block});
      expect("(");
      node.of.push_back(expression());
      expect(")");
      node.of.push_back(statement());
      node.of.push_back(Node{Op::block});
    } else if (take("if")) {
      node.op = Op::branch;
      expect("(");
      node.of.push_back(expression());
      expect(")");
      node.of.push_back(statement());
    } else if (take("return")) {
      node.op = Op::give;
      node.of.push_back(expression());
      expect(";");
    } else if (take("(void)")) {
      word();
      expect(";");
    } else if (take_type(type)) {
      do {
        const std::string name = word();
        if (take("[")) {
          node.of.push_back({Op::array, Type::array, {}, 0, number().integer});
          expect("]");
          node.of.back().of.push_back({Op::variable, Type::array, {}, 0, declare(name, Type::array)});
        } else if (take("=")) {
          Node value = expression();
          node.of.push_back(assigned({Op::variable, type, {}, 0, declare(name, type)}, std::move(value)));
        } else {
          declare(name, type);
        }
      } while (take(","));
      expect(";");
    } else {
      node = assignment();
      expect(";");
    }
    return node;
  }
  static Node assigned(Node target, Node value) {
    value = as(target.type, std::move(value));
    return {Op::assign, target.type, list(std::move(target), std::move(value))};
  }
  Node assignment() {
    const bool increments = take("++");
    Node target = unary();
    if (increments) {
      Node sum = binary(Op::add, target, {Op::literal, Type::integer, {}, 0, 1});
      return assigned(std::move(target), std::move(sum));
    }
    if (take("=")) return assigned(std::move(target), expression());
    const Op op = take("+=") ? Op::add : take("-=") ? Op::subtract : take("*=") ? Op::multiply : Op::divide;
    if (op == Op::divide) expect("/=");
    Node changed = binary(op, target, expression());
    return assigned(std::move(target), std::move(changed));
  }

  template <class... Nodes>
  static std::vector<Node> list(Nodes... nodes) {
    std::vector<Node> all;
    all.reserve(sizeof...(nodes));
    (all.push_back(std::move(nodes)), ...);
    return all;
  }
  static Node as(Type type, Node node) {
    if (node.type == type || (type != Type::real && type != Type::integer)) return node;
    return {type == Type::real ? Op::to_real : Op::to_integer, type, list(std::move(node))};
  }
  static Node binary(Op op, Node a, Node b) {
    if (a.type == Type::array) return {Op::offset, Type::array, list(std::move(a), std::move(b))};
    const Type type = a.type == Type::real || b.type == Type::real ? Type::real : Type::integer;
    const bool compares = op == Op::less || op == Op::less_equal || op == Op::equal;
    return {op, compares ? Type::integer : type, list(as(type, std::move(a)), as(type, std::move(b)))};
  }
  static Node negation(Node node) { return {Op::no, Type::integer, list(std::move(node))}; }

  Node expression() {
    Node condition = conjunction();
    if (!take("?")) return condition;
    Node yes = expression();
    expect(":");
    Node otherwise = expression();
    const Type type = yes.type == Type::real || otherwise.type == Type::real ? Type::real : Type::integer;
    return {Op::choose, type, list(std::move(condition), as(type, std::move(yes)), as(type, std::move(otherwise)))};
  }
  Node conjunction() {
    Node node = comparison();
    while (take("&&")) node = {Op::both, Type::integer, list(std::move(node), comparison())};
    return node;
  }
  Node comparison() {
    Node a = sum();
    if (take("<=")) return binary(Op::less_equal, std::move(a), sum());
    if (take(">=")) return binary(Op::less_equal, sum(), std::move(a));
    if (take("<")) return binary(Op::less, std::move(a), sum());
    if (take(">")) return binary(Op::less, sum(), std::move(a));
    if (take("==")) return binary(Op::equal, std::move(a), sum());
    if (take("!=")) return negation(binary(Op::equal, std::move(a), sum()));
    return a;
  }
  bool take_operator(std::string_view text) { return code_.substr(at_ + 1, 1) != "=" && take(text); }
  Node sum() {
    Node a = product();
    for (;;) {
      if (take_operator("+"))
        a = binary(Op::add, std::move(a), product());
      else if (take_operator("-"))
        a = binary(Op::subtract, std::move(a), product());
      else
        return a;
    }
  }
  Node product() {
    Node a = unary();
    for (;;) {
      if (take_operator("*"))
        a = binary(Op::multiply, std::move(a), unary());
      else if (take_operator("/"))
        a = binary(Op::divide, std::move(a), unary());
      else
        return a;
    }
  }
  Node unary() {
    if (take("-")) {
      Node node = unary();
      const Type type = node.type;
      return {Op::negate, type, list(std::move(node))};
    }
    if (take("!")) return negation(unary());
    if (take("*")) return {Op::pointed, Type::integer, list(unary())};
    if (take("&")) return {Op::address, Type::pointer, list(unary())};
    if (take("(")) {
      Type type{};
      if (take_type(type)) {
        expect(")");
        return as(type, unary());
      }
      Node node = expression();
      expect(")");
      return node;
    }
    if (is_digit(code_[at_])) return number();
    const std::string name = word();
    if (take("(")) return call(name);
    const Variable& found = variable(name);
    Node node{Op::variable, found.type, {}, 0, found.place, found.constants};
    if (!take("[")) return node;
    Node index = expression();
    expect("]");
    if (take("[")) {
      index = binary(Op::multiply, std::move(index), {Op::literal, Type::integer, {}, 0, found.columns});
      index = binary(Op::add, std::move(index), expression());
      expect("]");
    }
    return {Op::element, Type::real, list(std::move(node), std::move(index))};
  }
  Node call(const std::string& name) {
    struct Math {
      std::string_view name;
      Written (*function)(Written);
    };
    static constexpr std::array<Math, 7> known{{{"fabs", [](Written x) { return std::fabs(x); }},
                                                {"sqrt", [](Written x) { return std::sqrt(x); }},
                                                {"expm1", [](Written x) { return std::expm1(x); }},
                                                {"log1p", [](Written x) { return std::log1p(x); }},
                                                {"erfc", [](Written x) { return std::erfc(x); }},
                                                {"sin", [](Written x) { return std::sin(x); }},
                                                {"cos", [](Written x) { return std::cos(x); }}}};
    Node node{Op::call};
    if (!take(")")) {
      do node.of.push_back(expression());
      while (take(","));
      expect(")");
    }
    if (const auto found = functions_.find(name); found != functions_.end()) {
      node.function = found->second.get();
      for (std::size_t i = 0; i < node.of.size(); ++i) node.of[i] = as(node.function->parameters[i], std::move(node.of[i]));
      node.type = node.function->result;
      return node;
    }
    const std::string_view plain = std::string_view(name).substr(0, name.size() - (sizeof(Written) == sizeof(float) ? 1 : 0));
    for (const Math& one : known)
      if (one.name == plain) node.math = one.function;
    node.op = node.math ? Op::function_of_1 : plain == "fma" ? Op::fma : Op::ldexp;
    if (node.op == Op::ldexp && plain != "ldexp") refuse();
    return node;
  }

  std::string_view code_;
  std::size_t at_ = 0;
  Names globals_;
  std::vector<Names> scopes_;
  long cells_used_ = 0, cells_needed_ = 0;  // in the function that is being read
  std::deque<std::vector<Written>> constants_;
  std::map<std::string, std::unique_ptr<Function>, std::less<>> functions_;
};

}  // namespace chainrule::detail
