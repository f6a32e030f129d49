/* The commands at a real terminal: Ctrl-C ends each at once, twenty columns are
   enough, and nothing the account says acts on the terminal. */
#include "session.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>

#include "core/fs.h"
#include "core/text.h"

/* Ctrl-C has 100 ms. A busy machine may be late several times in a row, but not
   always; sanitizers and valgrind have much to do before a process ends. */
enum { PROMISE = 100, ATTEMPTS = 8, SLOWED = 20 };

static char home[] = "/tmp/clanker-terminal-XXXXXX";
static char script[64], seed[64];

static int silent; /* listens and never answers */

static int promised_ms(void)
{
#ifdef __SANITIZE_ADDRESS__
    return PROMISE * SLOWED;
#else
    return getenv("VALGRIND") ? PROMISE * SLOWED : PROMISE;
#endif
}

static int start_silent(void **state)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t size = sizeof(at);
    char url[64];

    (void)state;
    find_binary();
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    silent = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(silent, (struct sockaddr *)&at, size) != 0
        || listen(silent, 64) != 0
        || getsockname(silent, (struct sockaddr *)&at, &size) != 0
        || !mkdtemp(home))
        return -1;
    snprintf(url, sizeof(url), "http://127.0.0.1:%d", ntohs(at.sin_port));
    snprintf(script, sizeof(script), "%s/script.lua", home);
    snprintf(seed, sizeof(seed), "%s/seed.json", home);
    setenv("FLY_API_HOSTNAME", url, 1);
    setenv("FLY_API_BASE_URL", url, 1);
    setenv("FLY_API_TOKEN", "fo1_simtoken", 1);
    setenv("HOME", home, 1);
    unsetenv("DBUS_SESSION_BUS_ADDRESS");
    return 0;
}

static int stop_silent(void **state)
{
    (void)state;
    close(silent);
    return clk_fs_remove(home, true) == 0 ? 0 : -1;
}

static void write_file(const char *path, const char *text)
{
    const struct clk_fs_write how = {.mode = 0600};

    assert_int_equal(clk_fs_replace(path, text, strlen(text), &how), 0);
}

static void clear_screen(struct session *s)
{
    s->shown = 0;
    s->screen[0] = '\0';
}

/* --- Ctrl-C -------------------------------------------------------------- */

/* Waits until a request has come, which nobody will answer. */
static int take_request(void)
{
    struct pollfd p = {.fd = silent, .events = POLLIN};
    char byte;

    assert_int_equal(poll(&p, 1, PATIENCE), 1);
    p.fd = accept(silent, NULL, NULL);
    assert_int_equal(poll(&p, 1, PATIENCE), 1);
    assert_int_equal(recv(p.fd, &byte, 1, MSG_PEEK), 1);
    return p.fd;
}

static long milliseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long)(now.tv_sec * 1000 + now.tv_nsec / 1000000);
}

/* How long it took from the key to the end of the program. */
static long press_ctrl_c(struct session *s)
{
    long start = milliseconds();

    type(s, "\x03");
    for (int i = 0; i < PATIENCE; i++) {
        if (waitpid(s->pid, &s->status, WNOHANG) == s->pid) {
            s->pid = 0;
            return milliseconds() - start;
        }
        look(s);
    }
    fail_msg("Ctrl-C does not end it: \"%.2000s\"", s->screen);
    return 0;
}

/* The command, at the moment when `waits_for` is on the screen or, without it,
   a request was sent, ends within the promised time: with 130, without a word,
   the terminal as it was. */
static void ends_with_ctrl_c(struct session *s, char *const words[],
                             const char *waits_for)
{
    long took = 0;

    for (int i = 0; i < ATTEMPTS; i++) {
        int request = -1;

        clear_screen(s);
        start_words(s, words, -1);
        if (waits_for)
            see(s, waits_for);
        else
            request = take_request();
        took = press_ctrl_c(s);
        for (int k = 0; k < 10; k++)
            look(s);
        if (request >= 0)
            close(request);
        if (!WIFEXITED(s->status) || WEXITSTATUS(s->status) != 130)
            fail_msg("ended as %x: \"%.2000s\"", s->status, s->screen);
        assert_null(strstr(s->screen, "error"));
        assert_null(strstr(s->screen, "traceback"));
        assert_restored(s);
        if (took <= promised_ms())
            return;
    }
    fail_msg("Ctrl-C took %ld ms, and as long %d times before", took,
             ATTEMPTS - 1);
}

static void ctrl_c_ends_a_list(void **state)
{
    ends_with_ctrl_c(*state, (char *[]){binary, "fly", "list", "apps", NULL},
                     NULL);
}

