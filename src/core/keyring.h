/* One short text in the desktop's keyring, through libsecret when it is there.
   libsecret waits for other processes, and for people, so it is asked from a
   thread, which is given up when it takes too long. */
#ifndef CLK_KEYRING_H
#define CLK_KEYRING_H

#include <stddef.h>

#include <uv.h>

enum { CLK_KEYRING_TEXT = 64 }; /* bytes of a text, its NUL included */

/* One question to the keyring. */
struct clk_keyring;

/* Looks the text of `account` up or, when `text` is not NULL, stores it. The
   answer must be there within `timeout` milliseconds (and one second more, for
   libsecret to give up); then on_end(ud) is called once, from the loop. 0, or
   a libuv error number: UV_ENOSYS without libsecret, UV_E2BIG, UV_ENOMEM. */
int clk_keyring_open(struct clk_keyring **out, uv_loop_t *loop,
                     const char *account, const char *text, size_t len,
                     unsigned timeout, void (*on_end)(void *ud), void *ud);

/* UV_EAGAIN before the end; 0 with the text (NUL-terminated; "" after storing)
   in *text, which is the question's; UV_ENOENT when none is stored,
   UV_ETIMEDOUT, or UV_EIO for any other failure. */
int clk_keyring_result(const struct clk_keyring *k, const char **text);

/* Wipes and frees it, whether it has ended or not: on_end is not called after
   this. NULL is allowed. */
void clk_keyring_close(struct clk_keyring *k);

#endif
