/* The YAML writer: libyaml's emitter into a buffer. */
#include "core/yaml_write.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "core/mem.h"
#include "core/yaml_scalar.h"

/* A document under way. */
struct clk_yaml_writer {
    yaml_emitter_t emitter;
    char *text;
    size_t len, room;
    bool failed, too_long;
};

/* --- output ------------------------------------------------------------- */

/* libyaml's write handler: 1 is success. */
static int append(void *ud, unsigned char *bytes, size_t len)
{
    struct clk_yaml_writer *w = ud;
    size_t room = w->room ? w->room : 1024;
    char *text;

    if (len > CLK_YAML_WRITE_MAX - w->len) {
        w->too_long = true;
        return 0;
    }
    while (room < w->len + len)
        room *= 2;
    if (room > w->room) {
        text = clk_realloc(w->text, room);
        if (!text)
            return 0;
        w->text = text;
        w->room = room;
    }
    memcpy(w->text + w->len, bytes, len);
    w->len += len;
    return 1;
}

/* Emits an event that was initialized (`made`); the emitter owns it from then
   on. */
static bool emit(struct clk_yaml_writer *w, int made, yaml_event_t *event)
{
    if (!made || w->failed || !yaml_emitter_emit(&w->emitter, event)) {
        if (made && w->failed)
            yaml_event_delete(event);
        w->failed = true;
        return false;
    }
    return true;
}

struct clk_yaml_writer *clk_yaml_writer_new(void)
{
    struct clk_yaml_writer *w = clk_calloc(1, sizeof(*w));
    yaml_event_t event;

    if (!w || !yaml_emitter_initialize(&w->emitter)) {
        clk_free(w);
        return NULL;
    }
    yaml_emitter_set_output(&w->emitter, append, w);
    yaml_emitter_set_unicode(&w->emitter, 1);
    yaml_emitter_set_width(&w->emitter, -1);
    if (emit(w, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING),
             &event)
        && emit(
            w,
            yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1),
            &event))
        return w;
    clk_yaml_writer_free(w);
    return NULL;
}

void clk_yaml_writer_free(struct clk_yaml_writer *w)
{
    if (!w)
        return;
    yaml_emitter_delete(&w->emitter);
    clk_free(w->text);
    clk_free(w);
}

const char *clk_yaml_writer_end(struct clk_yaml_writer *w, size_t *len)
{
    yaml_event_t event;

    if (!emit(w, yaml_document_end_event_initialize(&event, 1), &event)
        || !emit(w, yaml_stream_end_event_initialize(&event), &event))
        return NULL;
    *len = w->len;
    return w->text;
}

bool clk_yaml_writer_out_of_memory(const struct clk_yaml_writer *w)
{
    return w->failed && !w->too_long;
}

/* --- values ------------------------------------------------------------- */

static bool write_scalar(struct clk_yaml_writer *w, const char *text,
                         size_t len, yaml_scalar_style_t style)
{
    yaml_event_t event;
    int made = yaml_scalar_event_initialize(
        &event, NULL, NULL, (const yaml_char_t *)text, (int)len, 1, 1, style);

    return emit(w, made, &event);
}

static bool write_plain(struct clk_yaml_writer *w, const char *text)
{
    return write_scalar(w, text, strlen(text), YAML_PLAIN_SCALAR_STYLE);
}

bool clk_yaml_write_null(struct clk_yaml_writer *w)
{
    return write_plain(w, "null");
}

bool clk_yaml_write_bool(struct clk_yaml_writer *w, bool value)
{
    return write_plain(w, value ? "true" : "false");
}

bool clk_yaml_write_int(struct clk_yaml_writer *w, int64_t value)
{
    char text[32];

    snprintf(text, sizeof(text), "%" PRId64, value);
    return write_plain(w, text);
}

/* "1" becomes "1.0" and "1e+20" "1.0e+20": a float to any reader. */
static void add_point(char *text)
{
    size_t at = strcspn(text, "e");

    memmove(text + at + 2, text + at, strlen(text + at) + 1);
    text[at] = '.';
    text[at + 1] = '0';
}

bool clk_yaml_write_float(struct clk_yaml_writer *w, double value)
{
    char text[40];

    if (isnan(value))
        return write_plain(w, ".nan");
    if (isinf(value))
        return write_plain(w, value < 0 ? "-.inf" : ".inf");
    /* The shortest form that reads back as the same number. */
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    if (!strchr(text, '.'))
        add_point(text);
    return write_plain(w, text);
}

bool clk_yaml_write_number(struct clk_yaml_writer *w, const char *text,
                           size_t len)
{
    return write_scalar(w, text, len, YAML_PLAIN_SCALAR_STYLE);
}

/* Whether single quotes do: no escapes needed, nothing invisible. */
static bool is_printable(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] < ' ' || text[i] > '~')
            return false;
    return true;
}

bool clk_yaml_write_string(struct clk_yaml_writer *w, const char *text,
                           size_t len)
{
    yaml_scalar_style_t style = YAML_DOUBLE_QUOTED_SCALAR_STYLE;

    if (len > CLK_YAML_WRITE_MAX) {
        w->failed = w->too_long = true;
        return false;
    }
    if (clk_yaml_is_plain(text, len))
        style = YAML_PLAIN_SCALAR_STYLE;
    else if (is_printable(text, len))
        style = YAML_SINGLE_QUOTED_SCALAR_STYLE;
    return write_scalar(w, text, len, style);
}

bool clk_yaml_write_list(struct clk_yaml_writer *w)
{
    yaml_event_t event;

    return emit(w,
                yaml_sequence_start_event_initialize(&event, NULL, NULL, 1,
                                                     YAML_BLOCK_SEQUENCE_STYLE),
                &event);
}

bool clk_yaml_write_map(struct clk_yaml_writer *w)
{
    yaml_event_t event;

    return emit(w,
                yaml_mapping_start_event_initialize(&event, NULL, NULL, 1,
                                                    YAML_BLOCK_MAPPING_STYLE),
                &event);
}

bool clk_yaml_write_list_end(struct clk_yaml_writer *w)
{
    yaml_event_t event;

    return emit(w, yaml_sequence_end_event_initialize(&event), &event);
}

bool clk_yaml_write_map_end(struct clk_yaml_writer *w)
{
    yaml_event_t event;

    return emit(w, yaml_mapping_end_event_initialize(&event), &event);
}

/* --- UTF-8 -------------------------------------------------------------- */

/* The length of the character at `s`, or 0 when it is none. */
static size_t character(const unsigned char *s, size_t len)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = s[0] < 0x80             ? 1
               : (s[0] & 0xe0) == 0xc0 ? 2
               : (s[0] & 0xf0) == 0xe0 ? 3
               : (s[0] & 0xf8) == 0xf0 ? 4
                                       : 0;
    uint32_t c = n == 1 ? s[0] : s[0] & (0x7fu >> n);

    if (n == 0 || n > len)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (s[i] & 0x3fu);
    }
    if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    return n;
}

bool clk_yaml_is_utf8(const char *text, size_t len)
{
    const unsigned char *s = (const unsigned char *)text;

    while (len > 0) {
        size_t n = character(s, len);

        if (n == 0)
            return false;
        s += n;
        len -= n;
    }
    return true;
}
