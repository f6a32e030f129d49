/* Tasks: spawning, waiting, waking, cancelling, ending. */
#include "host/task.h"

#include <lauxlib.h>
#include <string.h>
#include <time.h>

#include "host/err.h"
#include "host/task_state.h"

/* Registry keys by address. */
static const char live_key = 0;     /* light userdata -> task userdata */
static const char canceled_key = 0; /* the canceled error value */

/* Failed children that a task remembers: the first that nobody joined counts,
   and more than these are not likely to be joined all. */
enum { MAX_ORPHANS = 64 };

#define TASK_OF(L) (*(struct clk_task **)lua_getextraspace(L))

/* --- pushing ------------------------------------------------------------ */

void clk_task_push(lua_State *L, struct clk_task *task)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &live_key);
    lua_rawgetp(L, -1, task);
    lua_remove(L, -2);
}

struct clk_task *clk_check_task(lua_State *L, int arg)
{
    return luaL_checkudata(L, arg, CLK_TASK_META);
}

void clk_push_canceled(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &canceled_key);
}

static bool is_canceled_error(lua_State *L, int index)
{
    bool same;

    index = lua_absindex(L, index);
    clk_push_canceled(L);
    same = lua_rawequal(L, index, -1);
    lua_pop(L, 1);
    return same;
}

/* --- waiting ------------------------------------------------------------ */

static int raise_canceled(lua_State *L)
{
    clk_push_canceled(L);
    return lua_error(L);
}

static int wait_done(lua_State *L, int status, lua_KContext ctx)
{
    struct clk_task *task = (struct clk_task *)ctx;

    if (task->deadlocked) {
        task->deadlocked = false;
        task->despaired = true;
        return luaL_error(L, "deadlock: every task waits and nothing is left "
                             "that could wake one");
    }
    if (task->aborted) {
        task->aborted = false;
        return raise_canceled(L);
    }
    task->despaired = false;
    return task->k(L, status, task->kctx);
}

bool clk_can_wait(lua_State *L)
{
    struct clk_task *task = TASK_OF(L);

    return task && task->host->running == task && lua_isyieldable(L);
}

int clk_wait(lua_State *L, struct clk_wait *wait, lua_KContext ctx,
             lua_KFunction k)
{
    struct clk_task *task = TASK_OF(L);

    if (!clk_can_wait(L)) {
        if (wait->cancel)
            wait->cancel(wait);
        return luaL_error(L, "cannot wait outside a task, as in a coroutine of "
                             "its own or a comparison of table.sort");
    }
    if (task->canceled && task->shield == 0) {
        if (wait->cancel)
            wait->cancel(wait);
        return raise_canceled(L);
    }
    wait->task = task;
    task->wait = wait;
    task->waiting = true;
    task->k = k;
    task->kctx = ctx;
    return lua_yieldk(L, 0, (lua_KContext)task, wait_done);
}

static void make_ready(struct clk_task *task)
{
    struct clk_host *host = task->host;

    if (task->ready || task->ended)
        return;
    task->ready = true;
    task->next_ready = NULL;
    *(host->ready_tail ? &host->ready_tail->next_ready : &host->ready_head) =
        task;
    host->ready_tail = task;
    /* Woken by a timer that was due when uv_run began: it would now go on to
       wait for the next event, with this task ready. */
    if (!host->running)
        uv_stop(&host->loop);
}

void clk_wake(struct clk_wait *wait)
{
    struct clk_task *task = wait->task;

    if (!task)
        return;
    wait->task = NULL;
    task->wait = NULL;
    make_ready(task);
}

void clk_unwait(struct clk_wait *wait)
{
    if (wait->task)
        wait->task->wait = NULL;
    wait->task = NULL;
}

/* --- cancelling --------------------------------------------------------- */

static void end_wait(struct clk_task *task)
{
    struct clk_wait *wait = task->wait;

    task->wait = NULL;
    if (wait) {
        wait->task = NULL;
        if (wait->cancel)
            wait->cancel(wait);
    }
    make_ready(task);
}

