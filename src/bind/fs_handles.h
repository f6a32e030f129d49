/* What the parts of host.fs share. */
#ifndef CLK_FS_HANDLES_H
#define CLK_FS_HANDLES_H

#include <lua.h>

/* The path at `arg`; an argument error when it is empty or contains NUL. */
const char *clk_check_path(lua_State *L, int arg);

/* Pushes true, or the failure of an operation on `path`. */
int clk_push_fs_result(lua_State *L, int error, const char *path);

/* host.fs.lock, and the metatable of what it returns. */
int clk_lock_take(lua_State *L);
void clk_lock_class(lua_State *L);

#endif
