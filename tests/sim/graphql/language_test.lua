--- GraphQL's language: tokens and documents.

local lexer = require "sim.graphql.lexer"
local parser = require "sim.graphql.parser"
local t = require "kit"
local tbl = require "base.tbl"

local function kinds(text)
  return tbl.map(t.ok(lexer.tokens(text)), function(token)
    return token.value or token.kind
  end)
end

local function fails(text, pattern)
  local _, e = parser.parse(text)
  t.ok(e, "no error for " .. text)
  t.match(e.message, pattern)
  return e
end

t.test("marks, names, numbers and strings are told apart", function()
  t.eq(kinds('{ a(b: -1.5e3, c: "x") ...on @d $e | & ! = [0] }'), {
    "{", "a", "(", "b", ":", "-1.5e3", "c", ":", "x", ")", "...", "on", "@",
    "d", "$", "e", "|", "&", "!", "=", "[", "0", "]", "}", "eof",
  })
end)

t.test("commas, comments and a byte order mark are space", function()
  t.eq(kinds("\u{FEFF}a,,b # c \"\n,d#"), { "a", "b", "d", "eof" })
end)

t.test("strings are unescaped", function()
  t.eq(kinds([["a\"\\\/\b\f\n\r\t"]])[1], 'a"\\/\b\f\n\r\t')
  t.eq(kinds([["\u00e9\\u00e9 \uD83D\uDD12"]])[1], "é\\u00e9 🔒")
  fails([[{ a(b: "\x") }]], "escape")
  fails([[{ a(b: "\u12") }]], "escape")
  fails([[{ a(b: "\uD83D") }]], "escape")
  fails([[{ a(b: "\uDD12\uD83D") }]], "escape")
  fails('{ a(b: "x', "Unterminated")
  fails('{ a(b: "x\n") }', "Unterminated")
end)

t.test("block strings lose their indentation", function()
  t.eq(kinds('"""\n    a\n      b\n\n    c \\""" "\n  """')[1],
    'a\n  b\n\nc """ "')
  t.eq(kinds('"""one line"""')[1], "one line")
  fails('{ a(b: """x) }', "Unterminated")
end)

t.test("places are lines and columns", function()
  local tokens = lexer.tokens('a\n  b """\nx\n""" c')
  t.eq({ tokens[2].line, tokens[2].column }, { 2, 3 })
  t.eq({ tokens[4].line, tokens[4].column }, { 4, 5 })
end)

t.test("bad characters and numbers are refused with their place", function()
  local e = fails("{ a\n  % }", "Unexpected character")
  t.eq({ e.line, e.column }, { 2, 3 })
  fails("{ a(b: 01) }", "number")
  fails("{ a(b: 1a) }", "number")
  fails("{ a(b: 1.) }", "number")
  fails("{ a .. b }", "Unexpected")
  fails("{ é }", '"é"$')
end)

t.test("an operation has all its parts", function()
  local document = t.ok(parser.parse([[
    query Q($a: [Int!]! = [1], $b: S) @x {
      one: f(a: $a, o: { k: true, n: null, e: ENUM, l: [] }) @skip(if: $b) { g }
      ...F
      ... on T @include(if: true) { h }
      ... { i }
    }
    fragment F on T { j }]]))
  local operation = document.operations[1]
  t.eq(operation.name, "Q")
  t.eq(parser.type_text(operation.variables[1].type), "[Int!]!")
  t.eq(operation.variables[1].default.value[1].value, 1)
  local field = operation.selections[1]
  t.eq({ field.key, field.name }, { "one", "f" })
  t.eq(field.args[2].value.kind, "object")
  t.eq(tbl.map(field.args[2].value.value, function(member)
    return member.value.kind
  end), { "boolean", "null", "enum", "list" })
  t.eq(field.directives[1].name, "skip")
  t.eq(tbl.map(operation.selections, function(one)
    return one.kind
  end), { "field", "spread", "inline", "inline" })
  t.eq(document.fragments[1].on, "T")
end)

t.test("words of the language can be names of fields", function()
  local document = t.ok(parser.parse(
    "{ query mutation fragment on: true on null }"))
  t.eq(#document.operations[1].selections, 6)
  t.eq(document.operations[1].selections[4].key, "on")
end)

t.test("what is not a document is refused", function()
  for _, bad in ipairs {
    "", "   # only a comment", "{", "{ }", "{ a", "{ a( }", "{ a() }",
    "{ a(b) }", "query Q(", "query Q($a) { a }", "type T { a: Int }",
    "fragment on on T { a }", "fragment F { a }", "{ a } }", "{ a(b: ) }",
    "{ ...on }", "{ a: }", "query ($a: [Int) { a }",
  } do
    fails(bad, "^Expected")
  end
end)

t.test("depth and length are bounded", function()
  fails(("{a"):rep(100) .. ("}"):rep(100), "nested too deeply")
  fails("{ a(b: " .. ("["):rep(1000) .. ") }", "nested too deeply")
  fails("{ a" .. (" "):rep(lexer.MAX_BYTES) .. "}", "too long")
end)
