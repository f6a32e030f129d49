/* The error triplet `nil, message, CODE` that every primitive returns when the
   world says no. Misuse raises; memory raises; nothing prints. */
#ifndef CLK_ERR_H
#define CLK_ERR_H

#include <lua.h>

/* Pushes nil, the formatted message (lower case, no final period, names the
   subject; lua_pushfstring formats) and the stable CODE. Returns 3. */
int clk_fail(lua_State *L, const char *code, const char *fmt, ...);

/* The same for a libuv error number (< 0): "subject: reason", and libuv's name
   of the error as CODE. Returns 3. */
int clk_fail_uv(lua_State *L, int error, const char *subject);

/* Raises "not enough memory" as Lua's own allocator would. Never returns. */
int clk_no_memory(lua_State *L);

#endif
