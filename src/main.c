/* argv -> host -> require "main" -> exit code. Parses nothing. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include <lauxlib.h>

#include "core/mem.h"
#include "host/host.h"

/* The exit code of a failure that is clanker's own fault. */
enum { EXIT_BUG = 1 };

/* Runs as the main task: require("main")(argv). */
static const char start[] = "return require('main')(...)";

static int push_start(lua_State *L)
{
    int argc = (int)lua_tointeger(L, 1);
    char **argv = lua_touserdata(L, 2);

    if (luaL_loadbufferx(L, start, sizeof(start) - 1, "=start", "t"))
        return lua_error(L);
    lua_createtable(L, argc, 1);
    for (int i = 0; i < argc; i++) {
        lua_pushstring(L, argv[i]);
        lua_rawseti(L, -2, i);
    }
    return 2;
}

static int run(struct clk_host *host, int argc, char **argv)
{
    lua_State *L = host->L;
    int status;

    host->argc = argc;
    host->argv = argv;
    lua_pushcfunction(L, push_start);
    lua_pushinteger(L, argc);
    lua_pushlightuserdata(L, argv);
    status = lua_pcall(L, 2, 2, 0);
    if (status == LUA_OK)
        status = clk_host_run(host, 1);
    else
        lua_pushnil(L); /* no traceback */
    if (status == LUA_OK)
        return lua_isinteger(L, -1) ? (int)lua_tointeger(L, -1) : EXIT_BUG;
    if (host->signal)
        return 128 + host->signal;
    /* lua/main.lua reports every error it can; this is for those it cannot,
       such as an error in itself. They hold no data of the user's. */
    fprintf(stderr, "clanker: %s\n",
            lua_isstring(L, -2) ? lua_tostring(L, -2) : "internal error");
    if (lua_isstring(L, -1))
        fprintf(stderr, "%s\n", lua_tostring(L, -1));
    return EXIT_BUG;
}

#ifndef CLK_DEV
/* Allocates as ever and frees nothing: the process is about to end, and giving
   back every object of a short run would be a tenth of it. */
static void *keep(void *ud, void *p, size_t old_size, size_t new_size)
{
    (void)ud;
    (void)old_size;
    return new_size == 0 ? NULL : clk_realloc(p, new_size);
}
#endif

/* A descriptor from 0 to 2 that the caller closed would be given to the next
   file or socket, and what is meant for a terminal would go there. */
static int open_standard_descriptors(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
            return -1;
    return 0;
}

int main(int argc, char **argv)
{
    struct clk_host host;
    int code;

    if (open_standard_descriptors() != 0)
        return EXIT_BUG;
#ifdef CLK_DEV
    uv_replace_allocator(clk_malloc, clk_realloc, clk_calloc, clk_free);
#endif
    if (clk_host_open(&host) != 0 || clk_host_listen_signals(&host) != 0) {
        fputs("clanker: not enough memory to start\n", stderr);
        return EXIT_BUG;
    }
    code = run(&host, argc, argv);
#ifndef CLK_DEV
    lua_setallocf(host.L, keep, NULL); /* finalizers still run */
#endif
    clk_host_close(&host);
    return code;
}
