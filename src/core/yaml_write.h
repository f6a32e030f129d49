/* YAML, written: a document built value by value.

   Block style, two spaces, one line per scalar. A string stands without quotes
   only when neither YAML 1.1 nor 1.2 could take it for something else; what is
   read back is what was written. */
#ifndef CLK_YAML_WRITE_H
#define CLK_YAML_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest document, in bytes. */
enum { CLK_YAML_WRITE_MAX = 64 << 20 };

struct clk_yaml_writer;

/* A writer that has begun a document; NULL when memory is out. */
struct clk_yaml_writer *clk_yaml_writer_new(void);

/* NULL is allowed. */
void clk_yaml_writer_free(struct clk_yaml_writer *writer);

/* Each writes one value, a key, or the begin or end of a collection. False when
   memory is out or the document too long: then nothing more can be written. */
bool clk_yaml_write_null(struct clk_yaml_writer *writer);
bool clk_yaml_write_bool(struct clk_yaml_writer *writer, bool value);
bool clk_yaml_write_int(struct clk_yaml_writer *writer, int64_t value);
bool clk_yaml_write_float(struct clk_yaml_writer *writer, double value);
bool clk_yaml_write_list(struct clk_yaml_writer *writer);
bool clk_yaml_write_map(struct clk_yaml_writer *writer);
bool clk_yaml_write_list_end(struct clk_yaml_writer *writer);
bool clk_yaml_write_map_end(struct clk_yaml_writer *writer);

/* The same for a string, which must be UTF-8; see clk_yaml_is_utf8. */
bool clk_yaml_write_string(struct clk_yaml_writer *writer, const char *text,
                           size_t len);

/* The same for a number of any size, in decimal; the caller checks that it is
   one. */
bool clk_yaml_write_number(struct clk_yaml_writer *writer, const char *text,
                           size_t len);

/* Ends the document: its text, which stays the writer's, or NULL on failure. */
const char *clk_yaml_writer_end(struct clk_yaml_writer *writer, size_t *len);

/* Whether a failure was for lack of memory (else: too long). */
bool clk_yaml_writer_out_of_memory(const struct clk_yaml_writer *writer);

/* Whether the bytes are UTF-8 that YAML can carry. */
bool clk_yaml_is_utf8(const char *text, size_t len);

#endif
