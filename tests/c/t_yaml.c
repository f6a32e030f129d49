/* The YAML engine: the tree, places, limits, memory; more of its meaning is
   tested from Lua. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uv.h>

#include "core/mem.h"
#include "core/yaml.h"
#include "core/yaml_scalar.h"
#include "core/yaml_write.h"

static const struct clk_yaml_secrets no_secrets = {NULL, 0};

static struct clk_yaml *parse(const char *text)
{
    struct clk_yaml_error error = {"", 0, 0, ""};
    struct clk_yaml *yaml =
        clk_yaml_parse(text, strlen(text), no_secrets, &error);

    if (!yaml)
        fail_msg("%zu:%zu %s", error.line, error.column, error.text);
    return yaml;
}

static void test_nodes_know_their_place(void **state)
{
    struct clk_yaml *yaml = parse("# first\nkey: value\nlist:\n  - é: [1]\n");
    const struct clk_yaml_node *root = yaml->root, *list, *inner;

    (void)state;
    assert_int_equal(root->type, CLK_YAML_MAP);
    assert_int_equal(root->line, 2);
    assert_int_equal(root->children.count, 4);
    assert_int_equal(root->children.items[1]->line, 2);
    assert_int_equal(root->children.items[1]->column, 6);
    list = root->children.items[3];
    assert_int_equal(list->type, CLK_YAML_LIST);
    assert_int_equal(list->line, 4);
    assert_int_equal(list->column, 3);
    inner = list->children.items[0]->children.items[1];
    assert_int_equal(inner->column, 8); /* characters, not bytes */
    assert_int_equal(root->height, 4);
    assert_int_equal(root->weight, 9); /* each key and each value is one */
    clk_yaml_free(yaml);
}

static void test_an_alias_weighs_what_it_stands_for(void **state)
{
    struct clk_yaml *yaml = parse("a: &x [1, 2]\nb: *x\nc: [*x, *x]");
    const struct clk_yaml_node *root = yaml->root;

    (void)state;
    assert_ptr_equal(root->children.items[1], root->children.items[3]);
    assert_int_equal(root->children.items[1]->weight, 3);
    assert_int_equal(root->children.items[5]->weight, 7);
    assert_int_equal(root->weight, 1 + 3 + 3 + 3 + 7);
    assert_int_equal(root->children.items[5]->height, 2);
    clk_yaml_free(yaml);
}

static void test_an_empty_text_has_no_root(void **state)
{
    struct clk_yaml *yaml = parse("# nothing\n");

    (void)state;
    assert_null(yaml->root);
    clk_yaml_free(yaml);
    clk_yaml_free(NULL);
}

/* The error of a text that is refused. */
static struct clk_yaml_error refused(const char *text, size_t len,
                                     struct clk_yaml_secrets secrets)
{
    struct clk_yaml_error error = {"", 0, 0, ""};

    assert_null(clk_yaml_parse(text, len, secrets, &error));
    return error;
}

