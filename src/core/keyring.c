/* libsecret, asked from a thread; see core/keyring.h. Its few functions are
   declared here, so that neither its headers nor GLib's are needed. */
#include "core/keyring.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "core/dynlib.h"
#include "core/mem.h"
#include "core/secret.h"

#define LIBRARY "libsecret-1.so.0"

enum { GRACE = 1000 }; /* ms that libsecret gets to notice that it is stopped */

/* libsecret's SecretSchema. */
struct schema {
    const char *name;
    int flags;
    struct {
        const char *name;
        int type; /* 0: a string */
    } attributes[32];
    int reserved;
    void *more[7];
};

/* What is used of libsecret and of the libraries it brings along. */
struct api {
    char *(*lookup)(const struct schema *, void *cancellable, void **error,
                    ...);
    int (*store)(const struct schema *, const char *collection,
                 const char *label, const char *password, void *cancellable,
                 void **error, ...);
    void (*password_free)(char *);
    void *(*cancellable_new)(void);
    void (*cancel)(void *);
    void (*unref)(void *);
    void (*error_free)(void *);
};

struct clk_keyring {
    struct api api;
    uv_thread_t thread;
    uv_async_t async;  /* the thread has an answer */
    uv_timer_t timer;  /* it has taken too long */
    uv_mutex_t mutex;  /* guards these two and sending through `async` */
    bool given_up;     /* nobody waits for the thread any more */
    int owners;        /* the loop's side and the thread: the last one frees */
    void *cancellable; /* GCancellable */
    int open_handles;
    int error;  /* UV_EAGAIN: no answer yet */
    int answer; /* the thread's; `error` once the thread has ended */
    bool stores, ended, canceled;
    void (*on_end)(void *ud); /* NULL once closed */
    void *ud;
    char text[CLK_KEYRING_TEXT];
    char account[1024];
};

static const struct schema schema = {
    .name = "io.clanker.credentials",
    .attributes = {{"store", 0}},
};

/* The library stays loaded: GLib cannot be unloaded. */
static bool load_api(struct api *api)
{
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    bool complete;

    if (!library)
        return false;
    complete =
        clk_dynlib_find(library, "secret_password_lookup_sync", &api->lookup)
        && clk_dynlib_find(library, "secret_password_store_sync", &api->store)
        && clk_dynlib_find(library, "secret_password_free", &api->password_free)
        && clk_dynlib_find(library, "g_cancellable_new", &api->cancellable_new)
        && clk_dynlib_find(library, "g_cancellable_cancel", &api->cancel)
        && clk_dynlib_find(library, "g_object_unref", &api->unref)
        && clk_dynlib_find(library, "g_error_free", &api->error_free);
    dlclose(library);
    return complete;
}

static int look_up(struct clk_keyring *k, void **error)
{
    char *found = k->api.lookup(&schema, k->cancellable, error, "store",
                                k->account, (char *)NULL);
    size_t len = found ? strlen(found) : 0;
    bool fits = len < sizeof(k->text);

    if (found && fits)
        memcpy(k->text, found, len + 1);
    if (found)
        k->api.password_free(found);
    if (*error)
        return UV_EIO;
    return !found ? UV_ENOENT : fits ? 0 : UV_EIO;
}

static int store(struct clk_keyring *k, void **error)
{
    int stored = k->api.store(
        &schema, "default", "Key of clanker's credentials", k->text,
        k->cancellable, error, "store", k->account, (char *)NULL);

    clk_wipe(k->text, sizeof(k->text));
    return stored && !*error ? 0 : UV_EIO;
}

static void discard(struct clk_keyring *k)
{
    clk_wipe(k->text, sizeof(k->text));
    k->api.unref(k->cancellable);
    clk_free(k);
}

/* Gives up one side's share of the block; the last one frees it. */
static void leave(struct clk_keyring *k)
{
    bool is_last;

    uv_mutex_lock(&k->mutex);
    is_last = --k->owners == 0;
    uv_mutex_unlock(&k->mutex);
    if (!is_last)
        return;
    uv_mutex_destroy(&k->mutex);
    discard(k);
}

/* The thread. Allocates nothing of ours, and never touches the loop but through
   `async`. */