static void ctrl_c_ends_a_question(void **state)
{
    ends_with_ctrl_c(
        *state, (char *[]){binary, "ask", "--flyio", "list machines", NULL},
        NULL);
}

static void ctrl_c_ends_the_simulator(void **state)
{
    ends_with_ctrl_c(*state,
                     (char *[]){binary, "sim", "--listen", "127.0.0.1:0", NULL},
                     "Ctrl-C");
}

static void ctrl_c_ends_a_hidden_prompt(void **state)
{
    ends_with_ctrl_c(*state,
                     (char *[]){binary, "fly", "secrets", "set", "--app", "web",
                                "KEY", NULL},
                     "value of KEY (not shown): ");
}

static void ctrl_c_ends_a_question_to_the_user(void **state)
{
    ends_with_ctrl_c(
        *state,
        (char *[]){binary, "--sim", "fly", "destroy", "app", "my-app", NULL},
        "to go ahead: ");
}

/* Whatever a script does in that moment. */
static void ctrl_c_ends_a_script(void **state)
{
    static const char *const texts[] = {
        "require('clanker.task').sleep(600)",
        "while true do end",
        "for i = 1, math.huge do local s = ('x'):rep(100) .. i end",
        "io.read()",
        "for line in io.lines() do print(line) end",
        "coroutine.wrap(function() io.read() end)()",
        "coroutine.wrap(function() while true do end end)()",
        "pcall(function() while true do end end)",
        "require('clanker.process').run{ argv = { 'sleep', '600' } }",
        "os.execute('echo it runs; exec sleep 600')",
        "print(io.popen('echo it runs >&2; exec sleep 600'):read('a'))"
        " require('clanker.task').sleep(600)",
        "while true do pcall(require('clanker.task').sleep, 600) end",
        "require('clanker.task').map({ 1, 2, 3 }, 3,"
        " function() require('clanker.task').sleep(600) end)",
    };
    char *words[] = {binary, "run", script, NULL};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char text[256];

        snprintf(text, sizeof(text), "%s%s",
                 strstr(texts[i], "it runs") ? "" : "print 'it runs' ",
                 texts[i]);
        write_file(script, text);
        print_message("# %s\n", texts[i]);
        ends_with_ctrl_c(*state, words, "it runs");
    }
    write_file(script, "require('clanker.fly').apps.list()");
    ends_with_ctrl_c(*state, words, NULL);
}

/* --- what is on the screen ----------------------------------------------- */

/* The length of a control sequence of ours at `text`, 0 for none: colours, and
   what wipes the line of the progress. */
static size_t own_sequence(const char *text)
{
    size_t length = 2;

    if (strncmp(text, "\r\x1b[K", 4) == 0)
        return 4;
    if (strncmp(text, "\x1b[", 2) != 0)
        return 0;
    while (strchr("0123456789;", text[length]) && text[length])
        length++;
    return text[length] == 'm' ? length + 1 : 0;
}

/* What is left on the screen without our own sequences; no other is there. */
static void read_screen(struct session *s)
{
    char *to = s->screen;

    for (const char *from = s->screen; *from;) {
        size_t length = own_sequence(from);

        if (length == 4 && *from == '\r')
            *to++ = '\n';
        if (length == 0 && *from != '\r')
            *to++ = *from;
        from += length ? length : 1;
    }
    *to = '\0';
    for (const char *c = s->screen; *c; c++)
        if ((unsigned char)*c < ' ' && *c != '\n' && *c != '\t')
            fail_msg("byte %d reached the terminal: \"%.2000s\"", *c,
                     s->screen);
}

static void run_on(struct session *s, unsigned short columns,
                   char *const words[], int code)
{
    struct winsize size = {.ws_col = columns, .ws_row = 24};

    ioctl(s->slave, TIOCSWINSZ, &size);
    clear_screen(s);
    start_words(s, words, -1);
    wait_end(s);
    if (!WIFEXITED(s->status) || WEXITSTATUS(s->status) != code)
        fail_msg("ended as %x: \"%.2000s\"", s->status, s->screen);
    read_screen(s);
}

static void assert_fits(const struct session *s, size_t columns)
{
    for (const char *line = s->screen; *line;) {
        size_t length = strcspn(line, "\n");

        if (clk_text_columns(line, length) > columns)
            fail_msg("longer than %zu columns: \"%.*s\"", columns, (int)length,
                     line);
        line += length + (line[length] == '\n');
    }
}