void clk_task_cancel(struct clk_task *task)
{
    if (task->ended || task->canceled)
        return;
    task->canceled = true;
    if (task->shield == 0 && task->wait) {
        task->aborted = true;
        end_wait(task);
    }
}

static struct clk_task *youngest_leaf(struct clk_task *task)
{
    while (task->first_child) /* children are linked youngest first */
        task = task->first_child;
    return task;
}

/* The first waiting task of those below `top` and itself, children before their
   parents; `again` counts those that were told before. */
static struct clk_task *find_waiting(struct clk_task *top, bool again)
{
    struct clk_task *t = youngest_leaf(top);

    while (!t->waiting || t->ended || (t->despaired && !again)) {
        if (t == top)
            return NULL;
        t = t->next_sibling ? youngest_leaf(t->next_sibling) : t->parent;
    }
    return t;
}

void clk_task_fail_deadlock(struct clk_task *task)
{
    struct clk_task *waiting = find_waiting(task, false);

    if (!waiting)
        waiting = find_waiting(task, true);
    if (!waiting)
        return;
    waiting->deadlocked = true;
    end_wait(waiting);
}

/* Whether clean-up, its own or that of a task that waits for it, is not to be
   cancelled. */
static bool is_shielded(const struct clk_task *task)
{
    for (; task; task = task->parent) {
        if (task->shield > 0)
            return true;
    }
    return false;
}

/* Nanoseconds of processor time that a task may compute on after a signal, or
   between two waits after it. Nearly always it waits before that, and is
   cancelled there, where code expects it; between two instructions it could
   lose what it has just acquired. */
#define INTERRUPT_GRACE UINT64_C(10000000)

/* Instructions between two looks at the clock. */
enum { INTERRUPT_STEP = 1000 };

/* Processor time of this thread: a busy machine takes nothing off the grace. */
static uint64_t computed(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static void interrupt_hook(lua_State *L, lua_Debug *ar)
{
    struct clk_host *host = clk_host_of(L);
    struct clk_task *task = host->running;
    uint64_t now = computed();

    (void)ar;
    if (host->hooked_at == 0)
        host->hooked_at = now;
    if (now - host->hooked_at < INTERRUPT_GRACE || is_shielded(task)) {
        lua_sethook(L, interrupt_hook, LUA_MASKCOUNT, INTERRUPT_STEP);
        return;
    }
    lua_sethook(L, NULL, 0, 0);
    if (!task || task->canceled)
        return;
    task->canceled = true;
    raise_canceled(L);
}

void clk_task_hook(lua_State *co)
{
    lua_sethook(co, interrupt_hook, LUA_MASKCOUNT, 1);
}

/* --- ending ------------------------------------------------------------- */

static void unlink_child(struct clk_task *task)
{
    struct clk_task *parent = task->parent;

    if (!parent)
        return;
    *(task->prev_sibling ? &task->prev_sibling->next_sibling
                         : &parent->first_child) = task->next_sibling;
    if (task->next_sibling)
        task->next_sibling->prev_sibling = task->prev_sibling;
    task->prev_sibling = task->next_sibling = NULL;
}

/* Pushes the first task of a parent's list of failed children that nobody has
   joined to this day, or nil; forgets those before it. The list is below. */
static struct clk_task *first_orphan(lua_State *L)
{
    struct clk_task *child;

    lua_getiuservalue(L, -1, TASK_ORPHAN);
    while ((child = lua_touserdata(L, -1)) && child->observed) {
        lua_getiuservalue(L, -1, TASK_NEXT_ORPHAN);
        lua_remove(L, -2);
    }
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, -3, TASK_ORPHAN);
    return child;
}

/* A failure that nobody waits for or is told of is kept for the parent's end,
   unless enough of them are. */
