/* host.term: what the terminal is, and what is written to it. */
#include <lauxlib.h>
#include <lua.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bind/l_secret.h"
#include "bind/term_handles.h"
#include "core/term_out.h"
#include "core/text.h"
#include "host/class.h"
#include "host/err.h"
#include "host/gate.h"
#include "host/host.h"
#include "host/task.h"

#define OUTPUTS_META "host.term.outputs"

static const char outputs_key = 0; /* registry key of the outputs */

/* --- the terminal -------------------------------------------------------- */

static int check_fd(lua_State *L, int arg)
{
    lua_Integer fd = luaL_checkinteger(L, arg);

    luaL_argcheck(L, fd >= 0 && fd <= 2, arg, "0, 1 or 2 expected");
    return (int)fd;
}

/*** Whether standard input (0), output (1) or error (2) is a terminal.
---@param fd integer
---@return boolean */
static int term_is_tty(lua_State *L)
{
    lua_pushboolean(L, isatty(check_fd(L, 1)));
    return 1;
}

/*** The terminal's columns as the system knows them; nil when it is no terminal
--- or does not tell.
---@param fd integer
---@return integer? */
static int term_width(lua_State *L)
{
    struct winsize size = {0};

    if (ioctl(check_fd(L, 1), TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        lua_pushnil(L);
    else
        lua_pushinteger(L, size.ws_col);
    return 1;
}

/* --- text ---------------------------------------------------------------- */

/*** The text with everything a terminal could act on, and what is invisible or
--- reorders text, in visible form (\x1b, \n, \u{202e}). With `lines`, newlines
--- and tabs are kept.
---@param text string
---@param lines? boolean
---@return string */
static int term_sanitize(lua_State *L)
{
    size_t length, size;
    const char *text = luaL_checklstring(L, 1, &length);
    bool lines = lua_toboolean(L, 2);
    luaL_Buffer b;
    char *out;

    luaL_argcheck(L, length < SIZE_MAX / 8, 1, "too long");
    size = clk_text_sanitize(text, length, lines, NULL);
    out = luaL_buffinitsize(L, &b, size);
    clk_text_sanitize(text, length, lines, out);
    luaL_pushresultsize(&b, size);
    return 1;
}

/*** The columns a text takes on a terminal; control characters take none.
---@param text string
---@return integer */
static int term_display_width(lua_State *L)
{
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);

    lua_pushinteger(L, (lua_Integer)clk_text_columns(text, length));
    return 1;
}

/*** As much of a text as fits into `columns`, whole characters only.
---@param text string
---@param columns integer
---@return string part
---@return integer columns that it takes */
static int term_fit(lua_State *L)
{
    size_t length, used;
    const char *text = luaL_checklstring(L, 1, &length);
    lua_Integer columns = luaL_checkinteger(L, 2);

    luaL_argcheck(L, columns >= 0, 2, "0 or more columns");
    lua_pushlstring(L, text,
                    clk_text_fit(text, length, (size_t)columns, &used));
    lua_pushinteger(L, (lua_Integer)used);
    return 2;
}

/* --- writing ------------------------------------------------------------- */

/* One of the two output descriptors. */
struct output {
    struct clk_out *core; /* NULL until first used */
    struct clk_gate gate; /* tasks whose text is not all written */
};

/* Both; lives in the registry as long as the state. */
struct outputs {
    struct output of[2]; /* standard output, standard error */
};

static const char *const names[] = {"standard output", "standard error"};

static int outputs_gc(lua_State *L)
{
    struct outputs *o = luaL_checkudata(L, 1, OUTPUTS_META);

    for (int i = 0; i < 2; i++) {
        clk_gate_close(&o->of[i].gate);
        if (o->of[i].core)
            clk_out_close(o->of[i].core);
        o->of[i].core = NULL;
    }
    return 0;
}

static void on_output(void *ud)
{
    struct output *o = ud;

    clk_gate_open(&o->gate);
}

/* The secrets come first, so that they outlive the masking of the last text. */
static struct outputs *outputs_of(lua_State *L)
{
    struct outputs *o;

    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &outputs_key) == LUA_TNIL) {
        lua_pop(L, 1);
        clk_secrets_of(L);
        o = lua_newuserdatauv(L, sizeof(*o), 0);
        memset(o, 0, sizeof(*o));
        luaL_setmetatable(L, OUTPUTS_META);
        lua_pushvalue(L, -1);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &outputs_key);
    }
    o = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return o;
}