static void ask(void *arg)
{
    struct clk_keyring *k = arg;
    void *error = NULL;
    int answer = k->stores ? store(k, &error) : look_up(k, &error);

    if (error)
        k->api.error_free(error);
    uv_mutex_lock(&k->mutex);
    k->answer = answer;
    if (!k->given_up)
        uv_async_send(&k->async);
    uv_mutex_unlock(&k->mutex);
    leave(k);
}

/* The loop is done with the block when it is with its handles. */
static void on_close(uv_handle_t *handle)
{
    struct clk_keyring *k = handle->data;

    if (--k->open_handles == 0)
        leave(k);
}

/* Ends the question once: with the thread's answer, or without it. */
static void end(struct clk_keyring *k, int error)
{
    if (k->ended)
        return;
    k->ended = true;
    k->error = error;
    uv_timer_stop(&k->timer);
    if (k->on_end)
        k->on_end(k->ud);
}

static void on_answer(uv_async_t *async)
{
    struct clk_keyring *k = async->data;

    if (k->ended)
        return;
    uv_thread_join(&k->thread);
    end(k, k->canceled ? UV_ETIMEDOUT : k->answer);
}

/* Leaves the thread alone with the block. Its answer may just have come. */
static void give_up(struct clk_keyring *k)
{
    bool answered;

    uv_mutex_lock(&k->mutex);
    answered = k->answer != UV_EAGAIN;
    k->given_up = !answered;
    uv_mutex_unlock(&k->mutex);
    if (answered)
        uv_thread_join(&k->thread);
    else
        pthread_detach(k->thread);
}

static void on_timer(uv_timer_t *timer)
{
    struct clk_keyring *k = timer->data;

    if (!k->canceled) {
        k->canceled = true;
        k->api.cancel(k->cancellable);
        uv_timer_start(timer, on_timer, GRACE, 0);
        return;
    }
    give_up(k);
    end(k, UV_ETIMEDOUT);
}

static int start(struct clk_keyring *k, uv_loop_t *loop, unsigned timeout)
{
    int error = uv_mutex_init(&k->mutex);

    if (!error) {
        error = uv_async_init(loop, &k->async, on_answer);
        if (error)
            uv_mutex_destroy(&k->mutex);
    }
    if (error) {
        discard(k);
        return error;
    }
    uv_timer_init(loop, &k->timer);
    k->async.data = k->timer.data = k;
    k->open_handles = k->owners = 2;
    uv_timer_start(&k->timer, on_timer, timeout, 0);
    error = uv_thread_create(&k->thread, ask, k);
    if (error) {
        k->ended = true;
        k->owners = 1;
        clk_keyring_close(k);
    }
    return error;
}

int clk_keyring_open(struct clk_keyring **out, uv_loop_t *loop,
                     const char *account, const char *text, size_t len,
                     unsigned timeout, void (*on_end)(void *ud), void *ud)
{
    struct clk_keyring *k;
    int error;

    *out = NULL;
    if (strlen(account) >= sizeof(k->account) || len >= sizeof(k->text))
        return UV_E2BIG;
    k = clk_calloc(1, sizeof(*k));
    if (!k)
        return UV_ENOMEM;
    if (!load_api(&k->api)) {
        clk_free(k);
        return UV_ENOSYS;
    }
    k->error = k->answer = UV_EAGAIN;
    k->on_end = on_end;
    k->ud = ud;
    k->stores = text != NULL;
    memcpy(k->account, account, strlen(account) + 1);
    if (text)
        memcpy(k->text, text, len);
    k->cancellable = k->api.cancellable_new();
    error = start(k, loop, timeout);
    if (!error)
        *out = k;
    return error;
}

int clk_keyring_result(const struct clk_keyring *k, const char **text)
{
    *text = k->text;
    return k->error;
}

void clk_keyring_close(struct clk_keyring *k)
{
    if (!k)
        return;
    k->on_end = NULL;
    if (!k->ended) {
        k->api.cancel(k->cancellable);
        give_up(k);
        k->ended = true;
    }
    uv_close((uv_handle_t *)&k->async, on_close);
    uv_close((uv_handle_t *)&k->timer, on_close);
}
