/* The line editor as a handle. */
#include <lauxlib.h>
#include <lua.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "bind/l_secret.h"
#include "bind/term_handles.h"
#include "core/term_edit.h"
#include "host/class.h"
#include "host/err.h"
#include "host/task.h"

#define EDITOR_META "host.term.editor"

/* An editor; the terminal is its own while a line is edited. */
struct editor {
    struct clk_edit *core; /* NULL once closed */
    bool editing;          /* a line was begun and is not finished */
    struct clk_wait wait;
};

/*** Restores the terminal. */
static int editor_close(lua_State *L)
{
    struct editor *e = luaL_checkudata(L, 1, EDITOR_META);

    if (e->core)
        clk_edit_close(e->core);
    e->core = NULL;
    clk_wake(&e->wait);
    return 0;
}

static int editor_gc(lua_State *L)
{
    struct editor *e = luaL_checkudata(L, 1, EDITOR_META);

    clk_unwait(&e->wait);
    return editor_close(L);
}

static void editor_cancel(struct clk_wait *wait)
{
    struct editor *e =
        (struct editor *)((char *)wait - offsetof(struct editor, wait));

    if (e->core)
        clk_edit_close(e->core);
    e->core = NULL;
}

static struct editor *check_editor(lua_State *L)
{
    struct editor *e = luaL_checkudata(L, 1, EDITOR_META);

    luaL_argcheck(L, e->core != NULL, 1, "the editor is closed");
    return e;
}

static void on_edit(void *ud)
{
    clk_wake(&((struct editor *)ud)->wait);
}

/*** Opens a line editor with history and completion on standard input.
---@return host.term.Editor?
---@return string? message
---@return string? code ENOTTY; ENOTSUP without libedit or on a dumb terminal */
int clk_term_editor(lua_State *L)
{
    struct editor *e = lua_newuserdatauv(L, sizeof(*e), 0);
    int error;

    memset(e, 0, sizeof(*e));
    luaL_setmetatable(L, EDITOR_META);
    error = clk_edit_open(&e->core, clk_loop(clk_host_of(L)), STDIN_FILENO,
                          on_edit, e);
    if (error == UV_ENOTTY)
        return clk_fail(L, "ENOTTY", "standard input is not a terminal");
    if (error == UV_ENOTSUP)
        return clk_fail(L, "ENOTSUP", "no line editing on this terminal");
    if (error)
        return clk_fail_uv(L, error, "line editor");
    return 1;
}

static const char *check_text(lua_State *L, int arg)
{
    size_t length;
    const char *text = luaL_checklstring(L, arg, &length);

    luaL_argcheck(L, strlen(text) == length, arg, "a NUL byte");
    return text;
}

/*** Adds a line to the history, newest last.
---@param line string */
static int editor_remember(lua_State *L)
{
    struct editor *e = check_editor(L);

    if (clk_edit_remember(e->core, check_text(L, 2)) != 0)
        return clk_no_memory(L);
    return 0;
}

/*** Inserts text at the cursor.
---@param text string */
static int editor_insert(lua_State *L)
{
    struct editor *e = check_editor(L);

    clk_edit_insert(e->core, check_text(L, 2));
    return 0;
}

/*** Shows whole lines of text, secrets masked, and the edited line below them.
---@param text string */
static int editor_show(lua_State *L)
{
    struct editor *e = check_editor(L);
    size_t length;
    const char *text = luaL_checklstring(L, 2, &length);

    clk_push_masked(L, text, length);
    text = lua_tolstring(L, -1, &length);
    clk_edit_show(e->core, text, length);
    return 0;
}

static int push_event(lua_State *L, struct editor *e, const char *name)
{
    size_t length, cursor;
    const char *line = clk_edit_line(e->core, &length, &cursor);

    lua_pushstring(L, name);
    lua_pushlstring(L, line, length);
    lua_pushinteger(L, (lua_Integer)cursor);
    return 3;
}

static int read_done(lua_State *L, int status, lua_KContext ctx)
{
    struct editor *e = (struct editor *)ctx;

    (void)status;
    if (!e->core)
        return clk_fail(L, "EOF", "end of input");
    switch (clk_edit_event(e->core)) {
    case CLK_EDIT_COMPLETE: return push_event(L, e, "complete");
    case CLK_EDIT_LINE: e->editing = false; return push_event(L, e, "line");
    case CLK_EDIT_EOF:
        e->editing = false;
        return clk_fail(L, "EOF", "end of input");
    case CLK_EDIT_FAILED: e->editing = false; return clk_no_memory(L);
    default:
        e->wait.cancel = editor_cancel;
        return clk_wait(L, &e->wait, ctx, read_done);
    }
}

/*** Waits for what the user does: "line" when it is entered, "complete" when
--- the Tab key was pressed: then insert or show something, and read again.
---@async
---@param prompt? string for a new line
---@return "line"|"complete"|nil event
---@return string line or message
---@return integer|string bytes before the cursor, or code (EOF) */
static int editor_read(lua_State *L)
{
    struct editor *e = check_editor(L);
    const char *prompt = luaL_optstring(L, 2, "");
    int error = 0;

    if (e->wait.task)
        return luaL_error(L, "another task reads from this editor");
    if (!e->editing)
        error = clk_edit_start(e->core, prompt);
    if (error)
        return clk_fail_uv(L, error, "line editor");
    e->editing = true;
    lua_settop(L, 1);
    return read_done(L, LUA_OK, (lua_KContext)e);
}

static const luaL_Reg methods[] = {
    {"close", editor_close}, {"insert", editor_insert},
    {"read", editor_read},   {"remember", editor_remember},
    {"show", editor_show},   {NULL, NULL},
};

void clk_editor_class(lua_State *L)
{
    clk_class(L, EDITOR_META, methods, editor_close, editor_gc);
}
