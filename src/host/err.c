/* Pushing the error triplet. */
#include "host/err.h"

#include <stdarg.h>

#include <lauxlib.h>
#include <uv.h>

enum { ERROR_NAME_SIZE = 64, ERROR_TEXT_SIZE = 256 };

int clk_fail(lua_State *L, const char *code, const char *fmt, ...)
{
    va_list args;

    lua_pushnil(L);
    va_start(args, fmt);
    lua_pushvfstring(L, fmt, args);
    va_end(args);
    lua_pushstring(L, code);
    return 3;
}

int clk_fail_uv(lua_State *L, int error, const char *subject)
{
    char name[ERROR_NAME_SIZE], text[ERROR_TEXT_SIZE];

    if (error == UV_ENOMEM)
        return clk_no_memory(L);
    uv_err_name_r(error, name, sizeof(name));
    uv_strerror_r(error, text, sizeof(text));
    return clk_fail(L, name, "%s: %s", subject, text);
}

int clk_no_memory(lua_State *L)
{
    return luaL_error(L, "not enough memory");
}
