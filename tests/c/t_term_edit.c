/* core/term_edit.c: lines edited with libedit; and failing memory in all of
   core/term_*.c. */
#include "pty.h"

/* --- the editor ---------------------------------------------------------- */

static struct clk_edit *open_edit(struct fixture *f)
{
    struct clk_edit *edit = NULL;

    f->events = 0;
    assert_int_equal(clk_edit_open(&edit, &f->loop, f->slave, on_event, f), 0);
    assert_restored(f); /* opening leaves the terminal alone */
    return edit;
}

static enum clk_edit_event wait_edit(struct fixture *f, struct clk_edit *edit)
{
    enum clk_edit_event event = clk_edit_event(edit);

    for (int i = 0; i < PATIENCE && event == CLK_EDIT_NOTHING; i++) {
        turn(f);
        look(f);
        event = clk_edit_event(edit);
    }
    return event;
}

static void assert_line(struct fixture *f, struct clk_edit *edit,
                        const char *want)
{
    size_t length, cursor;

    assert_int_equal(wait_edit(f, edit), CLK_EDIT_LINE);
    assert_string_equal(clk_edit_line(edit, &length, &cursor), want);
    assert_int_equal(length, strlen(want));
    assert_restored(f);
}

static void lines_are_edited(void **state)
{
    struct fixture *f = *state;
    struct clk_edit *edit = open_edit(f);

    assert_int_equal(clk_edit_start(edit, "lua> "), 0);
    see(f, "lua> ");
    assert_false(echoes(f->slave));
    type(f, "bd\x1b[Dc\x1b[Ha\x1b[F!\r");
    assert_line(f, edit, "abcd!");
    assert_int_equal(clk_edit_start(edit, "lua> "), 0);
    type(f, "h\xc3"); /* a character in two pieces */
    type(f, "\xa9llo \xe6\x97\xa5x\x7f\n");
    assert_line(f, edit, "h\xc3\xa9llo \xe6\x97\xa5");
    assert_int_equal(clk_edit_start(edit, "lua> "), 0);
    type(f, "\n");
    assert_line(f, edit, "");
    clk_edit_close(edit);
    assert_restored(f);
}

static void history_is_recalled(void **state)
{
    struct fixture *f = *state;
    struct clk_edit *edit = open_edit(f);

    assert_int_equal(clk_edit_remember(edit, "first"), 0);
    assert_int_equal(clk_edit_remember(edit, "zw\xc3\xb6lf"), 0);
    assert_int_equal(clk_edit_start(edit, "> "), 0);
    type(f, "\x1b[A\n");
    assert_line(f, edit, "zw\xc3\xb6lf");
    assert_int_equal(clk_edit_start(edit, "> "), 0);
    type(f, "fi\x12\n"); /* Ctrl-R: the last that begins so */
    assert_line(f, edit, "first");
    clk_edit_close(edit);
}

static void tab_asks_for_completion(void **state)
{
    struct fixture *f = *state;
    struct clk_edit *edit = open_edit(f);
    size_t length, cursor;

    assert_int_equal(clk_edit_start(edit, "> "), 0);
    type(f, "list ap x\x1b[D\x1b[D\t");
    assert_int_equal(wait_edit(f, edit), CLK_EDIT_COMPLETE);
    assert_memory_equal(clk_edit_line(edit, &length, &cursor), "list ap x", 9);
    assert_int_equal(length, 9);
    assert_int_equal(cursor, 7);
    assert_int_equal(clk_edit_event(edit), CLK_EDIT_NOTHING);
    clk_edit_insert(edit, "ps");
    type(f, "\t");
    assert_int_equal(wait_edit(f, edit), CLK_EDIT_COMPLETE);
    clk_edit_show(edit, "apps  apples\r\n", 14);
    see(f, "apps  apples");
    type(f, "\n");
    assert_line(f, edit, "list apps x");
    clk_edit_close(edit);
}

static void the_editor_is_left_with_ctrl_d(void **state)
{
    struct fixture *f = *state;
    struct clk_edit *edit = open_edit(f);

    assert_int_equal(clk_edit_start(edit, "> "), 0);
    type(f, "\x04");
    assert_int_equal(wait_edit(f, edit), CLK_EDIT_EOF);
    assert_restored(f);
    assert_int_equal(clk_edit_start(edit, "> "), 0);
    type(f, "ab\x01\x04\n"); /* within a line it deletes */
    assert_line(f, edit, "b");
    clk_edit_close(edit);
}