static void twenty_columns_are_enough(void **state)
{
    static struct {
        char *words[8];
        const char *shows;
        int code;
    } cases[] = {
        {{"--sim", "fly", "list", "apps"}, "my-app\n", 0},
        {{"--sim", "fly", "list", "machines"}, "1234abcd\n", 0},
        {{"--sim", "fly", "list", "volumes", "-o", "wide"}, "vol_1234\n", 0},
        {{"--sim", "ask", "--flyio", "list apps"}, "my-app", 0},
        {{"--sim", "fly", "list", "machines", "--app", "nope"}, "\"nope\"", 4},
        {{"fly", "lst"}, "did you mean\nlist?", 2},
        {{"ask", "what is love"}, "hint: ", 1},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct session *s = *state;
        char *words[10] = {binary};

        memcpy(words + 1, cases[i].words, sizeof(cases[i].words));
        run_on(s, 20, words, cases[i].code);
        if (!strstr(s->screen, cases[i].shows))
            fail_msg("\"%s\" is not in \"%s\"", cases[i].shows, s->screen);
        if (cases[i].code
            == 4) /* an identifier is not cut, so that it can be */
            *strstr(s->screen, "request id") = '\0'; /* copied */
        assert_fits(s, 20);
    }
}

/* --- what the account says ----------------------------------------------- */

/* A name with: ESC, BEL, CR, a C1 control, a right-to-left override, a space
   without width, DEL. */
#define NASTY                                                                  \
    "a\\u001b[31mred\\u001b]0;"                                                \
    "title\\u0007\\r\\u009b2J\\u202eevil\\u200b\\u007fb"

static const char account[] =
    "{\"orgs\": [{\"slug\": \"personal\", \"name\": \"" NASTY "\","
    " \"type\": \"PERSONAL\"}],"
    " \"apps\": [{\"name\": \"my-app\", \"org\": \"personal\", \"machines\":"
    " [{\"name\": \"" NASTY "\", \"region\": \"iad\", \"config\":"
    " {\"image\": \"" NASTY "\", \"guest\": {\"cpu_kind\": \"shared\","
    " \"cpus\": 1, \"memory_mb\": 256}}}]}]}";

/* Starts a simulated account of the seed and sets where it is. */
static pid_t start_account(void)
{
    char url[128] = "", text[4096];
    int fds[2];
    FILE *told;
    pid_t pid;

    write_file(seed, account);
    assert_int_equal(pipe(fds), 0);
    pid = fork();
    if (pid == 0) {
        dup2(fds[1], 1);
        close(fds[0]);
        run_words((char *[]){binary, "sim", "--listen", "127.0.0.1:0", "--seed",
                             seed, "--token", "fo1_simtoken", NULL});
    }
    close(fds[1]);
    told = fdopen(fds[0], "r");
    while (!url[0] && fgets(text, sizeof(text), told))
        (void)sscanf(text, "  export FLY_API_HOSTNAME=%127s", url);
    fclose(told);
    assert_true(url[0]);
    setenv("FLY_API_HOSTNAME", url, 1);
    setenv("FLY_API_BASE_URL", url, 1);
    return pid;
}

static void nothing_of_a_name_acts_on_the_terminal(void **state)
{
    static char *const commands[][8] = {
        {binary, "fly", "list", "machines", NULL},
        {binary, "fly", "list", "machines", "-o", "yaml", NULL},
        {binary, "fly", "list", "machines", "--raw", NULL},
        {binary, "fly", "list", "orgs", NULL},
        {binary, "ask", "--flyio", "list machines", NULL},
        {binary, "run", script, NULL},
    };
    struct session *s = *state;
    pid_t pid = start_account();

    write_file(script, "error(require('clanker.fly').machines.list()[1].name)");
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        for (unsigned short columns = 20; columns <= 200; columns += 180) {
            run_on(s, columns, commands[i], commands[i][2] == script);
            assert_null(strstr(s->screen, "\xc2\x9b"));
            assert_null(strstr(s->screen, "\xe2\x80\xae"));
            assert_null(strstr(s->screen, "\x7f"));
        }
    }
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(ctrl_c_ends_a_list),
        TEST(ctrl_c_ends_a_question),
        TEST(ctrl_c_ends_a_script),
        TEST(ctrl_c_ends_the_simulator),
        TEST(ctrl_c_ends_a_hidden_prompt),
        TEST(ctrl_c_ends_a_question_to_the_user),
        TEST(twenty_columns_are_enough),
        TEST(nothing_of_a_name_acts_on_the_terminal),
    };

    return cmocka_run_group_tests_name("terminal", tests, start_silent,
                                       stop_silent);
}
