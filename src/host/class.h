/* Classes: the metatables of what bindings hand to Lua. */
#ifndef CLK_CLASS_H
#define CLK_CLASS_H

#include <lauxlib.h>

/* Registers the metatable `name`, for luaL_setmetatable and luaL_checkudata.
   `methods`, `close` (a scope's end) and `gc` may be NULL. Pushes nothing. */
void clk_class(lua_State *L, const char *name, const luaL_Reg *methods,
               lua_CFunction close, lua_CFunction gc);

#endif
