/* host.os: the process's surroundings – environment, clock, randomness. */
#include <lauxlib.h>
#include <lua.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <uv.h>

#include "core/secret.h"
#include "host/err.h"
#include "host/host.h"

/* The most random bytes one call gives. */
enum { MAX_RANDOM = 65536, PATH_SIZE = 4096 };

/*** The value of an environment variable; nil when it is not set. Tokens are
--- not read with this but with host.secret.
---@param name string
---@return string? */
static int os_env(lua_State *L)
{
    lua_pushstring(L, getenv(luaL_checkstring(L, 1)));
    return 1;
}

/*** All variables of our environment, by name.
---@return table<string, string> */
static int os_environ(lua_State *L)
{
    lua_newtable(L);
    for (char **pair = environ; pair && *pair; pair++) {
        const char *equals = strchr(*pair, '=');

        if (!equals)
            continue;
        lua_pushlstring(L, *pair, (size_t)(equals - *pair));
        lua_pushstring(L, equals + 1);
        lua_rawset(L, -3);
    }
    return 1;
}

/*** Sets a variable of our own environment, which children of the C library's
--- making (a script's os.execute) inherit; without a value removes it. Threads
--- read the environment too: a variable that is there is safely replaced.
---@param name string
---@param value? string
---@return boolean? ok
---@return string? message
---@return string? code */
static int os_setenv(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    size_t len = 0;
    const char *value = luaL_optlstring(L, 2, NULL, &len);
    int failed;

    luaL_argcheck(L, *name && !strchr(name, '='), 1, "not a variable's name");
    luaL_argcheck(L, !value || strlen(value) == len, 2, "contains NUL");
    failed = value ? setenv(name, value, 1) : unsetenv(name);
    if (failed)
        return clk_fail_uv(L, UV_ENOMEM, name);
    lua_pushboolean(L, 1);
    return 1;
}

/*** Seconds since 1970, with the clock people set.
---@return number */
static int os_wall(lua_State *L)
{
    uv_timeval64_t t;

    uv_gettimeofday(&t);
    lua_pushnumber(L, (double)t.tv_sec + (double)t.tv_usec / 1e6);
    return 1;
}

/*** Random bytes from the system.
---@param count integer 1 to 65536
---@return string? bytes
---@return string? message
---@return string? code */
static int os_random(lua_State *L)
{
    lua_Integer count = luaL_checkinteger(L, 1);
    luaL_Buffer b;
    char *bytes;
    int error;

    luaL_argcheck(L, count > 0 && count <= MAX_RANDOM, 1, "1 to 65536 bytes");
    bytes = luaL_buffinitsize(L, &b, (size_t)count);
    error = uv_random(NULL, NULL, bytes, (size_t)count, 0, NULL);
    if (error)
        return clk_fail_uv(L, error, "random bytes");
    luaL_pushresultsize(&b, (size_t)count);
    return 1;
}

/*** Overwrites the end of every word of the process's own command line that is
--- `word`, so that nobody sees it there any more.
---@param word string
---@param from integer the first byte to overwrite, from 1
---@return integer count of words */
static int os_hide_argument(lua_State *L)
{
    struct clk_host *host = clk_host_of(L);
    size_t len;
    const char *word = luaL_checklstring(L, 1, &len);
    lua_Integer from = luaL_checkinteger(L, 2), count = 0;

    luaL_argcheck(L, from >= 1 && (size_t)from <= len + 1, 2,
                  "no byte of the word");
    for (int i = 0; i < host->argc; i++) {
        /* One that was hidden before is shorter by now and does not match. */
        if (host->argv[i] && strcmp(host->argv[i], word) == 0) {
            clk_wipe(host->argv[i] + from - 1, len - (size_t)from + 1);
            count++;
        }
    }
    lua_pushinteger(L, count);
    return 1;
}

/*** The process id.
---@return integer */
static int os_pid(lua_State *L)
{
    lua_pushinteger(L, uv_os_getpid());
    return 1;
}

/*** The effective user id.
---@return integer */
static int os_uid(lua_State *L)
{
    lua_pushinteger(L, geteuid());
    return 1;
}