static void a_lone_escape_does_not_stop_the_loop(void **state)
{
    struct fixture *f = *state;
    struct clk_edit *edit = open_edit(f);

    assert_int_equal(clk_edit_start(edit, "> "), 0);
    type(f, "a\x1b");
    for (int i = 0; i < 200; i++) /* longer than a key's bytes are apart */
        turn(f);
    type(f, "b\x16\x18\x12\x13"); /* commands that would wait within libedit */
    type(f, "\n");
    assert_line(f, edit, "ab");
    clk_edit_close(edit);
}

static void nothing_beyond_the_edited_line_is_read(void **state)
{
    struct fixture *f = *state;
    struct clk_edit *edit = open_edit(f);
    char rest[32] = "";

    assert_int_equal(clk_edit_start(edit, "> "), 0);
    type(f, "one\ntwo\n");
    assert_line(f, edit, "one");
    clk_edit_close(edit);
    assert_int_equal(read(f->slave, rest, sizeof(rest)), 4);
    assert_string_equal(rest, "two\n");
}

static void closing_the_editor_early_restores(void **state)
{
    struct fixture *f = *state;
    struct clk_edit *edit = open_edit(f);

    clk_edit_close(edit);
    assert_restored(f);
    edit = open_edit(f);
    assert_int_equal(clk_edit_start(edit, "> "), 0);
    see(f, "> ");
    type(f, "half");
    clk_edit_close(edit);
    assert_restored(f);
}

static void a_dumb_terminal_has_no_editor(void **state)
{
    struct fixture *f = *state;
    struct clk_edit *edit;

    setenv("TERM", "dumb", 1);
    assert_int_equal(clk_edit_open(&edit, &f->loop, f->slave, on_event, f),
                     UV_ENOTSUP);
    unsetenv("TERM");
    assert_int_equal(clk_edit_open(&edit, &f->loop, f->slave, on_event, f),
                     UV_ENOTSUP);
}

#ifdef CLK_DEV
/* Everything that allocates; true when all of it went well. */
static bool scenario(struct fixture *f)
{
    unsigned char answer[64];
    struct clk_line_options options = {
        .fd = f->slave,
        .prompt = "? ",
        .prompt_length = 2,
        .hidden = true,
        .buffer = answer,
        .size = sizeof(answer),
        .on_event = on_event,
        .ud = f,
    };
    struct clk_out *out = NULL;
    struct clk_line *line = NULL;
    struct clk_edit *edit = NULL;
    bool ok;

    ok = clk_out_open(&out, &f->loop, f->secrets, f->slave, on_event, f) == 0;
    ok = ok && clk_out_add(out, "text\n", 5, true) == 0;
    if (out)
        clk_out_close(out);
    ok = ok && clk_line_open(&line, &f->loop, &options) == 0;
    if (line)
        clk_line_close(line);
    ok = ok && clk_edit_open(&edit, &f->loop, f->slave, on_event, f) == 0
         && clk_edit_start(edit, "> ") == 0;
    if (edit)
        clk_edit_close(edit);
    return ok;
}

static void failing_allocations_are_survived(void **state)
{
    struct fixture *f = *state;
    unsigned long nth = 1;

    for (;; nth++) {
        bool ok;

        clk_mem_fail_at(nth, false);
        ok = scenario(f);
        if (clk_mem_failures() == 0)
            break;
        assert_false(ok);
        assert_restored(f);
        look(f);
    }
    clk_mem_fail_at(0, false);
    assert_in_range(nth, 8, 200);
}
#endif

/* libtinfo, which libedit asks about the terminal, never frees 8 bytes. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
    return "leak:_nc_trim_sgr0\n";
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(lines_are_edited),
        TEST(history_is_recalled),
        TEST(tab_asks_for_completion),
        TEST(the_editor_is_left_with_ctrl_d),
        TEST(a_lone_escape_does_not_stop_the_loop),
        TEST(nothing_beyond_the_edited_line_is_read),
        TEST(closing_the_editor_early_restores),
        TEST(a_dumb_terminal_has_no_editor),
#ifdef CLK_DEV
        TEST(failing_allocations_are_survived),
#endif
    };

    return cmocka_run_group_tests_name("term editor", tests, NULL, NULL);
}
