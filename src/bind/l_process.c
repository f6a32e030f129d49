/* host.process: programs run with exactly what they are given. */
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "bind/l_secret.h"
#include "bind/process_words.h"
#include "core/mem.h"
#include "core/process.h"
#include "host/class.h"
#include "host/err.h"
#include "host/task.h"

#define META "host.process.process"

enum {
    INPUT_MAX = 1 << 30,     /* bytes of a string on standard input */
    INPUT_VALUE = 1,         /* user value: keeps that string */
    KILL_AFTER = 2,          /* seconds, the default of `kill_after` */
    LONGEST = 30 * 24 * 3600 /* seconds, of any option */
};

/* The userdata. */
struct box {
    struct clk_process *process; /* NULL once closed, and before it started */
    char *file;                  /* the program's path, while starting */
    struct clk_wait wait;
};

static const struct {
    const char *name;
    int number;
} signals[] = {
    {"SIGABRT", SIGABRT}, {"SIGALRM", SIGALRM},   {"SIGBUS", SIGBUS},
    {"SIGCONT", SIGCONT}, {"SIGFPE", SIGFPE},     {"SIGHUP", SIGHUP},
    {"SIGILL", SIGILL},   {"SIGINT", SIGINT},     {"SIGKILL", SIGKILL},
    {"SIGPIPE", SIGPIPE}, {"SIGQUIT", SIGQUIT},   {"SIGSEGV", SIGSEGV},
    {"SIGSTOP", SIGSTOP}, {"SIGSYS", SIGSYS},     {"SIGTERM", SIGTERM},
    {"SIGTRAP", SIGTRAP}, {"SIGTSTP", SIGTSTP},   {"SIGUSR1", SIGUSR1},
    {"SIGUSR2", SIGUSR2}, {"SIGWINCH", SIGWINCH}, {"SIGXCPU", SIGXCPU},
    {"SIGXFSZ", SIGXFSZ},
};

enum { SIGNAL_COUNT = sizeof(signals) / sizeof(signals[0]) };

static void push_signal(lua_State *L, int number)
{
    for (int i = 0; i < SIGNAL_COUNT; i++) {
        if (signals[i].number == number) {
            lua_pushstring(L, signals[i].name);
            return;
        }
    }
    lua_pushfstring(L, "signal %d", number);
}

static int check_signal(lua_State *L, int arg)
{
    const char *name = luaL_optstring(L, arg, "SIGTERM");

    for (int i = 0; i < SIGNAL_COUNT; i++) {
        if (strcmp(signals[i].name, name) == 0)
            return signals[i].number;
    }
    return luaL_argerror(L, arg, "not the name of a signal");
}

static void give_up(struct box *box)
{
    struct clk_process *process = box->process;

    box->process = NULL;
    clk_process_close(process);
    clk_free(box->file);
    box->file = NULL;
}

/*** Gives the child up. If it has not ended, its whole process group is killed
--- at once. Closing twice is allowed. */
static int process_close(lua_State *L)
{
    struct box *box = luaL_checkudata(L, 1, META);

    give_up(box);
    clk_wake(&box->wait); /* another task: it is told that this is closed */
    return 0;
}

static int process_gc(lua_State *L)
{
    struct box *box = luaL_checkudata(L, 1, META);

    clk_unwait(&box->wait);
    give_up(box);
    return 0;
}

static struct box *check_box(lua_State *L)
{
    struct box *box = luaL_checkudata(L, 1, META);

    luaL_argcheck(L, box->process != NULL, 1, "the process is closed");
    return box;
}

static int wait_for_news(lua_State *L, struct box *box, lua_KFunction k)
{
    if (box->wait.task)
        return luaL_error(L, "another task waits for this process");
    return clk_wait(L, &box->wait, 0, k);
}

static int read_done(lua_State *L, int status, lua_KContext ctx)
{
    static const char *const names[] = {"stdout", "stderr"};
    struct box *box = check_box(L);
    const char *bytes;
    size_t len;
    int stream, result = clk_process_read(box->process, &stream, &bytes, &len);

    (void)status;
    (void)ctx;
    if (result == UV_EAGAIN)
        return wait_for_news(L, box, read_done);
    if (result == 0) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushstring(L, names[stream]);
    lua_pushlstring(L, bytes, len);
    return 2;
}

