/* Queues of waiters on a loop: order, leaving, closing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "core/mem.h"
#include "core/rate_queue.h"

#define WAITERS 8
#define MS (CLK_RATE_SECOND / 1000)

/* A limiter on a loop of its own, and who waits for it. */
struct scene {
    uv_loop_t loop;
    struct clk_rate rate;
    struct clk_rate_waiter waiters[WAITERS];
    int order[WAITERS], events;
    int64_t frozen; /* the time while waiters enter, however long that takes */
};

static struct scene scene;

static void on_event(void *ud)
{
    struct clk_rate_waiter *w = ud;

    scene.order[scene.events++] = (int)(w - scene.waiters);
}

static int64_t scene_clock(void *unused)
{
    return scene.frozen ? scene.frozen : clk_rate_now(unused);
}

static int set_up(void **state)
{
    (void)state;
    memset(&scene, 0, sizeof(scene));
    scene.frozen = clk_rate_now(NULL);
    scene.rate.table.clock = scene_clock;
    assert_int_equal(uv_loop_init(&scene.loop), 0);
    assert_int_equal(clk_rate_open(&scene.rate, &scene.loop, NULL, 0), 0);
    for (int i = 0; i < WAITERS; i++) {
        scene.waiters[i].on_event = on_event;
        scene.waiters[i].ud = &scene.waiters[i];
        scene.waiters[i].n = 1;
        /* 200 a second, one at a time */
        assert_true(clk_rate_limit_init(&scene.waiters[i].limit, 200, 1, 0));
    }
    return 0;
}

/* Everything must be closed: the loop has nothing left. */
static int tear_down(void **state)
{
    (void)state;
    clk_rate_close(&scene.rate);
    uv_run(&scene.loop, UV_RUN_DEFAULT);
    return uv_loop_close(&scene.loop);
}

static void enter(int i, uint64_t key)
{
    assert_int_equal(clk_rate_enter(&scene.rate, key, &scene.waiters[i]), 0);
}

static void run(void)
{
    scene.frozen = 0;
    uv_run(&scene.loop, UV_RUN_DEFAULT);
}

static void test_the_first_passes_and_the_rest_come_in_order(void **state)
{
    int64_t start = clk_rate_now(NULL);

    (void)state;
    for (int i = 0; i < 5; i++)
        enter(i, 7);
    assert_true(scene.waiters[0].granted);
    assert_false(scene.waiters[1].granted);
    assert_int_equal(scene.events, 0); /* what is granted at once is no event */
    run();
    assert_int_equal(scene.events, 4);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(scene.order[i], i + 1);
        assert_true(scene.waiters[i + 1].granted);
    }
    assert_true(clk_rate_now(NULL) - start >= 20 * MS);
}

static void test_who_comes_later_does_not_overtake(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        assert_true(clk_rate_limit_init(&scene.waiters[i].limit, 200, 3, 0));
    scene.waiters[0].n = 2;
    scene.waiters[1].n = 3;
    enter(0, 7);
    enter(1, 7); /* needs three; one is there, which the next must not take */
    enter(2, 7);
    assert_true(scene.waiters[0].granted);
    assert_false(scene.waiters[2].granted);
    run();
    assert_int_equal(scene.events, 2);
    assert_int_equal(scene.order[0], 1);
    assert_int_equal(scene.order[1], 2);
}

static void test_buckets_do_not_wait_for_each_other(void **state)
{
    (void)state;
    enter(0, 7);
    enter(1, 7);
    enter(2, 8);
    enter(3, 7 + CLK_RATE_CHAINS); /* the same chain, another bucket */
    assert_true(scene.waiters[2].granted);
    assert_true(scene.waiters[3].granted);
    run();
    assert_int_equal(scene.events, 1);
}

static void test_leaving_costs_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++)
        enter(i, 7);
    clk_rate_leave(&scene.waiters[1]); /* the first, the last, one between */
    clk_rate_leave(&scene.waiters[5]);
    clk_rate_leave(&scene.waiters[3]);
    clk_rate_leave(&scene.waiters[3]);
    clk_rate_leave(&scene.waiters[0]); /* was never in the queue */
    run();
    assert_int_equal(scene.events, 2);
    assert_int_equal(scene.order[0], 2);
    assert_int_equal(scene.order[1], 4);
    assert_false(scene.waiters[1].granted);
}

static void test_when_all_leave_the_timer_goes(void **state)
{
    (void)state;
    clk_rate_penalize(&scene.rate.table, 7, 600 * CLK_RATE_SECOND);
    enter(0, 7);
    enter(1, 7);
    clk_rate_leave(&scene.waiters[0]);
    clk_rate_leave(&scene.waiters[1]);
    run(); /* ends at once, or the test would take ten minutes */
    assert_int_equal(scene.events, 0);
}

static void test_closing_tells_everyone(void **state)
{
    (void)state;
    clk_rate_penalize(&scene.rate.table, 7, 600 * CLK_RATE_SECOND);
    clk_rate_penalize(&scene.rate.table, 8, 600 * CLK_RATE_SECOND);
    for (int i = 0; i < 6; i++)
        enter(i, 7 + (uint64_t)i % 2);
    clk_rate_close(&scene.rate);
    assert_int_equal(scene.events, 6);
    for (int i = 0; i < 6; i++) {
        assert_true(scene.waiters[i].closed);
        assert_false(scene.waiters[i].granted);
        clk_rate_leave(&scene.waiters[i]);
    }
    run();
}

static void test_a_failing_allocation_leaves_nothing_behind(void **state)
{
    (void)state;
    enter(0, 7);
#ifdef CLK_DEV
    clk_mem_fail_at(1, false);
    assert_int_equal(clk_rate_enter(&scene.rate, 7, &scene.waiters[1]),
                     UV_ENOMEM);
    clk_mem_fail_at(0, false);
    assert_null(scene.waiters[1].queue);
#endif
    enter(1, 7);
    run();
    assert_int_equal(scene.events, 1);
}

#define IN_SCENE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCENE(test_the_first_passes_and_the_rest_come_in_order),
        IN_SCENE(test_who_comes_later_does_not_overtake),
        IN_SCENE(test_buckets_do_not_wait_for_each_other),
        IN_SCENE(test_leaving_costs_nothing),
        IN_SCENE(test_when_all_leave_the_timer_goes),
        IN_SCENE(test_closing_tells_everyone),
        IN_SCENE(test_a_failing_allocation_leaves_nothing_behind),
    };

    return cmocka_run_group_tests_name("rate_queue", tests, NULL, NULL);
}
