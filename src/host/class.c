/* The metatables of what bindings hand to Lua; see host/class.h. */
#include "host/class.h"

static void set_function(lua_State *L, const char *field, lua_CFunction f)
{
    if (f) {
        lua_pushcfunction(L, f);
        lua_setfield(L, -2, field);
    }
}

void clk_class(lua_State *L, const char *name, const luaL_Reg *methods,
               lua_CFunction close, lua_CFunction gc)
{
    luaL_newmetatable(L, name);
    set_function(L, "__close", close);
    set_function(L, "__gc", gc);
    if (methods) {
        lua_newtable(L);
        luaL_setfuncs(L, methods, 0);
        lua_setfield(L, -2, "__index");
    }
    lua_pop(L, 1);
}
