/* The pieces of host.secret; for the secret files of bind/ only. */
#ifndef CLK_SECRET_HANDLE_H
#define CLK_SECRET_HANDLE_H

#include "bind/l_secret.h"

/* Pushes a handle without a secret: it counts as closed. */
void clk_secret_handle_new(lua_State *L);

/* Gives such a handle its secret; the caller's reference becomes the handle's.
 */
void clk_secret_handle_set(lua_State *L, int index, struct clk_secret *secret);

/* Whether the value is a handle, closed or not. */
bool clk_secret_handle_test(lua_State *L, int index);

/* Functions of host.secret that live in files of their own. */
int clk_secret_dotenv(lua_State *L);
int clk_secret_fits_import(lua_State *L);
int clk_secret_from_env(lua_State *L);
int clk_secret_from_fd(lua_State *L);
int clk_secret_from_file(lua_State *L);
int clk_secret_json(lua_State *L);
int clk_secret_mask_text(lua_State *L);
int clk_secret_masker(lua_State *L);
int clk_secret_shows_in(lua_State *L);

#endif
