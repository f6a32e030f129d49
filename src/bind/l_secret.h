/* Secrets on the Lua stack, for the bindings that can use them. */
#ifndef CLK_L_SECRET_H
#define CLK_L_SECRET_H

#include <lua.h>

#include "core/secret.h"

/* The set of live secrets of this state: what to mask. Created on first use;
   raises when memory is out. */
struct clk_secrets *clk_secrets_of(lua_State *L);

/* The secret at `arg`; an argument error when it is none or closed. It is the
   stack's: take a reference (clk_secret_ref) to keep it beyond the call. */
struct clk_secret *clk_check_secret(lua_State *L, int arg);

/* The same for any stack index, but NULL when the value is no secret. A closed
   one raises. */
struct clk_secret *clk_test_secret(lua_State *L, int index);

/* Pushes a new handle on an unsealed secret with room for `cap` bytes: fill its
   `bytes`, then clk_secret_seal. Raises when memory is out or cap is more than
   CLK_SECRET_MAX. */
struct clk_secret *clk_new_secret(lua_State *L, size_t cap);

/* Pushes `text` with every live secret replaced by "[secret]". Raises when
   memory is out. */
void clk_push_masked(lua_State *L, const char *text, size_t len);

#endif
