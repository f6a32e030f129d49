/* Files of NAME=value lines. Pure: reads from one buffer, writes to another.

   Blank lines and lines whose first visible character is # are skipped; the
   word `export` before a name and blanks around = are allowed; a byte order
   mark and CR before LF at line ends are not seen. A value is one of
     bare      to the end of the line or to a # after a blank, blanks at its end
               dropped, everything else as it is
     'text'    as it is, over several lines
     "text"    over several lines; \n \r \t \" \\ \$ stand for one character,
               any other backslash for itself
     """text"""  as it is, over several lines; the end is the last three of a
               run of quotes
   and only a comment may follow quotes. Nothing is expanded. */
#ifndef CLK_DOTENV_H
#define CLK_DOTENV_H

#include <stddef.h>

/* A text being read; zero `at` and `line` before the first entry. */
struct clk_dotenv {
    const unsigned char *text;
    size_t len;
    size_t at;       /* where reading goes on */
    unsigned line;   /* of the current entry, from 1 */
    const char *why; /* after a failure; never a part of the text */
};

/* One entry: the name points into the text. */
struct clk_dotenv_entry {
    const unsigned char *name;
    size_t name_len;
    size_t value_len; /* bytes written to `value` */
};

/* Reads the next entry, its value to `value` (room for the whole text). 1 with
   an entry, 0 at the end, -1 when the text breaks the rules. */
int clk_dotenv_next(struct clk_dotenv *d, struct clk_dotenv_entry *entry,
                    unsigned char *value);

#endif