static void leave_to_parent(struct clk_task *task)
{
    lua_State *L = task->host->L;
    struct clk_task *parent = task->parent;
    int base = lua_gettop(L), slot = TASK_ORPHAN, count = 0;

    if (!parent || !task->failed || task->done_gate.head || task->notify
        || is_canceled_error(task->co, -1))
        return;
    clk_task_push(L, parent);
    first_orphan(L);
    while (!lua_isnil(L, -1)) { /* to the list's end */
        lua_remove(L, -2);
        slot = TASK_NEXT_ORPHAN;
        lua_getiuservalue(L, -1, slot);
        count++;
    }
    if (count < MAX_ORPHANS) {
        clk_task_push(L, task);
        lua_setiuservalue(L, -3, slot);
    }
    lua_settop(L, base);
}

/* The failure of a child that nobody joined becomes the parent's own. */
static void adopt_orphan(struct clk_task *task)
{
    lua_State *L = task->host->L;
    struct clk_task *child;

    if (task->failed)
        return;
    clk_task_push(L, task);
    child = first_orphan(L);
    if (child) {
        task->failed = true;
        task->nresults = 1;
        lua_settop(task->co, 0);
        lua_pushvalue(child->co, -1);
        lua_xmove(child->co, task->co, 1);
        lua_getiuservalue(L, -1, TASK_TRACEBACK);
        lua_setiuservalue(L, -3, TASK_TRACEBACK);
    }
    lua_pop(L, 2);
}

/* Marks the task done, and its ended ancestors that waited for it. */
static void finish(struct clk_task *task)
{
    while (task && task->ended && !task->first_child && !task->done) {
        lua_State *L = task->host->L;
        struct clk_task *parent = task->parent;

        adopt_orphan(task);
        leave_to_parent(task);
        task->done = true;
        task->host->task_count--;
        unlink_child(task);
        task->parent = NULL;
        clk_gate_open(&task->done_gate);
        if (task->notify) {
            task->notify->set = true;
            clk_gate_open(&task->notify->gate);
        }
        lua_rawgetp(L, LUA_REGISTRYINDEX, &live_key);
        lua_pushnil(L);
        lua_rawsetp(L, -2, task); /* a known key: allocates nothing */
        lua_pop(L, 1);
        task = parent;
    }
}

static void end_task(struct clk_task *task, int nresults)
{
    struct clk_task *child = task->first_child;

    task->ended = true;
    task->nresults = nresults;
    while (child) {
        struct clk_task *next = child->next_sibling;

        clk_task_cancel(child);
        child = next;
    }
    finish(task);
}

/* --- running ------------------------------------------------------------ */

/* Tasks resumed before the loop has a look at signals, timers and I/O. */
enum { TURN = 1000 };

/* Keeps the traceback of an error that will end the task, chained to that of
   the task it came from. */
static int on_error(lua_State *L)
{
    struct clk_task *task = TASK_OF(L);

    if (is_canceled_error(L, 1))
        return 1;
    clk_task_push(L, task);
    luaL_traceback(L, L, NULL, 1);
    lua_getiuservalue(L, 2, TASK_CAUSE);
    if (lua_rawequal(L, -1, 1) && !lua_isnil(L, -1)
        && lua_getiuservalue(L, 2, TASK_CAUSE_TRACE) == LUA_TSTRING) {
        lua_pushfstring(L, "%s\n%s", lua_tostring(L, -1), lua_tostring(L, 3));
        lua_replace(L, 3);
    }
    lua_settop(L, 3);
    lua_setiuservalue(L, 2, TASK_TRACEBACK);
    lua_settop(L, 1);
    return 1;
}

void clk_task_set_cause(lua_State *L)
{
    struct clk_task *task = clk_host_of(L)->running;

    if (!task)
        return;
    clk_task_push(L, task);
    lua_pushvalue(L, -3);
    lua_setiuservalue(L, -2, TASK_CAUSE);
    lua_pushvalue(L, -2);
    lua_setiuservalue(L, -2, TASK_CAUSE_TRACE);
    lua_pop(L, 1);
}

static int body_done(lua_State *L, int status, lua_KContext ctx)
{
    struct clk_task *task = TASK_OF(L);

    (void)ctx;
    if (status == LUA_OK || status == LUA_YIELD)
        return lua_gettop(L) - 1; /* all but the message handler */
    task->failed = true;
    return 1;
}

