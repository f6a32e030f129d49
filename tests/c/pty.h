/* A pseudo-terminal: the test is its user; for t_term*.c. */
#ifndef PTY_H
#define PTY_H

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
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/term_edit.h"
#include "core/term_line.h"
#include "core/term_out.h"

enum { PATIENCE = 5000, SCREEN = 1 << 16 };

/* A pseudo-terminal: we are the user, the code under test has the slave. */
struct fixture {
    uv_loop_t loop;
    struct clk_secrets *secrets;
    int master, slave;
    struct termios before;
    char screen[SCREEN];
    size_t shown;
    int events;
};

static inline void on_event(void *ud)
{
    ((struct fixture *)ud)->events++;
}

static inline int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    alarm(60); /* no wait of a test is longer */
    f->secrets = clk_secrets_new();
    f->master = posix_openpt(O_RDWR | O_NOCTTY);
    if (grantpt(f->master) != 0 || unlockpt(f->master) != 0)
        return -1;
    f->slave = open(ptsname(f->master), O_RDWR | O_NOCTTY);
    fcntl(f->master, F_SETFL, O_NONBLOCK);
    tcgetattr(f->slave, &f->before);
    setenv("TERM", "xterm", 1);
    *state = f;
    return f->slave < 0 ? -1 : uv_loop_init(&f->loop);
}

static inline int tear_down(void **state)
{
    struct fixture *f = *state;
    int closed;

    for (int i = 0; i < 10; i++)
        uv_run(&f->loop, UV_RUN_NOWAIT);
    closed = uv_loop_close(&f->loop);
    clk_secrets_free(f->secrets);
    if (f->master >= 0)
        close(f->master);
    close(f->slave);
    free(f);
    return closed;
}

static inline void turn(struct fixture *f)
{
    uv_run(&f->loop, UV_RUN_NOWAIT);
    poll(NULL, 0, 1);
}

static inline void look(struct fixture *f)
{
    ssize_t count =
        read(f->master, f->screen + f->shown, SCREEN - 1 - f->shown);

    if (count > 0)
        f->shown += (size_t)count;
    f->screen[f->shown] = '\0';
}

static inline void see(struct fixture *f, const char *text)
{
    for (int i = 0; i < PATIENCE && !strstr(f->screen, text); i++) {
        turn(f);
        look(f);
    }
    if (!strstr(f->screen, text))
        fail_msg("expected \"%s\" on the screen: \"%s\"", text, f->screen);
}

static inline void type_bytes(struct fixture *f, const char *text,
                              size_t length)
{
    for (int i = 0; length > 0 && i < PATIENCE; i++) {
        ssize_t count = write(f->master, text, length < 512 ? length : 512);

        if (count > 0) {
            text += count;
            length -= (size_t)count;
        }
        turn(f);
        look(f);
    }
    assert_int_equal(length, 0);
}

static inline void type(struct fixture *f, const char *text)
{
    type_bytes(f, text, strlen(text));
}

static inline bool echoes(int fd)
{
    struct termios mode;

    assert_int_equal(tcgetattr(fd, &mode), 0);
    return (mode.c_lflag & ECHO) != 0;
}

static inline void assert_restored(struct fixture *f)
{
    struct termios now;

    assert_int_equal(tcgetattr(f->slave, &now), 0);
    assert_int_equal(now.c_lflag, f->before.c_lflag);
    assert_int_equal(now.c_iflag, f->before.c_iflag);
    assert_int_equal(now.c_oflag, f->before.c_oflag);
    assert_memory_equal(now.c_cc, f->before.c_cc, sizeof(now.c_cc));
    assert_int_equal(fcntl(f->slave, F_GETFL) & O_NONBLOCK, 0);
}

#endif