static int fail_output(lua_State *L, struct output *o, int error)
{
    struct outputs *all = outputs_of(L);

    return clk_fail_uv(L, error, names[o - all->of]);
}

/* Where the task cannot wait (a coroutine of the script's own, a comparison of
   table.sort) writing blocks, as it does everywhere else in Lua. */
static int write_here(lua_State *L, struct clk_out *core)
{
    int error;

    while ((error = clk_out_finish(core, CLK_TERM_PATIENCE)) == UV_EAGAIN)
        clk_term_check_signal(L);
    return error;
}

static int write_done(lua_State *L, int status, lua_KContext ctx)
{
    struct output *o = (struct output *)ctx;
    uint64_t target = (uint64_t)lua_tointeger(L, -1);
    int error =
        clk_can_wait(L) ? clk_out_flush(o->core) : write_here(L, o->core);

    (void)status;
    if (error && error != UV_EAGAIN)
        return fail_output(L, o, error);
    if (clk_out_sent(o->core) < target)
        return clk_gate_wait(L, &o->gate, -1, ctx, write_done);
    lua_pushboolean(L, 1);
    return 1;
}

static int write_text(lua_State *L, const char *text, size_t length, bool last)
{
    lua_Integer fd = luaL_checkinteger(L, 1);
    struct output *o;
    int error = 0;

    luaL_argcheck(L, fd == 1 || fd == 2, 1, "1 or 2 expected");
    o = &outputs_of(L)->of[fd - 1];
    if (!o->core)
        error = clk_out_open(&o->core, clk_loop(clk_host_of(L)),
                             clk_secrets_of(L), (int)fd, on_output, o);
    if (!error)
        error = clk_out_add(o->core, text, length, last);
    if (error == UV_ENOMEM)
        return clk_no_memory(L);
    if (error)
        return fail_output(L, o, error);
    lua_pushinteger(L, (lua_Integer)clk_out_added(o->core));
    return write_done(L, LUA_OK, (lua_KContext)o);
}

/*** Writes text to standard output (1) or standard error (2), all of it, with
--- every live secret masked. The end of the text is held back while it may be
--- the
--- beginning of a secret: until the next write, `flush`, a prompt, or the end.
--- Waits while the reader is slow.
---@async
---@param fd integer 1 or 2
---@param text string
---@return boolean? ok
---@return string? message
---@return string? code EPIPE when the reader has gone, EIO, ENOSPC … */
static int term_write(lua_State *L)
{
    size_t length;
    const char *text = luaL_checklstring(L, 2, &length);

    lua_settop(L, 2);
    return write_text(L, text, length, false);
}

/*** Writes what was held back.
---@async
---@param fd integer 1 or 2
---@return boolean? ok
---@return string? message
---@return string? code */
static int term_flush(lua_State *L)
{
    lua_settop(L, 1);
    return write_text(L, "", 0, true);
}

static const luaL_Reg functions[] = {
    {"display_width", term_display_width},
    {"editor", clk_term_editor},
    {"fit", term_fit},
    {"flush", term_flush},
    {"hidden", clk_term_hidden},
    {"is_tty", term_is_tty},
    {"prompt", clk_term_prompt},
    {"read", clk_term_read},
    {"reveal", clk_term_reveal},
    {"sanitize", term_sanitize},
    {"stdin", clk_term_stdin},
    {"width", term_width},
    {"write", term_write},
    {NULL, NULL},
};

int luaopen_host_term(lua_State *L);

int luaopen_host_term(lua_State *L)
{
    clk_class(L, OUTPUTS_META, NULL, NULL, outputs_gc);
    clk_question_class(L);
    clk_input_class(L);
    clk_editor_class(L);
    luaL_newlib(L, functions);
    return 1;
}