/* The coroutine's first function: calls the task's function protected, so that
   to-be-closed variables run while the coroutine can still wait. */
static int body(lua_State *L)
{
    lua_pushcfunction(L, on_error);
    lua_insert(L, 1);
    return body_done(
        L, lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 1, 0, body_done), 0);
}

static void resume(struct clk_task *task)
{
    struct clk_host *host = task->host;
    int nargs = task->started ? 0 : task->nargs;
    int nresults = 0, status;

    task->started = true;
    task->waiting = false;
    host->running = task;
    if (host->signal) {
        host->hooked_at = 0;
        clk_task_hook(task->co);
    }
    status = lua_resume(task->co, host->L, nargs, &nresults);
    host->running = NULL;
    if (host->signal)
        lua_sethook(task->co, NULL, 0, 0);
    if (status == LUA_YIELD && task->waiting)
        return;
    if (status == LUA_YIELD) {
        lua_settop(task->co, 0);
        lua_pushliteral(task->co, "a task yielded outside a wait");
        status = LUA_ERRRUN;
    }
    if (status != LUA_OK) {
        task->failed = true;
        nresults = 1;
    }
    end_task(task, nresults);
}

void clk_tasks_step(struct clk_host *host)
{
    for (int i = 0; i < TURN && host->ready_head; i++) {
        struct clk_task *task = host->ready_head;

        host->ready_head = task->next_ready;
        if (!host->ready_head)
            host->ready_tail = NULL;
        task->ready = false;
        resume(task);
    }
}

struct clk_task *clk_task_spawn(lua_State *from, int nargs)
{
    struct clk_host *host = clk_host_of(from);
    struct clk_task *task = lua_newuserdatauv(from, sizeof(*task), TASK_VALUES);
    lua_State *co;

    memset(task, 0, sizeof(*task));
    task->host = host;
    task->ended = task->done = true; /* until it is linked */
    luaL_setmetatable(from, CLK_TASK_META);
    co = lua_newthread(from);
    TASK_OF(co) = task;
    task->co = co;
    lua_setiuservalue(from, -2, TASK_THREAD);
    lua_insert(from, -nargs - 2); /* the handle below function and arguments */
    if (!lua_checkstack(co, nargs + 4))
        clk_no_memory(from);
    lua_pushcfunction(co, body);
    lua_xmove(from, co, nargs + 1);
    lua_rawgetp(from, LUA_REGISTRYINDEX, &live_key);
    lua_pushvalue(from, -2);
    lua_rawsetp(from, -2, task);
    lua_pop(from, 1);
    /* Nothing below can fail. */
    task->ended = task->done = false;
    task->nargs = nargs + 1;
    task->parent = host->running;
    if (task->parent) {
        task->next_sibling = task->parent->first_child;
        if (task->next_sibling)
            task->next_sibling->prev_sibling = task;
        task->parent->first_child = task;
    }
    host->task_count++;
    make_ready(task);
    return task;
}

bool clk_task_done(const struct clk_task *task)
{
    return task->done;
}

int clk_task_results(lua_State *L, struct clk_task *task)
{
    int count = task->nresults;

    task->observed = true;
    if (!lua_checkstack(L, count + 2) || !lua_checkstack(task->co, count + 2))
        return clk_no_memory(L);
    for (int i = 0; i < count; i++)
        lua_pushvalue(task->co, -count);
    lua_xmove(task->co, L, count);
    return task->failed ? -1 : count;
}

/* --- set-up ------------------------------------------------------------- */

static int canceled_tostring(lua_State *L)
{
    lua_pushliteral(L, "canceled");
    return 1;
}

void clk_tasks_open(lua_State *L)
{
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &live_key);
    lua_newtable(L);
    lua_pushliteral(L, "canceled");
    lua_setfield(L, -2, "kind");
    lua_pushliteral(L, "canceled");
    lua_setfield(L, -2, "message");
    lua_pushliteral(L, "ECANCELED");
    lua_setfield(L, -2, "code");
    lua_newtable(L);
    lua_pushcfunction(L, canceled_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &canceled_key);
}