/*** The next chunk the child wrote, at most 64 KiB; nil when both streams have
--- ended. A child that writes faster than this is called has to wait.
---@async
---@return "stdout"|"stderr"|nil stream
---@return string? chunk */
static int process_read(lua_State *L)
{
    lua_settop(L, 1);
    return read_done(L, LUA_OK, 0);
}

static int wait_done(lua_State *L, int status, lua_KContext ctx)
{
    struct box *box = check_box(L);
    struct clk_process_status end;

    (void)status;
    (void)ctx;
    if (!clk_process_ended(box->process, &end))
        return wait_for_news(L, box, wait_done);
    lua_createtable(L, 0, 3);
    if (end.signal)
        push_signal(L, end.signal);
    else
        lua_pushinteger(L, end.code);
    lua_setfield(L, -2, end.signal ? "signal" : "code");
    lua_pushboolean(L, end.timed_out);
    lua_setfield(L, -2, "timed_out");
    return 1;
}

/*** How the child ended. Waits for it; output that was not read is thrown away.
---@async
---@return { code?: integer, signal?: string, timed_out: boolean } */
static int process_wait(lua_State *L)
{
    struct box *box = check_box(L);

    lua_settop(L, 1);
    clk_process_drain(box->process);
    return wait_done(L, LUA_OK, 0);
}

/*** Sends a signal to the child's process group. SIGTERM, the default, is
--- followed by SIGKILL after `kill_after` seconds.
---@param signal? string such as "SIGINT"
---@return boolean? sent
---@return string? message
---@return string? code ESRCH when the child has ended */
static int process_kill(lua_State *L)
{
    struct box *box = check_box(L);
    int number = check_signal(L, 2);

    if (clk_process_signal(box->process, number) != 0)
        return clk_fail(L, "ESRCH", "process %d: has ended",
                        clk_process_pid(box->process));
    lua_pushboolean(L, 1);
    return 1;
}

/*** The child's process id; also that of its group and session.
---@return integer */
static int process_pid(lua_State *L)
{
    lua_pushinteger(L, clk_process_pid(check_box(L)->process));
    return 1;
}

static void on_event(void *ud)
{
    struct box *box = ud;

    clk_wake(&box->wait);
}

/* The task that waited for the child was cancelled. */
static void on_cancel(struct clk_wait *wait)
{
    struct box *box = (struct box *)((char *)wait - offsetof(struct box, wait));

    if (box->process)
        clk_process_terminate(box->process);
}

/* Pushes the option `name` of the table at 1. */
static int push_option(lua_State *L, const char *name, int type, bool required)
{
    int got = lua_getfield(L, 1, name);

    if (got != type && (required || got != LUA_TNIL))
        luaL_error(L, "option '%s' must be a %s, not a %s", name,
                   lua_typename(L, type), luaL_typename(L, -1));
    return got;
}

static double seconds_option(lua_State *L, const char *name, double otherwise)
{
    double value = otherwise;

    if (push_option(L, name, LUA_TNUMBER, false) == LUA_TNUMBER)
        value = lua_tonumber(L, -1);
    if (!(value >= 0 && value <= LONGEST))
        luaL_error(L, "option '%s' must be 0 to %d seconds", name, LONGEST);
    lua_pop(L, 1);
    return value;
}

static void check_options(lua_State *L)
{
    static const char *const names[] = {"argv",       "cwd",   "env",
                                        "kill_after", "stdin", "timeout"};

    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    lua_pushnil(L);
    while (lua_next(L, 1)) {
        size_t i = 0, count = sizeof(names) / sizeof(names[0]);
        const char *key =
            lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";

        while (i < count && strcmp(names[i], key) != 0)
            i++;
        if (i == count)
            luaL_error(L, "unknown option '%s'", key);
        lua_pop(L, 1);
    }
}

/* Leaves the value on the stack, which keeps it. */
static void read_stdin(lua_State *L, struct clk_process_options *o)
{
    int type = lua_getfield(L, 1, "stdin");

    if (type == LUA_TNIL)
        return;
    o->secret = clk_test_secret(L, -1);
    if (o->secret)
        return;
    if (type != LUA_TSTRING)
        luaL_error(L, "option 'stdin' must be a string or a secret, not a %s",
                   luaL_typename(L, -1));
    o->bytes = lua_tolstring(L, -1, &o->len);
    if (o->len > INPUT_MAX)
        luaL_error(L, "option 'stdin' is longer than 1 GiB");
}

