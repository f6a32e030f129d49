/* host.secret: secrets from the environment, files and descriptors. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "bind/secret_handle.h"
#include "core/secret_read.h"
#include "host/err.h"
#include "host/task.h"

#define READ_META "host.secret.read"

/* A secret being read while its task waits. */
struct read_box {
    struct clk_secret_read *read; /* NULL once it has ended */
    struct clk_wait wait;
};

/*** The value of an environment variable. With `take` the variable is removed
--- and its bytes are overwritten, also where /proc shows them.
---@param name string
---@param take? boolean
---@return host.secret.Secret? secret
---@return string? message
---@return string? code ENOENT, E2BIG */
int clk_secret_from_env(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    bool take = lua_toboolean(L, 2);
    char *value = getenv(name);
    struct clk_secret *s;
    size_t len;

    if (!value)
        return clk_fail(L, "ENOENT", "%s: not set", name);
    len = strlen(value);
    if (len > CLK_SECRET_MAX)
        return clk_fail(L, "E2BIG", "%s: longer than 1 MiB", name);
    s = clk_new_secret(L, len);
    memcpy(s->bytes, value, len);
    clk_secret_seal(s, len);
    if (take) {
        clk_wipe(value, len);
        unsetenv(name);
    }
    return 1;
}

static void end_read(struct read_box *box)
{
    struct clk_secret_read *read = box->read;

    box->read = NULL;
    clk_secret_read_close(read);
}

static int read_box_close(lua_State *L)
{
    struct read_box *box = luaL_checkudata(L, 1, READ_META);

    clk_unwait(&box->wait);
    end_read(box);
    return 0;
}

static void on_cancel(struct clk_wait *wait)
{
    end_read(
        (struct read_box *)((char *)wait - offsetof(struct read_box, wait)));
}

static void on_read_end(void *ud)
{
    struct read_box *box = ud;

    clk_wake(&box->wait);
}

/* Stack: the subject (a string), max, box, handle without a secret. */
static int read_done(lua_State *L, int status, lua_KContext max)
{
    struct read_box *box = lua_touserdata(L, 3);
    const char *subject = lua_tostring(L, 1);
    struct clk_secret *secret;
    int error = clk_secret_read_result(box->read, &secret);

    (void)status;
    if (error == UV_EAGAIN)
        return clk_wait(L, &box->wait, max, read_done);
    end_read(box);
    if (error == UV_E2BIG)
        return clk_fail(L, "E2BIG", "%s: more than %d bytes", subject,
                        (int)max);
    if (error)
        return clk_fail_uv(L, error, subject);
    clk_secret_handle_set(L, 4, secret);
    return 1;
}

/* Checks the limit at argument 2 and pushes the owners as read_done wants them.
 */
static size_t push_owners(lua_State *L)
{
    lua_Integer max = luaL_optinteger(L, 2, CLK_SECRET_READ_MAX);
    struct read_box *box;

    luaL_argcheck(L, max > 0 && max <= CLK_SECRET_MAX, 2,
                  "a limit of 1 byte to 1 MiB");
    lua_settop(L, 2);
    box = lua_newuserdatauv(L, sizeof(*box), 0);
    memset(box, 0, sizeof(*box));
    box->wait.cancel = on_cancel;
    if (lua_getfield(L, LUA_REGISTRYINDEX, READ_META) != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushcfunction(L, read_box_close);
        lua_setfield(L, -2, "__gc");
        lua_pushvalue(L, -1);
        lua_setfield(L, LUA_REGISTRYINDEX, READ_META);
    }
    lua_setmetatable(L, 3);
    clk_secret_handle_new(L);
    clk_secrets_of(L);
    return (size_t)max;
}

static int read_fd(lua_State *L, int fd, bool own_fd, size_t max)
{
    struct read_box *box = lua_touserdata(L, 3);
    struct clk_host *host = clk_host_of(L);
    int error = clk_secret_read_open(&box->read, clk_loop(host), host->secrets,
                                     fd, own_fd, max, on_read_end, box);

    if (error == UV_E2BIG)
        return clk_fail(L, "E2BIG", "%s: more than %d bytes",
                        lua_tostring(L, 1), (int)max);
    if (error)
        return clk_fail_uv(L, error, lua_tostring(L, 1));
    return read_done(L, LUA_OK, (lua_KContext)max);
}

/*** The content of a file, pipe or device, as it is. Waits where the other end
--- has not written all yet.
---@async
---@param path string
---@param max? integer the most bytes to accept, default 65536
---@return host.secret.Secret? secret
---@return string? message
---@return string? code ENOENT, EACCES, EISDIR, E2BIG, … */
int clk_secret_from_file(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    size_t max = push_owners(L);
    int fd, flags;

    /* Non-blocking for the open alone: a FIFO without a writer must not hang.
     */
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return clk_fail_uv(L, uv_translate_sys_error(errno), path);
    flags = fcntl(fd, F_GETFL);
    if (flags >= 0)
        (void)fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
    return read_fd(L, fd, true, max);
}

/*** What can be read from an open descriptor (0 is standard input) until its
--- end. The descriptor stays open.
---@async
---@param fd integer
---@param max? integer the most bytes to accept, default 65536
---@return host.secret.Secret? secret
---@return string? message
---@return string? code EBADF, E2BIG, … */
int clk_secret_from_fd(lua_State *L)
{
    lua_Integer fd = luaL_checkinteger(L, 1);
    size_t max;

    luaL_argcheck(L, fd >= 0 && fd <= INT_MAX, 1, "not a descriptor");
    max = push_owners(L);
    lua_pushfstring(L, "descriptor %d", (int)fd);
    lua_replace(L, 1);
    return read_fd(L, (int)fd, false, max);
}