static void test_an_error_has_line_and_column(void **state)
{
    static const struct {
        const char *text, *code;
        size_t line, column;
    } cases[] = {
        {"a:\n\tb: 1", "EINVAL", 2, 1},
        {"\xef\xbb\xbf\xc3\xa9: 1\n\xc3\xa9: 2", "EINVAL", 2, 1},
        {"a: {b: 1, c: 2,\n  b: 3}", "EINVAL", 2, 3},
        {"a: [1", "EINVAL", 2, 1},
        {"\xc3\xa9: \"\xff\"", "EILSEQ", 1, 5},
        {"a: 1\nb: x\x01y", "EINVAL", 2, 5},
        {"a: *none", "EINVAL", 1, 4},
        {"a: &x [*x]", "EINVAL", 1, 8},
        {"a: 1\n---\nb: 2", "EINVAL", 2, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct clk_yaml_error e =
            refused(cases[i].text, strlen(cases[i].text), no_secrets);

        assert_string_equal(e.code, cases[i].code);
        assert_int_equal(e.line, cases[i].line);
        assert_int_equal(e.column, cases[i].column);
        assert_true(e.text[0] != '\0');
    }
}

/* Each line stands for nine of the one before it. */
static void test_a_bomb_of_aliases_does_not_go_off(void **state)
{
    char text[2000];
    size_t len = (size_t)snprintf(text, sizeof(text), "- &a0 x\n");
    struct clk_yaml_error e;

    (void)state;
    for (int i = 1; i < 20; i++) {
        len += (size_t)snprintf(text + len, sizeof(text) - len, "- &a%d [", i);
        for (int k = 0; k < 9; k++)
            len += (size_t)snprintf(text + len, sizeof(text) - len, "*a%d, ",
                                    i - 1);
        len += (size_t)snprintf(text + len, sizeof(text) - len, "]\n");
    }
    e = refused(text, len, no_secrets);
    assert_string_equal(e.code, "E2BIG");
    assert_in_range(e.line, 5, 7); /* 9 to the 5th is more than are allowed */
}

static void test_limits_are_exact(void **state)
{
    char *text = malloc(CLK_YAML_TEXT_MAX + 2);
    struct clk_yaml_error error;
    struct clk_yaml *yaml;

    (void)state;
    memset(text, ' ', CLK_YAML_TEXT_MAX + 1);
    yaml = clk_yaml_parse(text, CLK_YAML_TEXT_MAX, no_secrets, &error);
    assert_non_null(yaml);
    clk_yaml_free(yaml);
    error = refused(text, CLK_YAML_TEXT_MAX + 1, no_secrets);
    assert_string_equal(error.code, "E2BIG");
    assert_int_equal(error.line, 0); /* the text as a whole has no place */
    memset(text, '[', CLK_YAML_DEPTH_MAX + 1);
    memset(text + CLK_YAML_DEPTH_MAX, ']', CLK_YAML_DEPTH_MAX);
    yaml = clk_yaml_parse(text, (size_t)2 * CLK_YAML_DEPTH_MAX, no_secrets,
                          &error);
    assert_non_null(yaml);
    assert_int_equal(yaml->root->height, CLK_YAML_DEPTH_MAX);
    clk_yaml_free(yaml);
    text[CLK_YAML_DEPTH_MAX] = '[';
    error = refused(text, CLK_YAML_DEPTH_MAX + 1, no_secrets);
    assert_string_equal(error.code, "E2BIG");
    free(text);
}

static void test_secrets_are_found_by_their_paths(void **state)
{
    static const char *const paths[] = {"a.b", "list.*.key"};
    static const char shared[] = "a: {b: &x s}";
    const struct clk_yaml_secrets secrets = {paths, 2};
    static const char text[] = "a: {b: 5, c: 5}\nb: 5\n"
                               "list: [{key: k, b: v}, {a: 1}]\n";
    struct clk_yaml_error error = {"", 0, 0, ""};
    struct clk_yaml *yaml =
        clk_yaml_parse(text, sizeof(text) - 1, secrets, &error);
    struct clk_yaml_node **items, **list;

    (void)state;
    assert_non_null(yaml);
    items = yaml->root->children.items;
    assert_int_equal(items[1]->children.items[1]->type, CLK_YAML_SECRET);
    assert_string_equal(items[1]->children.items[1]->text.bytes, "5");
    assert_int_equal(items[1]->children.items[3]->type, CLK_YAML_INT);
    assert_int_equal(items[3]->type, CLK_YAML_INT);
    list = items[5]->children.items;
    assert_int_equal(list[0]->children.items[1]->type, CLK_YAML_SECRET);
    assert_int_equal(list[0]->children.items[3]->type, CLK_YAML_STRING);
    assert_int_equal(list[1]->children.items[1]->type, CLK_YAML_INT);
    clk_yaml_free(yaml);
    error = refused(shared, sizeof(shared) - 1, secrets);
    assert_string_equal(error.code, "EINVAL");
    assert_int_equal(error.column, 8);
}

static void test_resolving_a_string_changes_nothing(void **state)
{
    static const char *const strings[] = {
        "x", "99999999999999999999", "0x", "1e", "+", "-.nan", "0o9", "1 2",
    };
    struct clk_yaml_node node, before;

    (void)state;
    memset(&before, 0x5a, sizeof(before));
    for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
        memcpy(&node, &before, sizeof(node));
        assert_false(clk_yaml_resolve(&node, strings[i], strlen(strings[i])));
        assert_memory_equal(&node, &before, sizeof(node));
    }
    assert_false(clk_yaml_resolve(&node, "1\0", 2));
}