static const char *read_cwd(lua_State *L)
{
    const char *cwd;
    size_t len;

    if (push_option(L, "cwd", LUA_TSTRING, false) == LUA_TNIL)
        return NULL;
    cwd = lua_tolstring(L, -1, &len);
    if (strlen(cwd) != len || len == 0)
        luaL_error(L, "option 'cwd' is empty or contains NUL");
    return cwd;
}

static struct box *push_box(lua_State *L)
{
    struct box *box = lua_newuserdatauv(L, sizeof(*box), 1);

    memset(box, 0, sizeof(*box));
    box->wait.cancel = on_cancel;
    luaL_setmetatable(L, META);
    return box;
}

/* What the options at 1 say, its strings kept by the stack. */
static struct clk_words *read_options(lua_State *L,
                                      struct clk_process_options *o)
{
    struct clk_words *argv, *env;

    check_options(L);
    memset(o, 0, sizeof(*o));
    o->timeout = seconds_option(L, "timeout", 0);
    o->kill_after = seconds_option(L, "kill_after", KILL_AFTER);
    o->cwd = read_cwd(L);
    push_option(L, "argv", LUA_TTABLE, true);
    argv = clk_words_new(L);
    clk_words_add_argv(L, argv, lua_gettop(L) - 1);
    o->argv = argv->list;
    env = clk_words_new(L);
    if (push_option(L, "env", LUA_TTABLE, false) == LUA_TTABLE)
        clk_words_add_env(L, env, lua_gettop(L));
    o->env = env->list;
    read_stdin(L, o);
    return env;
}

/*** Starts a program. A name without a slash is searched in the PATH of `env`,
--- or
--- in ours when `env` has none. Nothing is inherited: not the environment, not
--- the terminal, no descriptor; without `stdin` the child reads /dev/null.
--- Options: argv, stdin (string or secret), env (name -> string or secret),
--- cwd, timeout and kill_after in seconds (SIGTERM to SIGKILL, default 2).
---@param options { argv: string[], stdin?: string|host.secret.Secret, env?:
--- table<string, string|host.secret.Secret>, cwd?: string, timeout?: number,
--- kill_after?: number }
---@return host.process.Process? process
---@return string? message
---@return string? code ENOENT, EACCES, E2BIG, … */
static int process_spawn(lua_State *L)
{
    struct clk_process_options o;
    struct clk_words *env;
    struct box *box;
    const char *path, *subject;
    bool bad_cwd = false;
    int error;

    env = read_options(L, &o);
    box = push_box(L);
    lua_pushvalue(L, -2); /* the value of stdin */
    lua_setiuservalue(L, -2, INPUT_VALUE);
    path = clk_words_env(env, "PATH");
    error =
        clk_process_find(o.argv[0], path ? path : getenv("PATH"), &box->file);
    if (error)
        return clk_fail_uv(L, error, o.argv[0]);
    o.file = box->file;
    o.on_event = on_event;
    o.ud = box;
    error =
        clk_process_open(&box->process, clk_loop(clk_host_of(L)), &o, &bad_cwd);
    subject = bad_cwd ? o.cwd : o.argv[0];
    clk_words_clear(env);
    if (error)
        return clk_fail_uv(L, error, subject);
    return 1;
}

/*** Where a program is found in a search path; only its absolute directories
--- count. A name with a slash is not searched.
---@param name string
---@param path? string default: $PATH
---@return string? found
---@return string? message
---@return string? code ENOENT, EACCES */
static int process_which(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    const char *path = luaL_optstring(L, 2, getenv("PATH"));
    struct box *box;
    int error;

    box = push_box(L); /* owns the path found until it is a Lua string */
    error = clk_process_find(name, path, &box->file);
    if (error)
        return clk_fail_uv(L, error, name);
    lua_pushstring(L, box->file);
    clk_free(box->file);
    box->file = NULL;
    return 1;
}

static const luaL_Reg functions[] = {
    {"spawn", process_spawn},
    {"which", process_which},
    {NULL, NULL},
};

static const luaL_Reg methods[] = {
    {"close", process_close}, {"kill", process_kill}, {"pid", process_pid},
    {"read", process_read},   {"wait", process_wait}, {NULL, NULL},
};

int luaopen_host_process(lua_State *L);

int luaopen_host_process(lua_State *L)
{
    clk_class(L, META, methods, process_close, process_gc);
    luaL_newlib(L, functions);
    return 1;
}
