/* Reading a YAML file: whole, bounded, without buffers of others. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uv.h>

#include "core/mem.h"
#include "core/secret.h"
#include "core/yaml.h"

/* Room that a file which grows meanwhile, or tells no size, is read into. */
enum { FIRST_ROOM = 4096 };

static void give_up(char *text, size_t len)
{
    if (text)
        clk_wipe(text, len);
    clk_free(text);
}

/* Twice the room; the old block is wiped, as realloc would not. */
static char *grow(char *text, size_t len, size_t room)
{
    char *bigger = clk_malloc(room);

    if (bigger)
        memcpy(bigger, text, len);
    give_up(text, len);
    return bigger;
}

static int read_all(int fd, size_t room, char **out, size_t *out_len)
{
    char *text = clk_malloc(room);
    size_t len = 0;

    while (text) {
        ssize_t n = read(fd, text + len, room - len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            if (n == 0) {
                *out = text;
                *out_len = len;
                return 0;
            }
            n = errno;
            give_up(text, len);
            return uv_translate_sys_error((int)n);
        }
        len += (size_t)n;
        if (len > CLK_YAML_TEXT_MAX) {
            give_up(text, len);
            return UV_E2BIG;
        }
        if (len == room)
            text = grow(text, len, room *= 2);
    }
    return UV_ENOMEM;
}

int clk_yaml_read_file(const char *path, char **text, size_t *len)
{
    /* Not blocking: opening a pipe must not wait for its writer. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    size_t room = FIRST_ROOM;
    struct stat st;
    int error = 0;

    if (fd < 0)
        return uv_translate_sys_error(errno);
    if (fstat(fd, &st) != 0)
        error = uv_translate_sys_error(errno);
    else if (S_ISDIR(st.st_mode))
        error = UV_EISDIR;
    else if (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode)) /* /dev/null */
        error = UV_EINVAL;
    else if (st.st_size > CLK_YAML_TEXT_MAX)
        error = UV_E2BIG;
    else if (st.st_size > 0)
        room = (size_t)st.st_size + 1;
    if (!error)
        error = read_all(fd, room, text, len);
    close(fd);
    return error;
}