/*** The working directory.
---@return string? path
---@return string? message
---@return string? code */
static int os_cwd(lua_State *L)
{
    char path[PATH_SIZE];
    size_t size = sizeof(path);
    int error = uv_cwd(path, &size);

    if (error)
        return clk_fail_uv(L, error, "working directory");
    lua_pushlstring(L, path, size);
    return 1;
}

/*** Changes the working directory.
---@param path string
---@return boolean? ok
---@return string? message
---@return string? code */
static int os_chdir(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    int error = uv_chdir(path);

    if (error)
        return clk_fail_uv(L, error, path);
    lua_pushboolean(L, 1);
    return 1;
}

/*** System name, machine and release, as uname(2) gives them.
---@return { sysname: string, machine: string, release: string } */
static int os_platform(lua_State *L)
{
    uv_utsname_t u;

    if (uv_os_uname(&u) != 0)
        u.sysname[0] = u.machine[0] = u.release[0] = '\0';
    lua_createtable(L, 0, 3);
    lua_pushstring(L, u.sysname);
    lua_setfield(L, -2, "sysname");
    lua_pushstring(L, u.machine);
    lua_setfield(L, -2, "machine");
    lua_pushstring(L, u.release);
    lua_setfield(L, -2, "release");
    return 1;
}

/*** Path of the program that runs.
---@return string? path
---@return string? message
---@return string? code */
static int os_program(lua_State *L)
{
    char path[PATH_SIZE];
    size_t size = sizeof(path);
    int error = uv_exepath(path, &size);

    if (error)
        return clk_fail_uv(L, error, "path of the program");
    lua_pushlstring(L, path, size);
    return 1;
}

/*** The name of this host.
---@return string? name
---@return string? message
---@return string? code */
static int os_hostname(lua_State *L)
{
    char name[UV_MAXHOSTNAMESIZE];
    size_t size = sizeof(name);
    int error = uv_os_gethostname(name, &size);

    if (error)
        return clk_fail_uv(L, error, "host name");
    lua_pushlstring(L, name, size);
    return 1;
}

/* The usage of this process, or of the children it waited for. */
static void get_usage(lua_State *L, int arg, struct rusage *usage)
{
    static const char *const names[] = {"self", "children", NULL};
    int who = luaL_checkoption(L, arg, "self", names);

    if (getrusage(who ? RUSAGE_CHILDREN : RUSAGE_SELF, usage) != 0)
        luaL_error(L, "getrusage failed");
}

/*** The most memory that was resident so far, in bytes: of this process, or of
--- the largest child it waited for.
---@param who? "self"|"children"
---@return integer */
static int os_peak_memory(lua_State *L)
{
    struct rusage usage;

    get_usage(L, 1, &usage);
#ifdef __APPLE__
    lua_pushinteger(L, (lua_Integer)usage.ru_maxrss);
#else
    lua_pushinteger(L, (lua_Integer)usage.ru_maxrss * 1024);
#endif
    return 1;
}

/*** Seconds of processor time, user and system together: of this process, or of
--- all children it waited for.
---@param who? "self"|"children"
---@return number */
static int os_cpu(lua_State *L)
{
    struct rusage u;

    get_usage(L, 1, &u);
    lua_pushnumber(L, (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec)
                          + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec)
                                / 1e6);
    return 1;
}

static const luaL_Reg functions[] = {
    {"chdir", os_chdir},       {"cpu", os_cpu},
    {"cwd", os_cwd},           {"env", os_env},
    {"environ", os_environ},   {"hide_argument", os_hide_argument},
    {"hostname", os_hostname}, {"peak_memory", os_peak_memory},
    {"pid", os_pid},           {"platform", os_platform},
    {"program", os_program},   {"random", os_random},
    {"setenv", os_setenv},     {"uid", os_uid},
    {"wall", os_wall},         {NULL, NULL},
};

int luaopen_host_os(lua_State *L);

int luaopen_host_os(lua_State *L)
{
    luaL_newlib(L, functions);
    lua_pushliteral(L, CLK_VERSION);
    lua_setfield(L, -2, "VERSION");
    return 1;
}
