/* Asking the user for a line, shown or hidden. */
#include <lauxlib.h>
#include <lua.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "bind/l_secret.h"
#include "bind/term_handles.h"
#include "core/mem.h"
#include "core/term_line.h"
#include "host/class.h"
#include "host/err.h"
#include "host/task.h"

#define QUESTION_META "host.term.question"

enum { MAX_LINE = 65536 }; /* bytes of an answer */

/* A line being asked for; on the stack of the task that asks. */
struct question {
    struct clk_line *core;     /* NULL once closed */
    struct clk_secret *secret; /* of a hidden one */
    unsigned char *text;       /* of a shown one */
    struct clk_wait wait;
};

static void question_close(struct question *q)
{
    if (q->core)
        clk_line_close(q->core);
    q->core = NULL;
    clk_secret_unref(q->secret);
    q->secret = NULL;
    clk_free(q->text);
    q->text = NULL;
}

static int question_gc(lua_State *L)
{
    struct question *q = luaL_checkudata(L, 1, QUESTION_META);

    clk_unwait(&q->wait);
    question_close(q);
    return 0;
}

static void question_cancel(struct clk_wait *wait)
{
    question_close(
        (struct question *)((char *)wait - offsetof(struct question, wait)));
}

static void on_answer(void *ud)
{
    clk_wake(&((struct question *)ud)->wait);
}

static int fail_question(lua_State *L, int error)
{
    switch (error) {
    case UV_ENOTTY:
        return clk_fail(L, "ENOTTY", "standard input is not a terminal");
    case UV_EOF: return clk_fail(L, "EOF", "end of input");
    case UV_E2BIG:
        return clk_fail(L, "E2BIG", "the answer is longer than %d bytes",
                        MAX_LINE);
    case UV_EMSGSIZE:
        return clk_fail(L, "EMSGSIZE", "the answer has more than one line");
    default: return clk_fail_uv(L, error, "standard input");
    }
}

static int answer_done(lua_State *L, int status, lua_KContext ctx)
{
    struct question *q = (struct question *)ctx;
    size_t length;
    int error = clk_line_result(q->core, &length);

    (void)status;
    if (error == UV_EAGAIN) {
        q->wait.cancel = question_cancel;
        return clk_wait(L, &q->wait, ctx, answer_done);
    }
    if (!error && q->secret) {
        clk_secret_seal(q->secret, length);
        lua_pushvalue(L, 2);
    } else if (!error) {
        lua_pushlstring(L, (const char *)q->text, length);
    }
    question_close(q);
    return error ? fail_question(L, error) : 1;
}

/* Stack: 1 the prompt as it is shown, 2 a new secret or nil, 3 the question. */
static int ask(lua_State *L, bool hidden)
{
    struct clk_line_options options = {.fd = STDIN_FILENO, .hidden = hidden};
    const char *prompt = luaL_optlstring(L, 1, "", &options.prompt_length);
    struct clk_secret *secret = NULL;
    struct question *q;
    int error;

    if (!isatty(STDIN_FILENO))
        return fail_question(L, UV_ENOTTY);
    lua_settop(L, 1);
    clk_push_masked(L, prompt, options.prompt_length);
    lua_replace(L, 1);
    options.prompt = lua_tolstring(L, 1, &options.prompt_length);
    if (hidden)
        secret = clk_new_secret(L, MAX_LINE);
    else
        lua_pushnil(L);
    q = lua_newuserdatauv(L, sizeof(*q), 0);
    memset(q, 0, sizeof(*q));
    luaL_setmetatable(L, QUESTION_META);
    if (hidden)
        q->secret = clk_secret_ref(secret);
    else
        q->text = clk_malloc(MAX_LINE);
    options.buffer = hidden ? q->secret->bytes : q->text;
    options.size = MAX_LINE;
    options.on_event = on_answer;
    options.ud = q;
    if (!options.buffer)
        return clk_no_memory(L);
    error = clk_line_open(&q->core, clk_loop(clk_host_of(L)), &options);
    if (error)
        return fail_question(L, error);
    return answer_done(L, LUA_OK, (lua_KContext)q);
}

/*** Asks for a line at the terminal without showing what is typed. Whatever
--- ends the wait, the echo is back afterwards.
---@async
---@param prompt? string
---@return host.secret.Secret? answer without the newline
---@return string? message
---@return string? code ENOTTY when standard input is no terminal, EOF, E2BIG,
--- EMSGSIZE when several lines were pasted */
int clk_term_hidden(lua_State *L)
{
    return ask(L, true);
}

/*** Asks for a line at the terminal.
---@async
---@param prompt? string
---@return string? answer without the newline
---@return string? message
---@return string? code ENOTTY when standard input is no terminal, EOF, E2BIG */
int clk_term_prompt(lua_State *L)
{
    return ask(L, false);
}

void clk_question_class(lua_State *L)
{
    clk_class(L, QUESTION_META, NULL, NULL, question_gc);
}
