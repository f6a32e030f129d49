/* Values and tokens that are asked for: the program at a terminal, and the
   account they arrive at. Drives tests/host/fixtures/ask_server.lua. */
#include "session.h"

#include "core/fs.h"

enum { LINE = 1 << 18, LONG = 20000 };

/* The server, in a process of its own, and where the program's files are. */
static struct {
    pid_t pid;
    FILE *told;
    char home[64];
} account;

static char line[LINE];

static void hear(void)
{
    if (!fgets(line, sizeof(line), account.told))
        fail_msg("the account says nothing more");
    line[strcspn(line, "\n")] = '\0';
}

static int start_account(void **state)
{
    int fds[2];

    (void)state;
    find_binary();
    setenv("CLANKER_LUA", "lua:tests", 1);
    snprintf(account.home, sizeof(account.home), "/tmp/clanker-ask-XXXXXX");
    if (pipe(fds) != 0 || !mkdtemp(account.home))
        return -1;
    account.pid = fork();
    if (account.pid == 0) {
        dup2(fds[1], 1);
        close(fds[0]);
        run_words((char *[]){binary, "-l", "tests/host/fixtures/ask_server.lua",
                             NULL});
    }
    close(fds[1]);
    account.told = fdopen(fds[0], "r");
    hear();
    setenv("FLY_API_HOSTNAME", line + strlen("url "), 1);
    setenv("FLY_API_BASE_URL", line + strlen("url "), 1);
    setenv("HOME", account.home, 1);
    setenv("PATH", "/nonexistent", 1); /* no flyctl */
    unsetenv("DBUS_SESSION_BUS_ADDRESS");
    unsetenv("XDG_RUNTIME_DIR");
    return 0;
}

static int stop_account(void **state)
{
    (void)state;
    kill(account.pid, SIGKILL);
    waitpid(account.pid, NULL, 0);
    fclose(account.told);
    if (clk_fs_remove(account.home, true) != 0)
        return -1;
    return 0;
}

/* The program says on the screen how it ended. */
static void end_with(struct session *s, int code)
{
    wait_end(s);
    if (!WIFEXITED(s->status) || WEXITSTATUS(s->status) != code)
        fail_msg("ended as %x: \"%.2000s\"", s->status, s->screen);
    assert_restored(s);
}

static void set(struct session *s, char *first, char *second)
{
    setenv("FLY_API_TOKEN", "fo1_simtoken", 1);
    start_words(s,
                (char *[]){binary, "fly", "secrets", "set", "--app", "web",
                           "--stage", "--debug", first, second, NULL},
                -1);
}

/* Waits until the account says that these bytes came under that name; not for
   ever, see set_up. */
static void hear_bytes(const char *name, const char *bytes)
{
    static char expected[LINE];
    int at = snprintf(expected, sizeof(expected), "%s ", name);

    for (size_t i = 0; bytes[i]; i++)
        at += snprintf(expected + at, 3, "%02x", (unsigned char)bytes[i]);
    do {
        hear();
        if (strncmp(line, expected, strlen(name) + 1) == 0
            && strcmp(name, "authorization") != 0)
            assert_string_equal(line, expected);
    } while (strcmp(line, expected) != 0);
}

/* --- tests --------------------------------------------------------------- */

static void a_bare_name_asks_and_shows_nothing(void **state)
{
    static const char value[] =
        " p#s\"s'\\n$X=`\t\xc3\xa9\xe2\x98\x83\xf0\x9f\x94\x91 \"\"\" \\ ";
    struct session *s = *state;

    set(s, "KEY", NULL);
    see(s, "value of KEY (not shown): ");
    assert_false(echoes(s));
    type(s, value);
    type(s, "\r");
    end_with(s, 0);
    assert_null(strstr(s->screen, "p#s"));
    assert_null(strstr(s->screen, "\xe2\x98\x83"));
    hear_bytes("KEY", value);
}

static void each_name_is_asked_for_and_long_values_are_whole(void **state)
{
    struct session *s = *state;
    static char value[LONG + 1]; /* a terminal's own lines end at 4096 */

    for (int i = 0; i < LONG; i++)
        value[i] = (char)('!' + i % 94);
    set(s, "ONE", "TWO");
    see(s, "value of ONE (not shown): ");
    type(s, value);
    type(s, "\r");
    see(s, "value of TWO (not shown): ");
    assert_false(echoes(s));
    type(s, "wrong\x15x\x7fsecond-value\r");
    end_with(s, 0);
    assert_null(strstr(s->screen, "!\"#$%"));
    assert_null(strstr(s->screen, "second"));
    hear_bytes("ONE", value);
    hear_bytes("TWO", "second-value");
}

static void an_interrupt_restores_and_sends_nothing(void **state)
{
    struct session *s = *state;

    set(s, "KEY", NULL);
    see(s, "value of KEY (not shown): ");
    type(s, "half-a-value\x03");
    end_with(s, 130);
    assert_null(strstr(s->screen, "half"));
    for (size_t i = 0; i < 2; i++) {
        s->shown = 0;
        s->screen[0] = '\0';
        set(s, "KEY", NULL);
        see(s, "value of KEY (not shown): ");
        kill(s->pid, i ? SIGHUP : SIGTERM);
        end_with(s, i ? 129 : 143);
    }
}

static void the_end_of_input_is_no_value(void **state)
{
    struct session *s = *state;

    set(s, "KEY", NULL);
    see(s, "value of KEY (not shown): ");
    type(s, "\x04");
    wait_end(s);
    assert_true(WIFEXITED(s->status) && WEXITSTATUS(s->status) != 0);
    assert_restored(s);
}

static void pasted_lines_are_refused_unseen(void **state)
{
    struct session *s = *state;

    set(s, "KEY", NULL);
    see(s, "value of KEY (not shown): ");
    type(s, "-----BEGIN\recho second-line\r-----END\r");
    end_with(s, 6);
    see(s, "the answer has more than one line");
    see(s, "--from-file KEY=PATH");
    assert_null(strstr(s->screen, "second-line"));
    assert_null(strstr(s->screen, "BEGIN"));
}

static void a_stored_token_is_asked_for_and_sent(void **state)
{
    struct session *s = *state;

    unsetenv("FLY_API_TOKEN");
    start_words(s, (char *[]){binary, "credentials", "store", "flyio", NULL},
                -1);
    see(s, "Fly.io API token (not shown): ");
    assert_false(echoes(s));
    type(s, " fo1_simtypedtoken \r");
    end_with(s, 0);
    see(s, "encrypted; key in ");
    assert_null(strstr(s->screen, "typed"));
    s->shown = 0;
    s->screen[0] = '\0';
    start_words(
        s, (char *[]){binary, "fly", "secrets", "list", "--app", "web", NULL},
        -1);
    wait_end(s);
    hear_bytes("authorization", "Bearer fo1_simtypedtoken");
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_bare_name_asks_and_shows_nothing),
        TEST(each_name_is_asked_for_and_long_values_are_whole),
        TEST(an_interrupt_restores_and_sends_nothing),
        TEST(the_end_of_input_is_no_value),
        TEST(pasted_lines_are_refused_unseen),
        TEST(a_stored_token_is_asked_for_and_sent),
    };

    return cmocka_run_group_tests_name("ask", tests, start_account,
                                       stop_account);
}
