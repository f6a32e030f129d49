/* What the parts of host.term share. */
#ifndef CLK_TERM_HANDLES_H
#define CLK_TERM_HANDLES_H

#include <lua.h>

/* Functions of host.term that read. */
int clk_term_editor(lua_State *L);
int clk_term_hidden(lua_State *L);
int clk_term_prompt(lua_State *L);
int clk_term_read(lua_State *L);
int clk_term_stdin(lua_State *L);

/* The function of host.term that shows a secret. */
int clk_term_reveal(lua_State *L);

/* How long standard input and output block at a time where the task cannot
   wait, in ms: an interrupt may arrive just before. */
enum { CLK_TERM_PATIENCE = 50 };

/* Raises the canceled error when a signal has come. */
void clk_term_check_signal(lua_State *L);

/* The metatables of what is read with. */
void clk_question_class(lua_State *L);
void clk_input_class(lua_State *L);
void clk_editor_class(lua_State *L);

#endif