static void test_what_is_plain_is_a_string_to_us(void **state)
{
    static const char letters[] = "aAnNyYeEoO0179 _-./:+%@#'\"~<=xf";
    struct clk_yaml_node node;
    char text[5] = "";

    (void)state;
    /* Every text of up to three of these letters, and many of four. */
    for (size_t i = 0; i < 31 * 31 * 31; i++) {
        text[0] = letters[i % 31];
        text[1] = letters[i / 31 % 31];
        text[2] = letters[i / 31 / 31];
        text[3] = letters[i * 7 % 31];
        for (size_t len = 1; len <= 4; len++)
            if (clk_yaml_is_plain(text, len))
                assert_false(clk_yaml_resolve(&node, text, len));
    }
}

static void test_utf8(void **state)
{
    static const struct {
        const char *text;
        bool valid;
    } cases[] = {
        {"", true},
        {"a\u00e9\u20ac\U0001f600", true},
        {"\xf4\x8f\xbf\xbf", true}, /* the last character there is */
        {"\xf4\x90\x80\x80", false},
        {"\xc0\x80", false}, /* overlong */
        {"\xe0\x9f\xbf", false},
        {"\xf0\x8f\xbf\xbf", false},
        {"\xed\xa0\x80", false}, /* a surrogate */
        {"\x80", false},
        {"\xe2\x82", false}, /* cut short */
        {"\xff", false},
        {"\xf8\x88\x80\x80\x80", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(clk_yaml_is_utf8(cases[i].text, strlen(cases[i].text)),
                         cases[i].valid);
}

/* --- writing ------------------------------------------------------------ */

static bool write_sample(struct clk_yaml_writer *w)
{
    return clk_yaml_write_map(w) && clk_yaml_write_string(w, "key", 3)
           && clk_yaml_write_list(w) && clk_yaml_write_int(w, -1)
           && clk_yaml_write_float(w, 0.5) && clk_yaml_write_bool(w, true)
           && clk_yaml_write_null(w) && clk_yaml_write_number(w, "1e999", 5)
           && clk_yaml_write_list_end(w) && clk_yaml_write_map_end(w);
}

static void test_a_document_is_written_value_by_value(void **state)
{
    struct clk_yaml_writer *w = clk_yaml_writer_new();
    static const char want[] = "key:\n- -1\n- 0.5\n- true\n- null\n- 1e999\n";
    const char *text;
    size_t len;

    (void)state;
    assert_non_null(w);
    assert_true(write_sample(w));
    text = clk_yaml_writer_end(w, &len);
    assert_int_equal(len, sizeof(want) - 1);
    assert_memory_equal(text, want, len);
    clk_yaml_writer_free(w);
}

static void test_a_document_has_a_longest_length(void **state)
{
    enum { PART = 4 << 20 };
    struct clk_yaml_writer *w = clk_yaml_writer_new();
    char *text = malloc(PART);
    int parts = 0;

    (void)state;
    memset(text, 'x', PART);
    assert_true(clk_yaml_write_list(w));
    while (parts < 100 && clk_yaml_write_string(w, text, PART))
        parts++;
    assert_in_range(parts, 10, 16);
    assert_false(clk_yaml_writer_out_of_memory(w));
    assert_false(clk_yaml_write_null(w)); /* nothing follows a failure */
    free(text);
    clk_yaml_writer_free(w);
}

/* --- files -------------------------------------------------------------- */

static void test_a_file_without_a_size_is_read_whole(void **state)
{
    char *text = NULL;
    size_t len = 0;
    int error = clk_yaml_read_file("/proc/self/smaps", &text, &len);

    (void)state;
    if (error == UV_ENOENT)
        skip(); /* no /proc here */
    assert_int_equal(error, 0);
    assert_true(len > 4096); /* it grew beyond the first room */
    assert_int_equal(text[len - 1], '\n');
    clk_free(text);
}

static void test_a_pipe_is_refused_at_once(void **state)
{
    char path[] = "/tmp/clanker-yaml-XXXXXX", fifo[64], *text;
    size_t len;

    (void)state;
    assert_non_null(mkdtemp(path));
    snprintf(fifo, sizeof(fifo), "%s/fifo", path);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(clk_yaml_read_file(fifo, &text, &len), UV_EINVAL);
    unlink(fifo);
    rmdir(path);
}

/* --- memory ------------------------------------------------------------- */

static void test_every_allocation_may_fail(void **state)
{
    static const char text[] = "a: &x [1, two, {b: c, d: ~}]\ne: *x\ns: t\n";
    static const char *const paths[] = {"s"};
    const struct clk_yaml_secrets secrets = {paths, 1};
    struct clk_yaml_error error = {"", 0, 0, ""};
    struct clk_yaml *yaml = NULL;
    struct clk_yaml_writer *w;
    bool written = false;
    unsigned long n;

    (void)state;
#ifdef CLK_DEV
    for (n = 1; !yaml && n < 1000; n++) {
        clk_mem_fail_at(n, false);
        yaml = clk_yaml_parse(text, sizeof(text) - 1, secrets, &error);
        if (!yaml)
            assert_string_equal(error.code, "ENOMEM");
    }
    assert_true(n > 20);
    clk_yaml_free(yaml);
    for (n = 1; !written && n < 100; n++) {
        size_t len;

        clk_mem_fail_at(n, false);
        w = clk_yaml_writer_new();
        written = w && write_sample(w) && clk_yaml_writer_end(w, &len);
        if (w && !written)
            assert_true(clk_yaml_writer_out_of_memory(w));
        clk_yaml_writer_free(w);
    }
    assert_true(written && n > 2);
    clk_mem_fail_at(0, false);
#else
    (void)n, (void)w, (void)written;
#endif
    yaml = clk_yaml_parse(text, sizeof(text) - 1, secrets, &error);
    assert_int_equal(yaml->root->children.items[5]->type, CLK_YAML_SECRET);
    clk_yaml_free(yaml);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nodes_know_their_place),
        cmocka_unit_test(test_an_alias_weighs_what_it_stands_for),
        cmocka_unit_test(test_an_empty_text_has_no_root),
        cmocka_unit_test(test_an_error_has_line_and_column),
        cmocka_unit_test(test_a_bomb_of_aliases_does_not_go_off),
        cmocka_unit_test(test_limits_are_exact),
        cmocka_unit_test(test_secrets_are_found_by_their_paths),
        cmocka_unit_test(test_resolving_a_string_changes_nothing),
        cmocka_unit_test(test_what_is_plain_is_a_string_to_us),
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_a_document_is_written_value_by_value),
        cmocka_unit_test(test_a_document_has_a_longest_length),
        cmocka_unit_test(test_a_file_without_a_size_is_read_whole),
        cmocka_unit_test(test_a_pipe_is_refused_at_once),
        cmocka_unit_test(test_every_allocation_may_fail),
    };

    return cmocka_run_group_tests_name("yaml", tests, NULL, NULL);
}
