/* Showing a secret to the person at the terminal. */
#include <errno.h>
#include <lauxlib.h>
#include <lua.h>
#include <poll.h>
#include <unistd.h>

#include <uv.h>

#include "bind/l_secret.h"
#include "bind/term_handles.h"
#include "core/mem.h"
#include "core/text.h"
#include "host/err.h"

enum {
    MAX_SHOWN = 64 * 1024, /* bytes that make sense on a screen */
    PATIENCE = 10000       /* ms that the terminal may take no bytes */
};

/* Writes it all; 0 or a libuv error. Blocks as long as the terminal is slow. */
static int write_all(int fd, const char *text, size_t length)
{
    struct pollfd ready = {.fd = fd, .events = POLLOUT};

    while (length > 0) {
        ssize_t n = write(fd, text, length);

        if (n >= 0) {
            text += n;
            length -= (size_t)n;
        } else if (errno == EAGAIN) {
            if (poll(&ready, 1, PATIENCE) == 0)
                return UV_ETIMEDOUT;
        } else if (errno != EINTR) {
            return uv_translate_sys_error(errno);
        }
    }
    return 0;
}

/* The bytes as a terminal may have them, and a line end. */
static int write_shown(int fd, const struct clk_secret *secret)
{
    const char *bytes = (const char *)secret->bytes;
    size_t room = clk_text_sanitize(bytes, secret->len, true, NULL) + 1;
    char *text = clk_malloc(room);
    size_t length;
    int error;

    if (!text)
        return UV_ENOMEM;
    length = clk_text_sanitize(bytes, secret->len, true, text);
    if (length == 0 || text[length - 1] != '\n')
        text[length++] = '\n';
    error = write_all(fd, text, length);
    clk_wipe(text, room);
    clk_free(text);
    return error;
}

/*** Writes a secret, made harmless, and a line end to standard output (1) or
--- standard error (2) when that is a terminal; flush what was written before.
---@param fd integer 1 or 2
---@param secret host.secret.Secret at most 64 KiB
---@return boolean? ok
---@return string? message
---@return string? code ENOTTY when it is no terminal */
int clk_term_reveal(lua_State *L)
{
    lua_Integer fd = luaL_checkinteger(L, 1);
    struct clk_secret *secret = clk_check_secret(L, 2);
    const char *name;
    int error;

    luaL_argcheck(L, fd == 1 || fd == 2, 1, "1 or 2 expected");
    luaL_argcheck(L, secret->len <= MAX_SHOWN, 2, "too long to show");
    name = fd == 1 ? "standard output" : "standard error";
    if (!isatty((int)fd))
        return clk_fail(L, "ENOTTY", "%s is no terminal", name);
    error = write_shown((int)fd, secret);
    if (error == UV_ENOMEM)
        return clk_no_memory(L);
    if (error)
        return clk_fail_uv(L, error, name);
    lua_pushboolean(L, 1);
    return 1;
}
