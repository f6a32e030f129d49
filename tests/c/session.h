/* The whole program at a pseudo-terminal, whose user is the test. */
#ifndef SESSION_H
#define SESSION_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum { PATIENCE = 20000, SCREEN = 1 << 20 }; /* ms; bytes */

/* A program on a pseudo-terminal; we are its user. */
struct session {
    pid_t pid;
    int master, slave;
    struct termios before;
    char *screen;
    size_t shown;
    int status;
};

static char binary[4096];

static inline void find_binary(void)
{
    const char *given = getenv("CLANKER_BINARY");
    ssize_t length;

    if (given) {
        snprintf(binary, sizeof(binary), "%s", given);
        return;
    }
    length = readlink("/proc/self/exe", binary, sizeof(binary) - 16);
    assert_true(length > 0); /* …/tests/t_tty beside …/clanker */
    binary[length] = '\0';
    for (int i = 0; i < 2; i++)
        *strrchr(binary, '/') = '\0';
    strncat(binary, "/clanker", sizeof(binary) - strlen(binary) - 1);
}

/* Becomes the program with these words. */
static inline void run_words(char *const words[])
{
    execv(binary, words);
    _exit(127);
}

static inline int set_up(void **state)
{
    struct session *s = calloc(1, sizeof(*s));

    alarm(120);
    s->screen = calloc(1, SCREEN + 1);
    s->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (grantpt(s->master) != 0 || unlockpt(s->master) != 0)
        return -1;
    s->slave = open(ptsname(s->master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    fcntl(s->master, F_SETFL, O_NONBLOCK);
    setenv("TERM", "xterm", 1);
    setenv("CLANKER_LUA", "lua:tests", 1);
    unsetenv("NO_COLOR");
    unsetenv("COLUMNS");
    *state = s;
    return tcgetattr(s->slave, &s->before);
}

static inline int tear_down(void **state)
{
    struct session *s = *state;

    if (s->pid > 0) {
        kill(s->pid, SIGKILL);
        waitpid(s->pid, NULL, 0);
    }
    close(s->master);
    close(s->slave);
    free(s->screen);
    free(s);
    return 0;
}

/* Starts the program at the terminal, with standard output on `out` instead
   unless that is -1. */
static inline void start_words(struct session *s, char *const words[], int out)
{
    s->pid = fork();
    if (s->pid != 0)
        return;
    setsid();
    ioctl(s->slave, TIOCSCTTY, 0);
    for (int fd = 0; fd < 3; fd++)
        dup2(fd == 1 && out >= 0 ? out : s->slave, fd);
    run_words(words);
}

static inline void look(struct session *s)
{
    struct pollfd p = {.fd = s->master, .events = POLLIN};
    ssize_t count;

    poll(&p, 1, 1);
    count = read(s->master, s->screen + s->shown, SCREEN - s->shown);
    if (count > 0)
        s->shown += (size_t)count;
    s->screen[s->shown] = '\0';
}

static inline void see(struct session *s, const char *text)
{
    for (int i = 0; i < PATIENCE && !strstr(s->screen, text); i++)
        look(s);
    if (!strstr(s->screen, text))
        fail_msg("expected \"%s\" on the screen: \"%.2000s\"", text, s->screen);
}

/* As fast as the program reads: a terminal takes a few thousand bytes ahead. */
static inline void type(struct session *s, const char *text)
{
    size_t length = strlen(text);

    for (int i = 0; length > 0 && i < PATIENCE; i++) {
        ssize_t count = write(s->master, text, length);

        if (count > 0) {
            text += count;
            length -= (size_t)count;
        }
        if (length > 0)
            look(s);
    }
    assert_int_equal(length, 0);
}

static inline void wait_end(struct session *s)
{
    for (int i = 0; i < PATIENCE; i++) {
        look(s);
        if (waitpid(s->pid, &s->status, WNOHANG) == s->pid) {
            s->pid = 0;
            for (int k = 0; k < 10; k++)
                look(s);
            return;
        }
    }
    fail_msg("the program does not end: \"%.2000s\"", s->screen);
}

static inline bool echoes(const struct session *s)
{
    struct termios now;

    assert_int_equal(tcgetattr(s->slave, &now), 0);
    return (now.c_lflag & ECHO) != 0;
}

static inline void assert_restored(const struct session *s)
{
    struct termios now;

    assert_int_equal(tcgetattr(s->slave, &now), 0);
    assert_int_equal(now.c_lflag, s->before.c_lflag);
    assert_int_equal(now.c_iflag, s->before.c_iflag);
    assert_memory_equal(now.c_cc, s->before.c_cc, sizeof(now.c_cc));
    assert_int_equal(fcntl(s->slave, F_GETFL) & O_NONBLOCK, 0);
}

#endif
