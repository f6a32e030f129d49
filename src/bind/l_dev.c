/* host.dev: what only tests need. A release build is made without this file. */
#include <lauxlib.h>
#include <lua.h>

#include "core/mem.h"
#include "host/task_state.h"

/*** Makes the nth allocation from now on fail; 0 disarms.
---@param nth integer
---@param sticky? boolean all later ones too */
static int dev_fail_at(lua_State *L)
{
    lua_Integer nth = luaL_checkinteger(L, 1);
    bool sticky = lua_toboolean(L, 2);

    luaL_argcheck(L, nth >= 0, 1, "not negative");
    clk_mem_fail_at((unsigned long)nth, sticky);
    return 0;
}

static int joined(lua_State *L, int timed_out, lua_KContext ctx)
{
    unsigned long failures = clk_mem_failures();

    (void)ctx;
    clk_mem_fail_at(0, false);
    lua_pushboolean(L, !timed_out);
    lua_pushinteger(L, (lua_Integer)failures);
    return 2;
}

/*** Waits for the end of a task that armed a failure for itself, and disarms
--- before anything else is allocated.
---@async
---@param task host.task.Task
---@param timeout number seconds
---@return boolean ended
---@return integer failures how many allocations failed */
static int dev_join(lua_State *L)
{
    struct clk_task *task = clk_check_task(L, 1);
    double timeout = luaL_checknumber(L, 2);

    return clk_gate_wait(L, &task->done_gate, timeout, 0, joined);
}

/* What uv_walk counts into. */
struct handle_list {
    lua_State *L;
    lua_Integer count;
};

static void add_handle(uv_handle_t *handle, void *arg)
{
    struct handle_list *list = arg;

    if (uv_is_closing(handle) || !uv_has_ref(handle))
        return;
    lua_pushstring(list->L, uv_handle_type_name(handle->type));
    lua_rawseti(list->L, -2, ++list->count);
}

/*** The types of the loop's open, referenced handles.
---@return string[] */
static int dev_handles(lua_State *L)
{
    struct handle_list list = {L, 0};

    lua_newtable(L);
    uv_walk(clk_loop(clk_host_of(L)), add_handle, &list);
    return 1;
}

/*** How many tasks have not ended, the running one included.
---@return integer */
static int dev_tasks(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)clk_host_of(L)->task_count);
    return 1;
}

static const luaL_Reg functions[] = {
    {"fail_at", dev_fail_at},
    {"handles", dev_handles},
    {"join", dev_join},
    {"tasks", dev_tasks},
    {NULL, NULL},
};

int luaopen_host_dev(lua_State *L);

int luaopen_host_dev(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
